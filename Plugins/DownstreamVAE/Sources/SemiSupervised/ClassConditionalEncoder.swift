import LatentKit

/// The encoder of M2, the semi-supervised variational autoencoder of Kingma, Mohamed, Rezende & Welling 2014: a classifier `q(y|x)` and a
/// Gaussian `q(z|x, y)`, of one hidden representation of the input.
///
/// Its latent is the class and what is left: `[y, z]`, as many values for the class as there are classes. A decoder reads both, so
/// that any decoder of latents is `p(x|y, z)`. Outside of the loss `m2` the code is a point, the probabilities that the classifier gives
/// and the mean of `z` under them, and no label is read: it is no Gaussian, and divergences and bounds of Gaussian codes refuse it.
///
/// - Shapes: `[batch] + inputShape` to `[batch, classes + latent]`.
/// - Throws: `RecipeError` where the data have no labels.
public struct ClassConditionalEncoder: Encoder, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("Length of z, the part of a latent beside the class.", .width) public var latent = 50
    @Setting("Widths of the hidden layers.", .widths) public var hidden = [500]
    public init() {}
  }

  public let latentSize: Int
  let classCount: Int
  private let layers: Sequential
  private let classes: Linear
  private let mean: Linear
  private let logVariance: Linear

  public init(_ config: Config, in context: BuildContext) throws {
    classCount = try context.requireClasses()
    latentSize = classCount + config.latent
    layers = Sequential(try fullyConnected(context.inputSize, config.hidden, in: context.scope))
    let last = config.hidden.last ?? context.inputSize
    classes = try Linear(last, classCount, in: context.scope("classes"))
    mean = try Linear(last + classCount, config.latent, in: context.scope("mean"))
    logVariance = try Linear(last + classCount, config.latent, in: context.scope("logVariance"))
  }

  public var weightsOfLosses: [String] { ["logVariance"] }

  public func encode(_ batch: Batch) throws -> Code {
    let features = try features(of: batch.inputs)
    let shares = try classScores(features).softmax(axis: 1)
    return .point(try .concatenate([shares, remainder(features, classes: shares).mean], axis: 1))
  }

  /// Returns the hidden representation of inputs, `[batch, hidden]`.
  func features(of inputs: Tensor) throws -> Tensor { try layers(inputs.flattened()) }

  /// Returns scores (logits) of `q(y|x)`, `[batch, classes]`.
  func classScores(_ features: Tensor) throws -> Tensor { try classes(features) }

  /// Returns means and log variances of `q(z|x, y)`, `[batch, latent]` each.
  ///
  /// - Parameter classes: `y`, `[batch, classes]`.
  func remainder(_ features: Tensor, classes: Tensor) throws -> (mean: Tensor, logVariance: Tensor) {
    let both = try Tensor.concatenate([features, classes], axis: 1)
    return (try mean(both), try logVariance(both))
  }
}

/// The class of M2 read from the latent: logarithms of its first values, which encoder `m2` makes probabilities. Without weights.
///
/// - Shapes: `[batch, latent]` to `[batch, classes]`.
/// - Throws: `RecipeError` for latents of fewer values than there are classes.
public struct LatentClasses: Classifier, Component {
  public typealias Config = NoConfig
  private let classCount: Int

  public init(_ config: Config, in context: BuildContext) throws {
    classCount = try context.requireClasses()
    guard context.latentSize >= classCount else {
      throw RecipeError(
        "\(context.title) reads the class from a latent of \(context.latentSize) values, expected \(classCount) or more; "
          + "choose encoder m2")
    }
  }

  public var needs: DataNeeds { .labels }

  public func scores(_ request: LatentBatch) throws -> Tensor {
    // Beyond what Float32 tells from 0, and where a draw has moved a probability below it.
    try request.latents.slice(0..<classCount, axis: 1).clamped(1e-30).log()
  }
}

extension ClassConditionalEncoder {
  /// - Throws: `RecipeError` where an encoder is another.
  static func required(_ encoder: (any Encoder)?, for part: String) throws -> ClassConditionalEncoder {
    guard let encoder = encoder as? ClassConditionalEncoder else {
      throw RecipeError("\(part) is about the classes of encoder 'm2', and the encoder is another; choose encoder m2")
    }
    return encoder
  }
}
