import LatentKit

/// Noise on latents while training: `z* = z + α β n₀`, `n₀ ~ N(0, I)` (Zhu & Zhang 2019, eq. 11-12).
///
/// `α` is the scale of the centroids, so `β` says how much of their length the noise has in each dimension. More noise
/// makes a more robust decoder, and less varied samples.
///
/// - Shapes: `[batch, latent]` to the same.
public struct ScaledGaussianNoise: LatentNoise {
  public struct Config: ComponentConfig {
    public var beta = 0.04
    public var scale: Double?
    public init() {}
    public static let help: KeyValuePairs = [
      "beta": "How strong the noise is, 0 to 1.",
      "scale": "alpha of eq. 11; unset: sqrt(latent), as for the centroids.",
    ]
  }

  private let deviation: Double

  public init(_ config: Config, in context: BuildContext) throws {
    let scale = config.scale ?? Double(context.latentSize).squareRoot()
    guard 0...1 ~= config.beta else {
      throw RecipeError("\(context.title): beta is \(config.beta), expected 0 to 1")
    }
    guard scale >= 0, scale.isFinite else {
      throw RecipeError("\(context.title): scale is \(scale), expected 0 or more")
    }
    deviation = scale * config.beta
  }

  public func perturb(_ latents: Tensor, using generator: inout Generator) throws -> Tensor {
    try latents + generator.normal(latents.shape, dtype: latents.dtype).to(latents.device) * deviation
  }
}
