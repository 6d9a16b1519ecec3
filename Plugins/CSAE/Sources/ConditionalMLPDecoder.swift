import LatentKit

/// A fully connected decoder that is told the class: the one-hot label stands behind the latent. The decoder of the
/// conditional variational autoencoder that Zhu & Zhang 2019 compare with.
///
/// - Shapes: latents `[batch, latent]`, labels `[batch]`, to `[batch] + inputShape`.
/// - Throws: `RecipeError` where the data have no labels.
public struct ConditionalMLPDecoder: ConditionalDecoder {
  public enum Output: String, Choice { case none, sigmoid, tanh }

  public struct Config: ComponentConfig {
    public var hidden = [400]
    public var activation = Activation.relu
    public var output = Output.sigmoid
    public init() {}
    public static let help: KeyValuePairs = [
      "hidden": "Widths of the hidden layers.",
      "activation": "Between layers: \(Activation.allCases.map(\.rawValue).joined(separator: ", ")).",
      "output": "After the last layer: sigmoid, tanh or none.",
    ]
  }

  private let layers: Sequential
  private let output: Output
  private let shape: [Int]
  private let classCount: Int

  public init(_ config: Config, in context: BuildContext) throws {
    if let bad = config.hidden.first(where: { !(1...1_000_000 ~= $0) }) {
      throw RecipeError("\(context.title): hidden has \(bad), expected whole numbers from 1 to 1000000")
    }
    classCount = try context.requireClasses()
    (output, shape) = (config.output, context.inputShape)
    let widths = [context.latentSize + classCount] + config.hidden
    var layers: [any Layer] = []
    for (index, (from, to)) in zip(widths, config.hidden).enumerated() {
      let scope = context.scope("hidden\(index + 1)")
      layers.append(try Linear(from, to, in: scope))
      layers.append(try config.activation.layer(channels: to, in: scope))
    }
    layers.append(try Linear(widths[widths.count - 1], context.inputSize, in: context.scope("output")))
    self.layers = Sequential(layers)
  }

  public func decode(_ latents: Tensor, labels: Tensor) throws -> Tensor {
    let condition = try labels.to(latents.device).oneHot(classCount).to(latents.dtype)
    let values = try layers(.concatenate([latents, condition], axis: 1))
    let images =
      switch output {
      case .none: values
      case .sigmoid: try values.sigmoid()
      case .tanh: try values.tanh()
      }
    return try images.reshaped([latents.size(0)] + shape)
  }

  public func decode(_ latents: Tensor) throws -> Tensor {
    throw RecipeError("decoder 'conditional-mlp' is told the class, and there are no labels; choose a labelled dataset")
  }
}
