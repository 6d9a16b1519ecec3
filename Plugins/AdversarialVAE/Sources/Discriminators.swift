import LatentKit

/// The discriminator of Figure 6: three 3x3 convolutions of stride 1, a 2x2 maximum after the first and the second, four
/// linear layers, all with a leaky ReLU, and one linear unit.
///
/// - Shapes: `[batch, channels, height, width]`, sides that are multiples of 4, to `[batch, 1]`.
public struct TwoStepDiscriminator: Discriminator, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("Channels of the three convolutions.", .channels) public var widths = [32, 64, 128]
    @Setting("Widths of the four linear layers.", .widths(4)) public var hidden = [512, 256, 128, 64]
    public init() {}
  }

  private let layers: Sequential

  public init(_ config: Config, in context: BuildContext) throws {
    let (channels, height, width) = try context.requireQuarters()
    var layers: [any Layer] = []
    for (index, widths) in zip([channels] + config.widths, config.widths).enumerated() {
      layers += [try Convolution(widths.0, widths.1, size: 3, in: context.scope("conv\(index + 1)")), LeakyReLU()]
      if index < 2 { layers.append(halving) }
    }
    layers.append(Flatten())
    let inputs = (config.widths.last ?? channels) * (height / 4) * (width / 4)
    layers += try linearLayers(inputs, config.hidden, in: context.scope)
    layers.append(try Linear(config.hidden.last ?? inputs, 1, in: context.scope("score")))
    self.layers = Sequential(layers)
  }

  public var needs: DataNeeds { .images }
  public func score(_ batch: Batch) throws -> Tensor { try layers(batch.inputs) }
}

/// A discriminator of 3x3 convolutions of stride 2 with a leaky ReLU, and one linear unit.
///
/// - Shapes: `[batch, channels, height, width]` to `[batch, 1]`.
public struct ConvDiscriminator: Discriminator, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("Channels of the convolutions; each halves the image.", .within(1...4096).each(count: 1...16))
    public var widths = [32, 64, 128]
    public init() {}
  }

  private let layers: Sequential

  public init(_ config: Config, in context: BuildContext) throws {
    let (channels, height, width) = try context.requireImage()
    var layers: [any Layer] = []
    for (index, widths) in zip([channels] + config.widths, config.widths).enumerated() {
      layers += [
        try Convolution(widths.0, widths.1, size: 3, stride: 2, in: context.scope("conv\(index + 1)")), LeakyReLU(),
      ]
    }
    let sides = config.widths.reduce((height, width)) { sides, _ in ((sides.0 + 1) / 2, (sides.1 + 1) / 2) }
    let inputs = (config.widths.last ?? channels) * sides.0 * sides.1
    self.layers = Sequential(layers + [Flatten(), try Linear(inputs, 1, in: context.scope("score"))])
  }

  public var needs: DataNeeds { .images }
  public func score(_ batch: Batch) throws -> Tensor { try layers(batch.inputs) }
}

/// A discriminator of linear layers with a leaky ReLU, and one linear unit: for rows of numbers too.
///
/// - Shapes: `[batch] + inputShape` to `[batch, 1]`.
public struct MLPDiscriminator: Discriminator, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("Widths of the hidden layers.", .within(1...65536).each(count: 1...16)) public var hidden = [256, 128]
    public init() {}
  }

  private let layers: Sequential

  public init(_ config: Config, in context: BuildContext) throws {
    let hidden = try linearLayers(context.inputSize, config.hidden, in: context.scope)
    let score = try Linear(config.hidden.last ?? context.inputSize, 1, in: context.scope("score"))
    layers = Sequential(hidden + [score])
  }

  public func score(_ batch: Batch) throws -> Tensor { try layers(batch.inputs.flattened()) }
}

/// A discriminator under the name of how it is trained: its network is chosen by a setting.
///
/// - Shapes: `[batch] + inputShape` to `[batch, 1]`.
public struct NamedDiscriminator: Discriminator, Component {
  /// The networks.
  public enum Network: String, Choice {
    case auto, conv, mlp
    case twoStep = "two-step"
  }

  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("conv, mlp, two-step (Figure 6), or auto: conv for images, mlp for rows of numbers.")
    public var network = Network.auto
    @Setting(
      "Channels of the convolutions, or widths of mlp's hidden layers; unset: the network's own.",
      .within(1...65536).each(count: 1...16)) public var widths: [Int]? = nil
    public init() {}
  }

  private let network: any Discriminator

  public init(_ config: Config, in context: BuildContext) throws {
    let isImage = context.inputShape.count == 3
    switch config.network {
    case .auto where isImage, .conv:
      var own = ConvDiscriminator.Config()
      own.widths = config.widths ?? own.widths
      network = try ConvDiscriminator(own, in: context)
    case .auto, .mlp:
      var own = MLPDiscriminator.Config()
      own.hidden = config.widths ?? own.hidden
      network = try MLPDiscriminator(own, in: context)
    case .twoStep:
      var own = TwoStepDiscriminator.Config()
      own.widths = config.widths ?? own.widths
      guard own.widths.count == 3 else {
        throw RecipeError("\(context.title): network two-step has 3 convolutions, found \(own.widths.count) widths")
      }
      network = try TwoStepDiscriminator(own, in: context)
    }
  }

  public var needs: DataNeeds { network.needs }
  public func score(_ batch: Batch) throws -> Tensor { try network.score(batch) }
}
