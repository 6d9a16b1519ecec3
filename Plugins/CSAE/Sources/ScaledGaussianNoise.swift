import LatentKit

/// Noise on latents while training: `z* = z + α β n₀`, `n₀ ~ N(0, I)` (Zhu & Zhang 2019, eq. 11-12).
///
/// `α` is the scale of the centroids (eq. 5), so `β` says how much of their length the noise has in each dimension. More
/// noise makes a more robust decoder, and less varied samples.
///
/// `scale` is the prior's unless set, where all its centroids have one length; else `sqrt(latent)`.
///
/// - Shapes: `[batch, latent]` to the same.
public struct ScaledGaussianNoise: LatentNoise, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("How strong the noise is.", .within(0...1)) public var beta = 0.04
    @Setting(
      "alpha of eq. 11; unset: that of the prior's centroids, or sqrt(latent) where there is none.", .within(0...1e15))
    public var scale: Double? = nil
    public init() {}
  }

  private let deviation: Double

  public init(_ config: Config, in context: BuildContext) {
    let followed = (context.model?.prior as? any CentroidPrior)?.scale
    deviation = (config.scale ?? followed ?? Double(context.latentSize).squareRoot()) * config.beta
  }

  public func perturb(_ request: LatentBatch, using generator: inout Generator) throws -> Tensor {
    let latents = request.latents
    return try latents + generator.normal(latents.shape, dtype: latents.dtype).to(latents.device) * deviation
  }
}
