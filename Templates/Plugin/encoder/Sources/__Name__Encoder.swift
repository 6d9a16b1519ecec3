import LatentKit

/// Fully connected encoder with one hidden layer: `z = W₂ max(0, W₁ x + b₁) + b₂`.
///
/// - Shapes: `[batch] + inputShape` to `[batch, latent]`.
public struct __Name__Encoder: Encoder, Component {
  /// The settings: `--set encoder.latent=2`.
  public struct Config: ComponentConfig {
    @Setting("Length of a latent vector.", .within(1...10_000)) public var latent = 10
    @Setting("Width of the hidden layer.", .within(1...100_000)) public var hidden = 200
    public init() {}
  }

  public let latentSize: Int
  private let hidden: Linear
  private let output: Linear

  public init(_ config: Config, in context: BuildContext) throws {
    latentSize = config.latent
    hidden = try Linear(context.inputSize, config.hidden, in: context.scope("hidden"))
    output = try Linear(config.hidden, config.latent, in: context.scope("output"))
  }

  public func encode(_ batch: Batch) throws -> Code {
    .point(try output(hidden(batch.inputs.flattened()).relu()))
  }
}
