import Foundation
import LatentKit
import Metrics

/// A Gaussian kernel density estimate with the full covariance of its points (Scott 1992, section 6.2):
///
/// `p(x) = 1/n Σ_i N(x; x_i, h² Σ)`, with `Σ` the covariance of the points (divisor `n − 1`) and `h` the bandwidth's factor.
///
/// It agrees with SciPy's `gaussian_kde` wherever that exists. Where `Σ` is singular (no more points than dimensions, or a
/// dimension that never changes) `ridge · tr Σ / d · I` is added to it, with the smallest of `1e-6, 1e-5, …` that makes it
/// regular: the density then stays close around the span of the points.
///
/// Everything is Float64 on the CPU.
public struct KernelDensity: Sendable {
  /// The bandwidth's factor `h`.
  public let factor: Double
  /// What was added to the covariance, in parts of its mean diagonal; 0 for a regular one.
  public let ridge: Double
  /// The points in the coordinates where each kernel is `N(0, I)`, `[count, dimensions]`.
  public let whitened: Tensor

  private let center: Tensor  // [dimensions]
  private let root: Tensor  // lower triangular, root · rootᵀ = h² Σ
  private let logPeak: Double  // log of the density of one kernel at its point, over n

  /// - Parameter points: `[count, dimensions]`, at least two that differ.
  /// - Throws: `RecipeError` for fewer, or for a factor that is not above 0.
  public init(of points: Tensor, bandwidth: Bandwidth = .scott) throws {
    let moments = try Moments(of: points)
    guard try !moments.isPoint else {
      throw RecipeError(
        "a kernel density needs two different points or more, and its \(moments.count) are all the same")
    }
    let dimensions = points.size(1)
    factor = bandwidth.factor(count: moments.count, dimensions: dimensions)
    guard factor > 0, factor.isFinite else {
      throw RecipeError("the bandwidth of a kernel density is \(factor), expected scott, silverman or a number above 0")
    }
    center = moments.mean
    let (unscaled, ridge) = try regularRoot(of: moments)
    root = try unscaled * factor
    self.ridge = ridge
    let logDeterminant = try root.diagonal().log().sum().item()
    logPeak = -logDeterminant - 0.5 * Double(dimensions) * log(2 * Double.pi) - log(Double(moments.count))
    whitened = try KernelDensity.whiten(points, center: center, root: root)
  }

  /// `log p(x)` of each row of `[count, dimensions]`, as `[count]`.
  public func logDensity(_ places: Tensor) throws -> Tensor {
    let places = try whiten(places)
    let pointsAtOnce = max(1, 4_000_000 / whitened.size(0))
    let halfSquares = try whitened.square().sum(axis: 1) * 0.5
    let blocks = try stride(from: 0, to: places.size(0), by: pointsAtOnce).map { start in
      let some = try places.slice(start..<min(start + pointsAtOnce, places.size(0)))
      // −‖x − p‖²/2, less the part that is the same for every point.
      let exponents = try some.matmul(whitened.transposed()) - halfSquares
      return try exponents.logSumExp(axis: 1) - some.square().sum(axis: 1) * 0.5 + logPeak
    }
    return try Tensor.concatenate(blocks)
  }

  /// Rows taken to the coordinates where each kernel is `N(0, I)`.
  public func whiten(_ places: Tensor) throws -> Tensor {
    try KernelDensity.whiten(places, center: center, root: root)
  }

  /// Rows taken back from there.
  public func restore(_ whitened: Tensor) throws -> Tensor {
    try whitened.to(.float64, .cpu).matmul(root.transposed()) + center
  }

  /// Moves, rather than places, taken to those coordinates: a matrix `M` such that a row `δ` becomes `δ M`.
  func whiteningOfMoves() throws -> Tensor {
    try root.solveTriangular(.identity(center.count, dtype: .float64)).transposed()
  }

  private static func whiten(_ places: Tensor, center: Tensor, root: Tensor) throws -> Tensor {
    try root.solveTriangular((places.detached().to(.float64, .cpu) - center).transposed()).transposed().contiguous()
  }
}

/// The Cholesky factor of the covariance, with the smallest ridge that makes it regular.
private func regularRoot(of moments: Moments) throws -> (root: Tensor, ridge: Double) {
  let covariance = moments.covariance
  let dimensions = covariance.size(0)
  let scale = try covariance.diagonal().mean().item()
  var ridge = moments.count > dimensions ? 0 : 1e-6
  while true {
    let candidate = try covariance + Tensor.identity(dimensions, dtype: .float64) * (ridge * scale)
    // Rounding can leave a tiny pivot where the truth is zero.
    if let root = try? candidate.cholesky(), try root.diagonal().min().item() > 1e-7 * scale.squareRoot() {
      return (root, ridge)
    }
    guard ridge < 1 else {
      throw RecipeError(
        "a kernel density found latents of covariance around \(scale), which cannot be inverted; scale them")
    }
    ridge = max(1e-6, ridge * 10)
  }
}
