import LatentKit

/// The Metropolis-Hastings algorithm with any proposal, for any number of chains side by side (Metropolis et al. 1953,
/// Hastings 1970).
///
/// A step proposes `x′` and takes it with the probability `min(1, p(x′) q(x|x′) / (p(x) q(x′|x)))`. A chain whose proposal is
/// rejected stays: its position counts once more. Densities of −∞ are never entered.
public struct MetropolisHastings<Moves: Proposal>: Transition {
  /// The acceptance rule.
  public enum Rule {
    /// With the probability above: places follow the density.
    case metropolisHastings
    /// All whose log density is not under this, `[groups, 1]` or a shape that is broadcast to `[groups, chains]`. With
    /// symmetric proposals, places are then spread evenly over the level set; they do not follow the density.
    case levelSet(lowest: Tensor)
  }

  /// The proposal of moves.
  public var proposal: Moves
  private let rule: Rule
  private let logDensity: (Tensor) throws -> Tensor

  /// - Parameter logDensity: `[groups, chains, dimensions]` to `[groups, chains]`, up to a constant of each group; its gradient
  ///   is not needed.
  public init(
    _ proposal: Moves, rule: Rule = .metropolisHastings, logDensity: @escaping (Tensor) throws -> Tensor
  ) {
    (self.proposal, self.rule, self.logDensity) = (proposal, rule, logDensity)
  }

  public func start(at positions: Tensor) throws -> ChainState {
    ChainState(positions: positions, logDensities: try logDensity(positions))
  }

  /// Proposes and accepts or rejects one move of each chain.
  /// - Throws: What proposal and density throw, and `TensorError` for a state without densities.
  public func step(_ state: ChainState, using generator: inout Generator) throws -> (ChainState, ChainInfo) {
    guard let current = state.logDensities else {
      throw TensorError(
        "Metropolis-Hastings", shapes: [state.positions.shape],
        reason: "found a state without log densities, expected one of start(at:)")
    }
    let proposed = try proposal.propose(from: state.positions, using: &generator)
    if case (.metropolisHastings, .exact) = (rule, proposed.correction) {
      let next = try start(at: proposed.positions)
      let everyone = try Tensor.full(current.shape, 1, dtype: .bool, device: current.device)
      return (next, ChainInfo(accepted: everyone))
    }
    let logDensities = try logDensity(proposed.positions)
    let accepted: Tensor
    switch rule {
    case .levelSet(let lowest):
      accepted = try logDensities .>= lowest
    case .metropolisHastings:
      let uniform = try generator.uniform(logDensities.shape, dtype: logDensities.dtype).to(logDensities.device)
      var logRatio = try logDensities - current
      if case .logRatio(let correction) = proposed.correction { logRatio = try logRatio + correction }
      accepted = try uniform.log() .< logRatio
    }
    let next = ChainState(
      positions: try accepted.unsqueezed(-1).choose(proposed.positions, state.positions),
      logDensities: try accepted.choose(logDensities, current))
    return (next, ChainInfo(accepted: accepted))
  }
}

extension MetropolisHastings: TunableTransition where Moves: ScaledProposal {
  /// The step size of the proposal, `[groups, 1, 1]` or a shape that is broadcast to it.
  public var stepSize: Tensor {
    get { proposal.stepSize }
    set { proposal.stepSize = newValue }
  }
}
