import LatentKit

/// The decoder of Figure 6: three linear layers with batch normalisation and a leaky ReLU, then seven 3x3 convolutions of
/// stride 1, doubled in size before the third and the fifth. The first six have batch normalisation, a leaky ReLU and a
/// residual block after them; the seventh makes the channels of the image.
///
/// - Shapes: `[batch, latent]` to `[batch, channels, height, width]`, whose sides are multiples of 4.
public struct TwoStepDecoder: ActivatedDecoder, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("Widths of the first two linear layers; the third makes the smallest image.", .widths(2))
    public var hidden = [128, 256]
    @Setting("Channels of the first, second and third pair of convolutions.", .channels) public var widths = [
      128, 64, 32,
    ]
    @Setting("The function after the last layer.") public var output = OutputFunction.none
    public init() {}
  }

  public let output: OutputFunction
  private let layers: Sequential

  public init(_ config: Config, in context: BuildContext) throws {
    let (channels, height, width) = try context.requireQuarters()
    let grid = [config.widths.first ?? channels, height / 4, width / 4]
    var layers = try linearLayers(
      context.latentSize, config.hidden + [grid.reduce(1, *)], isNormalised: true, in: context.scope)
    layers.append(Unflatten(grid))
    let widths = config.widths.flatMap { [$0, $0] }
    for (index, (from, to)) in zip([grid[0]] + widths, widths).enumerated() {
      let scope = context.scope("conv\(index + 1)")
      if index == 2 || index == 4 { layers.append(Upsample(2)) }
      layers += [
        try Convolution(from, to, size: 3, bias: false, in: scope), try BatchNorm(to, in: scope("norm")), LeakyReLU(),
        try ImageBlock(to, in: scope("block")),
      ]
    }
    layers.append(try Convolution(widths.last ?? grid[0], channels, size: 3, in: context.scope("conv7")))
    self.layers = Sequential(layers)
    output = config.output
  }

  public var needs: DataNeeds { .images }

  public func preactivations(_ request: LatentBatch) throws -> Tensor { try layers(request.latents) }
}
