import LatentKit

/// A convolution, batch normalisation and ReLU.
private func convolutionBlock(
  _ channels: Int, _ outputs: Int, stride: Int = 1, in scope: Scope
) throws -> Sequential {
  Sequential(
    try Convolution(channels, outputs, size: 3, stride: stride, bias: false, in: scope("conv")),
    try BatchNorm(outputs, relu: true, in: scope("norm")))
}

/// The length of a side after `count` halvings by convolutions of stride 2 and padding 1: `ceil(side / 2^count)`.
private func halved(_ side: Int, _ count: Int) -> Int { (0..<count).reduce(side) { side, _ in (side + 1) / 2 } }

/// Layers that shrink an image, and a linear code of what is left.
private struct ImageEncoder: Sendable {
  let layers: [any Layer]
  let head: CodeHead

  init(_ layers: [any Layer], channels: Int, halvings: Int, latent: Int, kind: CodeKind, in context: BuildContext)
    throws
  {
    self.layers = layers
    let (_, height, width) = try context.requireImage()
    let features = channels * halved(height, halvings) * halved(width, halvings)
    head = try CodeHead(features, latent: latent, kind: kind, in: context.scope)
  }

  func encode(_ batch: Batch) throws -> Code { try head(layers.reduce(batch.inputs) { try $1($0) }.flattened()) }

  func features(_ batch: Batch) throws -> [Tensor] { try layers.outputs(of: batch.inputs) }

  func encodeWithFeatures(_ batch: Batch) throws -> (code: Code, features: [Tensor]) {
    let features = try features(batch)
    return (try head((features.last ?? batch.inputs).flattened()), features)
  }
}

/// A plain convolutional encoder: each layer halves the image.
///
/// - Shapes: `[batch, channels, height, width]` to `[batch, latent]`.
public struct ConvEncoder: FeatureEncoder, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("Length of a latent vector.", .width) public var latent = 40
    @Setting("Channels of the convolutions; each halves the image.", .channels) public var widths = [32, 64, 128]
    @Setting("Points, or Gaussians (mean and log variance) for variational models.") public var code = CodeKind.point
    public init() {}
  }

  public let latentSize: Int
  private let network: ImageEncoder

  public init(_ config: Config, in context: BuildContext) throws {
    let (channels, _, _) = try context.requireImage()
    let layers = try zip([channels] + config.widths, config.widths).enumerated().map { index, widths in
      try convolutionBlock(widths.0, widths.1, stride: 2, in: context.scope("block\(index + 1)"))
    }
    latentSize = config.latent
    network = try ImageEncoder(
      layers, channels: config.widths.last ?? channels, halvings: layers.count, latent: config.latent,
      kind: config.code, in: context)
  }

  public var needs: DataNeeds { .images }
  public func encode(_ batch: Batch) throws -> Code { try network.encode(batch) }
  public func features(_ batch: Batch) throws -> [Tensor] { try network.features(batch) }
  public func encodeWithFeatures(_ batch: Batch) throws -> (code: Code, features: [Tensor]) {
    try network.encodeWithFeatures(batch)
  }
}

/// A residual encoder: a 3x3 convolution, residual blocks that each halve the image, a linear code.
///
/// With its defaults, on images of 32x32, the encoder of CSAE-C (Zhu & Zhang 2019, Table 1).
///
/// - Shapes: `[batch, channels, height, width]` to `[batch, latent]`.
public struct ResNetEncoder: FeatureEncoder, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("Length of a latent vector.", .width) public var latent = 40
    @Setting("Channels of the first convolution, then of each residual block, which halves the image.", .channels)
    public var widths = [32, 64, 128, 128]
    @Setting("Points, or Gaussians (mean and log variance) for variational models.") public var code = CodeKind.point
    public init() {}
  }

  public let latentSize: Int
  private let network: ImageEncoder

  public init(_ config: Config, in context: BuildContext) throws {
    let (channels, _, _) = try context.requireImage()
    let first = try convolutionBlock(channels, config.widths.first ?? channels, in: context.scope("stem"))
    let blocks = try zip(config.widths, config.widths.dropFirst()).enumerated().map { index, widths in
      try ResidualBlock(widths.0, widths.1, stride: 2, in: context.scope("block\(index + 1)"))
    }
    latentSize = config.latent
    network = try ImageEncoder(
      [first] + blocks, channels: config.widths.last ?? channels, halvings: blocks.count, latent: config.latent,
      kind: config.code, in: context)
  }

  public var needs: DataNeeds { .images }
  public func encode(_ batch: Batch) throws -> Code { try network.encode(batch) }
  public func features(_ batch: Batch) throws -> [Tensor] { try network.features(batch) }
  public func encodeWithFeatures(_ batch: Batch) throws -> (code: Code, features: [Tensor]) {
    try network.encodeWithFeatures(batch)
  }
}

/// A decoder that doubles the image with each block: a transposed convolution 2x2 of stride 2, then a 3x3 convolution
/// with batch normalisation and ReLU; a 1x1 convolution makes the channels.
///
/// With its defaults, for images of 32x32, the decoder of CSAE-C (Zhu & Zhang 2019, Table 1).
///
/// - Shapes: `[batch, latent]` to `[batch, channels, height, width]`; height and width must be multiples of
///   `2^blocks`.
public struct DeconvDecoder: ActivatedDecoder, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("Channels of the smallest image, then of each block, which doubles the image.", .channels)
    public var widths = [128, 128, 64, 32]
    @Setting("The function after the last layer.") public var output = OutputFunction.none
    public init() {}
  }

  public let output: OutputFunction
  private let layers: Sequential

  public init(_ config: Config, in context: BuildContext) throws {
    let (channels, height, width) = try context.requireImage()
    let (first, last) = (config.widths.first ?? channels, config.widths.last ?? channels)
    let doublings = max(config.widths.count - 1, 0)
    let factor = 1 << doublings
    guard height % factor == 0, width % factor == 0 else {
      throw RecipeError(
        """
        \(context.title) doubles the image \(doublings) times, so it makes sides that are multiples of \
        \(factor), and the data have images of \(height)x\(width); pad the data (data.pad) or use fewer decoder.widths
        """)
    }
    let grid = [first, height / factor, width / factor]
    var layers: [any Layer] = [
      try Linear(context.latentSize, grid.reduce(1, *), in: context.scope("input")), Unflatten(grid),
    ]
    for (index, (from, to)) in zip(config.widths, config.widths.dropFirst()).enumerated() {
      let scope = context.scope("block\(index + 1)")
      layers.append(try TransposedConvolution(from, to, size: 2, stride: 2, in: scope("up")))
      layers.append(try convolutionBlock(to, to, in: scope))
    }
    layers.append(try Convolution(last, channels, size: 1, in: context.scope("output")))
    self.layers = Sequential(layers)
    output = config.output
  }

  public var needs: DataNeeds { .images }
  public func preactivations(_ request: LatentBatch) throws -> Tensor { try layers(request.latents) }
}
