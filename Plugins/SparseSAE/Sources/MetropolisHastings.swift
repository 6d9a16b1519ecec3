import LatentKit

/// The Metropolis-Hastings algorithm with symmetric proposals, for any number of chains side by side
/// (Metropolis et al. 1953).
///
/// Pure: a step takes a state and returns the next one.
public struct MetropolisHastings {
  public struct State {
    /// `[…, dimensions]`: leading axes number the chains.
    public var positions: Tensor
    /// `[…]`, up to a constant of each chain.
    public var logDensities: Tensor
  }

  public struct Info {
    /// Which chains took their proposal, `[…]` Bool.
    public var accepted: Tensor
  }

  private let logDensity: (Tensor) throws -> Tensor
  private let lowest: Tensor?

  /// - Parameters:
  ///   - logDensity: `[…, dimensions]` to `[…]`; its gradient is not needed.
  ///   - lowest: Instead of Metropolis' rule, take every proposal whose log density is not under this, `[…]`. The places
  ///     are then spread evenly over the level set; they do not follow the density.
  public init(lowest: Tensor? = nil, logDensity: @escaping (Tensor) throws -> Tensor) {
    (self.lowest, self.logDensity) = (lowest, logDensity)
  }

  public func start(at positions: Tensor) throws -> State {
    State(positions: positions, logDensities: try logDensity(positions))
  }

  /// Proposes `positions + move`, and takes it with the probability `min(1, p(proposal) / p(position))`. A chain whose
  /// proposal is rejected stays: its position counts once more.
  ///
  /// - Parameter move: Like the positions; drawn from a density that is the same for `move` and `−move`.
  public func step(_ state: State, by move: Tensor, using generator: inout Generator) throws -> (State, Info) {
    let positions = try state.positions + move
    let logDensities = try logDensity(positions)
    let accepted: Tensor
    if let lowest {
      accepted = try logDensities .>= lowest
    } else {
      let uniform = try generator.uniform(logDensities.shape, dtype: logDensities.dtype).to(logDensities.device)
      accepted = try uniform.log() .< (logDensities - state.logDensities)
    }
    let next = State(
      positions: try accepted.unsqueezed(-1).choose(positions, state.positions),
      logDensities: try accepted.choose(logDensities, state.logDensities))
    return (next, Info(accepted: accepted))
  }
}
