import LatentKit
import Statistics

/// Draws latents by Gibbs' sampler on the kernel density of each class (Barlaud & Guyard 2021, section 2.1, names it beside
/// Metropolis-Hastings): every step draws each coordinate from its density given the others.
///
/// The densities are those of prior `kde` where the model has it, else estimates of the training latents, unless `target`
/// says otherwise. Chains start at training latents; draws, diagnostics and warnings are those of `mh`. One coordinate at a
/// time hardly leaves a kernel where kernels hardly touch, in more than a few dimensions: the warnings say so, and name
/// sampler `kde`, which draws exactly.
///
/// - Shapes: draws `[count, latent]`, in the order of the request's labels.
/// - Throws: `RecipeError` for a class without training latents, and for `target: prior` without prior `kde`.
public struct GibbsSampler: SelectiveSampler, EstimatingSampler, Component {
  public struct Config: ComponentConfig {
    @Setting(
      "What draws follow: kde (an estimate of the training latents), prior (kernels of prior kde), or auto: these, else kde."
    )
    public var target = WalkTarget.auto
    @Setting("Chains for each class, side by side.", .within(1...10_000)) public var chains = 16
    @Setting("Steps that are thrown away; a step draws every coordinate once.", .within(0...10_000_000))
    public var warmUp = 50
    @Setting(
      "Steps of each chain after that; more where thinning and the number of draws ask for them.",
      .within(1...10_000_000))
    public var steps = 500
    @Setting("Steps between two draws of a chain, at least.", .within(1...1_000_000)) public var thinning = 5
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

  private var config: Config
  private let settings: EstimateSettings
  private let title: String

  public init(_ config: Config, in context: BuildContext) throws {
    self.config = config
    settings = EstimateSettings(
      target: config.target, bandwidth: config.bandwidth, shape: config.covariance, maximumPoints: config.maximumPoints)
    title = context.title
    EstimateSettings.announceCovariances(in: context)
    settings.announceChains(
      config.chains, steps: config.warmUp + config.steps, kept: config.steps, evaluations: Double(context.latentSize),
      in: context)
  }

  public func check(_ prior: any Prior) throws { try settings.check(prior, title) }

  public func draw(_ request: DrawRequest, using generator: inout Generator) throws -> Draw {
    try (request.isRehearsal ? shortened : self).drawn(request, using: &generator)
  }

  /// The same with hardly any steps: for requests that only look whether it works.
  private var shortened: Self {
    var short = self
    (short.config.warmUp, short.config.steps, short.config.thinning) = (min(config.warmUp, 4), 4, 1)
    return short
  }

  private func drawn(_ request: DrawRequest, using generator: inout Generator) throws -> Draw {
    try withoutGradients {
      try check(request.prior)
      let requests = try request.byClass(for: "gibbs", using: &generator)
      let targets = try settings.targets(requests, of: request, using: &generator)
      let chains = ClassChains(
        chains: config.chains, steps: config.steps, thinning: config.thinning,
        remedy: "draw with sampler kde, which is exact and independent")
      let warnings = try settings.problems(with: request)
      return try chains.draw(targets, followsLabels: settings.followsLabels(of: request), warnings: warnings) {
        targets, steps in
        let density = try KernelDensityStack(targets.compactMap(\.density), like: targets[0].points)
        let record = try Gibbs(density).run(
          from: chains.starts(of: targets, in: density), ChainSchedule(warmUp: config.warmUp, steps: steps),
          using: &generator)
        return (record, density)
      }
    }
  }
}
