import LatentKit

/// LeNet++ (Wen, Zhang, Li & Qiao 2016): three pairs of 5x5 convolutions, each with a PReLU, and 2x2 max pooling after each pair; a
/// linear embedding.
///
/// Inputs there are `(x − 127.5) / 128`: nearly `data.range: symmetric`.
///
/// - Shapes: `[batch, channels, height, width]`, sides of 8 or more, to `[batch, latent]`.
public struct LeNetPlusPlus: FeatureEncoder, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("Length of an embedding.", .within(1...65536)) public var latent = 2
    @Setting("Whether embeddings are scaled to length 1.") public var normalized = false
    @Setting("Channels of the pairs of convolutions.", .channels) public var widths = [32, 64, 128]
    public init() {}
  }

  public let latentSize: Int
  private let network: EmbeddingNetwork

  public init(_ config: Config, in context: BuildContext) throws {
    latentSize = config.latent
    network = try EmbeddingNetwork(
      widths: config.widths, latent: config.latent, isNormalized: config.normalized, in: context
    ) { _, from, to, scope in
      let pair = try [(from, "first"), (to, "second")].flatMap { from, name -> [any Layer] in
        let scope = scope(name)
        return [
          try Convolution(from, to, size: 5, in: scope("conv")), try Activation.prelu.layer(channels: to, in: scope),
        ]
      }
      return pair + [MaxPool(2)]
    }
  }

  public var needs: DataNeeds { .images }
  public func encode(_ batch: Batch) throws -> Code { try network.encode(batch.inputs) }
  public func features(_ batch: Batch) throws -> [Tensor] { try network.features(batch.inputs) }
  public func encodeWithFeatures(_ batch: Batch) throws -> (code: Code, features: [Tensor]) {
    try network.encodeWithFeatures(batch.inputs)
  }
}
