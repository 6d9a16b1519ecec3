import LatentKit

/// The encoder of Figure 6: six 3x3 convolutions of stride 1, each with a residual block and a leaky ReLU after it, a
/// 2x2 maximum after the second and the fourth, three linear layers with a leaky ReLU, and linear heads for mean and log
/// variance.
///
/// - Shapes: `[batch, channels, height, width]`, sides that are multiples of 4, to `[batch, latent]`.
public struct TwoStepEncoder: FeatureEncoder, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("Length of a latent vector, K_z.", .within(1...65536)) public var latent = 100
    @Setting("Channels of the first, second and third pair of convolutions.", .channels) public var widths = [
      32, 64, 128,
    ]
    @Setting("Widths of the three linear layers.", .widths(3)) public var hidden = [512, 256, 128]
    public init() {}
  }

  public let latentSize: Int
  private let convolutions: [any Layer]
  private let linear: [any Layer]
  private let mean: Linear
  private let logVariance: Linear

  public init(_ config: Config, in context: BuildContext) throws {
    let (channels, height, width) = try context.requireQuarters()
    let widths = config.widths.flatMap { [$0, $0] }
    convolutions = try zip([channels] + widths, widths).enumerated().map { index, widths in
      let scope = context.scope("conv\(index + 1)")
      var layers: [any Layer] = [
        try Convolution(widths.0, widths.1, size: 3, in: scope), try ImageBlock(widths.1, in: scope("block")),
        LeakyReLU(),
      ]
      if index == 2 || index == 4 { layers.insert(halving, at: 0) }
      return Sequential(layers)
    }
    linear = try linearLayers(
      (widths.last ?? channels) * (height / 4) * (width / 4), config.hidden, in: context.scope)
    let last = config.hidden.last ?? 1
    mean = try Linear(last, config.latent, in: context.scope("mean"))
    logVariance = try Linear(last, config.latent, in: context.scope("logVariance"))
    latentSize = config.latent
  }

  public var needs: DataNeeds { .images }

  public func encode(_ batch: Batch) throws -> Code {
    let image = try convolutions.reduce(batch.inputs) { try $1($0) }
    return try code(linear.reduce(image.flattened()) { try $1($0) })
  }

  public func features(_ batch: Batch) throws -> [Tensor] {
    let images = try convolutions.outputs(of: batch.inputs)
    return try images + linear.outputs(of: images[images.count - 1].flattened())
  }

  public func encodeWithFeatures(_ batch: Batch) throws -> (code: Code, features: [Tensor]) {
    let features = try features(batch)
    return (try code(features[features.count - 1]), features)
  }

  private func code(_ last: Tensor) throws -> Code {
    .gaussian(mean: try mean(last), logVariance: try logVariance(last))
  }
}
