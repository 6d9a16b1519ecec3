import Foundation
import LatentKit

/// Independent Laplace densities: `p(z) = Π_i exp(−|z_i| / b) / 2b`.
///
/// - Shapes: latents `[batch, latent]`; the log density is `[batch]`.
public struct __Name__Prior: DirectPrior, Component {
  /// The settings: `--set prior.scale=2`.
  public struct Config: ComponentConfig {
    @Setting("The scale b; the standard deviation is √2 b.", .above(0)) public var scale = 1.0
    public init() {}
  }

  private let scale: Double
  private let latentSize: Int

  public init(_ config: Config, in context: BuildContext) throws {
    scale = config.scale
    latentSize = context.latentSize
  }

  public func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor {
    try (latents.abs() / -scale - log(2 * scale)).sum(axis: 1)
  }

  /// The difference of two exponential variables of one mean follows a Laplace density.
  public func draw(_ request: DrawRequest, using generator: inout Generator) throws -> Draw {
    let shape = [request.count, latentSize]
    // Uniform draws lie in [0, 1), so that the logarithms are finite.
    let first = try (1 - generator.uniform(shape)).log()
    let second = try (1 - generator.uniform(shape)).log()
    return Draw(latents: try (first - second) * scale, followsLabels: false)
  }
}
