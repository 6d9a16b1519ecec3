import LatentKit

/// Fully connected layers with an activation between them: `inputs → hidden… `.
private func hiddenLayers(_ inputs: Int, _ widths: [Int], _ activation: Activation, in scope: Scope) throws
  -> [any Layer]
{
  try zip([inputs] + widths, widths).enumerated().map { index, sizes in
    try Linear.activated(sizes.0, sizes.1, activation, in: scope("hidden\(index + 1)"))
  }
}

/// Fully connected encoder: the input as one vector, hidden layers, a linear code.
///
/// - Shapes: `[batch] + inputShape` to `[batch, latent]`.
public struct MLPEncoder: FeatureEncoder, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("Length of a latent vector.", .width) public var latent = 40
    @Setting("Widths of the hidden layers.", .widths) public var hidden = [400]
    @Setting("The function after each hidden layer.") public var activation = Activation.relu
    @Setting("Points, or Gaussians (mean and log variance) for variational models.") public var code = CodeKind.point
    public init() {}
  }

  public let latentSize: Int
  private let hidden: [any Layer]
  private let head: CodeHead

  public init(_ config: Config, in context: BuildContext) throws {
    latentSize = config.latent
    hidden = try hiddenLayers(context.inputSize, config.hidden, config.activation, in: context.scope)
    head = try CodeHead(
      config.hidden.last ?? context.inputSize, latent: config.latent, kind: config.code, in: context.scope)
  }

  public func encode(_ batch: Batch) throws -> Code {
    try head(hidden.reduce(batch.inputs.flattened()) { try $1($0) })
  }

  public func features(_ batch: Batch) throws -> [Tensor] { try hidden.outputs(of: batch.inputs.flattened()) }

  public func encodeWithFeatures(_ batch: Batch) throws -> (code: Code, features: [Tensor]) {
    let features = try features(batch)
    return (try head(features.last ?? batch.inputs.flattened()), features)
  }
}

/// Fully connected decoder.
///
/// - Shapes: `[batch, latent]` to `[batch] + inputShape`.
public struct MLPDecoder: ActivatedDecoder, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("Widths of the hidden layers.", .widths) public var hidden = [400]
    @Setting("The function after each hidden layer.") public var activation = Activation.relu
    @Setting("The function after the last layer.") public var output = OutputFunction.sigmoid
    public init() {}
  }

  public let output: OutputFunction
  private let layers: Sequential
  private let shape: [Int]

  public init(_ config: Config, in context: BuildContext) throws {
    let hidden = try hiddenLayers(context.latentSize, config.hidden, config.activation, in: context.scope)
    let last = try Linear(config.hidden.last ?? context.latentSize, context.inputSize, in: context.scope("output"))
    layers = Sequential(hidden + [last])
    output = config.output
    shape = context.inputShape
  }

  public func preactivations(_ request: LatentBatch) throws -> Tensor {
    try layers(request.latents).reshaped([request.latents.size(0)] + shape)
  }
}

/// One linear layer from latents to class scores.
///
/// - Shapes: `[batch, latent]` to `[batch, classes]`.
public struct LinearClassifier: Classifier, Component {
  public typealias Config = NoConfig
  private let layer: Linear

  public init(_ config: Config, in context: BuildContext) throws {
    layer = try Linear(context.latentSize, context.requireClasses(), in: context.scope("output"))
  }

  public var needs: DataNeeds { .labels }
  public func scores(_ request: LatentBatch) throws -> Tensor { try layer(request.latents) }
}

/// Fully connected layers from latents to class scores.
///
/// - Shapes: `[batch, latent]` to `[batch, classes]`.
public struct MLPClassifier: Classifier, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("Widths of the hidden layers.", .widths) public var hidden = [128]
    @Setting("The function after each hidden layer.") public var activation = Activation.relu
    @Setting("Share of the last hidden layer that is dropped in training.", .within(0..<1)) public var dropout = 0.0
    public init() {}
  }

  private let layers: Sequential

  public init(_ config: Config, in context: BuildContext) throws {
    let hidden = try hiddenLayers(context.latentSize, config.hidden, config.activation, in: context.scope)
    let dropout = try Dropout(config.dropout, in: context.scope)
    let last = try Linear(
      config.hidden.last ?? context.latentSize, context.requireClasses(), in: context.scope("output"))
    layers = Sequential(hidden + [dropout, last])
  }

  public var needs: DataNeeds { .labels }
  public func scores(_ request: LatentBatch) throws -> Tensor { try layers(request.latents) }
}
