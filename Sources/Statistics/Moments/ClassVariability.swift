import LatentKit

// The forms of the variance within classes, which are the same number, and what is made of it.

extension ClassMoments {
  /// `Σ_k P_k var(X_k)`: the mean of the class variances, in squared units of the rows.
  public var meanClassVariance: Double {
    zip(shares, classVariances).reduce(0) { $1.0 > 0 ? $0 + $1.0 * $1.1 : $0 }
  }

  /// `within / between`, 0 or more: Fisher's ratio to minimise. It does not change where all rows are scaled.
  public var fisherRatio: Double { get throws { try withinVariance / betweenVariance } }

  /// Returns `Σ_k P_k SCATTER(X_k)`, the scatter of a class being half the mean squared distance of two of its rows.
  ///
  /// Time grows with the square of the largest class.
  ///
  /// - Parameters:
  ///   - rows: The rows `[count, dimensions]` that the moments are of.
  ///   - labels: `[count]` Int64.
  ///   - weights: `[count]`, those that the moments were made with.
  /// - Throws: `TensorError` for other shapes.
  public func meanClassScatter(of rows: Tensor, labels: Tensor, weights: Tensor? = nil) throws -> Double {
    var sum = 0.0
    for (label, share) in shares.enumerated() where share > 0 {
      let places = try (labels.to(.cpu) .== Double(label)).nonzero().squeezed(1)
      sum +=
        try share * scatter(of: rows.to(.cpu).rows(places), weights: weights.map { try $0.to(.cpu).rows(places) })
    }
    return sum
  }

  /// Returns `Σ_x p(x) ‖x − m_k‖²`: the variance of rows that are counted from the mean of their class.
  ///
  /// - Parameters:
  ///   - rows: The rows `[count, dimensions]` that the moments are of.
  ///   - labels: `[count]` Int64.
  ///   - weights: `[count]`, those that the moments were made with.
  /// - Throws: `TensorError` for other shapes.
  public func centeredVariance(of rows: Tensor, labels: Tensor, weights: Tensor? = nil) throws -> Double {
    let centered = try rows.detached().to(.float64, .cpu) - classMeans.rows(labels.to(.cpu))
    let squares = try centered.square().sum(axis: 1)
    guard let weights = try weights?.to(.float64, .cpu) else { return try squares.mean().item() }
    return try (squares * weights).sum().item() / weights.sum().item()
  }

  /// `tr(R_w R_b⁺)/K` with the pseudo-inverse of the covariance between classes: within-class collapse (Papyan, Han & Donoho
  /// 2020), 0 where every class is a point. It does not change under invertible linear maps of the rows where `R_b` is regular.
  public var collapse: Double {
    get throws {
      let (values, vectors) = try betweenCovariance.symmetricEigen()
      // Directions in which class means do not differ but for rounding.
      let least = try values.max().item() * 1e-12 * Double(values.count)
      let inverse = try (values .> least).choose(values.reciprocal(), values.filled(with: 0))
      let turned = try vectors.transposed().matmul(withinCovariance).matmul(vectors).diagonal()
      return try (turned * inverse).sum().item() / Double(shares.count { $0 > 0 })
    }
  }
}

/// Returns the scatter of rows, half the mean squared Euclidean distance of any two of them: `½ Σ_x Σ_y p(x) p(y) ‖x − y‖²`. It is
/// their variance. Time grows with the square of the count.
///
/// - Parameters:
///   - rows: `[count, dimensions]`, at least one.
///   - weights: `[count]`, 0 or more, of any sum above 0; all equal where there are none.
/// - Throws: `TensorError` for other shapes.
public func scatter(of rows: Tensor, weights: Tensor? = nil) throws -> Double {
  let rows = try rows.detached().to(.float64, .cpu)
  let weights = try weights?.to(.float64, .cpu) ?? .ones([rows.size(0)], dtype: .float64)
  let shares = try weights / weights.sum()
  var sum = 0.0
  let (count, size) = (try rows.size(0), 1000)
  for start in stride(from: 0, to: count, by: size) {
    let part = start..<min(start + size, count)
    let squares = try rows.slice(part).distances(to: rows).square()
    sum += try shares.slice(part).unsqueezed(0).matmul(squares).matmul(shares.unsqueezed(1)).item()
  }
  return sum / 2
}
