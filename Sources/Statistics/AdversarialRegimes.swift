import LatentKit

/// The three regimes of the weight `β` of an adversarial loss beside a reconstruction loss (Zemouri 2020, section 3.4.2 B): blurred
/// reconstructions below `ε_1`, clear ones from `ε_1` to `ε_2`, and beyond `ε_2` images that are generated rather than reconstructed,
/// most of which do not match the originals. The paper reads the thresholds off pictures; here they are found from two curves over
/// the weights that were tried, the class agreement `a` of reconstructions and their sharpness `s`:
///
/// - a weight is *generative* where `a(β) < keep · a(β_0)`, `β_0` the least weight that was tried;
/// - of the others, it is *blurred* where `s(β) < sharp · s*`, `s*` the sharpness of the originals;
/// - a sharp one is *clear* where `a(β) ≥ faithful · a(β_0)`, and *unfaithful* otherwise: its images change class too often to be
///   clear reconstructions, and not in most cases.
///
/// With a rising weight agreement is expected to fall and sharpness to rise. `a` and `s` are the nearest falling and rising curves in
/// least squares (isotonic regression; sharpness over the weights that are not generative), so that noise between neighbours makes
/// no regime of its own. Several trials of a weight count by their mean. Where reconstructions without an adversary are as sharp as
/// is asked for, no weight is blurred.
public struct AdversarialRegimes: Sendable, Equatable {
  /// One trained model.
  public struct Trial: Sendable, Equatable {
    /// `β`, 0 or more.
    public var weight: Double
    /// The share of reconstructions that are of the original's class, 0 to 1 or in percent: the same unit in all trials.
    public var agreement: Double
    /// The mean sharpness of reconstructions, in the unit of the originals'.
    public var sharpness: Double

    /// Creates a trial.
    public init(weight: Double, agreement: Double, sharpness: Double) {
      (self.weight, self.agreement, self.sharpness) = (weight, agreement, sharpness)
    }
  }

  /// A regime.
  public enum Regime: String, Sendable { case blurred, clear, unfaithful, generative }

  /// One weight, with what was found.
  public struct Point: Sendable, Equatable {
    /// `β`.
    public let weight: Double
    /// The mean agreement of its trials, and the value of the falling curve.
    public let agreement: Double, smoothAgreement: Double
    /// The mean sharpness of its trials, and the value of the rising curve; the same where the weight is generative.
    public let sharpness: Double, smoothSharpness: Double
    /// The regime of the weight.
    public let regime: Regime
  }

  /// The weights that were tried, the least first.
  public let points: [Point]

  /// `ε_1`: the least weight of the clear regime; nil where no weight is clear.
  public var epsilon1: Double? { points.first { $0.regime == .clear }?.weight }

  /// `ε_2`: the greatest weight that was tried before images stop keeping their class (unfaithful or generative). Nil where all keep
  /// it: then the threshold lies beyond the greatest weight.
  public var epsilon2: Double? {
    let kept = points.prefix { $0.regime == .blurred || $0.regime == .clear }
    return kept.count < points.count ? kept.last?.weight : nil
  }

  /// - Parameters:
  ///   - trials: Trained models of two or more weights, in any order.
  ///   - originalSharpness: `s*`, the mean sharpness of the originals.
  ///   - keep: The share of the agreement at the least weight that a reconstruction regime keeps, above 0 and at most 1. The paper's
  ///     words, that most images do not match, are 0.5.
  ///   - faithful: The share of it that clear reconstructions keep, at least `keep` and at most 1.
  ///   - sharp: The share of the originals' sharpness below which images are blurred, above 0.
  /// - Throws: `RecipeError` for fewer than two weights, values that are not finite, weights below 0 and settings out of their ranges.
  public init(
    _ trials: [Trial], originalSharpness: Double, keep: Double = 0.5, faithful: Double = 0.9, sharp: Double = 0.5
  ) throws {
    guard keep > 0, keep <= faithful, faithful <= 1, sharp > 0, sharp.isFinite else {
      throw RecipeError(
        "regimes of the adversarial weight found keep \(keep), faithful \(faithful) and sharp \(sharp), expected keep above 0, faithful from keep to 1, and sharp above 0"
      )
    }
    guard originalSharpness.isFinite,
      trials.allSatisfy({ $0.weight.isFinite && $0.weight >= 0 && $0.agreement.isFinite && $0.sharpness.isFinite })
    else {
      throw RecipeError(
        "regimes of the adversarial weight found a value that is not finite, or a weight below 0; leave it out")
    }
    let groups = Dictionary(grouping: trials, by: \.weight).sorted { $0.key < $1.key }
    guard groups.count >= 2 else {
      throw RecipeError(
        "regimes of the adversarial weight need two or more weights, found \(groups.count); sweep it from 0 up")
    }
    func mean(_ trials: [Trial], _ value: KeyPath<Trial, Double>) -> Double {
      trials.map { $0[keyPath: value] }.reduce(0, +) / Double(trials.count)
    }
    let counts = groups.map { Double($0.value.count) }
    let agreements = groups.map { mean($0.value, \.agreement) }
    let sharpnesses = groups.map { mean($0.value, \.sharpness) }
    let falling = Isotonic.rising(agreements.map { -$0 }, weights: counts).map { -$0 }
    let kept = falling.firstIndex { $0 < keep * falling[0] } ?? falling.count
    let rising = Isotonic.rising(Array(sharpnesses.prefix(kept)), weights: Array(counts.prefix(kept)))
    points = groups.indices.map { index in
      let regime: Regime =
        if index >= kept { .generative } else if rising[index] < sharp * originalSharpness { .blurred } else {
          falling[index] >= faithful * falling[0] ? .clear : .unfaithful
        }
      return Point(
        weight: groups[index].key, agreement: agreements[index], smoothAgreement: falling[index],
        sharpness: sharpnesses[index], smoothSharpness: index < kept ? rising[index] : sharpnesses[index],
        regime: regime)
    }
  }
}

/// Isotonic regression by pooling adjacent violators (Ayer et al. 1955).
enum Isotonic {
  /// Returns the rising values `f` with the least `Σ w_i (f_i − v_i)²`.
  ///
  /// - Parameter weights: Above 0, as many as values.
  static func rising(_ values: [Double], weights: [Double]) -> [Double] {
    var pools: [(sum: Double, weight: Double, count: Int)] = []
    for (value, weight) in zip(values, weights) {
      var pool = (sum: value * weight, weight: weight, count: 1)
      while let last = pools.last, last.sum / last.weight > pool.sum / pool.weight {
        pool = (last.sum + pool.sum, last.weight + pool.weight, last.count + pool.count)
        pools.removeLast()
      }
      pools.append(pool)
    }
    return pools.flatMap { Array(repeating: $0.sum / $0.weight, count: $0.count) }
  }
}
