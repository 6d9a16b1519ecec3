import Foundation
import LatentKit

/// Whether Markov chains have found their density, and how much their draws are worth.
///
/// Split R-hat compares the spread between chains with the spread inside them, each chain cut in half so that a drift
/// shows: `sqrt(V / W)` with `W` the mean variance inside the halves and `V = (n − 1)/n W + B/n` (Gelman et al. 2013,
/// eq. 11.3-11.4). Chains that agree have 1; above 1.05 they have not mixed.
///
/// The effective sample size is the number of independent draws with the same variance of the mean:
/// `m n / (1 + 2 Σ ρ_t)` over the `m` halves of length `n`, the sum of autocorrelations cut by Geyer's initial monotone
/// sequence (Vehtari et al. 2021, eq. 10-13, without their rank normalisation).
///
/// A dimension without an answer (every draw equal, a draw that is not finite, fewer than 16 steps) has NaN in both.
public struct ChainDiagnostics: Sendable {
  /// One for each dimension.
  public let splitRHat: [Double]
  /// One for each dimension.
  public let effectiveSampleSize: [Double]

  /// - Parameter draws: `[chains, steps, dimensions]`, every step of every chain, repeated where a move was rejected.
  /// - Throws: `TensorError` for another number of axes.
  public init(of draws: Tensor) throws {
    guard draws.rank == 3 else {
      throw TensorError("chain diagnostics", shapes: [draws.shape], reason: "expected [chains, steps, dimensions]")
    }
    let (steps, dimensions) = (draws.size(1), draws.size(2))
    let half = steps / 2
    guard draws.size(0) > 0, half >= 8 else {
      splitRHat = Array(repeating: .nan, count: dimensions)
      effectiveSampleSize = splitRHat
      return
    }
    let draws = try draws.detached().to(.float64, .cpu)
    // Counted from a draw of their own, chains that never move have a variance of exactly zero.
    let moved = try draws - draws.slice(0..<1).slice(0..<1, axis: 1)
    let halves = try Tensor.concatenate([moved.slice(0..<half, axis: 1), moved.slice(steps - half..<steps, axis: 1)])
    let first = try halves.slice(0..<1, axis: 1)
    let walks = try halves - first

    let covariances = try walks.autocovariance(axis: 1).mean(axis: 0)  // [half, dimensions]
    let means = try (first + walks.mean(axis: 1, keep: true)).squeezed(1)
    let between = try means.variance(axes: [0]).doubles()
    // Set exactly: the transform leaves rounding where the truth is zero.
    let isStill = try walks.abs().max(axes: [0, 1]).doubles().map { $0 == 0 }
    let series = try covariances.transposed().contiguous().doubles()

    let summaries = (0..<dimensions).map { dimension in
      let place = dimension * half
      let covariances = isStill[dimension] ? Array(repeating: 0, count: half) : Array(series[place..<place + half])
      return summarize(covariances, between: between[dimension], halves: halves.size(0))
    }
    splitRHat = summaries.map(\.rHat)
    effectiveSampleSize = summaries.map(\.size)
  }

  /// The largest split R-hat of all dimensions that have one; nil where none has.
  public var worstRHat: Double? { splitRHat.filter { !$0.isNaN }.max() }

  /// The smallest effective sample size of all dimensions that have one; nil where none has.
  public var smallestSampleSize: Double? { effectiveSampleSize.filter { !$0.isNaN }.min() }

  /// How many dimensions have no answer.
  public var undefinedCount: Int { splitRHat.count { $0.isNaN } }
}

/// Both numbers of one dimension.
///
/// - Parameters:
///   - covariances: For every lag, the mean over halves of the autocovariance with divisor `n`.
///   - between: The variance of the halves' means, `B/n`.
private func summarize(_ covariances: [Double], between: Double, halves: Int) -> (rHat: Double, size: Double) {
  let steps = covariances.count
  let within = covariances[0] * Double(steps) / Double(steps - 1)
  let total = covariances[0] + between
  guard total > 0 else { return (.nan, .nan) }

  let count = Double(halves * steps)
  let correlations = covariances.map { 1 - (within - $0) / total }
  let time = max(autocorrelationTime(correlations), 1 / log10(count))
  return ((total / within).squareRoot(), count / time)
}

/// `1 + 2 Σ ρ_t` by Geyer's initial monotone sequence: neighbouring pairs are summed while positive, and no pair counts
/// for more than the one before it. After the last pair, a positive even lag still counts once, which helps chains that
/// alternate.
private func autocorrelationTime(_ correlations: [Double]) -> Double {
  var correlations = correlations
  correlations[0] = 1
  var (sum, last) = (0.0, Double.infinity)
  var lag = 0
  while lag < correlations.count - 5 {
    let pair = correlations[lag] + correlations[lag + 1]
    guard pair > 0 else { break }
    last = min(last, pair)
    sum += last
    lag += 2
  }
  return -1 + 2 * sum + max(correlations[lag], 0)
}
