import LatentKit

/// The directions in which some latents vary most (Pearson 1901), in Float64 on the CPU.
public struct PrincipalComponents: Sendable {
  /// `[dimensions]`.
  public let mean: Tensor
  /// Orthonormal columns `[dimensions, count]`, the one of most variance first.
  public let directions: Tensor
  /// The share of the variance along each direction, `count` numbers from 0 to 1; zeros for latents that are all equal.
  public let shares: [Double]

  /// - Parameters:
  ///   - latents: `[count, dimensions]`, at least one.
  ///   - count: How many directions, 1 to `dimensions`.
  /// - Throws: `TensorError` for other shapes or values that are not finite.
  public init(of latents: Tensor, count: Int) throws {
    let moments = try Moments(of: latents)
    let dimensions = try latents.size(1)
    guard (1...max(dimensions, 1)).contains(count) else {
      throw TensorError(
        "principal components", shapes: [latents.shape], reason: "expected 1 to \(dimensions) of them, found \(count)")
    }
    let (values, vectors) = try moments.covariance.symmetricEigen()
    mean = moments.mean
    // Eigenvalues rise. A direction and its opposite are as good: its largest coordinate is positive, so that pictures agree.
    let columns = try vectors.flipped(axis: 1).slice(0..<count, axis: 1)
    let largest = try columns.abs().argmax(axis: 0).unsqueezed(0)
    directions = try columns * columns.gathered(largest, axis: 0).sign()
    let all = try values.clamped(0).doubles()
    let total = all.reduce(0, +)
    shares = all.reversed().prefix(count).map { total > 0 ? $0 / total : 0 }
  }

  /// Returns coordinates along the directions: `[count, dimensions]` to `[count, directions]`.
  public func project(_ latents: Tensor) throws -> Tensor {
    try (latents.detached().to(.float64, .cpu) - mean).matmul(directions)
  }
}
