import LatentKit

/// The convolutions of CSAE-C's encoder, with average pooling in place of the last linear layer: Basenet (Zhu & Zhang
/// 2019, section 4.3), once a linear classifier reads its latents.
///
/// On images of 32x32 the blocks leave 4x4 values of each channel, which are averaged; a latent has one value for each
/// channel. Parameters are named, and start, as those of encoder `resnet`.
///
/// - Shapes: `[batch, channels, height, width]` to `[batch, last width]`.
public struct PooledResNetEncoder: FeatureEncoder, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting(
      "Channels of the first convolution, then of each residual block, which halves the image; the last: latents.",
      .within(1...1_000_000).each(count: 1...16)) public var widths = [32, 64, 128, 128]
    public init() {}
  }

  public let latentSize: Int
  private let layers: [any Layer]

  public init(_ config: Config, in context: BuildContext) throws {
    let (channels, _, _) = try context.requireImage()
    let (stem, width) = (context.scope("stem"), config.widths.first ?? channels)
    let first = Sequential(
      try Convolution(channels, width, size: 3, bias: false, in: stem("conv")),
      try BatchNorm(width, relu: true, in: stem("norm")))
    let blocks = try zip(config.widths, config.widths.dropFirst()).enumerated().map { index, widths in
      try ResidualBlock(widths.0, widths.1, stride: 2, in: context.scope("block\(index + 1)"))
    }
    layers = [first] + blocks
    latentSize = config.widths.last ?? width
  }

  public var needs: DataNeeds { .images }

  public func encode(_ batch: Batch) throws -> Code {
    .point(try layers.reduce(batch.inputs) { try $1($0) }.mean(axes: [2, 3]))
  }

  public func features(_ batch: Batch) throws -> [Tensor] { try layers.outputs(of: batch.inputs) }

  public func encodeWithFeatures(_ batch: Batch) throws -> (code: Code, features: [Tensor]) {
    let features = try features(batch)
    return (.point(try (features.last ?? batch.inputs).mean(axes: [2, 3])), features)
  }
}
