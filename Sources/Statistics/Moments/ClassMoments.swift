import LatentKit

/// Means, covariances and variances of labelled rows, class by class, within classes and between them, in Float64 on the CPU.
///
/// With the weight `p(x)` of a row, all weights adding up to 1, and the share `P_k = Σ_{x ∈ X_k} p(x)` of class `k`:
///
/// - the class mean `m_k = 1/P_k Σ_{x ∈ X_k} p(x) x` and the grand mean `m = Σ_k P_k m_k`,
/// - the class covariance `R_k = 1/P_k Σ_{x ∈ X_k} p(x) (x − m_k)(x − m_k)ᵀ`,
/// - within classes `R_w = Σ_k P_k R_k`, between them `R_b = Σ_k P_k (m_k − m)(m_k − m)ᵀ`, and the covariance of everything is
///   their sum.
///
/// A variance is the trace of its covariance: the mean squared Euclidean distance to the mean. It is also the scatter, half
/// the mean squared distance between two rows. Divisors are counts, not counts less one.
public struct ClassMoments: Sendable {
  /// The rows of each class, whatever they weigh.
  public let counts: [Int]
  /// `P_k`, 0 to 1.
  public let shares: [Double]
  /// `m_k`, `[classes, dimensions]`; NaN for a class without weight.
  public let classMeans: Tensor
  /// `m`, `[dimensions]`.
  public let mean: Tensor
  /// `tr R_k`, in squared units of the rows; NaN for a class without weight.
  public let classVariances: [Double]
  /// `R_w`, `[dimensions, dimensions]`.
  public let withinCovariance: Tensor
  /// `R_b`, `[dimensions, dimensions]`.
  public let betweenCovariance: Tensor

  /// - Parameters:
  ///   - rows: `[count, dimensions]`, at least one row.
  ///   - labels: `[count]` Int64, from 0 to `classCount − 1`.
  ///   - weights: `[count]`, 0 or more, of any sum above 0; all equal where there are none.
  /// - Throws: `TensorError` for other shapes, labels beyond the classes, and weights that are negative, not finite or all 0.
  public init(of rows: Tensor, labels: Tensor, classCount: Int, weights: Tensor? = nil) throws {
    func refuse(_ reason: String) -> TensorError {
      TensorError("class moments", shapes: [rows.shape, labels.shape], reason: reason)
    }
    guard rows.rank == 2, rows.shape[0] > 0, labels.shape == [rows.shape[0]], labels.dtype == .int64 else {
      throw refuse("expected rows [count, dimensions], at least one, and Int64 labels [count]")
    }
    let members = try labels.ints()
    guard let least = members.min(), let most = members.max(), least >= 0, most < classCount else {
      throw refuse("found labels \(members.min() ?? 0) to \(members.max() ?? 0), expected 0 to \(classCount - 1)")
    }
    let rows = try rows.detached().to(.float64, .cpu)
    let labels = try labels.to(.cpu)
    let weights = try weights?.detached().to(.float64, .cpu) ?? .ones(labels.shape, dtype: .float64)
    guard weights.shape == labels.shape, try weights.isFinite().all(), try weights.min().item() >= 0,
      try weights.sum().item() > 0
    else { throw refuse("expected finite weights [count] of 0 or more, with a sum above 0") }

    let shareOfRow = try (weights / weights.sum()).unsqueezed(1)
    let dimensions = rows.shape[1]
    // Counted from the first row, equal rows have a variance of exactly zero.
    let first = try rows.slice(0..<1)
    let moved = try rows - first
    let sums = try Tensor.zeros([classCount, dimensions], dtype: .float64).addingRows(labels, moved * shareOfRow)
    let sharesOfClasses = try Tensor.zeros([classCount, 1], dtype: .float64).addingRows(labels, shareOfRow)
    let means = try sums / sharesOfClasses  // 0/0 is NaN
    let known = try means.filled(with: 0, where: means.isNaN())
    let center = try (known * sharesOfClasses).sum(axis: 0, keep: true)
    let offsets = try moved - known.rows(labels)
    let squares = try offsets.square().sum(axis: 1, keep: true) * shareOfRow
    let classSquares = try Tensor.zeros([classCount, 1], dtype: .float64).addingRows(labels, squares)
    let apart = try known - center

    var counts = Array(repeating: 0, count: classCount)
    for label in members { counts[label] += 1 }
    self.counts = counts
    shares = try sharesOfClasses.doubles()
    classMeans = try means + first
    mean = try (center + first).squeezed(0)
    classVariances = try (classSquares / sharesOfClasses).doubles()
    withinCovariance = try (offsets * shareOfRow).transposed().matmul(offsets)
    betweenCovariance = try (apart * sharesOfClasses).transposed().matmul(apart)
  }

  /// `tr R_w`: the mean squared distance of a row to the mean of its class.
  public var withinVariance: Double { get throws { try withinCovariance.diagonal().sum().item() } }

  /// `tr R_b`: the mean squared distance of a row's class mean to the grand mean.
  public var betweenVariance: Double { get throws { try betweenCovariance.diagonal().sum().item() } }

  /// `R_w + R_b`, the covariance of all rows whatever their class, `[dimensions, dimensions]`.
  public var covariance: Tensor { get throws { try withinCovariance + betweenCovariance } }

  /// The mean squared distance of a row to the grand mean.
  public var variance: Double { get throws { try withinVariance + betweenVariance } }
}
