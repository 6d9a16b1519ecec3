/// A density over latents.
public protocol Prior: Part {
  /// Returns the log density of each row in nats, `[batch]`; under each row's class where labels are given and the density depends on the class.
  ///
  /// - Parameters:
  ///   - latents: `[batch, latent]`.
  ///   - labels: `[batch]`, Int64, from 0.
  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor

  /// Whether the density depends on the class.
  var knowsClasses: Bool { get throws }
}

extension Prior {
  /// True for priors with class centroids.
  public var knowsClasses: Bool { self is any CentroidPrior }
}

/// A prior that can be drawn from directly.
public protocol DirectPrior: Prior {
  /// Returns independent draws: of the request's classes where it has labels and the density depends on the class.
  func draw(_ request: DrawRequest, using generator: inout Generator) throws -> Draw
}

/// A prior with a closed form of its divergence from a diagonal Gaussian.
public protocol AnalyticPrior: Prior {
  /// Returns `KL(N(mean, exp(logVariance)) ‖ prior)` of each row in nats, `[batch]`.
  func divergence(mean: Tensor, logVariance: Tensor, labels: Tensor?) throws -> Tensor
}

/// A prior of independent latents, whatever the class: its divergence from a diagonal Gaussian is a sum over them.
public protocol FactorizedPrior: AnalyticPrior {
  /// Returns the divergence of each latent of each row in nats, `[batch, latent]`.
  func divergences(mean: Tensor, logVariance: Tensor) throws -> Tensor
}

extension FactorizedPrior {
  /// The sum over latents.
  public func divergence(mean: Tensor, logVariance: Tensor, labels: Tensor?) throws -> Tensor {
    try divergences(mean: mean, logVariance: logVariance).sum(axis: 1)
  }
}

/// A prior whose log density is known up to a constant. Every other prior claims that its density integrates to one, and is
/// checked for it.
public protocol UnnormalizedPrior: Prior {}

/// A prior that places each class at a point.
public protocol CentroidPrior: Prior {
  /// The centroids, `[classes, latent]`.
  var centroids: Tensor { get throws }

  /// The length of a centroid, where all have the same; nil otherwise. Noise given relative to the prior is scaled by it.
  var scale: Double? { get }
}

extension CentroidPrior {
  /// Nil: centroids may differ in length.
  public var scale: Double? { nil }
}

extension Prior {
  /// Returns the prior's centroids, `[classes, latent]`.
  /// - Throws: `RecipeError` where it has none.
  public func requireCentroids(for part: String) throws -> Tensor {
    guard let prior = self as? any CentroidPrior else {
      throw RecipeError.missing("a prior with class centroids", for: part, fix: "choose one, pedcc say")
    }
    return try prior.centroids
  }
}

/// A prior that is fitted to the training latents after each stage. It is undefined until then.
public protocol FittablePrior: Prior {
  /// Fits the density to latents.
  ///
  /// - Parameter generator: A stream that begins anew at each fit, on the device of the latents: the same latents give the
  ///   same density, also when a checkpoint is opened.
  func fit(_ latents: LatentSet, using generator: inout Generator) throws
}

extension FittablePrior {
  /// Fits the density to latents, with a stream that depends on the seed alone.
  public func fit(_ latents: LatentSet, seed: UInt64 = 0) throws {
    var generator = try Generator(seed: seed, for: "fit of the prior", device: latents.latents.device)
    try fit(latents, using: &generator)
  }
}

extension SlotKey where Role == any Prior {
  /// The slot of priors.
  public static var prior: Self { Self(.prior) }
}

extension Contribution {
  /// Returns a prior as a contribution, made from a component.
  public static func prior<C: Prior & Component>(
    _ name: String, _ type: C.Type, _ summary: String, with companions: Companions = Companions(), paper: Paper? = nil
  ) -> Contribution { Contribution(.prior, Entry(name, type, summary, with: companions, paper: paper) { $0 }) }
}
