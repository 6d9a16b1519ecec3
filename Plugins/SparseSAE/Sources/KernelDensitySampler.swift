import LatentKit
import Metrics

/// Independent, exact draws from the kernel density of each class: a training latent, and a place of its kernel.
///
/// The densities are those of prior `kde` where the model has it, else estimates of the training latents. A class without
/// spread (one latent) repeats it, with a warning. Without labels, one density for everything.
///
/// - Shapes: draws `[count, latent]`, in the order of the request's labels.
/// - Throws: `RecipeError` for a class without training latents.
public struct KernelDensitySampler: Sampler {
  public struct Config: ComponentConfig {
    public var bandwidth = Bandwidth.scott
    public var covariance = KernelShape.full
    public init() {}
    public static let help: KeyValuePairs = [
      "bandwidth":
        "As of prior kde: scott, silverman, cross-validated, or a number. A model with that prior uses its own.",
      "covariance": "As of prior kde: full, diagonal, scalar, identity. A model with that prior uses its own.",
    ]
  }

  private let settings: EstimateSettings

  public init(_ config: Config, in context: BuildContext) throws {
    try checkBandwidth(config.bandwidth, context.title)
    settings = EstimateSettings(bandwidth: config.bandwidth, shape: config.covariance)
  }

  public func draw(_ request: DrawRequest, using generator: inout Generator) throws -> Draw {
    try withoutGradients {
      let requests = try request.byClass(for: "kde", using: &generator)
      var warnings: [String] = []
      let draws = try settings.targets(requests, prior: request.prior, using: &generator).map { target in
        let (count, points) = (target.request.count, target.points)
        guard let density = target.density else {
          warnings.append(sentence(aboutPoint: target.request.name))
          return try points.slice(0..<1).expanded([count, points.size(1)])
        }
        return try density.draw(count, using: &generator).to(points.dtype, points.device)
      }
      return Draw(latents: try ClassRequest.merge(draws, of: requests), warnings: warnings)
    }
  }
}
