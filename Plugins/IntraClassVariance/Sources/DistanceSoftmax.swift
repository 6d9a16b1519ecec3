import LatentKit

/// Softmax over distances: `−log softmax_k(−γ ‖x − C_k‖²)` at the label's class.
///
/// Its minimum is where the centroid of its class is the nearest by far; no classifier is needed, and the nearest centroid is the decision.
///
/// - Shapes: latents `[batch, latent]`, labels `[batch]`, the prior's centroids `[classes, latent]`; the term is `[batch]`.
/// - Throws: `RecipeError` where the prior has no centroids or the data no labels.
public struct DistanceSoftmax: Loss, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("gamma: the factor of squared distances.", .above(0, upTo: 1e6)) public var gamma = 1.0
    public init() {}
  }

  private let config: Config
  private let classCount: Int

  public init(_ config: Config, in context: BuildContext) throws {
    self.config = config
    classCount = try context.requireClasses()
  }

  public var needs: DataNeeds { .labels }

  public func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    // Centroids for classes to come are left out.
    let centroids = try prior.requireCentroids(for: "loss 'distance-softmax'").slice(0..<classCount)
    let scores = try squaredDistances(forward.latents, to: centroids) * -config.gamma
    return [.perExample("distance-softmax", try scores.crossEntropy(forward.labels, .none), over: .labelled)]
  }
}
