import LatentKit

/// The receiver operating characteristic of scores by which positive examples are told from negative ones: the rates of true and of
/// false acceptance at every threshold.
///
/// Equal scores share a threshold, so that a tie counts as half right in the area. In Float64 on the CPU.
public struct OperatingCurve: Sendable {
  /// The share of negatives with a score at or above each threshold, rising from 0 to 1.
  public let falsePositiveRates: [Double]
  /// The share of positives with a score at or above each threshold, rising from 0 to 1.
  public let truePositiveRates: [Double]
  /// The scores in falling order, without repetition; before them infinity, above which nothing is accepted.
  public let thresholds: [Double]

  /// - Parameters:
  ///   - scores: `[count]`, higher for positive examples; finite.
  ///   - isPositive: `[count]`, Bool.
  /// - Throws: `TensorError` for other shapes, scores that are not finite, and where positives or negatives are missing.
  public init(scores: Tensor, isPositive: Tensor) throws {
    func refuse(_ reason: String) -> TensorError {
      TensorError("operating curve", shapes: [scores.shape, isPositive.shape], reason: reason)
    }
    guard scores.rank == 1, scores.count > 0, isPositive.shape == scores.shape, try scores.isFinite().all() else {
      throw refuse("expected finite scores [count] and as many of true or false")
    }
    let (sorted, order) = try scores.detached().to(.float64, .cpu).sorted(axis: 0, descending: true)
    let hits = try isPositive.to(.float64, .cpu).rows(order).cumulativeSum(axis: 0).doubles()
    let values = try sorted.doubles()
    let positives = hits[hits.count - 1]
    let negatives = Double(hits.count) - positives
    guard positives > 0, negatives > 0 else {
      throw refuse("found \(Int(positives)) positive and \(Int(negatives)) negative examples, expected some of both")
    }
    var (rates, thresholds) = (([0.0], [0.0]), [Double.infinity])
    for index in values.indices where index == values.count - 1 || values[index + 1] != values[index] {
      rates.0.append((Double(index + 1) - hits[index]) / negatives)
      rates.1.append(hits[index] / positives)
      thresholds.append(values[index])
    }
    (falsePositiveRates, truePositiveRates, self.thresholds) = (rates.0, rates.1, thresholds)
  }

  /// The area under the curve, 0 to 1: the probability that a positive example has a higher score than a negative one, ties
  /// counting half.
  public var area: Double {
    (1..<falsePositiveRates.count).reduce(0) { sum, index in
      let width = falsePositiveRates[index] - falsePositiveRates[index - 1]
      return sum + width * (truePositiveRates[index] + truePositiveRates[index - 1]) / 2
    }
  }

  /// The rate at which as many negatives are accepted as positives are rejected, 0 to 1, on the straight line between the two
  /// nearest points of the curve.
  public var equalErrorRate: Double { equalError.rate }

  /// The least score that is accepted at the equal error rate: of the two nearest points of the curve, that of the higher rates.
  public var equalErrorThreshold: Double { equalError.threshold }

  private var equalError: (rate: Double, threshold: Double) {
    for index in falsePositiveRates.indices.dropFirst() {
      // False acceptance less false rejection rises from −1 to 1.
      let gap = falsePositiveRates[index] - (1 - truePositiveRates[index])
      guard gap >= 0 else { continue }
      let before = falsePositiveRates[index - 1] - (1 - truePositiveRates[index - 1])
      let part = -before / (gap - before)
      let rate = falsePositiveRates[index - 1] + part * (falsePositiveRates[index] - falsePositiveRates[index - 1])
      return (rate, thresholds[index])
    }
    return (1, -.infinity)
  }

  /// Returns the rate of true acceptance at a rate of false acceptance, by straight lines between points; the highest where the
  /// curve is vertical.
  ///
  /// - Parameter rate: From 0 to 1.
  public func truePositiveRate(at rate: Double) -> Double {
    guard let index = falsePositiveRates.firstIndex(where: { $0 > rate }) else { return 1 }
    let (low, high) = (falsePositiveRates[index - 1], falsePositiveRates[index])
    let part = (rate - low) / (high - low)
    return truePositiveRates[index - 1] + part * (truePositiveRates[index] - truePositiveRates[index - 1])
  }
}

extension OperatingCurve {
  /// The similarity of two rows.
  public enum Similarity: String, Choice { case euclidean, cosine }

  /// The curve of telling pairs of one class from pairs of two, over all pairs of different rows: verification.
  ///
  /// - Parameters:
  ///   - rows: `[count, dimensions]`; there are `count (count − 1) / 2` pairs.
  ///   - labels: `[count]`, Int64.
  ///   - similarity: The negative Euclidean distance, or the cosine.
  /// - Throws: As the other init.
  public init(pairsOf rows: Tensor, labels: Tensor, by similarity: Similarity = .euclidean) throws {
    var rows = try rows.detached().to(.float64, .cpu)
    let labels = try labels.to(.cpu)
    if similarity == .cosine { rows = try rows / rows.square().sum(axis: 1, keep: true).sqrt().clamped(1e-300) }
    let count = try rows.size(0)
    guard count > 1 else {
      throw TensorError("operating curve", shapes: [rows.shape], reason: "found no pairs, expected two rows or more")
    }
    let pairs = try (1..<count).map { row -> (scores: Tensor, isSame: Tensor) in
      let (one, others) = (try rows.slice(row..<row + 1), try rows.slice(0..<row))
      let scores =
        similarity == .cosine
        ? try (others * one).sum(axis: 1) : try -((others - one).square().sum(axis: 1).sqrt())
      return (scores, try labels.slice(0..<row) .== labels.slice(row..<row + 1))
    }
    try self.init(scores: .concatenate(pairs.map(\.scores)), isPositive: .concatenate(pairs.map(\.isSame)))
  }
}
