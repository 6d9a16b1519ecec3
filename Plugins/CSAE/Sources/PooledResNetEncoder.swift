import LatentKit

/// The convolutions of CSAE-C's encoder, with average pooling in place of the last linear layer: Basenet (Zhu & Zhang
/// 2019, section 4.3), once a linear classifier reads its latents.
///
/// On images of 32x32 the blocks leave 4x4 values of each channel, which are averaged; a latent has one value for each
/// channel. Parameters are named, and start, as those of encoder `resnet`.
///
/// - Shapes: `[batch, channels, height, width]` to `[batch, last width]`.
public struct PooledResNetEncoder: FeatureEncoder {
  public struct Config: ComponentConfig {
    public var widths = [32, 64, 128, 128]
    public init() {}
    public static let help: KeyValuePairs = [
      "widths":
        "Channels of the first convolution, then of each residual block, which halves the image; the last: latents."
    ]
  }

  public let latentSize: Int
  private let layers: [any Layer]

  public init(_ config: Config, in context: BuildContext) throws {
    guard 1...16 ~= config.widths.count, config.widths.allSatisfy({ 1...1_000_000 ~= $0 }) else {
      throw RecipeError(
        "\(context.title): widths is \(config.widths), expected 1 to 16 whole numbers from 1 to 1000000")
    }
    let (channels, _, _) = try context.requireImage()
    let stem = context.scope("stem")
    let first = Sequential(
      try Convolution(channels, config.widths[0], size: 3, bias: false, in: stem("conv")),
      try BatchNorm(config.widths[0], relu: true, in: stem("norm")))
    let blocks = try zip(config.widths, config.widths.dropFirst()).enumerated().map { index, widths in
      try ResidualBlock(widths.0, widths.1, stride: 2, in: context.scope("block\(index + 1)"))
    }
    layers = [first] + blocks
    latentSize = config.widths[config.widths.count - 1]
  }

  public func encode(_ inputs: Tensor) throws -> Code {
    .point(try layers.reduce(inputs) { try $1($0) }.mean(axes: [2, 3]))
  }

  public func features(_ inputs: Tensor) throws -> [Tensor] {
    var features: [Tensor] = []
    for layer in layers { features.append(try layer(features.last ?? inputs)) }
    return features
  }
}
