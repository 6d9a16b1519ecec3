import LatentKit
import Statistics

/// Algorithm 1 of Zhu & Zhang 2019: charges on the unit sphere.
extension EvenPoints {
  /// The result of Algorithm 1.
  public struct Report: Sendable, Equatable {
    /// How evenly the points are spread.
    public let spread: AngularSpread
    /// Iterations that were run, of the start that was kept.
    public let iterations: Int
    /// How far the fastest point moved in the last one, on the unit sphere.
    public let movement: Double
    /// Whether that is less than the tolerance.
    public let hasConverged: Bool
  }

  /// Where charges on the sphere were left (Algorithm 1).
  public struct Charges: Sendable {
    /// `[count, dimensions]`.
    public let points: Tensor
    /// How the charges came to rest.
    public let report: Report
  }

  /// Algorithm 1: charges that repel each other with `1/l²` move over the sphere until they rest.
  ///
  /// The algorithm prints no damping, and there is none here. Charges come to rest all the same: a velocity keeps its
  /// direction while its point moves on, so what was tangent becomes radial, and eq. 3 takes a radial part away. They
  /// swing on the way, and a single one stands still whenever it turns; hence the rule looks at the fastest.
  ///
  /// - Parameters:
  ///   - count: 1 to `mostPoints`.
  ///   - dimensions: 2 or more; `count * dimensions` up to `mostValues`.
  /// - Throws: `RecipeError` for numbers and settings out of their ranges, and where charges ran away: where `gamma` is so
  ///   large, or `epsilon` so small, that velocities are no numbers any more.
  public static func charges(
    _ count: Int, dimensions: Int, _ motion: ChargeMotion, using generator: inout Generator
  ) throws -> Charges {
    try motion.check()
    try check(count, dimensions: dimensions)
    guard dimensions >= 2 else {
      throw RecipeError("found charges in 1 dimension, where they cannot move, expected 2 dimensions or more")
    }
    func run() throws -> Charges {
      let start = try onSphere(generator.normal([count, dimensions], dtype: .float64).to(.cpu))
      return try withoutGradients { try settle(start, motion) }
    }
    var best = try run()
    for _ in 0..<motion.restarts {
      let other = try run()
      if other.report.spread.energy < best.report.spread.energy { best = other }
    }
    return best
  }

  private static func settle(_ start: Tensor, _ motion: ChargeMotion) throws -> Charges {
    // Many points move in Float32, which takes half the time, until what they move by is near its rounding; the last
    // iterations are in Float64 in any case.
    var isCoarse = try start.size(0) >= 256
    var points = isCoarse ? try start.to(.float32) : start
    var velocities = try Tensor.zeros(start.shape, dtype: points.dtype)
    var (movement, done) = (Double.infinity, 0)
    // The first iteration has no velocity yet, so that it says nothing about rest.
    while done < motion.iterations, done <= 1 || movement >= motion.tolerance {
      if isCoarse, done >= motion.iterations - 10 || done > 1 && movement < 1e-5 {
        isCoarse = false
        (points, velocities) = (try onSphere(points.to(.float64)), try velocities.to(.float64))
      }
      let forces = try tangentForces(on: points, epsilon: motion.epsilon)
      let moved = try points + velocities
      guard try moved.square().sum(axis: 1).isFinite().all() else { throw motion.ranAway }
      let next = try onSphere(moved)  // eq. 3
      velocities = try velocities + motion.gamma * forces  // eq. 4
      movement = try (next - points).square().sum(axis: 1).max().item().squareRoot()
      points = next
      done += 1
    }
    let report = Report(
      spread: try AngularSpread(of: points), iterations: done, movement: movement,
      hasConverged: done > 1 && movement < motion.tolerance)
    return Charges(points: try points.to(.float64), report: report)
  }

  /// The tangent components of the forces of eq. 1, `[count, dimensions]`, by products of matrices: some rows of the
  /// distance matrix at a time, and never the differences of all pairs.
  ///
  /// Distances are the same both ways, so each block of rows begins at its own diagonal, and what it says about later
  /// points is added to theirs; only pairs inside a block are looked at twice.
  ///
  /// - Parameters:
  ///   - points: `[count, dimensions]` on the unit sphere.
  ///   - epsilon: Smaller distances count as this one; above 0, up to 2.
  /// - Throws: `TensorError` where the points are no matrix, `RecipeError` for `epsilon` out of its range.
  public static func tangentForces(on points: Tensor, epsilon: Double) throws -> Tensor {
    guard points.rank == 2 else {
      throw TensorError("tangent forces", shapes: [points.shape], reason: "expected points [count, dimensions]")
    }
    try ChargeMotion.check(epsilon: epsilon)
    let count = try points.size(0)
    var forces: [Tensor] = []
    // What earlier blocks contribute to the pull on the points that are left.
    var earlier: Tensor?
    for rows in blocks(of: count) {
      let (some, left) = (try points.slice(rows), try points.slice(rows.lowerBound..<count))
      let squares = try 2 - 2 * some.matmul(left.transposed())  // l² between points of the unit sphere
      let inverse = try squares.clamped(epsilon * epsilon).rsqrt()
      let numbers = try Tensor.range(0, left.size(0))
      let itself = try numbers.slice(0..<rows.count).unsqueezed(1) .== numbers
      let weights = try (inverse * inverse * inverse).filled(with: 0, where: itself)
      // f_i = Σ_j w_ij (u_i − u_j) = u_i Σ_j w_ij − Σ_j w_ij u_j with w = 1/l³. The first part is radial and falls away
      // in the tangent component. The paper prints f − dot(u, f); only f − dot(u, f) u keeps to the tangent plane.
      var pull = try weights.matmul(left)
      if let known = earlier { pull = try pull + known.slice(0..<rows.count) }
      if rows.upperBound < count {
        let others = try rows.count..<left.size(0)
        let passedOn = try weights.slice(others, axis: 1).transposed().matmul(some)
        earlier = try earlier.map { try $0.slice(others) + passedOn } ?? passedOn
      }
      forces.append(try some * (some * pull).sum(axis: 1, keep: true) - pull)
    }
    return try Tensor.concatenate(forces)
  }

  /// Rows of a `count x count` matrix: an eighth of them, and at most what fits into some tens of megabytes.
  private static func blocks(of count: Int) -> [Range<Int>] {
    let rows = max(1, min(max(count / 8, 64), 4_000_000 / max(count, 1)))
    return stride(from: 0, to: count, by: rows).map { $0..<min($0 + rows, count) }
  }
}
