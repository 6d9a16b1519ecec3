import Foundation
import LatentKit

/// A Gaussian kernel density estimate (Scott 1992, section 6.2):
///
/// `p(x) = 1/n Σ_i N(x; x_i, h² Σ)`, with `h` the bandwidth's factor and `Σ` by the kernels' shape: the covariance of the
/// points (divisor `n − 1`), its diagonal, their mean variance, or the identity.
///
/// With the full covariance it agrees with SciPy's `gaussian_kde`, with the identity with scikit-learn's `KernelDensity`.
/// Where `Σ` is singular (no more points than dimensions, or a dimension that never changes) `ridge · tr Σ / d · I` is added
/// to it, with the smallest of `1e-6, 1e-5, …` that makes it regular: the density then stays close around the span of the
/// points.
///
/// Everything is Float64 on the CPU.
public struct KernelDensity: Sendable {
  /// The bandwidth's factor `h`.
  public let factor: Double
  /// The amount added to `Σ`, in parts of its mean diagonal; 0 for a regular one.
  public let ridge: Double
  /// The points in the coordinates where each kernel is `N(0, I)`, `[count, dimensions]`.
  public let whitened: Tensor
  /// `log p` is this constant plus the logarithm of `Σ_i exp(−‖x − x_i‖²/2)` in those coordinates.
  let logPeak: Double

  private let center: Tensor  // [dimensions]
  private let root: Tensor  // lower triangular, root · rootᵀ = h² Σ
  private let kernels: GaussianKernels  // one group: the whitened points

  /// - Parameters:
  ///   - points: `[count, dimensions]`, at least two that differ, unless `covariance` is given.
  ///   - covariance: What counts as the covariance of the points, `[dimensions, dimensions]`.
  ///   - folds: Parts of a cross-validated bandwidth; 0: one point each.
  /// - Throws: `RecipeError` for fewer points, or for a factor that is not above 0.
  public init(
    of points: Tensor, bandwidth: Bandwidth = .scott, shape: KernelShape = .full, folds: Int = 0,
    covariance: Tensor? = nil
  ) throws {
    let points = try points.detached().to(.float64, .cpu)
    let moments = try Moments(of: points)
    guard try covariance != nil || shape == .identity || !moments.isPoint else {
      throw RecipeError(
        "a kernel density needs two different points or more, and its \(moments.count) are all the same")
    }
    center = moments.mean
    let isThin = try covariance == nil && shape == .full && moments.count <= points.size(1)
    let (unscaled, ridge) = try regularRoot(of: shape.matrix(covariance ?? moments.covariance), isSingular: isThin)
    self.ridge = ridge
    let unit = try KernelDensity.whiten(points, center: center, root: unscaled)
    factor =
      try bandwidth.factor(count: moments.count, dimensions: points.size(1))
      ?? (moments.count < 2 ? 1 : CrossValidation(unit, folds: min(folds, moments.count)).best())
    guard factor > 0, factor.isFinite else {
      throw RecipeError(
        "the bandwidth of a kernel density is \(factor), expected scott, silverman, cross-validated or a number above 0"
      )
    }
    root = try unscaled * factor
    whitened = try unit / factor
    kernels = try GaussianKernels([whitened])
    logPeak =
      try -root.diagonal().log().sum().item() - 0.5 * Double(points.size(1)) * log(2 * Double.pi)
      - log(Double(moments.count))
  }

  /// The number of kernels.
  public var count: Int { whitened.shape[0] }

  /// Returns `log p(x)` of each row of `[count, dimensions]`, as `[count]`; with a gradient where the rows have one.
  public func logDensity(_ places: Tensor) throws -> Tensor {
    try kernels.logSums(at: whiten(places).unsqueezed(0)).squeezed(0) + logPeak
  }

  /// Draws `[count, dimensions]`, independent: a kernel each, and a place of it.
  public func draw(_ count: Int, using generator: inout Generator) throws -> Tensor {
    let numbers = try generator.integers(0..<self.count, [count]).to(.cpu)
    let noise = try generator.normal([count, center.count], dtype: .float64).to(.cpu)
    return try restore(whitened.rows(numbers) + noise)
  }

  /// Takes rows, `[count, dimensions]`, to the coordinates where each kernel is `N(0, I)`.
  public func whiten(_ places: Tensor) throws -> Tensor {
    try KernelDensity.whiten(places.to(.float64, .cpu), center: center, root: root)
  }

  /// Takes rows back from there.
  public func restore(_ whitened: Tensor) throws -> Tensor {
    try whitened.to(.float64, .cpu).matmul(root.transposed()) + center
  }

  /// Returns the matrix `M`, `[dimensions, dimensions]`, that takes moves, rather than places, to those coordinates: a row `δ`
  /// becomes `δ M`.
  public func whiteningOfMoves() throws -> Tensor {
    try root.solveTriangular(.identity(center.count, dtype: .float64)).transposed()
  }

  private static func whiten(_ places: Tensor, center: Tensor, root: Tensor) throws -> Tensor {
    try root.solveTriangular((places - center).transposed()).transposed().contiguous()
  }
}

/// Returns the Cholesky factor of a covariance, with the smallest ridge that makes it regular.
private func regularRoot(of covariance: Tensor, isSingular: Bool) throws -> (root: Tensor, ridge: Double) {
  let dimensions = try covariance.size(0)
  let scale = try covariance.diagonal().mean().item()
  var ridge = isSingular ? 1e-6 : 0
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
