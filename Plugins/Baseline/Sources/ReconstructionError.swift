import LatentKit

/// Mean squared error of a reconstructed value, over all examples and their values, without noise or draws.
///
/// Images are compared without their padding, in brightness from 0 to 1, so that a model of inputs from −1 to 1 padded to
/// 32x32 compares with one of 0 to 1. Rows of numbers are compared in the units of the model's inputs.
///
/// - Shapes: inputs and reconstructions `[batch] + inputShape`.
/// - Throws: `RecipeError` without a decoder.
public struct ReconstructionError: Metric, Component {
  public typealias Config = NoConfig

  /// Nil for rows of numbers.
  private let pixels: ImagePixels?
  private var sum = 0.0
  private var count = 0

  public init(_ config: Config, in context: BuildContext) throws {
    try context.requireDecoder()
    pixels = context.inputShape.count == 3 ? try ImagePixels(in: context) : nil
  }

  public var timing: MetricTiming { .atEnd }

  public mutating func update(_ forward: Forward) throws {
    let difference = try compared(forward.reconstruction) - compared(forward.inputs)
    let errors = try difference.to(.float64).square().mean(axes: Array(1..<difference.rank))
    sum += try errors.sum().item()
    count += try difference.size(0)
  }

  public func finish(_ evaluation: Evaluation) throws -> [Measured] {
    [Measured("reconstruction error", sum / Double(count))]
  }

  /// Returns inputs or reconstructions in the scale of the comparison, on the CPU.
  private func compared(_ values: Tensor) throws -> Tensor { try pixels?(values) ?? values.to(.cpu) }
}
