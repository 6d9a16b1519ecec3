import LatentKit

/// The proposals for all chains.
public struct Proposed: Sendable {
  /// The term of the proposal density `q` in the acceptance ratio.
  public enum Correction: Sendable {
    /// `q(x′|x) = q(x|x′)`: only the densities of the places count.
    case symmetric
    /// `log q(x|x′) − log q(x′|x)`, `[groups, chains]`, from a place `x` to the proposed `x′`.
    case logRatio(Tensor)
    /// The move alone leaves the density as it is (Gibbs' steps, jumps between kernels): its ratio cancels that of the
    /// densities, and it is always taken.
    case exact
  }

  /// Like the positions, `[groups, chains, dimensions]`.
  public var positions: Tensor
  /// The correction for the proposal's density.
  public var correction: Correction

  /// Creates the result of a proposal.
  public init(positions: Tensor, correction: Correction) {
    (self.positions, self.correction) = (positions, correction)
  }
}

/// A proposal distribution of chains.
public protocol Proposal {
  /// Proposes a place for each of the positions, `[groups, chains, dimensions]`.
  func propose(from positions: Tensor, using generator: inout Generator) throws -> Proposed
}

/// A proposal with a size.
public protocol ScaledProposal: Proposal {
  /// A factor of the moves of each group, above 0, `[groups, 1, 1]` or a shape that is broadcast to it.
  var stepSize: Tensor { get set }
}

/// Symmetric Gaussian moves: `x′ = x + s ε M`, with `ε` from `N(0, I)`, a step size `s` and a matrix `M`.
public struct RandomWalk: ScaledProposal {
  /// The step size of each group, `[groups, 1, 1]` or a shape that is broadcast to it.
  public var stepSize: Tensor
  private let matrix: Tensor?

  /// - Parameters:
  ///   - stepSize: `[groups, 1, 1]` or a shape that is broadcast to it.
  ///   - matrix: `[groups, dimensions, dimensions]`; nil for the identity.
  public init(stepSize: Tensor, matrix: Tensor? = nil) { (self.stepSize, self.matrix) = (stepSize, matrix) }

  /// The same step size for each group.
  ///
  /// - Parameter positions: Those of the chains, `[groups, chains, dimensions]`: gives the number of groups, the type of
  ///   numbers and the device.
  public init(stepSize: Double, matrix: Tensor? = nil, like positions: Tensor) throws {
    let size = try Tensor.full(
      [positions.size(0), 1, 1], stepSize, dtype: positions.dtype, device: positions.device)
    self.init(stepSize: size, matrix: matrix)
  }

  /// Returns the optimal step size for a Gaussian of unit deviations, `2.38/√dimensions` (Gelman, Roberts & Gilks 1996).
  public static func recommendedStepSize(dimensions: Int) -> Double { 2.38 / Double(dimensions).squareRoot() }

  public func propose(from positions: Tensor, using generator: inout Generator) throws -> Proposed {
    let noise = try generator.normal(positions.shape, dtype: positions.dtype).to(positions.device)
    let moves = try (matrix.map { try noise.matmul($0) } ?? noise) * stepSize
    return Proposed(positions: try positions + moves, correction: .symmetric)
  }
}

/// Proposals that are independent of a chain's position: draws from a density, `q(x′|x) = q(x′)`.
public struct IndependentProposal: Proposal {
  /// Draws places of a shape `[groups, chains, dimensions]`.
  private let draw: ([Int], inout Generator) throws -> Tensor
  /// `[groups, chains, dimensions]` to `[groups, chains]`, up to a constant.
  private let logDensity: (Tensor) throws -> Tensor

  /// - Parameters:
  ///   - logDensity: `log q` of places `[groups, chains, dimensions]` as `[groups, chains]`, up to a constant.
  ///   - draw: Draws places of the shape `[groups, chains, dimensions]` from `q`.
  public init(
    logDensity: @escaping (Tensor) throws -> Tensor, draw: @escaping ([Int], inout Generator) throws -> Tensor
  ) {
    (self.logDensity, self.draw) = (logDensity, draw)
  }

  public func propose(from positions: Tensor, using generator: inout Generator) throws -> Proposed {
    let places = try draw(positions.shape, &generator)
    return Proposed(
      positions: places, correction: .logRatio(try logDensity(positions) - logDensity(places)))
  }
}

/// A proposal made from a closure.
public struct AnyProposal: Proposal {
  private let body: (Tensor, inout Generator) throws -> Proposed

  /// - Parameter body: Proposes a place for each of the positions, `[groups, chains, dimensions]`.
  public init(_ body: @escaping (Tensor, inout Generator) throws -> Proposed) { self.body = body }

  public func propose(from positions: Tensor, using generator: inout Generator) throws -> Proposed {
    try body(positions, &generator)
  }
}

/// Independent jumps from one kernel of a density to another (`KernelDensityStack.jump`): in more than a few dimensions the
/// kernels of an estimate hardly touch, and small moves never leave the one where a chain started.
public struct KernelJump: Proposal {
  private let density: KernelDensityStack

  /// Creates jumps between the kernels of a density.
  public init(_ density: KernelDensityStack) { self.density = density }

  public func propose(from positions: Tensor, using generator: inout Generator) throws -> Proposed {
    Proposed(positions: try density.jump(positions, using: &generator), correction: .exact)
  }
}
