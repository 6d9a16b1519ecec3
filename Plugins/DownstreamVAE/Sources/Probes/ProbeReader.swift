import Datasets
import LatentKit

/// What a probe trains.
public enum ProbeClassifier: String, Choice {
  /// Multinomial logistic regression.
  case logistic
  /// A network of one hidden layer.
  case mlp
  /// A network with convolutions.
  case cnn
  /// A vote of the nearest examples.
  case nearestNeighbours = "nearest-neighbours"
}

/// What a probe is trained on.
public enum ProbeFeatures: String, Choice {
  /// Means of codes.
  case mean
  /// One draw of each code.
  case sample
  /// Means, then log variances.
  case meanAndVariance = "mean-and-variance"
  /// The inputs without their padding: images from 0 to 1, rows as the model reads them.
  case pixels
  /// Coordinates along the directions in which inputs of the training part, labels unseen, vary most.
  case pca
}

/// Reads the features of examples.
struct ProbeReader {
  private let features: ProbeFeatures
  private let inputs: InputDescription
  private let latentSize: Int
  private let title: String

  init(_ features: ProbeFeatures, in context: BuildContext) {
    (self.features, inputs) = (features, context.inputs)
    (latentSize, title) = (context.latentSize, context.title)
  }

  var readsPixels: Bool { features == .pixels }

  /// The values of an input without its padding.
  var pixelCount: Int { inputs.innerShape.reduce(1, *) }

  /// Channels, height and width of the features as an image.
  /// - Throws: `RecipeError` where they are none.
  var imageShape: [Int] {
    get throws {
      let side = Int(Double(latentSize).squareRoot().rounded())
      switch features {
      case .pixels:
        guard inputs.shape.count == 3 else { throw RecipeError.needsImages(title, found: inputs.shape) }
        return inputs.innerShape
      case .pca:
        throw RecipeError(
          "\(title) is set to a cnn on principal components, which are no image; choose logistic or mlp")
      case .mean, .sample, .meanAndVariance:
        guard side * side == latentSize else {
          throw RecipeError(
            "\(title) is set to a cnn on latents of \(latentSize) values, which make no square; set encoder.latent to a "
              + "square, \(side * side) or \((side + 1) * (side + 1)) say, or choose mlp")
        }
        return [features == .meanAndVariance ? 2 : 1, side, side]
      }
    }
  }

  /// Returns features `[count, dimensions]` on the CPU. Those of principal components are the inputs still.
  func read(
    _ batch: Tensor, code: () throws -> Code, using generator: inout Generator
  ) throws -> Tensor {
    switch features {
    case .mean: return try code().mean.to(.cpu)
    case .sample: return try code().sample(using: &generator).to(.cpu)
    case .meanAndVariance:
      let (mean, logVariance) = try code().requireGaussian(for: title)
      return try Tensor.concatenate([mean, logVariance], axis: 1).to(.cpu)
    case .pixels, .pca: return try pixels(batch)
    }
  }

  /// Returns inputs without padding as rows, on the CPU.
  func pixels(_ batch: Tensor) throws -> Tensor {
    let inner = try inputs.shape.count == 3 ? inputs.brightness(of: batch.to(.cpu)) : batch.to(.cpu)
    return try inner.contiguous().flattened()
  }
}

/// The order in which training examples give their labels to probes.
public struct LabelOrder: Sendable {
  private let positions: [Int]

  /// Orders the examples whose labels are known, evenly over classes.
  ///
  /// - Parameters:
  ///   - training: With the labels of the training part; hidden ones are left out.
  ///   - seed: The seed of the run, or of the probe.
  /// - Throws: `TensorError` for labels that are not `[count]`.
  public init(_ training: LatentSet, seed: UInt64) throws {
    let labels = try training.labels?.ints() ?? []
    let isKnown = try training.labelled?.ints()
    var generator = try Generator(seed: seed, for: Examples.labelOrder)
    positions = try Examples.order(
      of: labels.indices.filter { isKnown?[$0] != 0 }, by: labels, evenly: true, using: &generator)
  }

  /// The number of examples that have a label.
  public var count: Int { positions.count }

  /// Returns the places of the first examples in the training part; of all, where there are fewer.
  public func prefix(_ count: Int) -> [Int] { Array(positions.prefix(count)) }
}
