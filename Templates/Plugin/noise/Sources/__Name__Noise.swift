import LatentKit

/// Gaussian noise `z + σ ε` between encoder and decoder in training, with standard normal `ε`.
///
/// - Shapes: `[batch, latent]`, as the latents.
public struct __Name__Noise: LatentNoise, Component {
  /// The settings: `--set noise.deviation=0.2`.
  public struct Config: ComponentConfig {
    @Setting("The standard deviation σ.", .atLeast(0)) public var deviation = 0.1
    public init() {}
  }

  private let deviation: Double

  public init(_ config: Config, in context: BuildContext) throws { deviation = config.deviation }

  public func perturb(_ request: LatentBatch, using generator: inout Generator) throws -> Tensor {
    let latents = request.latents
    return try latents + generator.normal(latents.shape, dtype: latents.dtype) * deviation
  }
}
