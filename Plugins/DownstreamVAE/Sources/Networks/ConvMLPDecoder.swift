import LatentKit

/// The paper's decoder (Chen & Dong 2019, section 2.3): three fully connected layers with a ReLU, of which the last makes the smallest
/// image, and three transposed convolutions: each but the last doubles the image and has a ReLU, the last makes its channels.
/// Widths are ours: the paper prints none.
///
/// - Shapes: `[batch, latent]` to `[batch, channels, height, width]`, sides that are multiples of `2^(widths − 1)`.
/// - Throws: `RecipeError` for inputs that are no images, and for sides that are no such multiples.
public struct ConvMLPDecoder: ActivatedDecoder, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("Widths of the fully connected layers before the one that makes the smallest image.", .widths)
    public var hidden = [64, 256]
    @Setting("Channels of the smallest image, then of each one after a doubling.", .channels) public var widths = [
      64, 32, 16,
    ]
    @Setting("The function after the last layer.") public var output = OutputFunction.sigmoid
    public init() {}
  }

  public let output: OutputFunction
  private let layers: Sequential

  public init(_ config: Config, in context: BuildContext) throws {
    let (channels, height, width) = try context.requireImage()
    let factor = 1 << (config.widths.count - 1)
    guard height % factor == 0, width % factor == 0 else {
      throw RecipeError(
        "\(context.title) doubles the image \(config.widths.count - 1) times, so it makes sides that are multiples of "
          + "\(factor), and the data have images of \(height)x\(width); pad the data (data.pad) or use fewer decoder.widths"
      )
    }
    let grid = [config.widths[0], height / factor, width / factor]
    var layers = try fullyConnected(context.latentSize, config.hidden + [grid.reduce(1, *)], in: context.scope)
    layers.append(Unflatten(grid))
    for (index, (from, to)) in zip(config.widths, config.widths.dropFirst()).enumerated() {
      let scope = context.scope("conv\(index + 1)")
      layers += [
        try TransposedConvolution(from, to, size: 4, stride: 2, padding: 1, in: scope),
        try Activation.relu.layer(channels: to, in: scope),
      ]
    }
    layers.append(
      try TransposedConvolution(
        config.widths[config.widths.count - 1], channels, size: 3, padding: 1,
        in: context.scope("conv\(config.widths.count)")))
    (self.layers, output) = (Sequential(layers), config.output)
  }

  public var needs: DataNeeds { .images }

  public func preactivations(_ request: LatentBatch) throws -> Tensor { try layers(request.latents) }
}
