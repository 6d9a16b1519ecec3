import LatentKit

/// Pulls each latent to the predefined centroid of its class: `1/n Σ (z_i − μ_i)²` (Zhu & Zhang 2019, eq. 6).
///
/// With `paper`, the square is the squared Euclidean distance, as printed; with `author-code`, its mean over the latent
/// dimensions, so the same divided by `latent`. The second is the default: Table 4 was made by it (see the README).
///
/// - Shapes: latents `[batch, latent]`, labels `[batch]`; the term is `[batch]`.
/// - Throws: `RecipeError` where the prior has no centroids or the data no labels.
public struct CentroidLoss: Loss, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("paper: squared distance, mean over the batch; author-code: its mean over latent dimensions too.")
    public var fidelity = Fidelity.authorCode
    public init() {}
  }

  private let config: Config
  public init(_ config: Config, in context: BuildContext) { self.config = config }

  public var needs: DataNeeds { .labels }

  public func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    let centroids = try prior.requireCentroids(for: "loss 'centroid'")
    let (latents, targets) = (try forward.latents, try centroids.rows(forward.labels))
    let error = try latents.squaredError(targets)
    let isMean = config.fidelity == .authorCode
    let whole = isMean ? error : try error * Double(latents.size(1))
    return [
      .perExample("centroid", whole: whole, over: .labelled) {
        let squares = try latents.squaredError(targets, .none)
        return isMean ? try squares.mean(axis: 1) : try squares.sum(axis: 1)
      }
    ]
  }
}
