import LatentKit

/// The center loss in its authors' form: `1/(2n) Σ ‖x_j − C_{y_j}‖²`, by which latents move and centroids do not (Wen et al. 2016,
/// eq. 2, with a mean in place of the sum).
///
/// The centroids follow each mini-batch by rule: prior `learned-centroids` with update `batch` and denominator `count-plus-one`.
///
/// - Shapes: latents `[batch, latent]`, labels `[batch]`; the term is `[batch]`.
/// - Throws: `RecipeError` where the prior has no centroids or the data no labels.
public struct CenterLoss: Loss, Component {
  public typealias Config = NoConfig
  public init(_ config: Config, in context: BuildContext) {}

  public var needs: DataNeeds { .labels }

  public func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    let centroids = try prior.requireCentroids(for: "loss 'center'").detached()
    let offsets = try forward.latents - centroids.rows(forward.labels)
    return [.perExample("center", try offsets.square().sum(axis: 1) * 0.5, over: .labelled)]
  }
}
