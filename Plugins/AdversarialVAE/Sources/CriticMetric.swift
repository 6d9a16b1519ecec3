import LatentKit

/// Mean scores of a discriminator on inputs and on their reconstructions, with a warning where it gives all the same score.
///
/// - Shapes: inputs and reconstructions `[batch] + inputShape`, scores `[batch, 1]`.
/// - Throws: `RecipeError` without a discriminator or a decoder.
public struct CriticMetric: Metric, Component {
  public typealias Config = NoConfig

  private var count = 0.0
  private var real = (sum: 0.0, squares: 0.0)
  private var made = (sum: 0.0, squares: 0.0)

  public init(_ config: Config, in context: BuildContext) {}

  public mutating func update(_ forward: Forward) throws {
    count += try Double(forward.inputs.size(0))
    for (values, sums) in [(forward.inputs, \CriticMetric.real), (try forward.reconstruction, \CriticMetric.made)] {
      let scores = try forward.scores(of: values).to(.float64)
      self[keyPath: sums].sum += try scores.sum().item()
      self[keyPath: sums].squares += try scores.square().sum().item()
    }
  }

  public func finish(_ evaluation: Evaluation) throws -> [Measured] {
    var score = Measured("critic score, real", real.sum / count)
    let mean = (real.sum + made.sum) / (2 * count)
    let deviation = max((real.squares + made.squares) / (2 * count) - mean * mean, 0).squareRoot()
    // Scores of a clipped critic are small, and never this near to each other.
    if evaluation.isTrained(.discriminator), deviation <= max(1e-4 * abs(mean), 1e-9) {
      score.warning =
        "the discriminator gives every input the same score, so the decoder learns nothing from it; lower its learning "
        + "rate, or loosen its clipping or penalty"
    }
    return [score, Measured("critic score, generated", made.sum / count)]
  }
}
