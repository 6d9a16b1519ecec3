import LatentKit

/// Pairs of 3x3 convolutions, each with batch normalisation and ReLU, and 2x2 max pooling after each pair; one more
/// convolution with pooling; a linear embedding, with dropout before it where wanted.
///
/// The paper's own network is lost with its pictures. This one stands in for it (see results/network.md): with its defaults, on
/// images of 28x28, about 5.5 million multiplications an image.
///
/// - Shapes: `[batch, channels, height, width]`, sides of 8 or more, to `[batch, latent]`.
public struct EmbeddingCNN: FeatureEncoder, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("Length of an embedding.", .within(1...65536)) public var latent = 2
    @Setting("Whether embeddings are scaled to length 1.") public var normalized = false
    @Setting("Channels of the pairs of convolutions, then of the single last one.", .channels) public var widths = [
      16, 32, 64,
    ]
    @Setting("Share of the embedding's inputs that is dropped in training.", .within(0..<1)) public var dropout = 0.0
    public init() {}
  }

  public let latentSize: Int
  private let network: EmbeddingNetwork

  public init(_ config: Config, in context: BuildContext) throws {
    latentSize = config.latent
    network = try EmbeddingNetwork(
      widths: config.widths, latent: config.latent, isNormalized: config.normalized,
      dropout: config.dropout, in: context
    ) { index, from, to, scope in
      func block(_ from: Int, _ name: String, pool: Int) throws -> [any Layer] {
        [
          try Convolution(from, to, size: 3, bias: false, in: scope("\(name).conv")),
          try BatchNorm(to, relu: true, pool: pool, in: scope("\(name).norm")),
        ]
      }
      if index == config.widths.count - 1 { return try block(from, "first", pool: 2) }
      return try block(from, "first", pool: 1) + block(to, "second", pool: 2)
    }
  }

  public var needs: DataNeeds { .images }
  public func encode(_ batch: Batch) throws -> Code { try network.encode(batch.inputs) }
  public func features(_ batch: Batch) throws -> [Tensor] { try network.features(batch.inputs) }
  public func encodeWithFeatures(_ batch: Batch) throws -> (code: Code, features: [Tensor]) {
    try network.encodeWithFeatures(batch.inputs)
  }
}
