import LatentKit
import Statistics

/// Two measures of neural collapse (Papyan, Han & Donoho 2020): `tr(S_W S_B⁺)/K`, which is 0 where each class is a point, and the
/// share of examples for which the nearest training class mean is the class of the highest score, in percent.
///
/// Without a classifier the second is missing.
///
/// - Throws: `RecipeError` without labels.
public struct NeuralCollapseMetric: Metric, Component {
  public typealias Config = NoConfig
  private let classCount: Int

  public init(_ config: Config, in context: BuildContext) throws { classCount = try context.requireClasses() }

  public var needs: DataNeeds { .labels }
  /// Training latents take a pass.
  public var timing: MetricTiming { .atEnd }

  public func finish(_ evaluation: Evaluation) throws -> [Measured] {
    let known = try evaluation.measured.withLabels()
    guard let labels = known.labels else { throw RecipeError.needsLabels("metric 'neural-collapse'") }
    let collapse = try ClassMoments(of: known.latents, labels: labels, classCount: classCount).collapse
    guard let scores = evaluation.scores else {
      return [
        Measured("within-class collapse", collapse),
        Measured("agreement of nearest mean and score", missing: "the recipe has no classifier", unit: "%"),
      ]
    }
    let nearest = try NearestMean(evaluation.training.classMeans(classCount)).classes(of: evaluation.measured.latents)
    let share = try (nearest .== scores.argmax(axis: 1)).to(.float64).mean().item()
    return [
      Measured("within-class collapse", collapse),
      Measured("agreement of nearest mean and score", 100 * share, unit: "%"),
    ]
  }
}
