import CStatistics
import LatentKit

extension Tensor {
  /// Returns the silhouette of each point, how much nearer it lies to its own class than to the nearest other one
  /// (Rousseeuw 1987):
  /// `(b − a) / max(a, b)` with the mean Euclidean distance `a` to the others of its class and the least mean distance
  /// `b` to the points of another class. From −1 to 1; 0 for the only point of a class.
  ///
  /// Exact: all pairs are compared, on the CPU, without storing their distances.
  ///
  /// - Parameters:
  ///   - labels: `[count]` Int64, from 0 to `classCount − 1`; classes may be empty, but two must not be.
  /// - Returns: `[count]`, Float64, for points `[count, dimensions]`.
  /// - Throws: `TensorError` for other shapes, for labels beyond the classes, and for points of one class only.
  public func silhouettes(labels: Tensor, classCount: Int) throws -> Tensor {
    try .make("silhouettes", [self, labels]) { cs_silhouettes(handle, labels.handle, Int64(classCount)) }
  }
}
