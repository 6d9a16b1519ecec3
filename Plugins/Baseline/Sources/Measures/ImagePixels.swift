import LatentKit

/// Images as measures see them: without their padding, and in brightness from 0 to 1, whatever the model reads. Values that a
/// decoder makes beyond its inputs' range stay beyond it.
struct ImagePixels {
  /// The greatest possible pixel value less the least.
  static let range = 1.0

  private let inputs: InputDescription
  /// Channels, height and width, without padding.
  private var shape: [Int] { inputs.innerShape }

  /// - Throws: `RecipeError` where inputs are no images.
  init(in context: BuildContext) throws {
    _ = try context.requireImage()
    inputs = context.inputs
  }

  /// Returns inputs or reconstructions `[batch, channels, height, width]` as pixels, on the CPU.
  func callAsFunction(_ values: Tensor) throws -> Tensor { try inputs.brightness(of: values.to(.cpu)) }

  /// - Throws: `RecipeError` for images with a side of fewer pixels.
  func require(side: Int, for part: String) throws {
    guard min(shape[1], shape[2]) >= side else {
      throw RecipeError(
        "\(part) needs images with sides of at least \(side) pixels, found \(shape[1])x\(shape[2]); drop the metric")
    }
  }
}

extension BuildContext {
  /// - Throws: `RecipeError` where the model has no decoder.
  func requireDecoder() throws {
    guard let model, model.decoder == nil else { return }
    throw RecipeError.missing("a decoder", for: title, fix: "add one, or drop the metric")
  }
}

/// A mean over the values that batches bring.
struct RunningMean {
  private var (sum, count) = (0.0, 0)

  /// Takes in one value for each example.
  mutating func add(_ values: Tensor) throws {
    sum += try values.to(.float64).sum().item()
    count += values.count
  }

  /// NaN of nothing.
  var value: Double { sum / Double(count) }
}
