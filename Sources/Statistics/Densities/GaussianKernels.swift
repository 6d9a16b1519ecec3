import CStatistics
import LatentKit

/// Gaussian kernels of unit variance at some points, in groups: for estimates of density and walks over them.
///
/// On the CPU one pass sums all kernels at all places without writing their exponents down; elsewhere, and where a gradient
/// is needed, a product of matrices and a log-sum-exp do.
public struct GaussianKernels: Sendable {
  /// `[groups, dimensions + 1, count]`: points as columns, below each `log w − ‖p‖²/2`.
  private let rows: Tensor
  /// The coordinates of a point.
  public let dimensions: Int

  /// - Parameters:
  ///   - points: `[count, dimensions]` of each group. Shorter groups are filled up with kernels that weigh nothing.
  ///   - logWeights: `[count]` of each group; 0 each where there are none.
  /// - Throws: `TensorError` without a group, where groups differ in dimensions, or without one weight for each point.
  public init(_ points: [Tensor], logWeights: [Tensor]? = nil) throws {
    guard let first = points.first else { throw TensorError("kernels", reason: "expected at least one group") }
    if let logWeights, logWeights.map(\.shape) != points.map({ Array($0.shape.prefix(1)) }) {
      throw TensorError(
        "kernels",
        reason: "found log weights of shapes \(logWeights.map(\.shape)) for points of shapes \(points.map(\.shape)), "
          + "expected [count] for each group")
    }
    dimensions = try first.size(1)
    let most = try points.map { try $0.size(0) }.max() ?? 0
    rows = try .stack(
      points.enumerated().map { number, points in
        let halfSquares = try points.square().sum(axis: 1) * -0.5
        let offsets = try logWeights.map { try halfSquares + $0[number] } ?? halfSquares
        let columns = try Tensor.concatenate([points, offsets.unsqueezed(1)], axis: 1).transposed()
        let missing = try most - points.size(0)
        let (dtype, device) = (points.dtype, points.device)
        let nothing = try Tensor.concatenate([
          .zeros([points.size(1), missing], dtype: dtype, device: device),
          .full([1, missing], -1e30, dtype: dtype, device: device),
        ])
        return try .concatenate([columns, nothing], axis: 1)
      }
    ).contiguous()
  }

  private init(rows: Tensor, dimensions: Int) { (self.rows, self.dimensions) = (rows, dimensions) }

  /// Returns the kernels with another element type or on another device.
  public func to(_ dtype: DType, _ device: Device) throws -> GaussianKernels {
    GaussianKernels(rows: try rows.to(dtype, device), dimensions: dimensions)
  }

  /// Returns `log Σ_i w_i exp(−‖x − p_i‖²/2)`: `[groups, places, dimensions]` to `[groups, places]`.
  ///
  /// - Parameter excluded: The number of a kernel that does not count at each place, `[groups, places]` Int64; −1 for none.
  public func logSums(at places: Tensor, excluding excluded: Tensor? = nil) throws -> Tensor {
    try .make("kernel sums", [places, rows]) { cs_kernel_log_sums(places.handle, rows.handle, excluded?.handle) }
  }

  /// Draws the number of a kernel for each place, `[groups, places]` Int64, by its share of the sum there.
  ///
  /// - Parameter axis: A coordinate of the places that does not count.
  public func choices(at places: Tensor, ignoring axis: Int? = nil, using generator: inout Generator) throws -> Tensor {
    let uniforms = try generator.uniform(Array(places.shape.dropLast()), dtype: places.dtype).to(places.device)
    return try choices(at: places, ignoring: axis, uniforms: uniforms)
  }

  /// Returns the kernels at which the running sums reach shares of the whole: `uniforms`, `[groups, places]`, 0 to 1.
  func choices(at places: Tensor, ignoring axis: Int? = nil, uniforms: Tensor) throws -> Tensor {
    try .make("kernel choices", [places, rows]) {
      cs_kernel_choices(places.handle, rows.handle, uniforms.handle, Int64(axis ?? -1))
    }
  }

  /// Returns the points of some kernels: `[groups, places]` numbers to `[groups, places, dimensions]`.
  public func points(_ numbers: Tensor) throws -> Tensor {
    let numbers = try numbers.to(rows.device).unsqueezed(1).expanded([rows.size(0), dimensions, numbers.size(1)])
    return try rows.slice(0..<dimensions, axis: 1).gathered(numbers, axis: 2).transposed()
  }

  /// Returns one coordinate of the points of some kernels: `[groups, places]` numbers to `[groups, places]`.
  public func coordinates(_ axis: Int, of numbers: Tensor) throws -> Tensor {
    try rows.select(axis, axis: 1).gathered(numbers.to(rows.device), axis: 1)
  }
}
