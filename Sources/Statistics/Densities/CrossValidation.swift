import Foundation
import LatentKit

/// Finds the bandwidth under which points that were left out are likeliest (Habbema, Hermans & van den Broek 1974;
/// Duin 1976): the factor `h` with the greatest
///
/// `score(h) = 1/n Σ_i log ( 1/m_i Σ_j N(x_i; x_j, h² I) )`, the sum over the `m_i` points outside the fold of `x_i`.
///
/// With a fold for each point this is leave-one-out; else point `i` is in fold `i mod folds`. The shape of the kernels is the
/// one of all points. Exact, and the same each time: nothing is drawn. Equal points are infinitely likely at bandwidth 0, so
/// the search is bounded: from a twentieth of Scott's factor to five times it.
public struct CrossValidation: Sendable {
  private let points: Tensor
  private let folds: Int

  /// - Parameters:
  ///   - points: `[count, dimensions]`, in the coordinates where a kernel of factor 1 is `N(0, I)`.
  ///   - folds: At least 2; 0 for as many as points.
  public init(_ points: Tensor, folds: Int) throws {
    let count = try points.size(0)
    guard count >= 2, folds == 0 || 2...count ~= folds else {
      throw RecipeError(
        "cross-validation of \(count) points found folds \(folds), expected 0 or 2 to the number of points; lower it")
    }
    (self.points, self.folds) = (points, folds)
  }

  /// Returns the mean log likelihood of a point that was left out.
  public func score(_ factor: Double) throws -> Double {
    let (count, dimensions) = try (points.size(0), points.size(1))
    let scaled = try points / factor
    var sum = 0.0
    if folds == 0 || folds == count {
      let sums = try GaussianKernels([scaled]).logSums(
        at: scaled.unsqueezed(0), excluding: .range(0, count).unsqueezed(0))
      sum = try sums.sum().item() - Double(count) * log(Double(count - 1))
    } else {
      for fold in 0..<folds {
        let held = stride(from: fold, to: count, by: folds).map { $0 }
        let others = (0..<count).filter { $0 % folds != fold }
        let sums = try GaussianKernels([scaled.rows(others)]).logSums(at: scaled.rows(held).unsqueezed(0))
        sum += try sums.sum().item() - Double(held.count) * log(Double(others.count))
      }
    }
    return sum / Double(count) - Double(dimensions) * (log(factor) + 0.5 * log(2 * Double.pi))
  }

  /// Returns the best factor, to a thousandth of it: the best of a grid, then golden sections between its neighbours.
  public func best() throws -> Double {
    let scott = try log(Bandwidth.scott.factor(count: points.size(0), dimensions: points.size(1)) ?? 1)
    let (low, high, cells) = (scott - log(20), scott + log(5), 18)
    let grid = (0...cells).map { low + (high - low) * Double($0) / Double(cells) }
    let scores = try grid.map { try score(exp($0)) }
    let top = scores.indices.max { scores[$0] < scores[$1] } ?? 0
    var (left, right) = (grid[max(top - 1, 0)], grid[min(top + 1, cells)])
    let golden = (5.0.squareRoot() - 1) / 2
    var (a, b) = (right - golden * (right - left), left + golden * (right - left))
    var (scoreA, scoreB) = (try score(exp(a)), try score(exp(b)))
    while right - left > 1e-3 {
      if scoreA > scoreB {
        (right, b, scoreB) = (b, a, scoreA)
        a = right - golden * (right - left)
        scoreA = try score(exp(a))
      } else {
        (left, a, scoreA) = (a, b, scoreB)
        b = left + golden * (right - left)
        scoreB = try score(exp(b))
      }
    }
    return exp((left + right) / 2)
  }
}
