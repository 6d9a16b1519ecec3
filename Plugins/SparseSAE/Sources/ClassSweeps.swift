import LatentKit

/// Gibbs' sampler on the kernel densities of some classes, all classes and chains in one batch (Geman & Geman 1984).
///
/// A step draws every coordinate in turn from its density given the others, which is a mixture of Gaussians and drawn from
/// exactly. Coordinates are those where the kernels of a class are `N(0, I)`.
struct ClassSweeps {
  let density: DensityStack
  /// Where chains start, in each class's coordinates, `[classes, chains, latent]`.
  let starts: Tensor

  func run(warmUp: Int, steps: Int, using generator: inout Generator) throws -> WalkRecord {
    var places = starts
    var positions: [Tensor] = []
    for step in 0..<warmUp + steps {
      var columns = try (0..<starts.size(2)).map { try places.select($0, axis: 2) }
      for axis in columns.indices {
        columns[axis] = try density.conditional(axis, at: places, using: &generator)
        places = try .stack(columns, axis: 2)
      }
      if step >= warmUp { positions.append(places) }
    }
    return WalkRecord(positions: try .stack(positions, axis: 2), acceptance: nil)
  }
}
