import LatentKit

/// Scores of a discriminator on inputs and on their reconstructions, and how much reconstructions differ from each other; with a
/// warning where the discriminator or the decoder has collapsed.
///
/// The diversity is the variance of a reconstructed value over examples, averaged over values, in parts of that of the inputs.
///
/// - Shapes: inputs and reconstructions `[batch] + inputShape`, scores `[batch, 1]`.
/// - Throws: `RecipeError` without a discriminator or a decoder.
public struct CriticMetric: Metric, Component {
  public typealias Config = NoConfig

  private var count = 0.0
  private var real = (sum: 0.0, squares: 0.0)
  private var made = (sum: 0.0, squares: 0.0)
  private var inputs: (sum: Tensor, squares: Tensor)?
  private var outputs: (sum: Tensor, squares: Tensor)?

  public init(_ config: Config, in context: BuildContext) {}

  public mutating func update(_ forward: Forward) throws {
    count += try Double(forward.inputs.size(0))
    for (values, sums) in [(forward.inputs, \CriticMetric.real), (try forward.reconstruction, \CriticMetric.made)] {
      let scores = try forward.scores(of: values).to(.float64)
      self[keyPath: sums].sum += try scores.sum().item()
      self[keyPath: sums].squares += try scores.square().sum().item()
    }
    inputs = try CriticMetric.added(forward.inputs, to: inputs)
    outputs = try CriticMetric.added(forward.reconstruction, to: outputs)
  }

  private static func added(
    _ values: Tensor, to sums: (sum: Tensor, squares: Tensor)?
  ) throws -> (sum: Tensor, squares: Tensor) {
    let values = try values.to(.float64)
    let (sum, squares) = (try values.sum(axis: 0), try values.square().sum(axis: 0))
    guard let sums else { return (sum, squares) }
    return (try sums.sum + sum, try sums.squares + squares)
  }

  /// The variance of each value over examples, averaged over values.
  private func spread(_ sums: (sum: Tensor, squares: Tensor)?) throws -> Double {
    guard let sums else { return 0 }
    return try (sums.squares / count - (sums.sum / count).square()).mean().item()
  }

  public func finish(_ evaluation: Evaluation) throws -> [Measured] {
    let means = (real: real.sum / count, made: made.sum / count)
    let mean = (means.real + means.made) / 2
    let deviation = max((real.squares + made.squares) / (2 * count) - mean * mean, 0).squareRoot()
    var score = Measured("critic score, real", means.real)
    // Scores of a clipped critic are small, and never this near to each other.
    if deviation <= max(1e-4 * abs(mean), 1e-9) {
      score.warning =
        "the discriminator gives every input the same score, \(Float(mean)), so the decoder learns nothing from it; lower "
        + "its learning rate, or loosen its clipping or penalty"
    }
    var diversity = Measured("diversity", try spread(outputs) / max(spread(inputs), 1e-30))
    if let value = diversity.value, value < 0.01 {
      diversity.warning =
        "the decoder makes nearly the same of every latent (variance \(Float(value)) of that of the inputs); lower the "
        + "weight of 'adversarial', or see whether the code has collapsed"
    }
    return [score, Measured("critic score, generated", means.made), diversity]
  }
}
