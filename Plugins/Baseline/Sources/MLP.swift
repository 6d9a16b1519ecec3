import LatentKit

/// Fully connected layers with an activation between them: `inputs → hidden… `.
private func hiddenLayers(_ inputs: Int, _ widths: [Int], _ activation: Activation, in scope: Scope) throws
  -> [any Layer]
{
  var layers: [any Layer] = []
  for (index, (from, to)) in zip([inputs] + widths, widths).enumerated() {
    let scope = scope("hidden\(index + 1)")
    let linear = try Linear(from, to, in: scope)
    layers.append(Sequential(linear, try activation.layer(channels: to, in: scope)))
  }
  return layers
}

/// Fully connected encoder: the input as one vector, hidden layers, a linear code.
///
/// - Shapes: `[batch] + inputShape` to `[batch, latent]`.
public struct MLPEncoder: FeatureEncoder {
  public struct Config: ComponentConfig {
    public var latent = 40
    public var hidden = [400]
    public var activation = Activation.relu
    public var code = CodeKind.point
    public init() {}
    public static let help: KeyValuePairs = [
      "latent": "Length of a latent vector.", "hidden": "Widths of the hidden layers.",
      "activation": "Between layers: \(Activation.allCases.map(\.rawValue).joined(separator: ", ")).",
      "code": "point, or gaussian (mean and log variance) for variational models.",
    ]
  }

  public let latentSize: Int
  private let hidden: [any Layer]
  private let head: CodeHead

  public init(_ config: Config, in context: BuildContext) throws {
    try requirePositive([config.latent] + config.hidden, "latent or hidden", of: context)
    latentSize = config.latent
    hidden = try hiddenLayers(context.inputSize, config.hidden, config.activation, in: context.scope)
    head = try CodeHead(
      config.hidden.last ?? context.inputSize, latent: config.latent, kind: config.code, in: context.scope)
  }

  public func encode(_ inputs: Tensor) throws -> Code { try head(hidden.reduce(inputs.flattened()) { try $1($0) }) }

  public func features(_ inputs: Tensor) throws -> [Tensor] {
    var features: [Tensor] = []
    for layer in hidden { features.append(try layer(features.last ?? inputs.flattened())) }
    return features
  }
}

/// What the last layer of a decoder goes through.
public enum OutputRange: String, Choice {
  case none, sigmoid, tanh

  func callAsFunction(_ values: Tensor) throws -> Tensor {
    switch self {
    case .none: values
    case .sigmoid: try values.sigmoid()
    case .tanh: try values.tanh()
    }
  }
}

/// Fully connected decoder.
///
/// - Shapes: `[batch, latent]` to `[batch] + inputShape`.
public struct MLPDecoder: LatentKit.Decoder {
  public struct Config: ComponentConfig {
    public var hidden = [400]
    public var activation = Activation.relu
    public var output = OutputRange.sigmoid
    public init() {}
    public static let help: KeyValuePairs = [
      "hidden": "Widths of the hidden layers.",
      "activation": "Between layers: \(Activation.allCases.map(\.rawValue).joined(separator: ", ")).",
      "output": "After the last layer: sigmoid, tanh or none.",
    ]
  }

  private let layers: Sequential
  private let output: OutputRange
  private let shape: [Int]

  public init(_ config: Config, in context: BuildContext) throws {
    try requirePositive(config.hidden, "hidden", of: context)
    let hidden = try hiddenLayers(context.latentSize, config.hidden, config.activation, in: context.scope)
    let last = try Linear(config.hidden.last ?? context.latentSize, context.inputSize, in: context.scope("output"))
    layers = Sequential(hidden + [last])
    output = config.output
    shape = context.inputShape
  }

  public func decode(_ latents: Tensor) throws -> Tensor {
    try output(layers(latents)).reshaped([latents.size(0)] + shape)
  }
}

/// One linear layer from latents to class scores.
public struct LinearClassifier: Classifier {
  public typealias Config = NoConfig
  private let layer: Linear

  public init(_ config: Config, in context: BuildContext) throws {
    layer = try Linear(context.latentSize, context.requireClasses(), in: context.scope("output"))
  }

  public func scores(_ latents: Tensor) throws -> Tensor { try layer(latents) }
}

/// Fully connected layers from latents to class scores.
public struct MLPClassifier: Classifier {
  public struct Config: ComponentConfig {
    public var hidden = [128]
    public var activation = Activation.relu
    public var dropout = 0.0
    public init() {}
    public static let help: KeyValuePairs = [
      "hidden": "Widths of the hidden layers.",
      "activation": "Between layers: \(Activation.allCases.map(\.rawValue).joined(separator: ", ")).",
      "dropout": "Share of the last hidden layer that is dropped in training, 0 up to 1.",
    ]
  }

  private let layers: Sequential

  public init(_ config: Config, in context: BuildContext) throws {
    try requirePositive(config.hidden, "hidden", of: context)
    let hidden = try hiddenLayers(context.latentSize, config.hidden, config.activation, in: context.scope)
    let dropout = try Dropout(config.dropout, in: context.scope)
    let last = try Linear(
      config.hidden.last ?? context.latentSize, context.requireClasses(), in: context.scope("output"))
    layers = Sequential(hidden + [dropout, last])
  }

  public func scores(_ latents: Tensor) throws -> Tensor { try layers(latents) }
}
