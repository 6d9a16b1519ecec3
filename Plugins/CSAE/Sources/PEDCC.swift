import Foundation
import LatentKit

/// Predefined evenly-distributed class centroids (Zhu & Zhang 2019, section 3.1): class `y` is `N(α u_y, σ² I)` around a
/// point `u_y` of the unit sphere that never changes, all of them as far apart as can be.
///
/// Up to `latent + 1` classes the points are a regular simplex; beyond that, charges that repel each other (Algorithm 1).
/// Without labels the density is the equal mixture of all classes.
///
/// - Shapes: centroids `[classes, latent]`, kept as the buffer `centroids`.
/// - Throws: `RecipeError` without labels, or where the points cannot be placed.
public struct PEDCC: CentroidPrior, DirectPrior {
  public enum Method: String, Choice { case auto, simplex, charge }

  public struct Config: ComponentConfig, Hashable {
    public var method = Method.auto
    public var classes: Int?
    public var scale: Double?
    public var deviation = 0.3
    public var gamma = 0.01
    public var epsilon = 0.01
    public var iterations = 200
    public var tolerance = 1e-9
    public var restarts = 0
    public init() {}
    public static let help: KeyValuePairs = [
      "method": "simplex (exact, up to latent + 1 classes), charge (Algorithm 1), or auto: the first where it exists.",
      "classes": "How many centroids; unset: one for each class of the data. More leave room for classes to come.",
      "scale": "alpha of eq. 5, the distance of centroids from the origin; unset: sqrt(latent).",
      "deviation": "Standard deviation of a class around its centroid, for densities and draws.",
      "gamma": "Charge: how far a force changes a velocity in one iteration (eq. 4).",
      "epsilon": "Charge: smaller distances count as this one.",
      "iterations": "Charge: iterations at most, of each start.",
      "tolerance": "Charge: stop where no point of the unit sphere moves this far in an iteration; 0 never stops.",
      "restarts": "Charge: further random starts; the one with the least energy is kept.",
    ]
  }

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
    for (name, value) in [
      ("scale", scale), ("deviation", config.deviation), ("gamma", config.gamma), ("epsilon", config.epsilon),
    ]
    where !(value > 0 && value.isFinite) {
      throw RecipeError("\(title): \(name) is \(value), expected above 0")
    }
    guard config.iterations > 0 else {
      throw RecipeError("\(title): iterations is \(config.iterations), expected at least 1")
    }
    guard config.tolerance >= 0, config.tolerance.isFinite else {
      throw RecipeError("\(title): tolerance is \(config.tolerance), expected 0 or more")
    }
    guard 0...1000 ~= config.restarts else {
      throw RecipeError("\(title): restarts is \(config.restarts), expected 0 to 1000")
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
    let charges = try EvenPoints.charges(
      classes, dimensions: latent, gamma: config.gamma, epsilon: config.epsilon, iterations: config.iterations,
      tolerance: config.tolerance, restarts: config.restarts, using: &generator)
    return (charges.points, charges.report)
  }

  public func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor {
    let centroids = try centroids.to(latents.dtype)
    let peak = -Double(latents.size(1)) * (log(deviation) + 0.5 * log(2 * Double.pi))
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
