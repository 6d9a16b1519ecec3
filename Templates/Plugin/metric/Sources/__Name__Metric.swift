import LatentKit

/// The share of latents `|z_i| < t`, of all values of all examples.
public struct __Name__Metric: Metric, Component {
  /// The settings: `{use: __name__, with: {threshold: 0.1}}` under `metrics`.
  public struct Config: ComponentConfig {
    @Setting("The threshold t.", .above(0)) public var threshold = 0.01
    public init() {}
  }

  private let threshold: Double
  private var small = 0.0
  private var count = 0

  public init(_ config: Config, in context: BuildContext) throws { threshold = config.threshold }

  public mutating func update(_ forward: Forward) throws {
    let latents = try forward.code.mean
    small += try (latents.abs() .< threshold).to(.float64).sum().item()
    count += latents.count
  }

  /// Without examples the share is not a number, and is recorded as missing.
  public func finish(_ evaluation: Evaluation) throws -> [Measured] {
    [Measured("small latents", 100 * small / Double(count), unit: "%")]
  }
}
