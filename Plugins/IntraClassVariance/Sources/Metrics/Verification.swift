import LatentKit
import Statistics

/// Verification: whether two examples are of one class, told by the distance of their latents, over all pairs. The area under the
/// receiver operating characteristic (ROC), the equal error rate, the rate of true acceptance at 1 % false acceptance (TAR at 1 %
/// FAR), and the curve as a table.
///
/// - Throws: `RecipeError` without labels, or where classes are asked for that the data do not hold out.
public struct Verification: Metric, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting(
      "What is compared: examples of unseen classes (data.holdOut), the measured part, or auto: the first where there are some."
    )
    public var of = LatentSource.auto
    @Setting("How alike two latents are: by their Euclidean distance, or by their cosine.") public var similarity =
      OperatingCurve.Similarity.euclidean
    @Setting("Examples at most; there are about half their square of pairs.", .within(2...20000)) public var examples =
      2000
    public init() {}
  }

  private let config: Config
  public init(_ config: Config, in context: BuildContext) { self.config = config }

  public var needs: DataNeeds { .labels }
  public var timing: MetricTiming { .atEnd }

  public func finish(_ evaluation: Evaluation) throws -> [Measured] {
    let (latents, labels) = try evaluation.latents(
      of: config.of, atMost: config.examples, for: "metric 'verification'")
    guard try Set(labels.ints()).count > 1, try labels.size(0) > Set(labels.ints()).count else {
      let reason = "verification needs pairs of one class and of two"
      return [Measured("verification AUC", missing: reason), Measured("equal error rate", missing: reason, unit: "%")]
    }
    let curve = try OperatingCurve(pairsOf: latents, labels: labels, by: config.similarity)
    return curve.measured
  }
}

extension OperatingCurve {
  /// The area, the equal error rate and some points of the curve.
  var measured: [Measured] {
    let rates = [0.0001, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1]
    let table = MeasuredTable(
      rowTitle: "false acceptance", rows: rates.map { "\($0)" }, columnTitle: "rate", columns: ["true acceptance"],
      values: rates.map { [truePositiveRate(at: $0)] }, isMatrix: false)
    return [
      Measured("verification AUC", area), Measured("equal error rate", 100 * equalErrorRate, unit: "%"),
      Measured("TAR at 1 % FAR", 100 * truePositiveRate(at: 0.01), unit: "%"),
      Measured("ROC curve", table),
    ]
  }
}
