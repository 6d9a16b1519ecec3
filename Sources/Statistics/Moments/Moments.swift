import LatentKit

/// Mean and covariance of the rows of a matrix, in Float64 on the CPU.
public struct Moments: Sendable {
  /// The number of rows.
  public let count: Int
  /// `[dimensions]`.
  public let mean: Tensor
  /// `[dimensions, dimensions]`, with the divisor `count - 1`; zeros for rows that are all equal.
  public let covariance: Tensor

  /// - Parameter rows: `[count, dimensions]`, at least one row.
  /// - Throws: `TensorError` for another shape.
  public init(of rows: Tensor) throws {
    guard rows.rank == 2, try rows.size(0) > 0 else {
      throw TensorError("moments", shapes: [rows.shape], reason: "expected [count, dimensions] with at least one row")
    }
    let rows = try rows.detached().to(.float64, .cpu)
    count = try rows.size(0)
    // Counted from the first row, equal rows have moments without rounding: a covariance of exactly zero.
    let first = try rows.slice(0..<1)
    let moved = try rows - first
    let center = try moved.mean(axis: 0, keep: true)
    let offsets = try moved - center
    mean = try (first + center).squeezed(0)
    covariance = try offsets.transposed().matmul(offsets) / Double(max(count - 1, 1))
  }

  /// Whether all rows are equal, so that their spread is unknown.
  public var isPoint: Bool { get throws { try covariance.diagonal().max().item() == 0 } }
}
