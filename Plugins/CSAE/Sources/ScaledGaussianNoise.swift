import LatentKit

/// Noise on latents while training: `z* = z + α β n₀`, `n₀ ~ N(0, I)` (Zhu & Zhang 2019, eq. 11-12).
///
/// `α` is the scale of the centroids (eq. 5), so `β` says how much of their length the noise has in each dimension. More
/// noise makes a more robust decoder, and less varied samples.
///
/// A noise is built without a view of the prior: its `scale` has the same default as `prior.scale`, and does not follow it.
/// Whoever changes one sets both.
///
/// - Shapes: `[batch, latent]` to the same.
/// - Throws: `RecipeError` for settings out of their ranges.
public struct ScaledGaussianNoise: LatentNoise {
  public struct Config: ComponentConfig {
    public var beta = 0.04
    public var scale: Double?
    public init() {}
    public static let help: KeyValuePairs = [
      "beta": "How strong the noise is, 0 to 1.",
      "scale":
        "alpha of eq. 11, 0 to 1e15; unset: sqrt(latent), as for the centroids. Does not follow prior.scale: set both.",
    ]
  }

  private let deviation: Double

  public init(_ config: Config, in context: BuildContext) throws {
    let scale = config.scale ?? Double(context.latentSize).squareRoot()
    guard 0...1 ~= config.beta else {
      throw RecipeError("\(context.title): beta is \(config.beta), expected 0 to 1")
    }
    guard 0...1e15 ~= scale else {
      throw RecipeError("\(context.title): scale is \(scale), expected 0 to 1e15; leave it out for sqrt(latent)")
    }
    deviation = scale * config.beta
  }

  public func perturb(_ latents: Tensor, using generator: inout Generator) throws -> Tensor {
    try latents + generator.normal(latents.shape, dtype: latents.dtype).to(latents.device) * deviation
  }
}
