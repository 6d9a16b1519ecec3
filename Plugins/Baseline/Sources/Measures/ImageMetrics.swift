import LatentKit
import Statistics

/// Peak signal-to-noise ratio of reconstructions in dB, the mean over the examples of `10 log10(1 / mean squared error)`, pixels
/// from 0 to 1 and without padding. At most 100 for an example, so that one without error does not make the mean infinite.
///
/// - Shapes: images `[batch, channels, height, width]`.
/// - Throws: `RecipeError` without images or a decoder.
public struct PeakSignalToNoise: Metric, Component {
  public typealias Config = NoConfig

  private let pixels: ImagePixels
  private var mean = RunningMean()

  public init(_ config: Config, in context: BuildContext) throws {
    try context.requireDecoder()
    pixels = try ImagePixels(in: context)
  }

  public var needs: DataNeeds { .images }
  public var timing: MetricTiming { .atEnd }

  public mutating func update(_ forward: Forward) throws {
    try mean.add(
      ImageQuality.peakSignalToNoise(
        pixels(forward.reconstruction), pixels(forward.inputs), range: ImagePixels.range))
  }

  public func finish(_ evaluation: Evaluation) -> [Measured] { [Measured("psnr", mean.value, unit: "dB")] }
}

/// Structural similarity of reconstructions, the mean over the examples (Wang, Bovik, Sheikh & Simoncelli 2004): Gaussian window of
/// 11x11 pixels and deviation 1.5, pixels from 0 to 1 and without padding, channels averaged. From −1 to 1, 1 for no difference.
///
/// - Shapes: images `[batch, channels, height, width]`, sides of at least 11 pixels.
/// - Throws: `RecipeError` without such images or a decoder.
public struct MeanStructuralSimilarity: Metric, Component {
  public typealias Config = NoConfig

  private let pixels: ImagePixels
  private var mean = RunningMean()

  public init(_ config: Config, in context: BuildContext) throws {
    try context.requireDecoder()
    pixels = try ImagePixels(in: context)
    try pixels.require(side: StructuralSimilarity.windowSize, for: context.title)
  }

  public var needs: DataNeeds { .images }
  public var timing: MetricTiming { .atEnd }

  public mutating func update(_ forward: Forward) throws {
    try mean.add(
      StructuralSimilarity.values(pixels(forward.reconstruction), pixels(forward.inputs), range: ImagePixels.range))
  }

  public func finish(_ evaluation: Evaluation) -> [Measured] { [Measured("ssim", mean.value)] }
}

/// Sharpness of reconstructions, originals and samples: the variance of an image's Laplacian, the mean over images (Pech-Pacheco et al.
/// 2000), pixels from 0 to 1 and without padding. A blurred image has less than the same image in focus; noise has more, so that
/// the originals' sharpness is the goal and not infinity.
///
/// - Shapes: images `[batch, channels, height, width]`, sides of at least 3 pixels.
/// - Throws: `RecipeError` without such images or a decoder.
public struct Sharpness: Metric, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("How many samples are measured beside the reconstructions; 0 for none.", .sampleCountOrNone)
    public var samples = defaultSampleCount
    public init() {}
  }

  private let config: Config
  private let pixels: ImagePixels
  private var (reconstructions, originals) = (RunningMean(), RunningMean())

  public init(_ config: Config, in context: BuildContext) throws {
    try context.requireDecoder()
    self.config = config
    pixels = try ImagePixels(in: context)
    try pixels.require(side: 3, for: context.title)
  }

  public var needs: DataNeeds { .images }
  public var timing: MetricTiming { .atEnd }
  public var sources: MetricSources { config.samples > 0 ? .samples : [] }

  public mutating func update(_ forward: Forward) throws {
    try reconstructions.add(ImageQuality.sharpness(pixels(forward.reconstruction)))
    try originals.add(ImageQuality.sharpness(pixels(forward.inputs)))
  }

  public func finish(_ evaluation: Evaluation) throws -> [Measured] {
    var found = [
      Measured("sharpness of reconstructions", reconstructions.value),
      Measured("sharpness of originals", originals.value),
    ]
    if config.samples > 0 {
      var samples = RunningMean()
      try samples.add(ImageQuality.sharpness(pixels(evaluation.samples(config.samples).inputs)))
      found.append(Measured("sharpness of samples", samples.value))
    }
    return found
  }
}

/// How many samples metrics of samples ask for: the same in all, so that they share one draw.
let defaultSampleCount = 5000

extension SettingRange {
  /// Counts of samples that fit into memory as images.
  static let sampleCount = SettingRange.within(2...1_000_000)
  /// The same, or none.
  static let sampleCountOrNone = SettingRange.within(0...1_000_000)
}
