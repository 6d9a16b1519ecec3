import Foundation
import LatentKit

/// Predefined evenly-distributed class centroids (Zhu & Zhang 2019, section 3.1): class `y` is `N(α u_y, σ² I)` around a
/// point `u_y` of the unit sphere that never changes, all of them as far apart as can be.
///
/// Up to `latent + 1` classes the points are a regular simplex; beyond that, charges that repel each other (Algorithm 1).
/// Without labels the density is the equal mixture of all classes.
///
/// - Shapes: centroids `[classes, latent]`, kept as the buffer `centroids`.
/// - Throws: `RecipeError` without labels, where the points cannot be placed, and beyond
///   `EvenPoints.mostPoints` classes and `EvenPoints.mostValues` classes times latents.
public struct PEDCC: CentroidPrior, DirectPrior, Component {
  /// How the points are placed.
  public enum Method: String, Choice { case auto, simplex, charge }

  /// The settings.
  public struct Config: ComponentConfig, Hashable {
    @Setting("simplex (exact, up to latent + 1 classes), charge (Algorithm 1), or auto: the first where it exists.")
    public var method = Method.auto
    @Setting(
      "How many centroids; unset: one for each class of the data. More leave room for classes to come.",
      .within(1...Double(EvenPoints.mostPoints))) public var classes: Int? = nil
    @Setting("alpha of eq. 5, the length of centroids; unset: sqrt(latent). The noise follows it.", .length)
    public var scale: Double? = nil
    /// 0.2² is about the test Loss1 of Table 4, a mean over dimensions too.
    @Setting("Standard deviation of a class around its centroid, for densities and draws.", .length)
    public var deviation = 0.2
    @Setting("Charge: how far a force changes a velocity in one iteration (eq. 4).", .above(0, upTo: 1e6)) public
      var gamma = 0.01
    @Setting("Charge: smaller distances count as this one.", .within(1e-9...2)) public var epsilon = 0.01
    @Setting("Charge: iterations at most, of each start.", .within(1...1e7)) public var iterations = 200
    @Setting(
      "Charge: stop where no point of the unit sphere moves this far in an iteration; 0 never stops.", .within(0...1))
    public var tolerance = 1e-9
    @Setting("Charge: further random starts; the one with the least energy is kept.", .within(0...1000))
    public var restarts = 0
    public init() {}

    /// How charges are moved under these settings.
    public var motion: ChargeMotion {
      ChargeMotion(
        gamma: gamma, epsilon: epsilon, iterations: iterations, tolerance: tolerance, restarts: restarts)
    }
  }

  public let centroids: Tensor
  /// The length of each centroid, α of eq. 5.
  public let scale: Double?
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
    try PEDCC.naming(title) { try EvenPoints.check(classes, dimensions: context.latentSize) }
    let key = Placement(
      config: config, classes: classes, latent: context.latentSize, seed: context.seed, path: context.scope.path)
    let (points, report) = try context.memory.value(for: key) { try PEDCC.place(classes, config, in: context) }
    self.report = report
    if let report {
      context.announce(
        report.hasConverged
          ? "\(title): centroids are at rest after \(report.iterations) iterations"
          : "\(title): centroids are not at rest after \(report.iterations) iterations (the fastest moved by "
            + "\(String(format: "%.1e", report.movement)) in the last one); more of them by prior.iterations spread them more evenly"
      )
    }
    let scale = config.scale ?? Double(context.latentSize).squareRoot()
    centroids = try context.scope.buffer("centroids", points * scale)
    self.scale = scale
    deviation = config.deviation
  }

  public var needs: DataNeeds { .labels }

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
    if let estimate = config.motion.estimate(classes, dimensions: latent) { context.announce("\(title): \(estimate)") }
    let charges = try naming(title) {
      try EvenPoints.charges(classes, dimensions: latent, config.motion, using: &generator)
    }
    return (charges.points, charges.report)
  }

  /// Puts the part's title before what `body` refuses.
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

  public func draw(_ request: DrawRequest, using generator: inout Generator) throws -> Draw {
    let count = request.count
    let labels = try request.labels ?? generator.integers(0..<centroids.size(0), [count])
    let noise = try generator.normal([count, centroids.size(1)], dtype: centroids.dtype)
    let latents = try centroids.rows(labels.to(centroids.device)) + noise.to(centroids.device) * deviation
    return Draw(latents: latents, followsLabels: request.labels != nil)
  }
}

extension SettingRange {
  /// Lengths whose squares are numbers above 0 in Float32 too.
  fileprivate static let length = SettingRange.within(1e-15...1e15)
}
