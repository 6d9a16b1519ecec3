import LatentKit

/// Pulls each latent to the predefined centroid of its class: `1/n Σ (z_i − μ_i)²` (Zhu & Zhang 2019, eq. 6).
///
/// With `paper`, the square is the squared Euclidean distance, as printed; with `author-code`, its mean over the latent
/// dimensions, so the same divided by `latent`. The second is the default: Table 4 was made by it (see the README).
///
/// - Shapes: latents `[batch, latent]`, labels `[batch]`; the term is a scalar.
/// - Throws: `RecipeError` where the prior has no centroids or the data no labels.
public struct CentroidLoss: Loss {
  public struct Config: ComponentConfig {
    public var fidelity = Fidelity.authorCode
    public init() {}
    public static let help: KeyValuePairs = [
      "fidelity": "paper: squared distance, mean over the batch; author-code: its mean over latent dimensions too."
    ]
  }

  private let config: Config

  public init(_ config: Config, in context: BuildContext) throws {
    _ = try context.requireClasses()
    self.config = config
  }

  public func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    guard let prior = prior as? any CentroidPrior else {
      throw RecipeError(
        """
        loss 'centroid' needs a prior that places each class at a point, and \(type(of: prior)) does not; set prior to \
        pedcc, or drop the loss
        """)
    }
    let latents = try forward.latents
    let error = try latents.squaredError(prior.centroids.rows(forward.labels))
    return [Term("centroid", config.fidelity == .authorCode ? error : try error * Double(latents.size(1)))]
  }
}
