import LatentKit

/// Gibbs' sampler, for any number of chains side by side (Geman & Geman 1984): a step draws every coordinate in turn from
/// its density given all others. Every move is taken.
public struct Gibbs: Transition {
  private let conditional: (Int, Tensor, inout Generator) throws -> Tensor

  /// - Parameter conditional: Draws one coordinate, by its number, of places `[groups, chains, dimensions]` given their other
  ///   coordinates, as `[groups, chains]`.
  public init(conditional: @escaping (_ axis: Int, _ places: Tensor, inout Generator) throws -> Tensor) {
    self.conditional = conditional
  }

  /// On kernel densities, whose conditional densities are mixtures of Gaussians and are drawn from exactly, in the coordinates
  /// where the kernels of a class are `N(0, I)`.
  public init(_ density: KernelDensityStack) {
    self.init { axis, places, generator in try density.conditional(axis, at: places, using: &generator) }
  }

  public func start(at positions: Tensor) throws -> ChainState { ChainState(positions: positions, logDensities: nil) }

  public func step(_ state: ChainState, using generator: inout Generator) throws -> (ChainState, ChainInfo) {
    var places = state.positions
    var columns = try (0..<places.size(2)).map { try places.select($0, axis: 2) }
    for axis in columns.indices {
      columns[axis] = try conditional(axis, places, &generator)
      places = try .stack(columns, axis: 2)
    }
    return (ChainState(positions: places, logDensities: nil), ChainInfo(accepted: nil))
  }
}
