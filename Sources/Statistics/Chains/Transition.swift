import LatentKit

/// The state of chains.
public struct ChainState: Sendable {
  /// `[groups, chains, dimensions]`: the chains of one group follow one density.
  public var positions: Tensor
  /// `[groups, chains]`, up to a constant of each group; nil for a transition that needs none.
  public var logDensities: Tensor?

  /// Creates a state.
  public init(positions: Tensor, logDensities: Tensor?) {
    (self.positions, self.logDensities) = (positions, logDensities)
  }
}

/// The diagnostics of one step.
public struct ChainInfo: Sendable {
  /// The chains that accepted their proposal, `[groups, chains]` Bool; nil where no move can be rejected.
  public var accepted: Tensor?

  /// Creates the record of a step.
  public init(accepted: Tensor?) { self.accepted = accepted }
}

/// A step of Markov chains, any number side by side, that leaves their densities as they are.
///
/// Pure: a step takes a state and returns the next one.
public protocol Transition {
  /// Returns the state of chains at some positions, `[groups, chains, dimensions]`.
  func start(at positions: Tensor) throws -> ChainState
  /// Returns the next state of each chain.
  func step(_ state: ChainState, using generator: inout Generator) throws -> (ChainState, ChainInfo)
}

/// A transition whose moves have a size that the warm-up of `run` can tune.
public protocol TunableTransition: Transition {
  /// A factor of the moves of each group, above 0, `[groups, 1, 1]` or a shape that is broadcast to it.
  var stepSize: Tensor { get set }
}
