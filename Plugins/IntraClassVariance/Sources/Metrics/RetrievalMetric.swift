import LatentKit
import Statistics

/// MAP@R, R-precision and precision at 1 of latents, in percent (Musgrave, Belongie & Lim 2020): on unseen classes where the data hold
/// some out.
///
/// - Throws: `RecipeError` without labels, or where classes are asked for that the data do not hold out.
public struct RetrievalMetric: Metric, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting(
      "Which examples are used: those of unseen classes (data.holdOut), the measured part, or auto: the first where there are some."
    )
    public var of = LatentSource.auto
    @Setting("Examples at most; time grows with their square.", .within(2...20000)) public var examples = 2000
    public init() {}
  }

  private let config: Config
  public init(_ config: Config, in context: BuildContext) { self.config = config }

  public var needs: DataNeeds { .labels }
  public var timing: MetricTiming { .atEnd }

  public func finish(_ evaluation: Evaluation) throws -> [Measured] {
    let (latents, labels) = try evaluation.latents(of: config.of, atMost: config.examples, for: "metric 'map-at-r'")
    guard try labels.size(0) > Set(labels.ints()).count else {
      return [Measured("MAP@R", missing: "no two examples are of one class", unit: "%")]
    }
    let found = try Retrieval(of: latents, labels: labels)
    return [
      Measured("MAP@R", 100 * found.meanAveragePrecision, unit: "%"),
      Measured("R-precision", 100 * found.precisionAtR, unit: "%"),
      Measured("precision at 1", 100 * found.precisionAtOne, unit: "%"),
    ]
  }
}
