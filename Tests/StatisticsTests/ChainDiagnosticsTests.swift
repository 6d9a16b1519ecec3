import Foundation
import LatentKit
import Statistics
import Testing

/// Draws `[chains, steps, 1]` from nested arrays.
private func tensor(_ chains: [[Double]]) throws -> Tensor {
  try Tensor(chains.flatMap { $0 }, shape: [chains.count, chains[0].count, 1])
}

private func arrays(_ draws: Tensor, dimension: Int = 0) throws -> [[Double]] {
  try (0..<draws.size(0)).map { try draws.select($0).select(dimension, axis: 1).doubles() }
}

/// Chains with `x_t = r x_{t−1} + sqrt(1 − r²) ε`: standard normal draws with the autocorrelation time `(1 + r)/(1 − r)`.
private func autoregression(_ r: Double, chains: Int, steps: Int, seed: UInt64) throws -> Tensor {
  var generator = try Generator(seed: seed)
  return try tensor(
    (0..<chains).map { _ in
      let noise = try generator.normal([steps], dtype: .float64).doubles()
      var x = noise[0]
      return noise.map { e in
        x = r * x + (1 - r * r).squareRoot() * e
        return x
      }
    })
}

/// The formulas of Vehtari et al. 2021, section 3, as loops over single numbers.
private func reference(_ chains: [[Double]]) -> (rHat: Double, size: Double) {
  let n = chains[0].count / 2
  let halves = chains.flatMap { [Array($0.prefix(n)), Array($0.suffix(n))] }
  let m = halves.count
  func mean(_ x: [Double]) -> Double { x.reduce(0, +) / Double(x.count) }
  func variance(_ x: [Double]) -> Double {
    let center = mean(x)
    return x.reduce(0) { $0 + ($1 - center) * ($1 - center) } / Double(x.count - 1)
  }
  let between = Double(n) * variance(halves.map(mean))
  let within = mean(halves.map(variance))
  let total = Double(n - 1) / Double(n) * within + between / Double(n)

  func correlation(_ lag: Int) -> Double {
    let covariances = halves.map { half in
      let center = mean(half)
      return (0..<n - lag).reduce(0) { $0 + (half[$1] - center) * (half[$1 + lag] - center) } / Double(n)
    }
    return 1 - (within - mean(covariances)) / total
  }
  // All positive pairs, and the lag after them.
  let end = stride(from: 0, to: n - 5, by: 2).first { correlation($0) + correlation($0 + 1) <= 0 } ?? (n - 4) / 2 * 2
  var pairs = stride(from: 0, to: end, by: 2).map { ($0 == 0 ? 1 : correlation($0)) + correlation($0 + 1) }
  for place in pairs.indices.dropFirst() where pairs[place] > pairs[place - 1] { pairs[place] = pairs[place - 1] }
  let time = -1 + 2 * pairs.reduce(0, +) + max(correlation(end), 0)
  return ((total / within).squareRoot(), Double(m * n) / max(time, 1 / log10(Double(m * n))))
}

@Test func diagnosticsAgreeWithTheFormulasAsLoops() throws {
  for (r, steps, seed) in [(0.0, 60, 1), (0.7, 61, 2), (0.9, 200, 3), (-0.6, 120, 4)] {
    let draws = try autoregression(r, chains: 3, steps: steps, seed: UInt64(seed))
    let found = try ChainDiagnostics(of: draws)
    let expected = reference(try arrays(draws))
    #expect(abs(found.splitRHat[0] - expected.rHat) < 1e-10)
    #expect(abs(found.effectiveSampleSize[0] / expected.size - 1) < 1e-8, "correlation \(r)")
  }
}

@Test func everyDimensionIsDiagnosedByItself() throws {
  let parts = try [0.0, 0.5, 0.95].map { try autoregression($0, chains: 4, steps: 300, seed: 5) }
  let together = try ChainDiagnostics(of: .concatenate(parts, axis: 2))
  for (dimension, part) in parts.enumerated() {
    let alone = try ChainDiagnostics(of: part)
    #expect(abs(together.splitRHat[dimension] - alone.splitRHat[0]) < 1e-12)
    #expect(abs(together.effectiveSampleSize[dimension] / alone.effectiveSampleSize[0] - 1) < 1e-9)
  }
  #expect(together.worstRHat == together.splitRHat.max())
  #expect(together.smallestSampleSize == together.effectiveSampleSize.min())
}

@Test func independentDrawsAreWorthThemselves() throws {
  var generator = try Generator(seed: 7)
  let found = try ChainDiagnostics(of: generator.normal([4, 2000, 5]))
  for (rHat, size) in zip(found.splitRHat, found.effectiveSampleSize) {
    #expect(abs(rHat - 1) < 0.005)
    // The estimate's own spread: a few percent at 8,000 draws.
    #expect(abs(size / 8000 - 1) < 0.15)
  }
}

@Test func autocorrelatedDrawsAreWorthTheirShare() throws {
  for r in [0.5, 0.9] {
    let found = try ChainDiagnostics(of: autoregression(r, chains: 4, steps: 10_000, seed: 8))
    let expected = 40_000 * (1 - r) / (1 + r)
    #expect(abs(found.effectiveSampleSize[0] / expected - 1) < 0.15)
  }
}

@Test func strideOnlyScalesTheAutocorrelationTime() throws {
  let draws = try autoregression(0.9, chains: 4, steps: 10_000, seed: 8)
  let (every, fourth) = (try ChainDiagnostics(of: draws), try ChainDiagnostics(of: draws, every: 4))
  #expect(fourth.effectiveSampleSize == every.effectiveSampleSize && fourth.splitRHat == every.splitRHat)
  #expect(fourth.autocorrelationTime == every.autocorrelationTime.map { 4 * $0 })
}

@Test func alternatingChainsAreWorthMoreThanTheirDraws() throws {
  let found = try ChainDiagnostics(of: autoregression(-0.5, chains: 4, steps: 2000, seed: 9))
  #expect(found.effectiveSampleSize[0] > 8000 * 1.5)
}

@Test func chainsInDifferentPlacesHaveALargeRHat() throws {
  var generator = try Generator(seed: 10)
  let offsets = try Tensor([0.0, 0, 0, 3], shape: [4, 1, 1])
  let found = try ChainDiagnostics(of: generator.normal([4, 500, 1], dtype: .float64) + offsets)
  // Means of the halves 0, 0, 0, 3 twice: their variance is 13.5/7, and V/W is 1 + that.
  #expect(abs(found.splitRHat[0] - (1 + 13.5 / 7).squareRoot()) < 0.1)
  #expect(found.effectiveSampleSize[0] < 20)
}

@Test func aDriftInsideChainsShows() throws {
  var generator = try Generator(seed: 11)
  let drift = try Tensor.linspace(0, 4, count: 500, dtype: .float64).reshaped([1, 500, 1])
  #expect(try ChainDiagnostics(of: generator.normal([4, 500, 1], dtype: .float64) + drift).splitRHat[0] > 1.3)
}

@Test func whatHasNoAnswerIsNaNAndTheRestIsDiagnosed() throws {
  var generator = try Generator(seed: 12)
  let good = try generator.normal([3, 100, 1], dtype: .float64)
  let constant = try Tensor.full([3, 100, 1], 0.1, dtype: .float64)
  let broken = try Tensor.concatenate([good.slice(0..<99, axis: 1), .full([3, 1, 1], .nan, dtype: .float64)], axis: 1)
  let found = try ChainDiagnostics(of: .concatenate([constant, good, broken], axis: 2))
  #expect(found.splitRHat[0].isNaN && found.effectiveSampleSize[0].isNaN)
  #expect(found.splitRHat[2].isNaN && found.effectiveSampleSize[2].isNaN)
  #expect(found.undefinedCount == 2)
  #expect(found.worstRHat == found.splitRHat[1])
  #expect(try ChainDiagnostics(of: constant).worstRHat == nil)
}

@Test func chainsThatNeverMoveInDifferentPlacesHaveAnInfiniteRHat() throws {
  let stuck = try tensor([Array(repeating: 0.1, count: 50), Array(repeating: 0.3, count: 50)])
  let found = try ChainDiagnostics(of: stuck)
  #expect(found.splitRHat[0] == .infinity)
  #expect(found.effectiveSampleSize[0] < 8)
}

@Test func shortWalksHaveNoAnswerAndOtherShapesAreRefused() throws {
  #expect(try ChainDiagnostics(of: .zeros([4, 15, 2])).splitRHat.allSatisfy(\.isNaN))
  #expect(throws: TensorError.self) { try ChainDiagnostics(of: .zeros([4, 100])) }
}

@Test func autocovarianceAgreesWithItsSum() throws {
  var generator = try Generator(seed: 13)
  let x = try generator.normal([2, 37], dtype: .float64)
  let found = try x.autocovariance(axis: 1)
  for row in 0..<2 {
    let values = try x.select(row).doubles()
    let center = values.reduce(0, +) / 37
    for (lag, covariance) in try found.select(row).doubles().enumerated() {
      let sum = (0..<37 - lag).reduce(0) { $0 + (values[$1] - center) * (values[$1 + lag] - center) }
      #expect(abs(covariance - sum / 37) < 1e-12)
    }
  }
}

@Test func bulkSizeIsTheOneOfNormalScores() throws {
  // Heavy tails, and every second draw repeated: ranks are shared.
  var generator = try Generator(seed: 21)
  let numerators = try generator.normal([3, 50, 2], dtype: .float64)
  let cauchy = try numerators.slice(0..<1, axis: 2) / numerators.slice(1..<2, axis: 2)
  let chains = try arrays(cauchy).map { chain in chain.flatMap { [$0, $0] } }
  let all = chains.flatMap { $0 }
  let count = Double(all.count)
  /// Where the normal distribution function is `p`, by bisection.
  func quantile(_ p: Double) -> Double {
    var (low, high) = (-10.0, 10.0)
    for _ in 0..<80 {
      let middle = (low + high) / 2
      if 0.5 * erfc(-middle / 2.0.squareRoot()) < p { low = middle } else { high = middle }
    }
    return (low + high) / 2
  }
  let scores = chains.map { chain in
    chain.map { x in
      let (below, equal) = (Double(all.count { $0 < x }), Double(all.count { $0 == x }))
      return quantile((below + (equal + 1) / 2 - 0.375) / (count + 0.25))
    }
  }
  let found = try ChainDiagnostics(of: tensor(chains))
  #expect(abs(found.bulkSampleSize[0] / reference(scores).size - 1) < 1e-8)
  #expect(found.smallestBulkSampleSize == found.bulkSampleSize[0])
}

@Test(arguments: [0.0, 0.5, 0.9]) func autocorrelationTimeIsTheOneOfAnAutoregression(r: Double) throws {
  let found = try ChainDiagnostics(of: autoregression(r, chains: 8, steps: 20_000, seed: 22))
  // The sum of some 20 estimated correlations of 160,000 draws: within a tenth.
  #expect(abs(found.autocorrelationTime[0] / ((1 + r) / (1 - r)) - 1) < 0.1)
  #expect(abs(found.bulkSampleSize[0] / found.effectiveSampleSize[0] - 1) < 0.05, "normal draws are their own scores")
  #expect(found.longestAutocorrelationTime == found.autocorrelationTime[0])
}
