import LatentKit

/// Minimises a smooth function by the limited-memory BFGS method (Nocedal & Wright 2006, algorithm 7.5), in Float64.
///
/// The step along each direction is the first of 1, 1/2, 1/4, … that lowers the function enough (Armijo's rule, 1e-4), and twice
/// as long while the slope there is still steep; pairs of steps without positive curvature are left out.
public struct LBFGS: Sendable {
  /// How many pairs of steps and changes of gradient are kept.
  public var memory = 20
  /// The most iterations.
  public var iterations = 2000
  /// The size of the gradient's largest entry at which the search ends.
  public var tolerance = 1e-6

  /// Creates a search.
  public init() {}

  /// The place of the least value found.
  public struct Minimum: Sendable {
    /// The place, of the start's shape.
    public let place: Tensor
    /// The value there.
    public let value: Double
    /// Iterations done.
    public let iterations: Int
    /// Whether the gradient fell below the tolerance.
    public let hasConverged: Bool
  }

  /// Returns the minimum that is reached from a place.
  ///
  /// - Parameters:
  ///   - start: A vector, Float64.
  ///   - function: Returns value and gradient.
  public func minimum(
    from start: Tensor, of function: (Tensor) throws -> (value: Double, gradient: Tensor)
  ) throws -> Minimum {
    var place = start
    var (value, gradient) = try function(place)
    var pairs: [(step: Tensor, change: Tensor, inverse: Double)] = []
    for iteration in 0..<iterations {
      guard try gradient.abs().max().item() > tolerance else {
        return Minimum(place: place, value: value, iterations: iteration, hasConverged: true)
      }
      var direction = try self.direction(gradient, pairs)
      var slope = try direction.dot(gradient)
      if slope >= 0 {
        (direction, pairs) = (try gradient * -1, [])
        slope = try direction.dot(gradient)
      }
      // Without curvature known, a step of length 1 at most.
      var length = pairs.isEmpty ? min(1, 1 / (-slope).squareRoot()) : 1
      guard
        let found = try search(
          from: place, value, along: direction, slope: slope, length: &length, of: function)
      else {
        // No step lowers the value by as much as rounding: this is the minimum.
        return Minimum(
          place: place, value: value, iterations: iteration,
          hasConverged: try gradient.abs().max().item() <= tolerance)
      }
      let step = try direction * length
      let change = try found.gradient - gradient
      let curvature = try step.dot(change)
      if curvature > 1e-14 * (try change.dot(change)) {
        pairs.append((step, change, 1 / curvature))
        if pairs.count > memory { pairs.removeFirst() }
      }
      place = try place + step
      (value, gradient) = found
    }
    return Minimum(
      place: place, value: value, iterations: iterations,
      hasConverged: try gradient.abs().max().item() <= tolerance)
  }

  /// The two-loop recursion: minus the inverse Hessian's estimate times the gradient.
  private func direction(
    _ gradient: Tensor, _ pairs: [(step: Tensor, change: Tensor, inverse: Double)]
  ) throws -> Tensor {
    var q = gradient
    var factors: [Double] = []
    for pair in pairs.reversed() {
      let factor = pair.inverse * (try pair.step.dot(q))
      q = try q - pair.change * factor
      factors.append(factor)
    }
    if let last = pairs.last { q = try q * (1 / last.inverse / last.change.dot(last.change)) }
    for (pair, factor) in zip(pairs, factors.reversed()) {
      q = try q + pair.step * (factor - pair.inverse * pair.change.dot(q))
    }
    return try q * -1
  }

  /// A step that lowers the value by Armijo's rule; nil where none does.
  private func search(
    from place: Tensor, _ value: Double, along direction: Tensor, slope: Double, length: inout Double,
    of function: (Tensor) throws -> (value: Double, gradient: Tensor)
  ) throws -> (value: Double, gradient: Tensor)? {
    func isEnough(_ found: Double, _ length: Double) -> Bool { found <= value + 1e-4 * length * slope }
    for _ in 0..<50 {
      let found = try function(place + direction * length)
      guard found.value.isFinite, isEnough(found.value, length) else {
        length /= 2
        continue
      }
      var best = found
      // Still steep: curvature would not be positive, or nearly not.
      while try best.gradient.dot(direction) < 0.9 * slope, length < 1e6 {
        let further = try function(place + direction * (2 * length))
        guard further.value.isFinite, isEnough(further.value, 2 * length), further.value < best.value else { break }
        (best, length) = (further, 2 * length)
      }
      return best
    }
    return nil
  }
}

extension Tensor {
  /// The inner product of two vectors.
  fileprivate func dot(_ other: Tensor) throws -> Double { try (self * other).sum().item() }
}
