import LatentKit
import Statistics

/// Mean scores of a discriminator on inputs and on their reconstructions, and the share of pairs of both of which the input has the
/// higher score (the area under the ROC curve: 0.5 for a critic that cannot tell them apart, 1 for one that separates them fully).
///
/// It warns
/// - where the scores are constant: their standard deviation is at most a thousandth of their mean, or a hundredth of `target`;
/// - where the critic is saturated: the area is 0.99 or more, and on both sides the mean squared distance to the targets `t` and
///   `−t` is below `0.1 t²`, a tenth of what a constant score of 0 has. A least-squares critic is nearly flat there, so that the
///   decoder gets next to no slope. Scores of a Wasserstein critic have no targets and no scale: `target: null` leaves this out.
///
/// - Shapes: inputs and reconstructions `[batch] + inputShape`, scores `[batch, 1]`.
/// - Throws: `RecipeError` without a discriminator or a decoder.
public struct CriticMetric: Metric, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting(
      "The score that the critic is trained to give real inputs, and its negative to decoded ones; null for a critic without "
        + "targets, such as Wasserstein's.", .above(0, upTo: 1e6)) public var target: Double? = 1
    public init() {}
  }

  private let config: Config
  private var real: [Tensor] = []
  private var made: [Tensor] = []

  public init(_ config: Config, in context: BuildContext) { self.config = config }

  public mutating func update(_ forward: Forward) throws {
    real.append(try forward.scores(of: forward.inputs).to(.cpu).to(.float64))
    made.append(try forward.scores(of: forward.reconstruction).to(.cpu).to(.float64))
  }

  public func finish(_ evaluation: Evaluation) throws -> [Measured] {
    let real = try Tensor.concatenate(real).contiguous().doubles()
    let made = try Tensor.concatenate(made).contiguous().doubles()
    let scores = try Tensor(real + made)
    let isReal = try Tensor.range(0, scores.count) .< Double(real.count)
    let area = try scores.isFinite().all() ? OperatingCurve(scores: scores, isPositive: isReal).area : .nan
    var score = Measured("critic score, real", mean(real))
    if evaluation.isTrained(.discriminator) { score.warning = warning(real, made, area: area) }
    return [score, Measured("critic score, generated", mean(made)), Measured("critic AUC", area)]
  }

  private func warning(_ real: [Double], _ made: [Double], area: Double) -> String? {
    let all = real + made
    let centre = mean(all)
    let deviation = mean(all.map { ($0 - centre) * ($0 - centre) }).squareRoot()
    // Scores of a clipped critic are small, and never this near to each other.
    if deviation <= max(1e-3 * abs(centre), 1e-2 * (config.target ?? 0), 1e-9) {
      return
        "the discriminator gives every input nearly the same score, so the decoder learns nothing from it; lower its learning "
        + "rate, or loosen its clipping or penalty"
    }
    guard let target = config.target, area >= 0.99 else { return nil }
    let errors = [
      mean(real.map { ($0 - target) * ($0 - target) }), mean(made.map { ($0 + target) * ($0 + target) }),
    ]
    guard errors.allSatisfy({ $0 < 0.1 * target * target }) else { return nil }
    return
      "the discriminator is saturated: it tells inputs and reconstructions fully apart and scores both close to its targets, "
      + "where it is nearly flat, so that the decoder gets next to no slope from it; train it less often or at a lower learning "
      + "rate, or raise the weight of 'adversarial'"
  }
}

private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(values.count) }
