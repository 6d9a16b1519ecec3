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
public struct GibbsSampler: SelectiveSampler {
  public struct Config: ComponentConfig {
    public var target = WalkTarget.auto
    public var chains = 16
    public var warmUp = 50
    public var steps = 500
    public var thinning = 5
    public var bandwidth = Bandwidth.scott
    public var covariance = KernelShape.full
    public var maximumPoints: Int?
    public init() {}
    public static let help: KeyValuePairs = [
      "target":
        "What draws follow: kde (an estimate of the training latents), prior (kernels of prior kde), or auto: these, else kde.",
      "chains": "Chains for each class, side by side.",
      "warmUp": "Steps that are thrown away; a step draws every coordinate once.",
      "steps": "Steps of each chain after that; more where thinning and the number of draws ask for them.",
      "thinning": "Steps between two draws of a chain, at least.",
      "bandwidth": "Of target kde, as of prior kde: scott, silverman, cross-validated, or a number.",
      "covariance": "Of target kde, as of prior kde: full, diagonal, scalar, identity.",
      "maximumPoints": "Kernels of each class at most, a random choice of its training latents; unset: all of them.",
    ]
  }

  private let config: Config
  private let settings: EstimateSettings
  private let title: String

  public init(_ config: Config, in context: BuildContext) throws {
    try checkChains(
      context.title, chains: config.chains, warmUp: config.warmUp, steps: config.steps, thinning: config.thinning,
      maximumPoints: config.maximumPoints)
    try checkBandwidth(config.bandwidth, context.title)
    self.config = config
    settings = EstimateSettings(
      target: config.target, bandwidth: config.bandwidth, shape: config.covariance, maximumPoints: config.maximumPoints)
    title = context.title
  }

  public func check(_ prior: any Prior) throws { try settings.check(prior, title) }

  public func draw(_ request: DrawRequest, using generator: inout Generator) throws -> Draw {
    try withoutGradients {
      try check(request.prior)
      let requests = try request.byClass(for: "gibbs", using: &generator)
      let targets = try settings.targets(requests, of: request, using: &generator)
      let chains = ClassChains(
        chains: config.chains, steps: config.steps, thinning: config.thinning,
        remedy: "draw with --sampler kde, which is exact and independent")
      let warnings = try settings.problems(with: request)
      return try chains.draw(targets, warnings: warnings) { targets, steps in
        let density = try KernelDensityStack(targets.compactMap(\.density), like: targets[0].points)
        let record = try Gibbs(density).run(
          from: chains.starts(of: targets, in: density), ChainSchedule(warmUp: config.warmUp, steps: steps),
          using: &generator)
        return (record, density)
      }
    }
  }
}

/// Refuses settings of chains that cannot be.
func checkChains(
  _ title: String, chains: Int, warmUp: Int, steps: Int, thinning: Int, maximumPoints: Int?
) throws {
  func check(_ isFine: Bool, _ name: String, _ found: Int, _ expected: String) throws {
    guard isFine else { throw RecipeError("\(title): \(name) is \(found), expected \(expected)") }
  }
  try check(1...10_000 ~= chains, "chains", chains, "1 to 10000")
  try check(0...10_000_000 ~= warmUp, "warmUp", warmUp, "0 to 10000000")
  try check(1...10_000_000 ~= steps, "steps", steps, "1 to 10000000")
  try check(1...1_000_000 ~= thinning, "thinning", thinning, "1 to 1000000")
  try checkMaximumPoints(maximumPoints, title)
}

/// Refuses a number of kernels that has no spread.
func checkMaximumPoints(_ maximumPoints: Int?, _ title: String) throws {
  guard let maximumPoints, maximumPoints < 2 else { return }
  throw RecipeError("\(title): maximumPoints is \(maximumPoints), expected at least 2")
}
