import LatentKit

/// Fully connected decoder with one hidden layer: `x = f(W₂ max(0, W₁ z + b₁) + b₂)`, where `f` is the logistic function for
/// inputs from 0 to 1, and the identity for others.
///
/// - Shapes: `[batch, latent]` to `[batch] + inputShape`.
public struct __Name__Decoder: LatentKit.Decoder, Component {
  /// The settings: `--set decoder.hidden=400`.
  public struct Config: ComponentConfig {
    @Setting("Width of the hidden layer.", .within(1...100_000)) public var hidden = 200
    public init() {}
  }

  private let hidden: Linear
  private let output: Linear
  private let shape: [Int]
  private let isBounded: Bool

  public init(_ config: Config, in context: BuildContext) throws {
    hidden = try Linear(context.latentSize, config.hidden, in: context.scope("hidden"))
    output = try Linear(config.hidden, context.inputSize, in: context.scope("output"))
    shape = context.inputShape
    isBounded = context.inputRange == 0...1
  }

  public func decode(_ request: LatentBatch) throws -> Tensor {
    let values = try output(hidden(request.latents).relu())
    return try (isBounded ? values.sigmoid() : values).reshaped([request.latents.size(0)] + shape)
  }
}
