import LatentKit
import Metrics

/// Draws latents by Metropolis-Hastings walks over a kernel density estimate of each class's training latents
/// (Barlaud & Guyard 2021, section 2.1).
///
/// For each class that is asked for, `chains` walks start at training latents of the class. A warm-up is thrown away; in it
/// the proposal is tuned to the target acceptance rate (Robbins & Monro 1951), and then kept as it is. Rejected moves
/// repeat their place. Every `jumpEvery` steps a walk jumps to another kernel (`DensityStack.jump`): in more than a few
/// dimensions the kernels of an estimate hardly touch, and a plain walk never leaves the one that it started in. Draws are taken
/// evenly over all chains, at least `thinning` steps apart in each. All classes walk in one batch.
///
/// Diagnostics: the acceptance rate, the largest split R-hat and the smallest effective sample size of all classes and
/// latent dimensions; warnings where chains have not mixed or hold less than what was asked for.
///
/// A class without spread (one latent) repeats it, with a warning. Without labels, one density for everything.
///
/// - Shapes: draws `[count, latent]`, in the order of the request's labels.
/// - Throws: `RecipeError` for a class without training latents.
public struct MetropolisHastingsSampler: Sampler {
  public struct Config: ComponentConfig {
    public var chains = 4
    public var warmUp = 500
    public var steps = 5000
    public var thinning = 20
    public var jumpEvery = 10
    public var bandwidth = Bandwidth.scott
    public var proposal = Proposal.tuned
    public var acceptance = 0.3
    public var maximumPoints: Int? = 2000
    public init() {}
    public static let help: KeyValuePairs = [
      "chains": "Walks for each class, side by side.",
      "warmUp": "Steps that are thrown away; they tune the proposal.",
      "steps": "Steps of each walk after that; more where thinning and the number of draws ask for them.",
      "thinning": "Steps between two draws of a walk, at least.",
      "jumpEvery": "Steps between two jumps to another kernel; 0: never, the plain walk of the paper.",
      "bandwidth": "Width of the kernels: scott, silverman, or a factor of the class's standard deviations.",
      "proposal": "tuned (the class's covariance, scaled in the warm-up), or a variance, as 0.2 in the authors' code.",
      "acceptance": "Share of moves that tuning aims at accepting.",
      "maximumPoints": "Kernels of each class at most, a random choice of its training latents; unset: all of them.",
    ]
  }

  private let config: Config

  public init(_ config: Config, in context: BuildContext) throws {
    func check(_ isFine: Bool, _ name: String, _ found: Any, _ expected: String) throws {
      guard isFine else { throw RecipeError("\(context.title): \(name) is \(found), expected \(expected)") }
    }
    try check(1...10_000 ~= config.chains, "chains", config.chains, "1 to 10000")
    try check(0...10_000_000 ~= config.warmUp, "warmUp", config.warmUp, "0 to 10000000")
    try check(1...10_000_000 ~= config.steps, "steps", config.steps, "1 to 10000000")
    try check(1...1_000_000 ~= config.thinning, "thinning", config.thinning, "1 to 1000000")
    try check(config.jumpEvery >= 0, "jumpEvery", config.jumpEvery, "0 or more")
    try check(0 < config.acceptance && config.acceptance < 1, "acceptance", config.acceptance, "between 0 and 1")
    if let most = config.maximumPoints { try check(most >= 2, "maximumPoints", most, "at least 2") }
    if case .factor(let factor) = config.bandwidth {
      try check(factor > 0, "bandwidth", factor, "scott, silverman or a number above 0")
    }
    if case .variance(let variance) = config.proposal {
      try check(variance > 0, "proposal", variance, "tuned or a variance above 0")
    }
    self.config = config
  }

  public func draw(_ request: DrawRequest, using generator: inout Generator) throws -> Draw {
    try withoutGradients {
      let requests = try request.byClass(for: "mh", using: &generator)
      let targets = try requests.map { try Target($0, config, using: &generator) }
      var reports: [ClassReport] = []
      let draws = try blocks(of: targets).flatMap { try drawBlock($0, reports: &reports, using: &generator) }
      return Draw(
        latents: try ClassRequest.merge(draws, of: requests), diagnostics: measurements(of: reports),
        warnings: problems(in: reports))
    }
  }

  /// Neighbouring classes that walk together: as many as leave the memory small.
  private func blocks(of targets: [Target]) -> [[Target]] {
    var blocks: [[Target]] = []
    var room = 0
    for target in targets {
      let size = config.chains * max(target.points.size(0), steps(for: [target]) * target.points.size(1))
      if size > room { (blocks, room) = (blocks + [[]], 16_000_000) }
      blocks[blocks.count - 1].append(target)
      room -= size
    }
    return blocks
  }

  /// How often every chain gives a draw.
  private func rounds(for target: Target) -> Int { (target.request.count + config.chains - 1) / config.chains }

  private func steps(for targets: [Target]) -> Int {
    max(config.steps, config.thinning * (targets.map(rounds).max() ?? 0))
  }

  /// The draws of each target, `[count, latent]`, with what there is to report about them.
  private func drawBlock(
    _ targets: [Target], reports: inout [ClassReport], using generator: inout Generator
  ) throws -> [Tensor] {
    let walking = targets.filter { $0.density != nil }
    let record = try walk(walking, using: &generator)
    var place = 0
    return try targets.map { target in
      guard let density = target.density, let record else {
        reports.append(ClassReport(of: target.request))
        return try target.points.slice(0..<1).expanded([target.request.count, target.points.size(1)])
      }
      defer { place += 1 }
      let walks = try density.restore(record.positions.select(place))  // [chains, steps, latent]
      reports.append(
        ClassReport(of: target.request, acceptance: record.acceptance[place], chains: try ChainDiagnostics(of: walks)))
      // Round by round, one draw of every chain: neighbours in the result come from different chains.
      let (rounds, steps) = (rounds(for: target), walks.size(1))
      let chosen = (0..<target.request.count).map { draw in
        let (round, chain) = draw.quotientAndRemainder(dividingBy: config.chains)
        return chain * steps + (round + 1) * steps / rounds - 1
      }
      return try walks.reshaped([config.chains * steps, walks.size(2)]).rows(chosen)
        .to(target.points.dtype, target.points.device)
    }
  }

  private func walk(_ targets: [Target], using generator: inout Generator) throws -> ClassWalks.Record? {
    guard let latents = targets.first?.points else { return nil }
    let densities = targets.compactMap(\.density)
    let starts = try densities.map { density in
      try density.whitened.rows((0..<config.chains).map { $0 % density.whitened.size(0) })
    }
    let walks = ClassWalks(
      densities: densities, starts: try .stack(starts).to(latents.dtype, latents.device), proposal: config.proposal,
      acceptance: config.acceptance, jumpEvery: config.jumpEvery)
    return try walks.run(warmUp: config.warmUp, steps: steps(for: targets), using: &generator)
  }
}

/// What the draws of one class follow.
private struct Target {
  let request: ClassRequest
  /// The training latents that carry kernels, in random order, `[points, latent]`.
  let points: Tensor
  /// Nil for a class without spread.
  let density: KernelDensity?

  init(_ request: ClassRequest, _ config: MetropolisHastingsSampler.Config, using generator: inout Generator) throws {
    self.request = request
    let count = request.training.size(0)
    let order = try generator.permutation(count).slice(0..<min(count, config.maximumPoints ?? count))
    points = try request.training.rows(order.to(request.training.device))
    density = try Moments(of: points).isPoint ? nil : try KernelDensity(of: points, bandwidth: config.bandwidth)
  }
}
