import LatentKit
import Statistics

/// Independent, exact draws from the kernel density of each class: a training latent, and a place of its kernel.
///
/// The densities are those of prior `kde` where the model has it, else estimates of the training latents, unless `target`
/// says otherwise; settings that the prior overrules are named in a warning. A class without spread (one latent) repeats it,
/// with a warning. Without labels, one density for everything.
///
/// - Shapes: draws `[count, latent]`, in the order of the request's labels.
/// - Throws: `RecipeError` for a class without training latents, and for `target: prior` without prior `kde`.
public struct KernelDensitySampler: SelectiveSampler, EstimatingSampler, Component {
  public struct Config: ComponentConfig {
    @Setting(
      "What draws follow: kde (an estimate of the training latents), prior (kernels of prior kde), or auto: these, else kde."
    )
    public var target = WalkTarget.auto
    @Setting(
      "Of target kde, as of prior kde: scott, silverman, cross-validated, or a number.", .within(1e-9...1e9),
      usually: .within(1e-3...1e3))
    public var bandwidth = Bandwidth.scott
    @Setting("Of target kde, as of prior kde: full, diagonal, scalar, identity.")
    public var covariance = KernelShape.full
    @Setting(
      "Kernels of each class at most, a random choice of its training latents; unset: all of them.", .within(2...1e9))
    public var maximumPoints: Int? = nil
    public init() {}
  }

  private let settings: EstimateSettings
  private let title: String

  public init(_ config: Config, in context: BuildContext) throws {
    settings = EstimateSettings(
      target: config.target, bandwidth: config.bandwidth, shape: config.covariance, maximumPoints: config.maximumPoints)
    title = context.title
    EstimateSettings.announceCovariances(in: context)
  }

  public func check(_ prior: any Prior) throws { try settings.check(prior, title) }

  public func draw(_ request: DrawRequest, using generator: inout Generator) throws -> Draw {
    try withoutGradients {
      try check(request.prior)
      let requests = try request.byClass(for: "kde", using: &generator)
      var warnings = try settings.problems(with: request)
      let draws = try settings.targets(requests, of: request, using: &generator).map { target in
        let (count, points) = (target.request.count, target.points)
        guard let density = target.density else {
          warnings.append(target.request.pointWarning)
          return try points.slice(0..<1).expanded([count, points.size(1)])
        }
        return try density.draw(count, using: &generator).to(points.dtype, points.device)
      }
      return try Draw(
        latents: ClassRequest.merge(draws, of: requests), followsLabels: settings.followsLabels(of: request),
        warnings: warnings)
    }
  }
}
