import LatentKit

/// The leaky ReLU of all of the paper's networks. The paper prints no slope: 0.2 is what adversarial networks have in
/// common use since Radford, Metz & Chintala 2016.
struct LeakyReLU: Layer {
  func callAsFunction(_ input: Tensor) throws -> Tensor { try input.leakyReLU(slope: 0.2) }
}

/// A residual block that keeps its shape: `x + norm(conv(leaky(norm(conv x))))`, 3x3 convolutions of as many channels.
///
/// The paper takes the block of Hou et al. 2019, without a picture of it: this is that of He et al. 2016 with a leaky ReLU.
struct ImageBlock: Layer {
  private let layers: Sequential

  init(_ channels: Int, in scope: Scope) throws {
    layers = Sequential(
      try Convolution(channels, channels, size: 3, bias: false, in: scope("conv1")),
      try BatchNorm(channels, in: scope("norm1")), LeakyReLU(),
      try Convolution(channels, channels, size: 3, bias: false, in: scope("conv2")),
      try BatchNorm(channels, in: scope("norm2")))
  }

  func callAsFunction(_ input: Tensor) throws -> Tensor { try input + layers(input) }
}

/// The same with linear layers: `x + norm(linear(leaky(norm(linear x))))`.
struct VectorBlock: Layer {
  private let layers: Sequential

  init(_ width: Int, in scope: Scope) throws {
    layers = Sequential(
      try Linear(width, width, bias: false, in: scope("linear1")), try BatchNorm(width, in: scope("norm1")),
      LeakyReLU(), try Linear(width, width, bias: false, in: scope("linear2")),
      try BatchNorm(width, in: scope("norm2")))
  }

  func callAsFunction(_ input: Tensor) throws -> Tensor { try input + layers(input) }
}

/// Linear layers with a leaky ReLU after each, `inputs → widths…`.
///
/// - Parameters:
///   - isNormalised: Whether batch normalisation stands before the leaky ReLU.
///   - hasBlocks: Whether a residual block follows each.
func linearLayers(
  _ inputs: Int, _ widths: [Int], isNormalised: Bool = false, hasBlocks: Bool = false, in scope: Scope
) throws -> [any Layer] {
  try zip([inputs] + widths, widths).enumerated().map { index, widths in
    let scope = scope("hidden\(index + 1)")
    var layers: [any Layer] = [try Linear(widths.0, widths.1, bias: !isNormalised, in: scope)]
    if isNormalised { layers.append(try BatchNorm(widths.1, in: scope("norm"))) }
    layers.append(LeakyReLU())
    if hasBlocks { layers.append(try VectorBlock(widths.1, in: scope("block"))) }
    return Sequential(layers)
  }
}

/// Halves images by the maxima of cells of 2x2 pixels.
let halving = MaxPool(2)

extension BuildContext {
  /// Returns channels, height and width of an input, whose sides can be divided by 4: two halvings and two doublings.
  func requireQuarters() throws -> (channels: Int, height: Int, width: Int) {
    let (channels, height, width) = try requireImage()
    guard height % 4 == 0, width % 4 == 0, height > 0, width > 0 else {
      throw RecipeError(
        "\(title) halves images twice, found images of \(height)x\(width); pad the data to multiples of 4 (data.pad)")
    }
    return (channels, height, width)
  }
}

extension SettingRange {
  /// Channels of the three pairs of convolutions.
  static let channels = SettingRange.within(1...4096).each(count: 3...3)
  /// Widths of a fixed number of linear layers.
  static func widths(_ count: Int) -> SettingRange { .within(1...65536).each(count: count...count) }
}
