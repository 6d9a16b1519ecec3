import Foundation
import LatentKit
import Testing

@testable import Statistics

/// The mean is off by less than five standard errors, by the effective sample size.
private func expectMean(_ draws: Tensor, _ expected: [Double], _ deviations: [Double], size: Double) throws {
  for (mean, (value, deviation)) in zip(try draws.mean(axis: 0).doubles(), zip(expected, deviations)) {
    #expect(abs(mean - value) < 5 * deviation / size.squareRoot())
  }
}

@Test func walkHasTheMomentsOfAMixtureOfGaussians() throws {
  // 0.3 N(−1, 0.5²) + 0.7 N(1, 1²)
  let starts = try Tensor.zeros([1, 64, 1], dtype: .float64)
  let algorithm = MetropolisHastings(try RandomWalk(stepSize: 2, like: starts)) { x in
    let x = try x.squeezed(-1)
    let left = try ((x + 1) / 0.5).square() * -0.5 + log(0.3 / 0.5)
    let right = try (x - 1).square() * -0.5 + log(0.7)
    return try Tensor.stack([left, right]).logSumExp(axis: 0)
  }
  var generator = try Generator(seed: 1)
  let record = try algorithm.run(from: starts, ChainSchedule(warmUp: 200, steps: 1000), using: &generator)
  let chains = try record.positions.select(0)
  let size = try #require(ChainDiagnostics(of: chains).smallestSampleSize)
  #expect(size > 5000)
  let mean = 0.3 * -1 + 0.7 * 1
  let square = 0.3 * (1 + 0.25) + 0.7 * (1 + 1)
  let all = try chains.reshaped([-1, 1])
  try expectMean(all, [mean], [(square - mean * mean).squareRoot()], size: size)
  // x² has a deviation of about 2.
  try expectMean(all.square(), [square], [2.2], size: size)
  // The state's density is the one of its position.
  let (state, _) = try algorithm.step(algorithm.start(at: starts), using: &generator)
  let again = try #require(algorithm.start(at: state.positions).logDensities)
  #expect(try (#require(state.logDensities) - again).abs().max().item() == 0)
}

/// Moves all chains by the same, as if that were symmetric.
private func shift(_ move: Double) -> AnyProposal {
  AnyProposal { positions, _ in Proposed(positions: try positions + move, correction: .symmetric) }
}

@Test func proposalsAreTakenAtTheRateOfMetropolis() throws {
  // From 0 under exp(−|x|), a move to 1 or −1 is taken with the probability 1/e; back, always.
  func algorithm(_ move: Double) -> MetropolisHastings<AnyProposal> {
    MetropolisHastings(shift(move)) { try -$0.abs().squeezed(-1) }
  }
  var generator = try Generator(seed: 2)
  let chains = 40_000
  let start = try algorithm(1).start(at: .zeros([1, chains, 1], dtype: .float64))
  let (next, info) = try algorithm(1).step(start, using: &generator)
  let rate = try #require(info.accepted).to(.float64).mean().item()
  #expect(abs(rate - exp(-1)) < 0.012)  // five standard errors
  #expect(try next.positions.sum().item() == (rate * Double(chains)).rounded(), "the others stay at 0")
  let (_, back) = try algorithm(-1).step(
    algorithm(-1).start(at: .ones([1, chains, 1], dtype: .float64)), using: &generator)
  #expect(try #require(back.accepted).all())
}

/// `log p` of Gamma(3) with rate 2, up to a constant: mean 3/2, variance 3/4.
private func logGamma(_ x: Tensor) throws -> Tensor {
  let x = try x.squeezed(-1)
  return try x.log() * 2 - x * 2
}

/// Steps on the scale of logarithms, drawn towards 0: they favour smaller places twice over, so that Hastings' correction is
/// `log x′ − log x` and the ratio of the two Gaussians.
private func skewedSteps(corrected: Bool) -> AnyProposal {
  AnyProposal { positions, generator in
    let (drift, deviation) = (-0.5, 0.8)
    let step = try generator.normal(positions.shape, dtype: positions.dtype) * deviation + drift
    func logNormal(_ step: Tensor) throws -> Tensor { try ((step - drift) / deviation).square() * -0.5 }
    let logRatio = try (logNormal(-step) - logNormal(step) + step).squeezed(-1)
    return Proposed(
      positions: try positions * step.exp(), correction: corrected ? .logRatio(logRatio) : .symmetric)
  }
}

@Test(arguments: [true, false]) func skewedProposalsAreCorrectedByTheirRatio(corrected: Bool) throws {
  var generator = try Generator(seed: 11)
  let algorithm = MetropolisHastings(skewedSteps(corrected: corrected), logDensity: logGamma)
  let record = try algorithm.run(
    from: .ones([1, 100, 1], dtype: .float64), ChainSchedule(warmUp: 200, steps: 2000), using: &generator)
  let chains = try record.positions.select(0)
  let size = try #require(ChainDiagnostics(of: chains).smallestSampleSize)
  let all = try chains.reshaped([-1, 1])
  guard corrected else {
    // Without the correction the draws follow another density: its mean is tens of standard errors away.
    #expect(abs(try all.mean().item() - 1.5) > 30 * (0.75 / size).squareRoot())
    return
  }
  #expect(size > 10_000)
  try expectMean(all, [1.5], [sqrt(0.75)], size: size)
  // E x² = 3, E x⁴ = 3 · 4 · 5 · 6 / 2⁴ = 22.5.
  try expectMean(all.square(), [3], [sqrt(13.5)], size: size)
}

@Test func placesWithoutDensityAreNeverEntered() throws {
  // Even on 0 to 1, nothing elsewhere: mean 1/2, variance 1/12.
  let starts = try Tensor.full([1, 50, 1], 0.5, dtype: .float64)
  let algorithm = MetropolisHastings(try RandomWalk(stepSize: 0.7, like: starts)) { x in
    let x = try x.squeezed(-1)
    return try Tensor.zeros(x.shape, dtype: .float64).filled(with: -.infinity, where: (x - 0.5).abs() .> 0.5)
  }
  var generator = try Generator(seed: 17)
  let chains = try algorithm.run(from: starts, ChainSchedule(warmUp: 50, steps: 1000), using: &generator).positions
    .select(0)
  #expect(try chains.min().item() >= 0 && chains.max().item() <= 1)
  let size = try #require(ChainDiagnostics(of: chains).smallestSampleSize)
  #expect(size > 5000)
  try expectMean(chains.reshaped([-1, 1]), [0.5], [sqrt(1 / 12.0)], size: size)
}

@Test func independentProposalsFollowTheDensityAndNotTheirOwn() throws {
  // N(0, 2² I) proposes, N(1, 1) is followed; log q may be off by a constant.
  let proposal = IndependentProposal(
    logDensity: { try $0.squeezed(-1).square() / -8 + 77 },
    draw: { shape, generator in try generator.normal(shape, dtype: .float64) * 2 })
  var generator = try Generator(seed: 12)
  let algorithm = MetropolisHastings(proposal) { try ($0.squeezed(-1) - 1).square() * -0.5 }
  let record = try algorithm.run(
    from: .zeros([1, 50, 1], dtype: .float64), ChainSchedule(warmUp: 50, steps: 1000), using: &generator)
  let chains = try record.positions.select(0)
  let size = try #require(ChainDiagnostics(of: chains).smallestSampleSize)
  #expect(size > 5000)
  try expectMean(chains.reshaped([-1, 1]), [1], [1], size: size)
  // x² with x from N(1, 1): mean 2, variance 6.
  try expectMean(chains.reshaped([-1, 1]).square(), [2], [sqrt(6)], size: size)
}

/// Two classes in two dimensions, far apart and of different sizes and shapes.
private func densities() throws -> [KernelDensity] {
  var generator = try Generator(seed: 3)
  let first = try generator.normal([25, 2], dtype: .float64).matmul(Tensor([2.0, 1, 0, 0.5], shape: [2, 2]))
  let second = try generator.normal([60, 2], dtype: .float64) * 0.3 + 20
  return try [first, second].map { try KernelDensity(of: $0) }
}

private func stack(_ densities: [KernelDensity]) throws -> KernelDensityStack {
  try KernelDensityStack(densities, like: .zeros([1], dtype: .float64))
}

private func starts(_ densities: [KernelDensity], chains: Int) throws -> Tensor {
  try .stack(densities.map { try $0.whitened.rows((0..<chains).map { $0 % 20 }) })
}

/// Walks with steps of the kernels' deviations, tuned to 40 % where they have no variance of their own.
private func walk(
  _ densities: [KernelDensity], from starts: Tensor, variance: Double? = nil, jumpEvery: Int, warmUp: Int, steps: Int,
  using generator: inout Generator
) throws -> ChainRecord {
  let density = try stack(densities)
  let moves = try RandomWalk(
    stepSize: variance?.squareRoot() ?? RandomWalk.recommendedStepSize(dimensions: starts.size(2)),
    matrix: variance == nil ? nil : density.whiteningOfMoves, like: starts)
  let jump = MetropolisHastings(KernelJump(density)) { try density.logDensity($0) }
  return try MetropolisHastings(moves) { try density.logDensity($0) }.run(
    from: starts, ChainSchedule(warmUp: warmUp, steps: steps),
    tuning: variance == nil ? StepSizeTuning(targetAcceptance: 0.4) : nil,
    occasionally: jumpEvery > 0 ? OccasionalMove(every: jumpEvery, jump) : nil, using: &generator)
}

/// The draws of each class have the moments of its estimate: a mixture of Gaussians around its points, whose mean is theirs
/// and whose covariance is theirs (divisor n) plus the kernel's.
private func expectMoments(_ record: ChainRecord, of densities: [KernelDensity]) throws {
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

@Test(arguments: [(nil, 0), (nil, 3), (nil, 1), (0.6, 0)] as [(Double?, Int)])
func walksHaveTheMomentsOfTheKernelDensity(variance: Double?, jumpEvery: Int) throws {
  let densities = try densities()
  var generator = try Generator(seed: 4)
  let record = try walk(
    densities, from: starts(densities, chains: 50), variance: variance, jumpEvery: jumpEvery, warmUp: 200, steps: 800,
    using: &generator)
  #expect(record.positions.shape == [2, 50, 800, 2])
  try expectMoments(record, of: densities)
}

@Test func gibbsHasTheMomentsOfTheKernelDensity() throws {
  let densities = try densities()
  var generator = try Generator(seed: 8)
  let record = try Gibbs(stack(densities)).run(
    from: starts(densities, chains: 50), ChainSchedule(warmUp: 20, steps: 400), using: &generator)
  #expect(record.positions.shape == [2, 50, 400, 2] && record.acceptance == nil)
  try expectMoments(record, of: densities)
}

@Test func gibbsTakesAnyConditionals() throws {
  // Unit deviations with the correlation r: x given y is N(r y, 1 − r²).
  let r = 0.8
  let gibbs = Gibbs { axis, places, generator in
    let other = try places.select(1 - axis, axis: 2)
    return try other * r + generator.normal(other.shape, dtype: other.dtype) * (1 - r * r).squareRoot()
  }
  var generator = try Generator(seed: 13)
  let record = try gibbs.run(
    from: .full([1, 50, 2], 5, dtype: .float64), ChainSchedule(warmUp: 50, steps: 1000), using: &generator)
  let chains = try record.positions.select(0)
  let size = try #require(ChainDiagnostics(of: chains).smallestSampleSize)
  let all = try chains.reshaped([-1, 2])
  try expectMean(all, [0, 0], [1, 1], size: size)
  let product = try (all.select(0, axis: 1) * all.select(1, axis: 1)).unsqueezed(1)
  try expectMean(product, [r], [(1 + r * r).squareRoot()], size: size)
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

@Test func levelSetsAreFilledEvenly() throws {
  // The density exp(−x²/2) is at least exp(−2) from −2 to 2: even draws have the variance 4²/12, the normal ones 1.
  let starts = try Tensor.zeros([1, 200, 1], dtype: .float64)
  let algorithm = MetropolisHastings(
    try RandomWalk(stepSize: 1, like: starts), rule: .levelSet(lowest: try Tensor([-2.0], shape: [1, 1]))
  ) { try $0.squeezed(-1).square() * -0.5 }
  var generator = try Generator(seed: 10)
  let chains = try algorithm.run(from: starts, ChainSchedule(warmUp: 100, steps: 500), using: &generator).positions
    .select(0)
  let size = try #require(ChainDiagnostics(of: chains).smallestSampleSize)
  #expect(size > 4000)
  try expectMean(chains.reshaped([-1, 1]), [0], [2 / 3.0.squareRoot()], size: size)
  // x² over an even interval: mean 4/3, deviation 1.19.
  try expectMean(chains.reshaped([-1, 1]).square(), [4.0 / 3], [1.2], size: size)
  #expect(try chains.abs().max().item() <= 2)
}

@Test func rejectedMovesRepeatTheirPlace() throws {
  var generator = try Generator(seed: 5)
  let densities = try densities()
  let record = try walk(
    densities, from: starts(densities, chains: 10), jumpEvery: 0, warmUp: 100, steps: 500, using: &generator)
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

@Test func tuningReachesItsTargetInEachGroup() throws {
  var generator = try Generator(seed: 6)
  let densities = try densities()
  let starts = try starts(densities, chains: 20)
  let tuned = try walk(densities, from: starts, jumpEvery: 0, warmUp: 500, steps: 1000, using: &generator)
  for rate in try #require(tuned.acceptance) { #expect(abs(rate - 0.4) < 0.06) }
  #expect(tuned.stepSize?.shape == [2, 1, 1])
  // A fixed proposal is far from it: 0.2 is nothing in the first class, and a lot in the second.
  let fixed = try walk(
    densities, from: starts, variance: 0.2, jumpEvery: 0, warmUp: 500, steps: 1000, using: &generator)
  let rates = try #require(fixed.acceptance)
  #expect(rates[0] > 0.55 && rates[1] < rates[0])
  #expect(fixed.stepSize == nil)
}

/// Writes down with what step sizes it was asked.
private final class Asked { var sizes: [Double] = [] }

private struct WatchedWalk: ScaledProposal {
  var stepSize: Tensor
  let asked: Asked

  func propose(from positions: Tensor, using generator: inout Generator) throws -> Proposed {
    asked.sizes.append(try stepSize.item())
    return try RandomWalk(stepSize: stepSize).propose(from: positions, using: &generator)
  }
}

@Test(arguments: [0.02, 100]) func stepSizesAreTunedInTheWarmUpAndThenFrozen(start: Double) throws {
  let asked = Asked()
  let algorithm = MetropolisHastings(
    WatchedWalk(stepSize: try .full([1, 1, 1], start, dtype: .float64), asked: asked)
  ) { try $0.square().sum(axis: 2) * -0.5 }
  var generator = try Generator(seed: 14)
  let record = try algorithm.run(
    from: .zeros([1, 40, 3], dtype: .float64), ChainSchedule(warmUp: 1000, steps: 1000),
    tuning: StepSizeTuning(targetAcceptance: 0.25), using: &generator)
  #expect(asked.sizes.count == 2000 && asked.sizes[0] == start)
  // A step in which exactly 10 of 40 chains move, about one in seven, leaves the size as it is.
  #expect(Set(asked.sizes.prefix(1000)).count > 700)
  #expect(Set(asked.sizes.suffix(1000)) == [try #require(record.stepSize).item()])
  // 40,000 moves; the last steps of the tuning still move the size by a hundredth or two.
  #expect(abs(try #require(record.acceptance)[0] - 0.25) < 0.03)
}

@Test func warmUpDrawsAreThrownAwayAndNoOthers() throws {
  // Every step adds 1 to each chain, and the occasional move 1000 to it.
  func counting(_ step: Double) -> MetropolisHastings<AnyProposal> {
    MetropolisHastings(shift(step)) { try .zeros([$0.size(0), $0.size(1)], dtype: $0.dtype) }
  }
  var generator = try Generator(seed: 15)
  let starts = try Tensor.zeros([1, 2, 1], dtype: .float64)
  let record = try counting(1).run(from: starts, ChainSchedule(warmUp: 7, steps: 3), using: &generator)
  #expect(try record.positions.doubles() == [8, 9, 10, 8, 9, 10])
  #expect(record.acceptance == [1])
  let jumping = try counting(1).run(
    from: starts, ChainSchedule(warmUp: 5, steps: 4), occasionally: OccasionalMove(every: 3, counting(1000)),
    using: &generator)
  // One jump in the warm-up, before its third step, and one after two recorded steps.
  #expect(try jumping.positions.select(0).select(0).doubles() == [1006, 1007, 2008, 2009])
}

@Test func runsThatCannotBeAreRefused() throws {
  var generator = try Generator(seed: 16)
  let flat = Gibbs { axis, places, _ in try places.select(axis, axis: 2) }
  let starts = try Tensor.zeros([1, 2, 1])
  #expect(throws: TensorError.self) { try flat.run(from: .zeros([2, 1]), ChainSchedule(steps: 3), using: &generator) }
  #expect(throws: TensorError.self) { try flat.run(from: starts, ChainSchedule(steps: 0), using: &generator) }
  #expect(throws: TensorError.self) {
    try flat.run(from: starts, ChainSchedule(warmUp: -1, steps: 1), using: &generator)
  }
  #expect(throws: TensorError.self) {
    try flat.run(from: starts, ChainSchedule(steps: 1), occasionally: OccasionalMove(every: 0, flat), using: &generator)
  }
  #expect(throws: TensorError.self) {
    try MetropolisHastings(RandomWalk(stepSize: 1, like: starts)) { try $0.sum(axis: 2) }.run(
      from: starts, ChainSchedule(warmUp: 1, steps: 1), tuning: StepSizeTuning(targetAcceptance: 1), using: &generator)
  }
}

@Test func jumpsReachKernelsThatAPlainWalkNeverLeaves() throws {
  // Forty points in thirty dimensions: kernels hardly touch.
  var generator = try Generator(seed: 7)
  let density = try KernelDensity(of: generator.normal([40, 30], dtype: .float64))
  func worst(jumpEvery: Int) throws -> Double {
    let record = try walk(
      [density], from: density.whitened.slice(0..<4).unsqueezed(0), jumpEvery: jumpEvery, warmUp: 200, steps: 2000,
      using: &generator)
    return try #require(ChainDiagnostics(of: record.positions.select(0)).worstRHat)
  }
  #expect(try worst(jumpEvery: 0) > 1.5)
  #expect(try worst(jumpEvery: 5) < 1.1)
}
