import Foundation
import LatentKit

/// Convergence diagnostics of Markov chains: split R-hat and effective sample sizes.
///
/// Split R-hat compares the spread between chains with the spread inside them, each chain cut in half so that a drift
/// shows: `sqrt(V / W)` with `W` the mean variance inside the halves and `V = (n − 1)/n W + B/n` (Gelman et al. 2013,
/// eq. 11.3-11.4). Chains that agree have 1; above 1.05 they have not mixed.
///
/// The effective sample size is the number of independent draws with the same variance of the mean:
/// `m n / (1 + 2 Σ ρ_t)` over the `m` halves of length `n`, the sum of autocorrelations cut by Geyer's initial monotone
/// sequence (Vehtari et al. 2021, eq. 10-13). The bulk effective sample size is the same of the draws' normal scores
/// `Φ⁻¹((rank − 3/8) / (count + 1/4))` (their eq. 14), which heavy tails do not spoil: ArviZ's and Stan's `ess_bulk`. The
/// integrated autocorrelation time is how many steps are worth one independent draw: steps over the effective sample size.
///
/// A dimension without an answer (every draw equal, a draw that is not finite, fewer than 16 steps) has NaN in all.
public struct ChainDiagnostics: Sendable {
  /// Split R-hat of each dimension, 1 for chains that agree.
  public let splitRHat: [Double]
  /// The effective sample size of each dimension, in draws.
  public let effectiveSampleSize: [Double]
  /// The bulk effective sample size of each dimension, in draws.
  public let bulkSampleSize: [Double]
  /// The integrated autocorrelation time of each dimension, in steps.
  public let autocorrelationTime: [Double]

  /// - Parameters:
  ///   - draws: `[chains, steps, dimensions]`, steps of every chain, repeated where a move was rejected.
  ///   - stride: The draws are every so many-th step; autocorrelation times count all steps.
  /// - Throws: `TensorError` for another number of axes.
  public init(of draws: Tensor, every stride: Int = 1) throws {
    guard draws.rank == 3 else {
      throw TensorError("chain diagnostics", shapes: [draws.shape], reason: "expected [chains, steps, dimensions]")
    }
    let (steps, dimensions) = try (draws.size(1), draws.size(2))
    guard try draws.size(0) > 0, steps >= 16 else {
      splitRHat = Array(repeating: .nan, count: dimensions)
      (effectiveSampleSize, bulkSampleSize, autocorrelationTime) = (splitRHat, splitRHat, splitRHat)
      return
    }
    let draws = try draws.detached().to(.float64, .cpu)
    let summaries = try summarize(draws)
    splitRHat = summaries.map(\.rHat)
    effectiveSampleSize = summaries.map(\.size)
    bulkSampleSize = try zip(summaries, summarize(normalScores(draws))).map { $0.size.isNaN ? .nan : $1.size }
    autocorrelationTime = try summaries.map { try Double(stride * draws.size(0) * (steps / 2 * 2)) / $0.size }
  }

  /// The largest split R-hat of all dimensions that have one; nil where none has.
  public var worstRHat: Double? { splitRHat.filter { !$0.isNaN }.max() }

  /// The smallest effective sample size of all dimensions that have one; nil where none has.
  public var smallestSampleSize: Double? { effectiveSampleSize.filter { !$0.isNaN }.min() }

  /// The smallest bulk effective sample size of all dimensions that have one; nil where none has.
  public var smallestBulkSampleSize: Double? { bulkSampleSize.filter { !$0.isNaN }.min() }

  /// The longest autocorrelation time of all dimensions that have one, in steps; nil where none has.
  public var longestAutocorrelationTime: Double? { autocorrelationTime.filter { !$0.isNaN }.max() }

  /// The number of dimensions without an answer.
  public var undefinedCount: Int { splitRHat.count { $0.isNaN } }
}

/// Returns split R-hat and effective sample size of each dimension of `[chains, steps, dimensions]`, at least 16 steps.
private func summarize(_ draws: Tensor) throws -> [(rHat: Double, size: Double)] {
  let (steps, half, dimensions) = try (draws.size(1), draws.size(1) / 2, draws.size(2))
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

  let count = try halves.size(0)
  return (0..<dimensions).map { dimension in
    let place = dimension * half
    let covariances = isStill[dimension] ? Array(repeating: 0, count: half) : Array(series[place..<place + half])
    return summarize(covariances, between: between[dimension], halves: count)
  }
}

/// Returns the normal scores of each dimension's draws among all of its draws, `Φ⁻¹((rank − 3/8) / (count + 1/4))`; equal draws
/// share their mean rank.
private func normalScores(_ draws: Tensor) throws -> Tensor {
  let columns = try draws.reshaped([-1, draws.size(2)]).transposed().contiguous()
  let (count, sorted) = (try columns.size(1), try columns.sorted(axis: 1))
  let (values, order) = (try sorted.values.doubles(), try sorted.indices.ints())
  var ranks = Array(repeating: 0.0, count: values.count)
  for start in stride(from: 0, to: values.count, by: count) {
    var low = 0
    while low < count {
      var high = low + 1
      while high < count, values[start + high] == values[start + low] { high += 1 }
      // Ranks low + 1 to high: their mean.
      for place in low..<high { ranks[start + order[start + place]] = Double(low + high + 1) / 2 }
      low = high
    }
  }
  let shares = try (Tensor(ranks, shape: columns.shape) - 0.375) / (Double(count) + 0.25)
  return try ((shares * 2 - 1).inverseErf() * 2.0.squareRoot()).transposed().reshaped(draws.shape)
}

/// Returns split R-hat and effective sample size of one dimension.
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

/// Returns `1 + 2 Σ ρ_t` by Geyer's initial monotone sequence: neighbouring pairs are summed while positive, and no pair counts
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
