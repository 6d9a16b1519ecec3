import LatentKit

/// Whether generated samples copy training examples, by their distances to the nearest of these beside the distances of examples that
/// training has not seen (Meehan, Chaudhuri & Dasgupta 2020, with one cell, the whole space).
///
/// Samples as new as fresh data have a share of 0.5 and a score of about 0; copies have 0 and a score far below 0. Samples that are
/// far from all data, noise say, have 1. What is blurred lies near to many images without being a copy of any.
public struct DataCopying: Sendable, Equatable {
  /// The share of pairs in which the sample is farther from the training examples than the unseen example is, 0 to 1; a tie counts
  /// half.
  public let share: Double
  /// The standardised Mann-Whitney statistic of the same, `(U − mn/2) / √(mn (m + n + 1)/12)`: below −3 is no chance.
  public let score: Double

  /// - Parameters:
  ///   - samples: The distance of each sample to the nearest training example, `[m]`.
  ///   - unseen: The same of examples that training has not seen, `[n]`.
  /// - Throws: `TensorError` for other shapes, distances that are not finite, and where one side has none.
  public init(samples: Tensor, unseen: Tensor) throws {
    let (m, n) = (Double(samples.count), Double(unseen.count))
    let isSample = try Tensor.range(0, samples.count + unseen.count) .< Double(samples.count)
    share = try OperatingCurve(scores: .concatenate([samples, unseen]), isPositive: isSample).area
    score = (share - 0.5) * m * n / (m * n * (m + n + 1) / 12).squareRoot()
  }

  /// Returns the Euclidean distance of each row to the nearest of some others, and keeps the lesser of it and one that is known.
  ///
  /// - Parameters:
  ///   - rows: `[count, dimensions]`.
  ///   - others: `[others, dimensions]`.
  ///   - known: `[count]`; nil for none.
  /// - Throws: `TensorError` for other shapes.
  public static func nearest(_ rows: Tensor, among others: Tensor, known: Tensor? = nil) throws -> Tensor {
    let distances = try rows.distances(to: others).min(axis: 1)
    return try known.map { try distances.minimum($0) } ?? distances
  }
}
