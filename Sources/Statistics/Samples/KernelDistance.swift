import LatentKit

/// The squared maximum mean discrepancy of two samples under the kernel `k(a, b) = (a·b/d + 1)³`: the kernel inception distance
/// (Bińkowski et al. 2018, section 4), by the unbiased estimator of Gretton et al. 2012, eq. 3:
///
/// `Σ_{i≠j} k(x_i, x_j) / n(n − 1) + Σ_{i≠j} k(y_i, y_j) / m(m − 1) − 2 Σ_{i,j} k(x_i, y_j) / nm`.
///
/// Its expectation is 0 for samples of one density, so that it may fall below 0.
public enum KernelDistance {
  /// Returns the estimate from all pairs.
  ///
  /// - Parameters:
  ///   - first: `[count, dimensions]`, two rows or more.
  ///   - second: `[count, dimensions]`, two rows or more; the counts may differ.
  /// - Throws: `TensorError` for other shapes.
  public static func unbiased(_ first: Tensor, _ second: Tensor) throws -> Double {
    guard first.rank == 2, second.rank == 2, first.shape[1] == second.shape[1], first.shape[1] > 0,
      first.shape[0] >= 2, second.shape[0] >= 2
    else {
      throw TensorError(
        "kernel distance", shapes: [first.shape, second.shape],
        reason: "expected [count, dimensions] of the same dimensions, with two rows or more each")
    }
    return try withoutGradients {
      let (x, y) = (try first.to(.float64, .cpu), try second.to(.float64, .cpu))
      let (n, m) = (Double(x.shape[0]), Double(y.shape[0]))
      let own = try kernelSum(x, x) - selfSum(x)
      let other = try kernelSum(y, y) - selfSum(y)
      return try own / (n * (n - 1)) + other / (m * (m - 1)) - 2 * kernelSum(x, y) / (n * m)
    }
  }

  /// Returns the estimates of disjoint subsets: subset `i` has rows `i`, `i + subsets`, … of both samples. Their spread tells
  /// how far the estimate of all pairs can be trusted.
  ///
  /// - Parameter subsets: 1 or more; each sample needs two rows for each.
  public static func ofSubsets(_ first: Tensor, _ second: Tensor, subsets: Int) throws -> [Double] {
    func part(_ rows: Tensor, _ subset: Int) throws -> Tensor {
      try rows.rows(Array(stride(from: subset, to: rows.size(0), by: subsets)))
    }
    return try (0..<subsets).map { try unbiased(part(first, $0), part(second, $0)) }
  }

  private static func cube(_ products: Tensor, _ dimensions: Int) throws -> Tensor {
    let base = try products / Double(dimensions) + 1
    return try base * base * base
  }

  /// The sum of the kernel over all pairs, some rows at a time: tens of megabytes for any count.
  private static func kernelSum(_ x: Tensor, _ y: Tensor) throws -> Double {
    let step = max(1, 2_000_000 / y.shape[0])
    let turned = try y.transposed()
    var sum = 0.0
    for start in stride(from: 0, to: x.shape[0], by: step) {
      let block = try x.slice(start..<min(start + step, x.shape[0]))
      sum += try cube(block.matmul(turned), x.shape[1]).sum().item()
    }
    return sum
  }

  /// The sum of the kernel of each row with itself.
  private static func selfSum(_ x: Tensor) throws -> Double {
    try cube(x.square().sum(axis: 1), x.shape[1]).sum().item()
  }
}
