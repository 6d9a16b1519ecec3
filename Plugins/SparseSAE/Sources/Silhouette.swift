import LatentKit
import Statistics

/// How well classes are apart in the latent space: the mean silhouette (Rousseeuw 1987), as in Tables 1 and 2 of Barlaud &
/// Guyard 2021.
///
/// `mean over the examples of (b − a) / max(a, b)`, with the mean Euclidean distance `a` to the others of the example's
/// class and the least mean distance `b` to those of another class. From −1 to 1. The clusters are the true classes.
///
/// The paper does not say which examples it measured. `silhouette` is that of the measured part: the test part in a
/// run's summary. `training: true` adds `silhouette of training latents` beside it.
///
/// - Shapes: latents `[count, latent]`, labels `[count]`.
public struct Silhouette: RankingMetric, Component {
  public struct Config: ComponentConfig {
    @Setting("Also measure the training latents, whatever part is measured, under a name that says so.")
    public var training = false
    public init() {}
  }

  private let config: Config
  private let classCount: Int

  /// - Throws: `RecipeError` for data without labels, or of one class.
  public init(_ config: Config, in context: BuildContext) throws {
    self.config = config
    classCount = try context.requireClasses()
    guard classCount >= 2 else {
      throw RecipeError("\(context.title) compares classes, found one; choose data with two or more")
    }
  }

  public var needs: DataNeeds { .labels }

  public func goal(of measurement: String) -> Goal? { .highest }

  public func finish(_ evaluation: Evaluation) throws -> [Measured] {
    var found = try silhouette(evaluation.measured, called: "silhouette")
    if config.training { found += try silhouette(evaluation.training, called: "silhouette of training latents") }
    return found
  }

  /// Missing for latents of one class, which a small part may be.
  private func silhouette(_ set: LatentSet, called name: String) throws -> [Measured] {
    let set = try set.withLabels()
    guard let labels = set.labels, try labels.max().item() > labels.min().item() else {
      return [Measured(name, missing: "found latents of one class, expected two or more")]
    }
    return [Measured(name, try set.latents.silhouettes(labels: labels, classCount: classCount).mean().item())]
  }
}
