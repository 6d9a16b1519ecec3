import LatentKit

/// Fully connected layers on a vector with the one-hot label behind it.
private struct ConditionalLayers: Sendable {
  private let layers: Sequential
  private let classCount: Int
  /// The length of what comes out.
  let width: Int

  /// - Throws: `RecipeError` where the data have no labels.
  init(_ inputs: Int, _ hidden: [Int], _ activation: Activation, in context: BuildContext) throws {
    classCount = try context.requireClasses()
    let widths = [inputs + classCount] + hidden
    layers = Sequential(
      try zip(widths, hidden).enumerated().map { index, sizes in
        try Linear.activated(sizes.0, sizes.1, activation, in: context.scope("hidden\(index + 1)"))
      })
    width = hidden.last ?? inputs + classCount
  }

  /// - Parameters:
  ///   - vectors: `[batch, inputs]`.
  ///   - labels: `[batch]`, Int64.
  func callAsFunction(_ vectors: Tensor, _ labels: Tensor) throws -> Tensor {
    let condition = try labels.to(vectors.device).oneHot(classCount).to(vectors.dtype)
    return try layers(.concatenate([vectors, condition], axis: 1))
  }
}

/// A fully connected encoder to a Gaussian that is conditioned on the class, `q(z|x, y)`: the one-hot label stands behind
/// the input. The encoder of the conditional variational autoencoder (Sohn, Lee & Yan 2015).
///
/// Its latents know the label, so the accuracy of a classifier on them says nothing.
///
/// - Shapes: inputs `[batch] + inputShape`, labels `[batch]`, to means and log variances `[batch, latent]`.
/// - Throws: `RecipeError` where the data have no labels.
public struct ConditionalMLPEncoder: Encoder, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("Length of a latent vector.", .within(1...1_000_000)) public var latent = 40
    @Setting("Widths of the hidden layers.", .within(1...1_000_000).each(count: 0...64)) public var hidden = [400]
    @Setting("The function after each hidden layer.") public var activation = Activation.relu
    public init() {}
  }

  public let latentSize: Int
  private let hidden: ConditionalLayers
  private let mean: Linear
  private let logVariance: Linear
  private let title: String

  public init(_ config: Config, in context: BuildContext) throws {
    (latentSize, title) = (config.latent, context.title)
    hidden = try ConditionalLayers(context.inputSize, config.hidden, config.activation, in: context)
    mean = try Linear(hidden.width, config.latent, in: context.scope("latent"))
    logVariance = try Linear(hidden.width, config.latent, in: context.scope("logVariance"))
  }

  public var needs: DataNeeds { .everyLabel }

  public func encode(_ batch: Batch) throws -> Code {
    guard let labels = batch.labels else {
      throw RecipeError("\(title) is conditioned on the class, and there are no labels")
    }
    let features = try hidden(batch.inputs.flattened(), labels)
    return .gaussian(mean: try mean(features), logVariance: try logVariance(features))
  }
}

/// A fully connected decoder that is conditioned on the class: the one-hot label stands behind the latent. The decoder of
/// the conditional variational autoencoder that Zhu & Zhang 2019 compare with.
///
/// - Shapes: latents `[batch, latent]`, labels `[batch]`, to `[batch] + inputShape`.
/// - Throws: `RecipeError` where the data have no labels.
public struct ConditionalMLPDecoder: ActivatedDecoder, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("Widths of the hidden layers.", .within(1...1_000_000).each(count: 0...64)) public var hidden = [400]
    @Setting("The function after each hidden layer.") public var activation = Activation.relu
    @Setting("The function after the last layer.") public var output = OutputFunction.sigmoid
    public init() {}
  }

  public let output: OutputFunction
  private let hidden: ConditionalLayers
  private let last: Linear
  private let shape: [Int]
  private let title: String

  public init(_ config: Config, in context: BuildContext) throws {
    (output, shape, title) = (config.output, context.inputShape, context.title)
    hidden = try ConditionalLayers(context.latentSize, config.hidden, config.activation, in: context)
    last = try Linear(hidden.width, context.inputSize, in: context.scope("output"))
  }

  public var needs: DataNeeds { .everyLabel }

  public func preactivations(_ request: LatentBatch) throws -> Tensor {
    try last(hidden(request.latents, request.requireLabels(for: title))).reshaped([request.latents.size(0)] + shape)
  }
}
