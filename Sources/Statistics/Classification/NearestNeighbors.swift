import CStatistics
import LatentKit

/// Classification by the labels of the nearest of some points (Cover & Hart 1967): the class that most of the `k` nearest have by
/// Euclidean distance; of classes with as many votes, that of the least number. Exact, in Float64 on the CPU.
public struct NearestNeighbors: Sendable {
  private let points: Tensor
  private let labels: Tensor
  private let classCount: Int
  private let neighbors: Int

  /// - Parameters:
  ///   - points: `[count, dimensions]`, `neighbors` of them or more.
  ///   - labels: `[count]`, from 0.
  ///   - neighbors: `k`, 1 or more.
  /// - Throws: `TensorError` for other shapes.
  public init(_ points: Tensor, labels: Tensor, classes: Int, neighbors: Int) throws {
    guard points.rank == 2, labels.shape == [points.shape[0]], (1...max(points.shape[0], 1)).contains(neighbors) else {
      throw TensorError(
        "nearest neighbours", shapes: [points.shape, labels.shape],
        reason: "expected points [count, dimensions] with a label each, and 1 to count neighbours, found \(neighbors)")
    }
    self.points = try points.detached().to(.float64, .cpu)
    self.labels = try labels.to(.int64, .cpu)
    (classCount, self.neighbors) = (classes, neighbors)
  }

  /// Returns the class of each query `[count, dimensions]`, `[count]` Int64.
  public func classes(of queries: Tensor) throws -> Tensor {
    let queries = try queries.detached().to(.float64, .cpu)
    let nearest = try Tensor.make("nearest neighbours", [queries, points]) {
      cs_nearest_neighbors(queries.handle, points.handle, Int64(neighbors))
    }
    let found = try labels.rows(nearest.reshaped([-1])).oneHot(classCount).reshaped([-1, neighbors, classCount])
    // Votes first, then the least number.
    let votes = try found.to(.float64).sum(axis: 1) * Double(classCount)
    return try (votes - Tensor.range(0, classCount, dtype: .float64)).argmax(axis: 1)
  }
}
