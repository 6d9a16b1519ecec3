import LatentKit

/// Points spread over the unit sphere as evenly as can be (Zhu & Zhang 2019, section 3.1). All in Float64 on the CPU.
public enum EvenPoints {
  /// The regular simplex: any two of its points have the cosine `−1/(count − 1)`, and no points are further apart.
  ///
  /// The simplex is turned by a random rotation, so that no latent dimension is special; it is exact to rounding.
  ///
  /// - Parameter count: 1 to `dimensions + 1`.
  /// - Returns: `[count, dimensions]`.
  public static func simplex(_ count: Int, dimensions: Int, using generator: inout Generator) throws -> Tensor {
    guard 1...(dimensions + 1) ~= count else {
      throw TensorError(
        "regular simplex", reason: "found \(count) points in \(dimensions) dimensions, expected 1 to \(dimensions + 1)")
    }
    guard count > 1 else { return try onSphere(generator.normal([1, dimensions], dtype: .float64).to(.cpu)) }

    // Unit vectors less their mean are a simplex across the diagonal of `count` dimensions; Helmert's basis of what is
    // orthogonal to the diagonal takes it to count − 1 dimensions, and orthonormal columns take it to the latent space.
    let helmert = try Tensor(
      (0..<count).flatMap { row in
        (1..<count).map { column in
          let length = Double(column * (column + 1)).squareRoot()
          return row < column ? 1 / length : row == column ? -Double(column) / length : 0
        }
      }, shape: [count, count - 1])
    let axes = try orthonormalColumns(generator.normal([dimensions, count - 1], dtype: .float64).to(.cpu))
    return try onSphere(helmert.matmul(axes.transposed()))
  }

  /// Where charges on the sphere come to rest (Algorithm 1).
  public struct Charges: Sendable {
    /// `[count, dimensions]`.
    public let points: Tensor
    /// Iterations that were run.
    public let iterations: Int
    /// How far the fastest point moved in the last one.
    public let movement: Double
  }

  /// Algorithm 1: charges that repel each other with `1/l²` move over the sphere until they rest.
  ///
  /// - Parameters:
  ///   - gamma: How far a force of 1 changes a velocity in one iteration (eq. 4).
  ///   - epsilon: Distances below it count as it.
  ///   - iterations: At most; fewer where no point moves by more than `1e-12`.
  public static func charges(
    _ count: Int, dimensions: Int, gamma: Double, epsilon: Double, iterations: Int, using generator: inout Generator
  ) throws -> Charges {
    var points = try onSphere(generator.normal([count, dimensions], dtype: .float64).to(.cpu))
    var velocities = try Tensor.zeros([count, dimensions], dtype: .float64)
    var movement = 0.0
    for iteration in 0..<iterations {
      let forces = try tangentForces(points, epsilon: epsilon)
      let next = try onSphere(points + velocities)  // eq. 3
      velocities = try velocities + gamma * forces  // eq. 4
      movement = try (next - points).square().sum(axis: 1).max().item().squareRoot()
      points = next
      // The first iteration has no velocity yet.
      if iteration > 0, movement < 1e-12 {
        return Charges(points: points, iterations: iteration + 1, movement: movement)
      }
    }
    return Charges(points: points, iterations: iterations, movement: movement)
  }

  /// The tangent components of the forces of eq. 1, some rows of the distance matrix at a time.
  private static func tangentForces(_ points: Tensor, epsilon: Double) throws -> Tensor {
    let count = points.size(0)
    let rowsAtOnce = max(1, 4_000_000 / count)
    let numbers = try Tensor.range(0, count)
    let forces = try stride(from: 0, to: count, by: rowsAtOnce).map { start in
      let rows = start..<min(start + rowsAtOnce, count)
      let some = try points.slice(rows)
      let squares = try 2 - 2 * some.matmul(points.transposed())  // l² between points of the unit sphere
      let itself = try numbers.slice(rows).unsqueezed(1) .== numbers
      let inverse = try squares.clamped(epsilon * epsilon).rsqrt()
      let weights = try (inverse * inverse * inverse).filled(with: 0, where: itself)
      // f_i = Σ_j (u_i − u_j) / l³. The part along u_i is radial and falls away in the tangent component, which leaves
      // that of −Σ_j u_j / l³. The paper prints f − dot(u, f); only f − dot(u, f) u keeps to the tangent plane.
      let pull = try weights.matmul(points)
      return try some * (some * pull).sum(axis: 1, keep: true) - pull
    }
    return try Tensor.concatenate(forces)
  }

  private static func onSphere(_ points: Tensor) throws -> Tensor {
    try points / points.square().sum(axis: 1, keep: true).sqrt()
  }

  /// Columns made orthonormal by their Cholesky factor: twice, since the first pass leaves rounding.
  private static func orthonormalColumns(_ columns: Tensor) throws -> Tensor {
    try (0..<2).reduce(columns) { columns, _ in
      let factor = try columns.transposed().matmul(columns).cholesky()
      return try factor.solveTriangular(columns.transposed()).transposed()
    }
  }
}
