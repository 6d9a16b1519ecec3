import LatentKit

/// How charges move over the sphere, and when they stop (Zhu & Zhang 2019, Algorithm 1).
public struct ChargeMotion: Sendable, Hashable {
  /// How far a force of 1 changes a velocity in one iteration (eq. 4); above 0.
  public var gamma: Double
  /// Smaller distances count as this one; above 0, up to 2, the diameter of the sphere.
  public var epsilon: Double
  /// Iterations at most, of each start; 1 or more.
  public var iterations: Int
  /// Charges stop where none moves this far on the unit sphere in an iteration; 0 or more, and 0 never stops.
  public var tolerance: Double
  /// Further random starts, of which the one with the least energy is kept; 0 to 1000.
  public var restarts: Int

  /// Creates a value with these fields.
  public init(gamma: Double, epsilon: Double, iterations: Int, tolerance: Double, restarts: Int) {
    self.gamma = gamma
    self.epsilon = epsilon
    self.iterations = iterations
    self.tolerance = tolerance
    self.restarts = restarts
  }

  /// - Throws: `RecipeError` that names the first value out of its range.
  public func check() throws {
    guard gamma > 0, gamma.isFinite else { throw RecipeError("gamma is \(gamma), expected above 0 and finite") }
    try ChargeMotion.check(epsilon: epsilon)
    guard iterations > 0 else { throw RecipeError("iterations is \(iterations), expected at least 1") }
    guard tolerance >= 0, tolerance.isFinite else {
      throw RecipeError("tolerance is \(tolerance), expected 0 or more")
    }
    guard 0...1000 ~= restarts else { throw RecipeError("restarts is \(restarts), expected 0 to 1000") }
  }

  /// How long it may take, where that is long; nil otherwise.
  ///
  /// An iteration looks at half of all pairs: about `4 d + 40` operations each, at some 10^10 in a second.
  func estimate(_ count: Int, dimensions: Int) -> String? {
    let pairs = Double(count) * Double(count) / 2
    let starts = Double(restarts) + 1
    let seconds = Double(iterations) * starts * (1e-4 + pairs * Double(4 * dimensions + 40) / 1e10)
    guard seconds > 20 else { return nil }
    let end = tolerance > 0 ? ", if they do not come to rest before" : ", as tolerance 0 never stops them"
    return
      "moving \(count) charges in \(dimensions) dimensions takes up to \(roughTime(seconds)) for \(iterations) iterations "
      + "from \(restarts + 1) starts\(end); lower iterations or restarts if that is too long"
  }

  static func check(epsilon: Double) throws {
    guard epsilon > 0, epsilon <= 2 else {
      throw RecipeError("epsilon is \(epsilon), expected above 0, up to 2, the diameter of the sphere")
    }
  }

  /// The error where velocities are no longer finite.
  var ranAway: RecipeError {
    RecipeError(
      """
      the charges ran away with gamma \(gamma) and epsilon \(epsilon); lower gamma, or raise epsilon: the paper has 0.01 \
      for both
      """)
  }
}
