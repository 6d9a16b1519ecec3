import LatentKit

/// The paper's encoder (Chen & Dong 2019, section 2.3): three 3x3 convolutions of stride 2 with a ReLU, and two fully connected
/// layers, of which the second makes means and log variances. The widths are ours: the paper prints none.
///
/// - Shapes: `[batch, channels, height, width]` to means, and log variances of a Gaussian code, `[batch, latent]` each.
/// - Throws: `RecipeError` for inputs that are no images.
public struct ConvMLPEncoder: FeatureEncoder, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("Length of a latent vector.", .width) public var latent = 4
    @Setting("Channels of the convolutions; each halves the image.", .channels) public var widths = [32, 64, 64]
    @Setting("Widths of the fully connected layers before the last.", .widths) public var hidden = [256]
    @Setting("Points, or Gaussians (mean and log variance) for variational models.") public var code = CodeKind.gaussian
    public init() {}
  }

  public let latentSize: Int
  /// The hidden layers; the first fully connected one joins the axes of what the convolutions leave.
  private let layers: [any Layer]
  private let mean: Linear
  private let logVariance: Linear?

  public init(_ config: Config, in context: BuildContext) throws {
    let (channels, height, width) = try context.requireImage()
    let convolutions: [any Layer] = try zip([channels] + config.widths, config.widths).enumerated().map {
      index, widths in
      let scope = context.scope("conv\(index + 1)")
      return Sequential(
        try Convolution(widths.0, widths.1, size: 3, stride: 2, in: scope),
        try Activation.relu.layer(channels: widths.1, in: scope))
    }
    // Halved with half pixels kept.
    func left(_ side: Int) -> Int { config.widths.reduce(side) { side, _ in (side + 1) / 2 } }
    let features = (config.widths.last ?? channels) * left(height) * left(width)
    let linear = try fullyConnected(features, config.hidden, in: context.scope)
    layers = convolutions + linear.prefix(1).map { Sequential(Flatten(), $0) } + linear.dropFirst()
    let last = config.hidden.last ?? features
    mean = try Linear(last, config.latent, in: context.scope("mean"))
    logVariance = config.code == .gaussian ? try Linear(last, config.latent, in: context.scope("logVariance")) : nil
    latentSize = config.latent
  }

  public var needs: DataNeeds { .images }

  public func encode(_ batch: Batch) throws -> Code {
    try code(layers.reduce(batch.inputs) { try $1($0) })
  }

  public func features(_ batch: Batch) throws -> [Tensor] { try layers.outputs(of: batch.inputs) }

  public func encodeWithFeatures(_ batch: Batch) throws -> (code: Code, features: [Tensor]) {
    let features = try features(batch)
    return (try code(features.last ?? batch.inputs), features)
  }

  private func code(_ last: Tensor) throws -> Code {
    // Images, where there is no fully connected layer before the last.
    let last = try last.flattened()
    guard let logVariance else { return .point(try mean(last)) }
    return .gaussian(mean: try mean(last), logVariance: try logVariance(last))
  }
}

/// Fully connected layers with a ReLU after each, `inputs → widths…`.
func fullyConnected(_ inputs: Int, _ widths: [Int], in scope: Scope) throws -> [any Layer] {
  try zip([inputs] + widths, widths).enumerated().map { index, widths in
    try Linear(widths.0, widths.1, relu: true, in: scope("hidden\(index + 1)"))
  }
}

extension SettingRange {
  /// Lengths that a layer can have.
  static let width = SettingRange.within(1...65536)
  /// Widths of fully connected layers, or of none.
  static let widths = width.each(count: 0...16)
  /// Channels of convolutions that each halve or double an image.
  static let channels = SettingRange.within(1...4096).each(count: 1...8)
}
