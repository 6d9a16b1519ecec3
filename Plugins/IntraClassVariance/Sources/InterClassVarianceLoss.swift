import LatentKit

/// The extension that Pilarczyk & Skarbek 2019 name at the end of section 2.3: the variance between classes is subtracted, while
/// that of everything stays bounded. To be used beside `intra-class-variance`, which moves the centroids.
///
/// With the learned grand mean `m`, the total variance of a batch is `T = 1/n Σ ‖x_j − m‖²` and that within classes
/// `W = 1/n Σ ‖x_j − C_{y_j}‖²`. The terms are
///
/// - `−(T − W)`, the negative variance between classes, by which latents move;
/// - `s max(0, T − b)`, the total variance beyond the bound `b`;
/// - `‖x_j − m‖²` with the latents held still, whose minimum over `m` is the grand mean.
///
/// `W` is never negative, so that the first two together are at least `−b` for every strength `s` of 1 or more: they cannot be
/// lowered without end by spreading the latents. Latents of length 1 are bounded anyway: their total variance is at most 1.
///
/// The grand mean is `r` times a weight, as learned centroids are: where it lags behind the embeddings, `−T` pushes them all away
/// from it.
///
/// - Shapes: latents `[batch, latent]`, labels `[batch]`; the weight is `grandMean`, `[latent]`.
/// - Throws: `RecipeError` where the prior has no centroids, the data no labels or hidden ones, or examples count differently
///   (`data.classWeights`): the bound is on the variance of a whole batch.
public struct InterClassVarianceLoss: Loss, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("b: the total variance from which on it is penalised.", .above(0, upTo: 1e12)) public var bound = 100.0
    @Setting("s: how strongly; below 1 the loss would have no lower bound.", .within(1...1e6)) public var strength = 2.0
    @Setting("r: the factor of the optimiser's steps of the grand mean.", .above(0, upTo: 1e6)) public var rate = 10.0
    public init() {}
  }

  private let config: Config
  private let stored: Tensor

  public init(_ config: Config, in context: BuildContext) throws {
    self.config = config
    stored = try context.scope.parameter("grandMean", [context.latentSize], .constant(0))
  }

  public var needs: DataNeeds { .labels }

  public func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    guard forward.batch.weights == nil else {
      throw RecipeError(
        "loss 'inter-class-variance' bounds the variance of a whole batch, and data.classWeights lets examples count differently; "
          + "leave one of them out")
    }
    let centroids = try prior.requireCentroids(for: "loss 'inter-class-variance'").detached()
    let (latents, grandMean) = (try forward.latents, try stored * config.rate)
    let total = try (latents - grandMean.detached()).square().sum(axis: 1)
    let within = try (latents - centroids.rows(forward.labels)).square().sum(axis: 1)
    let beyond = try (total.mean() - config.bound).relu() * config.strength
    return [
      .perExample("between-class variance", try within - total), .batch("total variance beyond bound", beyond),
      .perExample("grand mean", try (latents.detached() - grandMean).square().sum(axis: 1)),
    ]
  }
}
