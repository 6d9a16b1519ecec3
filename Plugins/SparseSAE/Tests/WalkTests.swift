import Foundation
import LatentKit
import Statistics
import Testing

@testable import SparseSAE

/// The mean is off by less than five standard errors, by the effective sample size.
private func expectMean(_ draws: Tensor, _ expected: [Double], _ deviations: [Double], size: Double) throws {
  for (mean, (value, deviation)) in zip(try draws.mean(axis: 0).doubles(), zip(expected, deviations)) {
    #expect(abs(mean - value) < 5 * deviation / size.squareRoot())
  }
}

@Test func walkHasTheMomentsOfAMixtureOfGaussians() throws {
  // 0.3 N(−1, 0.5²) + 0.7 N(1, 1²)
  let algorithm = MetropolisHastings { x in
    let x = try x.squeezed(-1)
    let left = try ((x + 1) / 0.5).square() * -0.5 + log(0.3 / 0.5)
    let right = try (x - 1).square() * -0.5 + log(0.7)
    return try Tensor.stack([left, right]).logSumExp(axis: 0)
  }
  var generator = try Generator(seed: 1)
  var state = try algorithm.start(at: generator.normal([64, 1], dtype: .float64))
  var draws: [Tensor] = []
  for step in 0..<1200 {
    let move = try generator.normal([64, 1], dtype: .float64) * 2
    (state, _) = try algorithm.step(state, by: move, using: &generator)
    if step >= 200 { draws.append(state.positions) }
  }
  let chains = try Tensor.stack(draws, axis: 1)
  let size = try #require(ChainDiagnostics(of: chains).smallestSampleSize)
  #expect(size > 5000)
  let mean = 0.3 * -1 + 0.7 * 1
  let square = 0.3 * (1 + 0.25) + 0.7 * (1 + 1)
  let all = try chains.reshaped([-1, 1])
  try expectMean(all, [mean], [(square - mean * mean).squareRoot()], size: size)
  // x² has a deviation of about 2.
  try expectMean(all.square(), [square], [2.2], size: size)
  // The state's density is the one of its position.
  #expect(try (state.logDensities - algorithm.start(at: state.positions).logDensities).abs().max().item() < 1e-12)
}

@Test func proposalsAreTakenAtTheRateOfMetropolis() throws {
  // From 0 under exp(−|x|), a move to 1 or −1 is taken with the probability 1/e; back, always.
  let algorithm = MetropolisHastings { try -$0.abs().squeezed(-1) }
  var generator = try Generator(seed: 2)
  let chains = 40_000
  let start = try algorithm.start(at: .zeros([chains, 1], dtype: .float64))
  let (next, info) = try algorithm.step(start, by: .ones([chains, 1], dtype: .float64), using: &generator)
  let rate = try info.accepted.to(.float64).mean().item()
  #expect(abs(rate - exp(-1)) < 0.012)  // five standard errors
  #expect(try next.positions.sum().item() == (rate * Double(chains)).rounded(), "the others stay at 0")
  let (_, back) = try algorithm.step(
    algorithm.start(at: .ones([chains, 1], dtype: .float64)), by: .full([chains, 1], -1, dtype: .float64),
    using: &generator)
  #expect(try back.accepted.all())
}

/// Two classes in two dimensions, far apart and of different sizes and shapes.
private func densities() throws -> [KernelDensity] {
  var generator = try Generator(seed: 3)
  let first = try generator.normal([25, 2], dtype: .float64).matmul(Tensor([2.0, 1, 0, 0.5], shape: [2, 2]))
  let second = try generator.normal([60, 2], dtype: .float64) * 0.3 + 20
  return try [first, second].map { try KernelDensity(of: $0) }
}

private func stack(_ densities: [KernelDensity]) throws -> DensityStack {
  try DensityStack(densities, like: .zeros([1], dtype: .float64))
}

private func starts(_ densities: [KernelDensity], chains: Int) throws -> Tensor {
  try .stack(densities.map { try $0.whitened.rows((0..<chains).map { $0 % 20 }) })
}

private func walks(_ densities: [KernelDensity], chains: Int, _ proposal: Proposal, jumpEvery: Int) throws -> ClassWalks
{
  ClassWalks(
    density: try stack(densities), starts: try starts(densities, chains: chains), proposal: proposal, acceptance: 0.4,
    jumpEvery: jumpEvery)
}

/// The draws of each class have the moments of its estimate: a mixture of Gaussians around its points, whose mean is theirs
/// and whose covariance is theirs (divisor n) plus the kernel's.
private func expectMoments(_ record: WalkRecord, of densities: [KernelDensity]) throws {
  for (number, density) in densities.enumerated() {
    let chains = try density.restore(record.positions.select(number))
    let size = try #require(ChainDiagnostics(of: chains).smallestSampleSize)
    #expect(size > 200)
    let points = try density.restore(density.whitened)
    let moments = try Moments(of: points)
    let n = Double(moments.count)
    let covariance = try moments.covariance * ((n - 1) / n + density.factor * density.factor)
    let deviations = try covariance.diagonal().sqrt().doubles()
    let draws = try chains.reshaped([-1, 2])
    try expectMean(draws, moments.mean.doubles(), deviations, size: size)
    let offsets = try draws - moments.mean
    let products = try Tensor.stack(
      [
        offsets.select(0, axis: 1).square(), offsets.select(1, axis: 1).square(),
        offsets.select(0, axis: 1) * offsets.select(1, axis: 1),
      ], axis: 1)
    let expected = try covariance.doubles()
    let (a, b) = (deviations[0], deviations[1])
    // Squares of a variable without heavy tails have about twice its variance as deviation.
    try expectMean(
      products, [expected[0], expected[3], expected[1]], [1.6 * a * a, 1.6 * b * b, 1.6 * a * b], size: size)
  }
}

@Test(arguments: [(Proposal.tuned, 0), (.tuned, 3), (.tuned, 1), (.variance(0.6), 0)])
func walksHaveTheMomentsOfTheKernelDensity(proposal: Proposal, jumpEvery: Int) throws {
  let densities = try densities()
  var generator = try Generator(seed: 4)
  let record = try walks(densities, chains: 50, proposal, jumpEvery: jumpEvery)
    .run(warmUp: 200, steps: 800, using: &generator)
  #expect(record.positions.shape == [2, 50, 800, 2])
  try expectMoments(record, of: densities)
}

@Test func sweepsHaveTheMomentsOfTheKernelDensity() throws {
  let densities = try densities()
  var generator = try Generator(seed: 8)
  let sweeps = ClassSweeps(density: try stack(densities), starts: try starts(densities, chains: 50))
  let record = try sweeps.run(warmUp: 20, steps: 400, using: &generator)
  #expect(record.positions.shape == [2, 50, 400, 2] && record.acceptance == nil)
  try expectMoments(record, of: densities)
}

@Test func conditionalsAreMixturesOfOneCoordinate() throws {
  // Two kernels at (0, 0) and (4, 1); given the first coordinate 1, the second is 0 or 1 by exp(−1/2) to exp(−9/2).
  let density = try KernelDensity(
    of: Tensor([0.0, 0, 4, 1], shape: [2, 2]), bandwidth: .factor(1), shape: .identity)
  var generator = try Generator(seed: 9)
  let place = try density.whiten(Tensor([1.0, 77], shape: [1, 2])).expanded([1, 50_000, 2])
  let drawn = try stack([density]).conditional(1, at: place, using: &generator)
  let values = try density.restore(Tensor.stack([place.select(0).select(0, axis: 1), drawn.select(0)], axis: 1))
    .select(1, axis: 1).doubles().sorted()
  let share = exp(-4.5) / (exp(-0.5) + exp(-4.5))
  func normal(_ x: Double) -> Double { 0.5 * erfc(-x / 2.0.squareRoot()) }
  // Kolmogorov and Smirnov's distance is above 1.95 over the root of the count once in a thousand times.
  let distance =
    values.enumerated().map { rank, x in
      abs(Double(rank) / 50_000 - ((1 - share) * normal(x) + share * normal(x - 1)))
    }.max() ?? 1
  #expect(distance < 1.95 / 50_000.0.squareRoot())
}

@Test func thresholdRuleFillsALevelSetEvenly() throws {
  // The density exp(−x²/2) is at least exp(−2) from −2 to 2: even draws have the variance 4²/12, the normal ones 1.
  let algorithm = MetropolisHastings(lowest: try Tensor([-2.0])) { try $0.squeezed(-1).square() * -0.5 }
  var generator = try Generator(seed: 10)
  var state = try algorithm.start(at: .zeros([200, 1], dtype: .float64))
  var draws: [Tensor] = []
  for step in 0..<600 {
    (state, _) = try algorithm.step(state, by: generator.normal([200, 1], dtype: .float64), using: &generator)
    if step >= 100 { draws.append(state.positions) }
  }
  let chains = try Tensor.stack(draws, axis: 1)
  let size = try #require(ChainDiagnostics(of: chains).smallestSampleSize)
  #expect(size > 4000)
  try expectMean(chains.reshaped([-1, 1]), [0], [2 / 3.0.squareRoot()], size: size)
  // x² over an even interval: mean 4/3, deviation 1.19.
  try expectMean(chains.reshaped([-1, 1]).square(), [4.0 / 3], [1.2], size: size)
  #expect(try chains.abs().max().item() <= 2)
}

@Test func rejectedMovesRepeatTheirPlace() throws {
  var generator = try Generator(seed: 5)
  let record = try walks(densities(), chains: 10, .tuned, jumpEvery: 0).run(warmUp: 100, steps: 500, using: &generator)
  let rates = try #require(record.acceptance)
  for number in 0..<2 {
    let positions = try record.positions.select(number)
    let moved = try positions.slice(1..<500, axis: 1) .!= positions.slice(0..<499, axis: 1)
    let share = try moved.to(.float64).max(axis: 2).mean().item()
    // All steps but the first of each chain are seen here: 1 in 500.
    #expect(abs(share - rates[number]) < 0.002)
    #expect(share > 0.1 && share < 0.9)
  }
}

@Test func tuningReachesItsTargetAndThenRests() throws {
  var generator = try Generator(seed: 6)
  let tuned = try walks(densities(), chains: 20, .tuned, jumpEvery: 0).run(warmUp: 500, steps: 1000, using: &generator)
  for rate in tuned.acceptance ?? [] { #expect(abs(rate - 0.4) < 0.06) }
  // A fixed proposal is far from it: 0.2 is nothing in the first class, and a lot in the second.
  let fixed = try walks(densities(), chains: 20, .variance(0.2), jumpEvery: 0).run(
    warmUp: 500, steps: 1000, using: &generator)
  let rates = try #require(fixed.acceptance)
  #expect(rates[0] > 0.55 && rates[1] < rates[0])
}

@Test func jumpsReachKernelsThatAPlainWalkNeverLeaves() throws {
  // Forty points in thirty dimensions: kernels hardly touch.
  var generator = try Generator(seed: 7)
  let density = try KernelDensity(of: generator.normal([40, 30], dtype: .float64))
  func worst(jumpEvery: Int) throws -> Double {
    let walks = ClassWalks(
      density: try stack([density]), starts: try density.whitened.slice(0..<4).unsqueezed(0), proposal: .tuned,
      acceptance: 0.3,
      jumpEvery: jumpEvery)
    let record = try walks.run(warmUp: 200, steps: 2000, using: &generator)
    return try #require(ChainDiagnostics(of: record.positions.select(0)).worstRHat)
  }
  #expect(try worst(jumpEvery: 0) > 1.5)
  #expect(try worst(jumpEvery: 5) < 1.1)
}
