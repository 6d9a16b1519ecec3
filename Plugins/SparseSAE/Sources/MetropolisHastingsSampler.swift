import Foundation
import LatentKit
import Statistics

/// Draws latents by Metropolis-Hastings walks over a kernel density of each class's training latents, or over the prior
/// (Barlaud & Guyard 2021, section 2.1).
///
/// For each class that is asked for, `chains` walks start at training latents of the class. A warm-up is thrown away; in it
/// the proposal is tuned to the target acceptance rate (Robbins & Monro 1951), and then kept as it is. Rejected moves
/// repeat their place. Every `jumpEvery` steps a walk jumps to another kernel (`KernelDensityStack.jump`): in more than a few
/// dimensions the kernels of an estimate hardly touch, and a plain walk never leaves the one that it started in. Draws are taken
/// evenly over all chains, at least `thinning` steps apart in each. All classes walk in one batch.
///
/// `rule: threshold` is the rule that the paper prints: a proposal is rejected where its density falls under a threshold, and
/// taken otherwise. Such a walk does not follow the density; it is spread evenly over the level set above the threshold.
/// It starts at training latents inside the set and does not jump.
///
/// Diagnostics: the acceptance rate, the largest split R-hat, the smallest bulk effective sample size and the longest
/// autocorrelation time of all classes and latent dimensions; warnings where chains have not mixed or hold less than what
/// was asked for, and that draws by rule threshold do not follow the density.
///
/// A class without spread (one latent) repeats it, with a warning. Without labels, one density for everything.
///
/// - Shapes: draws `[count, latent]`, in the order of the request's labels.
/// - Throws: `RecipeError` for a class without training latents, or one that has none above the threshold.
public struct MetropolisHastingsSampler: EstimatingSampler, Component {
  public struct Config: ComponentConfig {
    @Setting(
      "What walks go over: kde (an estimate of the training latents), prior, or auto: prior kde's kernels, else kde.")
    public var target = WalkTarget.auto
    @Setting("Walks for each class, side by side.", .within(1...10_000)) public var chains = 16
    @Setting("Steps that are thrown away; they tune the proposal.", .within(0...10_000_000)) public var warmUp = 500
    @Setting(
      "Steps of each walk after that; more where thinning and the number of draws ask for them.",
      .within(1...10_000_000))
    public var steps = 2000
    @Setting("Steps between two draws of a walk, at least.", .within(1...1_000_000)) public var thinning = 20
    @Setting(
      "Steps between two jumps to another kernel; 0: never, the plain walk of the paper.", .within(0...10_000_000))
    public var jumpEvery = 4
    @Setting(
      "Of target kde, as of prior kde: scott, silverman, cross-validated, or a number.", .within(1e-9...1e9),
      usually: .within(1e-3...1e3))
    public var bandwidth = Bandwidth.scott
    @Setting("Of target kde, as of prior kde: full, diagonal, scalar, identity.")
    public var covariance = KernelShape.full
    @Setting(
      "tuned (the kernels' covariance, scaled in the warm-up), or a variance, as 0.2 in the authors' code.",
      .within(1e-18...1e18), usually: .within(1e-6...1e4))
    public var proposal = WalkProposal.tuned
    @Setting("Share of moves that tuning aims at accepting.", .between(0, 1)) public var acceptance = 0.3
    @Setting(
      "metropolis, or threshold: the paper's rule, which does not follow the density but fills a level set evenly.")
    public var rule = Rule.metropolis
    @Setting(
      "For rule threshold: a density, or a share of the training latents that it leaves out, as in 5%.", .atLeast(0))
    public var threshold = Threshold.quantile(0.05)
    @Setting(
      "Kernels of each class at most, a random choice of its training latents; unset: all of them.", .within(2...1e9))
    public var maximumPoints: Int? = nil
    public init() {}
  }

  private var config: Config
  private let settings: EstimateSettings

  public init(_ config: Config, in context: BuildContext) throws {
    if case .quantile(let share) = config.threshold, !(0 <= share && share < 1) {
      throw RecipeError("\(context.title): threshold is \(numeral(100 * share))%, expected 0% to less than 100%")
    }
    self.config = config
    settings = EstimateSettings(
      target: config.target, bandwidth: config.bandwidth, shape: config.covariance, maximumPoints: config.maximumPoints)
    EstimateSettings.announceCovariances(in: context)
    settings.announceChains(
      config.chains, steps: config.warmUp + config.steps, kept: config.steps,
      evaluations: 1 + (config.jumpEvery > 0 ? 1 / Double(config.jumpEvery) : 0), in: context)
  }

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
      let requests = try request.byClass(for: "mh", using: &generator)
      let chains = ClassChains(chains: config.chains, steps: config.steps, thinning: config.thinning)
      if config.target == .prior, !(request.prior is KernelDensityPrior) {
        let targets = try requests.map { part in
          let order = try generator.permutation(part.training.size(0)).to(part.training.device)
          return ClassTarget(request: part, points: try part.training.rows(order), density: request.prior)
        }
        let follows = try request.labels != nil && request.prior.knowsClasses
        return try chains.draw(targets, followsLabels: follows, warnings: ruleWarnings) { targets, steps in
          let known = targets.compactMap { $0.request.label.map(Int64.init) }
          let density = PriorDensity(request.prior, labels: known.isEmpty ? nil : try Tensor(known))
          return (try walk(targets, over: density, chains, steps, using: &generator), density)
        }
      }
      let targets = try settings.targets(requests, of: request, using: &generator)
      let warnings = try settings.problems(with: request) + ruleWarnings
      return try chains.draw(targets, followsLabels: settings.followsLabels(of: request), warnings: warnings) {
        targets, steps in
        let density = try KernelDensityStack(targets.compactMap(\.density), like: targets[0].points)
        let jump = MetropolisHastings(KernelJump(density)) { try density.logDensity($0) }
        return (try walk(targets, over: density, jump: jump, chains, steps, using: &generator), density)
      }
    }
  }

  private var ruleWarnings: [String] {
    config.rule == .metropolis
      ? []
      : ["draws by rule threshold fill a level set evenly and do not follow the density; sampler.rule metropolis does"]
  }

  private func walk<Density>(
    _ targets: [ClassTarget<Density>], over density: any ChainDensity, jump: (any Transition)? = nil,
    _ chains: ClassChains, _ steps: Int, using generator: inout Generator
  ) throws -> ChainRecord {
    var starts = try chains.starts(of: targets, in: density)
    var rule = MetropolisHastings<RandomWalk>.Rule.metropolisHastings
    var occasionally = config.jumpEvery > 0 ? jump.map { OccasionalMove(every: config.jumpEvery, $0) } : nil
    if config.rule == .threshold {
      let level = try LevelSet(config.threshold, targets, in: density, chains: config.chains)
      (starts, rule, occasionally) = (level.starts, .levelSet(lowest: level.lowest), nil)
    }
    let moves: RandomWalk
    switch config.proposal {
    case .tuned:
      // The best for a Gaussian: here, for one kernel.
      moves = try RandomWalk(stepSize: RandomWalk.recommendedStepSize(dimensions: starts.size(2)), like: starts)
    case .variance(let variance):
      moves = try RandomWalk(stepSize: variance.squareRoot(), matrix: density.whiteningOfMoves, like: starts)
    }
    let tuning = config.proposal == .tuned ? StepSizeTuning(targetAcceptance: config.acceptance) : nil
    return try MetropolisHastings(moves, rule: rule) { try density.logDensity($0) }.run(
      from: starts, ChainSchedule(warmUp: config.warmUp, steps: steps), tuning: tuning, occasionally: occasionally,
      using: &generator)
  }
}
