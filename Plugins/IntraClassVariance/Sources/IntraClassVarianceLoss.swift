import LatentKit

/// The mini-batch variance within classes: `1/n Σ_j ‖x_j − C_{y_j}‖²` (Pilarczyk & Skarbek 2019, eq. 5; without a factor 1/2).
///
/// The paper's lambda is the loss's weight. The centroids are those of any prior that has some; under predefined ones, `pedcc`,
/// the term is that of loss `centroid` in the form of its paper.
///
/// - Shapes: latents `[batch, latent]`, labels `[batch]`; the term is `[batch]`.
/// - Throws: `RecipeError` where the prior has no centroids or the data no labels.
public struct IntraClassVarianceLoss: Loss, Component {
  public typealias Config = NoConfig
  public init(_ config: Config, in context: BuildContext) {}

  public var needs: DataNeeds { .labels }

  public func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    let centroids = try prior.requireCentroids(for: "loss 'intra-class-variance'")
    let (latents, targets) = (try forward.latents, try centroids.rows(forward.labels))
    let whole = try latents.squaredError(targets) * Double(latents.size(1))
    return [
      .perExample("intra-class-variance", whole: whole, over: .labelled) {
        try latents.squaredError(targets, .none).sum(axis: 1)
      }
    ]
  }
}
