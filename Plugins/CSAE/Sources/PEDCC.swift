import Foundation
import LatentKit

/// Predefined evenly-distributed class centroids (Zhu & Zhang 2019, section 3.1): class `y` is `N(α u_y, σ² I)` around a
/// point `u_y` of the unit sphere that never changes, all of them as far apart as can be.
///
/// Up to `latent + 1` classes the points are a regular simplex; beyond that, charges that repel each other (Algorithm 1).
/// Without labels the density is the equal mixture of all classes.
///
/// - Shapes: centroids `[classes, latent]`, kept as the buffer `centroids`.
/// - Throws: `RecipeError` without labels, for settings out of their ranges, where the points cannot be placed, and beyond
///   `EvenPoints.mostPoints` classes and `EvenPoints.mostValues` classes times latents.
public struct PEDCC: CentroidPrior, DirectPrior {
  public enum Method: String, Choice { case auto, simplex, charge }

  public struct Config: ComponentConfig, Hashable {
    public var method = Method.auto
    public var classes: Int?
    public var scale: Double?
    /// 0.2² is about the test Loss1 of Table 4, a mean over dimensions too.
    public var deviation = 0.2
    public var gamma = 0.01
    public var epsilon = 0.01
    public var iterations = 200
    public var tolerance = 1e-9
    public var restarts = 0
    public init() {}
    public static let help: KeyValuePairs = [
      "method": "simplex (exact, up to latent + 1 classes), charge (Algorithm 1), or auto: the first where it exists.",
      "classes": "How many centroids; unset: one for each class of the data. More leave room for classes to come.",
      "scale":
        "alpha of eq. 5, the length of centroids; unset: sqrt(latent). noise.scale does not follow: set both.",
      "deviation": "Standard deviation of a class around its centroid, for densities and draws.",
      "gamma": "Charge: how far a force changes a velocity in one iteration (eq. 4); above 0.",
      "epsilon": "Charge: smaller distances count as this one; above 0, up to 2.",
      "iterations": "Charge: iterations at most, of each start.",
      "tolerance": "Charge: stop where no point of the unit sphere moves this far in an iteration; 0 never stops.",
      "restarts": "Charge: further random starts, up to 1000; the one with the least energy is kept.",
    ]

    /// How charges are moved under these settings.
    public var motion: ChargeMotion {
      ChargeMotion(
        gamma: gamma, epsilon: epsilon, iterations: iterations, tolerance: tolerance, restarts: restarts)
    }
  }

  /// What `scale` and `deviation` can be: squares of such distances are numbers above 0 in Float32 too.
  private static let lengths = 1e-15...1e15

  public let centroids: Tensor
  /// How the charges came to rest; nil for a simplex, which needs no search.
  public let report: EvenPoints.Report?
  private let deviation: Double

  public init(_ config: Config, in context: BuildContext) throws {
    let title = context.title
    let known = try context.requireClasses()
    let classes = config.classes ?? known
    guard classes >= known else {
      throw RecipeError("\(title): classes is \(classes), and the data have \(known); leave it out or raise it")
    }
    let scale = config.scale ?? Double(context.latentSize).squareRoot()
    for (name, value) in [("scale", scale), ("deviation", config.deviation)] where !(PEDCC.lengths ~= value) {
      throw RecipeError(
        "\(title): \(name) is \(value), expected 1e-15 to 1e15, so that squares of distances stay numbers")
    }
    try PEDCC.naming(title) {
      try config.motion.check()
      try EvenPoints.check(classes, dimensions: context.latentSize)
    }
    let key = Placement(
      config: config, classes: classes, latent: context.latentSize, seed: context.seed, path: context.scope.path)
    let (points, report) = try context.memory.value(for: key) { try PEDCC.place(classes, config, in: context) }
    self.report = report
    centroids = try context.scope.buffer("centroids", points * scale)
    deviation = config.deviation
  }

  /// All that the points depend on.
  private struct Placement: Hashable {
    let config: Config
    let classes: Int
    let latent: Int
    let seed: UInt64
    let path: String
  }

  private static func place(
    _ classes: Int, _ config: Config, in context: BuildContext
  ) throws -> (points: Tensor, report: EvenPoints.Report?) {
    let (title, latent) = (context.title, context.latentSize)
    var generator = try Generator(seed: context.seed, for: "\(context.scope.path).centroids")
    let isSimplex = config.method == .auto ? classes <= latent + 1 : config.method == .simplex
    if isSimplex {
      guard classes <= latent + 1 else {
        throw RecipeError(
          """
          \(title) cannot place \(classes) classes on a regular simplex with latentSize \(latent), only up to \
          \(latent + 1); raise encoder.latent to \(classes - 1) or more, or set prior.method=charge
          """)
      }
      return (try EvenPoints.simplex(classes, dimensions: latent, using: &generator), nil)
    }
    guard latent >= 2 else {
      throw RecipeError(
        """
        \(title) cannot place \(classes) classes evenly with latentSize 1, where the sphere has two points and charges \
        cannot move; raise encoder.latent to 2 or more
        """)
    }
    let charges = try naming(title) {
      try EvenPoints.charges(classes, dimensions: latent, config.motion, using: &generator)
    }
    return (charges.points, charges.report)
  }

  /// What is refused in `body` is said with the part that asked for it.
  private static func naming<Result>(_ title: String, _ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let refusal as RecipeError { throw RecipeError("\(title): \(refusal)") }
  }

  public func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor {
    let centroids = try centroids.to(latents.dtype)
    let peak = try -Double(latents.size(1)) * (log(deviation) + 0.5 * log(2 * Double.pi))
    let precision = -0.5 / (deviation * deviation)
    if let labels {
      return try (latents - centroids.rows(labels)).square().sum(axis: 1) * precision + peak
    }
    let products = try latents.matmul(centroids.transposed())
    let squares = try latents.square().sum(axis: 1, keep: true) + centroids.square().sum(axis: 1) - 2 * products
    return try (squares * precision).logSumExp(axis: 1) + (peak - log(Double(centroids.size(0))))
  }

  public func draw(_ count: Int, labels: Tensor?, using generator: inout Generator) throws -> Tensor {
    let labels = try labels ?? generator.integers(0..<centroids.size(0), [count])
    let noise = try generator.normal([count, centroids.size(1)], dtype: centroids.dtype)
    return try centroids.rows(labels.to(centroids.device)) + noise.to(centroids.device) * deviation
  }
}
