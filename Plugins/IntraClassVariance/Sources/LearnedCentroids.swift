import Foundation
import LatentKit

/// Class centroids that are learned with the model (Pilarczyk & Skarbek 2019, section 2.3): class `k` is `N(C_k, σ² I)`.
///
/// Three updates move them, each with its rate:
///
/// - `gradient`: the Hadamard layer of eq. 5. `C = r W` is the constant input `r` times the trained weights `W`, so that a loss
///   moves the centroids through the step's optimiser. The paper's constant is 1. Adam's steps are about as long as its learning
///   rate whatever weighs the loss; `r` makes those of the centroids `r` times as long, those of plain SGD `r²` times.
/// - `batch`: eq. 7, `C_k := (1 − α) C_k + α/n_k Σ x_j` over the `n_k` latents of class `k` in a mini-batch. With the denominator
///   `count-plus-one` it is the update of Wen et al. 2016, `C_k := C_k + α/(n_k + 1) Σ (x_j − C_k)`.
/// - `sample`: eq. 8, `C_k := (1 − α) C_k + α x_j` for one latent after another, in the batch's order.
///
/// A class without latents in a batch keeps its centroid, and so do hidden labels. Without labels the density is the equal mixture
/// of all classes.
///
/// - Shapes: centroids `[classes, latent]`, kept as the weights (`gradient`) or the buffer `centroids`.
/// - Throws: `RecipeError` without labels, and for a denominator beside another update than `batch`, or a rate above 1 beside
///   another than `gradient`.
public struct LearnedCentroids: CentroidPrior, DirectPrior, OnlineUpdate, Component {
  /// What moves the centroids.
  public enum Update: String, Choice { case gradient, batch, sample }

  /// The divisor of a class's latents in a mini-batch.
  public enum Denominator: String, Choice {
    case count
    case countPlusOne = "count-plus-one"
  }

  /// The settings.
  public struct Config: ComponentConfig {
    @Setting(
      "What moves the centroids: gradient (eq. 5, by the step's optimiser), batch (eq. 7), or sample (eq. 8, one by one)."
    )
    public var update = Update.gradient
    @Setting(
      """
      The update's rate. gradient: the factor of the optimiser's steps; batch and sample: alpha, up to 1. Unset: 10, 0.5 and \
      0.05.
      """, .above(0, upTo: 1e6)) public var rate: Double? = nil
    @Setting("Update batch: divided by the count of the class (eq. 7), or by count-plus-one (Wen et al. 2016).")
    public var denominator = Denominator.count
    @Setting("Standard deviation of the first centroids around 0.", .within(0...1e6)) public var start = 1.0
    @Setting("Standard deviation of a class around its centroid, for densities and draws.", .within(1e-15...1e15))
    public var deviation = 0.2
    public init() {}

    /// The rate of the update, the default where none is set.
    var effectiveRate: Double {
      rate ?? (update == .gradient ? 10 : update == .batch ? 0.5 : 0.05)
    }
  }

  /// The trained weights `W`, or the centroids themselves.
  private let stored: Tensor
  private let config: Config

  public init(_ config: Config, in context: BuildContext) throws {
    let classes = try context.requireClasses()
    if config.denominator == .countPlusOne, config.update != .batch {
      throw RecipeError(
        "\(context.title): denominator 'count-plus-one' is for update 'batch', found '\(config.update.rawValue)'; leave it out"
      )
    }
    let rate = config.effectiveRate
    guard config.update == .gradient || rate <= 1 else {
      throw RecipeError(
        "\(context.title): found a rate of \(rate) for update '\(config.update.rawValue)', expected one above 0, up to 1"
      )
    }
    self.config = config
    let shape = [classes, context.latentSize]
    if config.update == .gradient {
      stored = try context.scope.parameter("centroids", shape, .normal(deviation: config.start / rate))
    } else {
      var generator = try Generator(seed: context.seed, for: "\(context.scope.path).centroids")
      stored = try context.scope.buffer("centroids", generator.normal(shape) * config.start)
    }
  }

  public var needs: DataNeeds { .labels }

  /// The centroids, `[classes, latent]`; gradients reach them under update `gradient`.
  public var centroids: Tensor {
    get throws { config.update == .gradient ? try stored * config.effectiveRate : stored }
  }

  // MARK: Updates

  public func update(after forward: Forward) throws {
    guard config.update != .gradient else { return }
    var (latents, labels) = (try forward.latents.detached(), try forward.labels)
    if let labelled = forward.batch.labelled {
      let places = try labelled.nonzero().squeezed(1)
      guard places.count > 0 else { return }
      (latents, labels) = (try latents.rows(places), try labels.rows(places))
    }
    let moved =
      config.update == .batch
      ? try LearnedCentroids.averaged(
        stored, latents, labels, rate: config.effectiveRate, addingOne: config.denominator == .countPlusOne)
      : try LearnedCentroids.followed(stored, latents, labels, rate: config.effectiveRate)
    try stored.copyInPlace(moved)
  }

  /// Eq. 7, or Wen et al.'s form of it, `[classes, latent]`.
  static func averaged(
    _ centroids: Tensor, _ latents: Tensor, _ labels: Tensor, rate: Double, addingOne: Bool
  ) throws -> Tensor {
    let members = try labels.oneHot(centroids.size(0)).to(centroids.dtype)
    let counts = try members.sum(axis: 0).unsqueezed(1)
    let sums = try members.transposed().matmul(latents)
    // (1 − α) C + α/n Σ x is C + α/n Σ (x − C), which is 0 for a class without members under either divisor.
    let divisor = addingOne ? try counts + 1 : try counts.clamped(1)
    return try centroids + (sums - counts * centroids) / divisor * rate
  }

  /// Eq. 8 for one latent after another, `[classes, latent]`. With `n` of a class, the one that `r` of them follow weighs
  /// `α (1 − α)^r`, and the old centroid `(1 − α)^n`.
  static func followed(_ centroids: Tensor, _ latents: Tensor, _ labels: Tensor, rate: Double) throws -> Tensor {
    let members = try labels.oneHot(centroids.size(0)).to(centroids.dtype)
    let counts = try members.sum(axis: 0, keep: true)
    let followers = try counts - members.cumulativeSum(axis: 0)
    let keep = try Tensor.full([], 1 - rate, dtype: centroids.dtype, device: centroids.device)
    let weights = try members * keep.pow(followers) * rate
    return try keep.pow(counts).transposed() * centroids + weights.transposed().matmul(latents)
  }

  // MARK: Density

  public func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor {
    let centroids = try centroids.to(latents.dtype)
    let peak = try -Double(latents.size(1)) * (log(config.deviation) + 0.5 * log(2 * Double.pi))
    let precision = -0.5 / (config.deviation * config.deviation)
    if let labels {
      return try (latents - centroids.rows(labels)).square().sum(axis: 1) * precision + peak
    }
    let squares = try squaredDistances(latents, to: centroids)
    return try (squares * precision).logSumExp(axis: 1) + (peak - log(Double(centroids.size(0))))
  }

  public func draw(_ request: DrawRequest, using generator: inout Generator) throws -> Draw {
    let centroids = try centroids.detached()
    let labels = try request.labels ?? generator.integers(0..<centroids.size(0), [request.count])
    let noise = try generator.normal([request.count, centroids.size(1)], dtype: centroids.dtype)
    let latents = try centroids.rows(labels.to(centroids.device)) + noise.to(centroids.device) * config.deviation
    return Draw(latents: latents, followsLabels: request.labels != nil)
  }
}

/// Returns squared Euclidean distances of rows `[batch, latent]` to points `[classes, latent]`, `[batch, classes]`.
func squaredDistances(_ latents: Tensor, to points: Tensor) throws -> Tensor {
  try latents.square().sum(axis: 1, keep: true) + points.square().sum(axis: 1)
    - 2 * latents.matmul(points.transposed())
}
