import LatentKit
import SparseSAE
import Statistics
import Testing

private struct FlatPrior: Prior {
  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor { try .zeros([latents.size(0)]) }
}

private func context() throws -> BuildContext {
  BuildContext(
    inputShape: [1, 8, 8], classCount: 4, latentSize: 3, scope: try Scope(path: "sampler"), title: "sampler 'mh'")
}

/// Classes 0 to 3 around 0, 10, 20 and 30, of 80, 40, 200 and 10 latents.
private func reference(dtype: DType = .float32) throws -> LatentSet {
  var generator = try Generator(seed: 1)
  let sizes = [80, 40, 200, 10]
  let latents = try sizes.enumerated().map { try generator.normal([$1, 3], dtype: dtype) * 0.5 + Double(10 * $0) }
  let labels = sizes.enumerated().flatMap { Array(repeating: Int64($0), count: $1) }
  return LatentSet(latents: try .concatenate(latents), labels: try Tensor(labels))
}

private func draw(
  _ labels: [Int64]?, count: Int, from reference: LatentSet, seed: UInt64 = 1,
  prior: any Prior = FlatPrior(), _ change: (inout MetropolisHastingsSampler.Config) -> Void = { _ in }
) throws -> Draw {
  var config = MetropolisHastingsSampler.Config()
  (config.chains, config.warmUp, config.steps) = (4, 100, 400)
  change(&config)
  let request = try DrawRequest(
    labels: labels.map { try Tensor($0) }, count: count, latentSize: reference.latents.size(1), prior: prior,
    reference: reference)
  var generator = try Generator(seed: seed)
  return try MetropolisHastingsSampler(config, in: context()).draw(request, using: &generator)
}

@Test func drawsAreOfTheClassThatWasAsked() throws {
  let labels: [Int64] = (0..<60).map { [3, 0, 2, 1, 2][$0 % 5] }
  let result = try draw(labels, count: 60, from: reference())
  #expect(result.latents.shape == [60, 3] && result.latents.dtype == .float32)
  for (row, label) in labels.enumerated() {
    #expect(try result.latents.select(row).doubles().allSatisfy { abs($0 - Double(10 * label)) < 5 })
  }
  #expect(Set(try (0..<60).map { try result.latents.select($0).doubles() }).count > 50, "draws differ")
}

@Test func drawsFollowTheSeed() throws {
  let labels: [Int64] = [0, 2, 2, 1]
  let reference = try reference()
  let one = try draw(labels, count: 4, from: reference, seed: 1).latents.doubles()
  #expect(try one == draw(labels, count: 4, from: reference, seed: 1).latents.doubles())
  #expect(try one != draw(labels, count: 4, from: reference, seed: 2).latents.doubles())
}

@Test func manyDrawsHaveTheMomentsOfTheDensity() throws {
  let reference = try reference(dtype: .float64)
  let latents = try draw(Array(repeating: 2, count: 3000), count: 3000, from: reference) {
    ($0.chains, $0.thinning) = (30, 10)
  }.latents
  let trained = try reference.latents(of: 2)
  let mean = try (latents.mean(axis: 0) - trained.mean(axis: 0)).abs().max().item()
  #expect(mean < 0.1)
  // 200 points in three dimensions: h² = 200^(−2/7).
  let widening = 199.0 / 200 + 0.22012
  let ratio = try latents.variance(axes: [0]) / (trained.variance(axes: [0]) * widening)
  #expect(try (ratio - 1).abs().max().item() < 0.15)
}

@Test func diagnosticsAreReported() throws {
  let result = try draw([0, 1, 2, 3], count: 4, from: reference()) { $0.steps = 2000 }
  let values = Dictionary(
    uniqueKeysWithValues: result.diagnostics.compactMap { found in found.value.map { (found.name, $0) } })
  let rate = try #require(values["acceptance rate"])
  #expect(abs(rate - 30) < 8)
  #expect(try #require(values["lowest acceptance rate of a class"]) <= rate)
  #expect(try #require(values["largest split R-hat"]) < 1.05)
  #expect(try #require(values["smallest bulk effective sample size"]) > 50)
  #expect(result.warnings.isEmpty)
}

@Test func walksThatHaveNotMixedAreToldWithAdvice() throws {
  // Two islands, and a plain walk between them.
  var generator = try Generator(seed: 3)
  let islands = try Tensor.concatenate([generator.normal([50, 2]), generator.normal([50, 2]) + 500])
  let result = try draw(nil, count: 30, from: LatentSet(latents: islands, labels: nil)) {
    ($0.jumpEvery, $0.bandwidth, $0.chains) = (0, .factor(0.02), 6)
  }
  #expect(
    result.warnings.contains {
      $0.hasPrefix("the data: the chains have not mixed") && $0.contains("raise sampler.steps")
    })
  #expect(result.warnings.contains { $0.contains("30 draws were requested, and the chains are worth only") })
}

@Test func walksTooShortToBeJudgedAreTold() throws {
  let result = try draw([0], count: 1, from: reference()) { ($0.steps, $0.thinning) = (5, 5) }
  #expect(result.warnings == ["class 0: the walks are too short to be judged; set sampler.steps to 16 or more"])
  #expect(result.diagnostics.map(\.name) == ["acceptance rate", "lowest acceptance rate of a class"])
}

@Test func classesOfFewLatentsAreDrawn() throws {
  // One latent of class 0, two of class 1, and more of class 2.
  let latents = try Tensor([1.0, 2, 3, 0, 0, 0, 1, 1, 1, 5, 5, 5, 6, 7, 8, 4, 4, 9, 5, 6, 2, 7, 5, 3], shape: [8, 3])
  let reference = LatentSet(latents: latents, labels: try Tensor([0, 1, 1, 2, 2, 2, 2, 2] as [Int64]))
  let result = try draw([0, 1, 2, 0], count: 4, from: reference)
  #expect(try result.latents.select(0).doubles() == [1, 2, 3])
  #expect(try result.latents.select(3).doubles() == [1, 2, 3])
  #expect(try result.latents.isFinite().all())
  // Class 1 stays near the line through its two latents.
  let second = try result.latents.select(1).doubles()
  #expect(abs(second[0] - second[1]) < 0.05 && abs(second[1] - second[2]) < 0.05)
  #expect(result.warnings.contains { $0.hasPrefix("class 0: the training latents have no spread") })
}

@Test func onlyClassesWithoutSpreadStillGiveDraws() throws {
  let reference = LatentSet(latents: try .ones([3, 2]), labels: try Tensor([1, 1, 1] as [Int64]))
  let result = try draw([1, 1], count: 2, from: reference)
  #expect(try result.latents.doubles() == [1, 1, 1, 1])
  #expect(result.diagnostics.isEmpty && result.warnings.count == 1)
}

@Test func moreDrawsThanStepsMakeLongerWalks() throws {
  let result = try draw(Array(repeating: 1, count: 100), count: 100, from: reference()) {
    ($0.chains, $0.steps, $0.thinning) = (2, 10, 3)
  }
  #expect(
    Set(try (0..<100).map { try result.latents.select($0).doubles() }).count > 40, "no place is taken twice by default")
}

@Test func drawsWithoutClassesFollowTheData() throws {
  let latents = try draw(nil, count: 400, from: reference()).latents
  let classes = try (latents.mean(axis: 1) / 10 + 0.5).floor().ints()
  // Class 2 has 200 of 330 latents: 242 of 400, with a deviation of 10.
  #expect(abs(classes.count { $0 == 2 } - 242) < 50)
}

@Test func settingsOutOfTheirRangeAreRefusedWithIt() throws {
  func message(_ settings: [String: Value]) -> String {
    do {
      _ = try MetropolisHastingsSampler(.init(settings, at: "sampler.with"), in: context())
    } catch { return "\(error)" }
    return "nothing thrown"
  }
  #expect(message(["chains": 0]) == "sampler.with.chains: found 0, expected 1 to 10000")
  #expect(message(["warmUp": -1]) == "sampler.with.warmUp: found -1, expected 0 to 10000000")
  #expect(message(["thinning": 0]) == "sampler.with.thinning: found 0, expected 1 to 1000000")
  #expect(message(["acceptance": 1]) == "sampler.with.acceptance: found 1, expected above 0 and below 1")
  #expect(message(["maximumPoints": 1]) == "sampler.with.maximumPoints: found 1, expected 2 to 1000000000")
  #expect(message(["bandwidth": -1.5]) == "sampler.with.bandwidth: found -1.5, expected 1e-9 to 1000000000")
  #expect(message(["proposal": 0]) == "sampler.with.proposal: found 0, expected 1e-18 to 1e18")
  #expect(message(["proposal": 1e300]).hasPrefix("sampler.with.proposal: found 1e+300, expected"))
  #expect(message(["bandwidth": 1e300]).hasPrefix("sampler.with.bandwidth: found 1e+300, expected"))
  #expect(message(["threshold": -1]) == "sampler.with.threshold: found -1, expected 0 or more")
  #expect(message(["threshold": "100%"]) == "sampler 'mh': threshold is 100%, expected 0% to less than 100%")
  #expect(message(["chains": 1, "bandwidth": "scott", "proposal": "tuned", "threshold": "99%"]) == "nothing thrown")
}

@Test func widthsThatAreSurelyMeantOtherwiseAreSaid() throws {
  func doubt(_ settings: [SettingDescription], _ name: String, _ value: Value) throws -> String? {
    try #require(settings.first { $0.name == name }).doubt(about: value, at: "part")
  }
  let walks = MetropolisHastingsSampler.Config.settings
  for settings in [
    walks, KernelDensityPrior.Config.settings, KernelDensitySampler.Config.settings, GibbsSampler.Config.settings,
  ] {
    #expect(
      try doubt(settings, "bandwidth", 1e9) == "part.bandwidth is 1000000000.0; usual values are 0.001 to 1000")
    for usual: Value in ["scott", 0.2, 1] { #expect(try doubt(settings, "bandwidth", usual) == nil) }
    #expect(try #require(settings.first { $0.name == "bandwidth" }).range?.admits(1e300) == false)
  }
  #expect(try doubt(walks, "proposal", 1e18)?.hasPrefix("part.proposal is 1e+18; usual values are") == true)
  for usual: Value in ["tuned", 0.2] { #expect(try doubt(walks, "proposal", usual) == nil) }
}

@Test func longWalksAndLargeCovariancesAreAnnounced() throws {
  var said: [String] = []
  var context = try context()
  (context.trainingCount, context.announce) = (50_000, { said.append($0) })
  var config = MetropolisHastingsSampler.Config()
  _ = try MetropolisHastingsSampler(config, in: context)
  _ = try KernelDensityPrior(.init(), in: context)
  #expect(said.isEmpty)
  (config.steps, config.maximumPoints) = (10_000_000, 100)
  _ = try MetropolisHastingsSampler(config, in: context)
  #expect(
    // 1.25 looks a step at 16 times 400 kernels, and half a millisecond: some 7000 s.
    said.count == 1 && said[0].contains("10000500 steps of 16 chains over") && said[0].contains("take about 1"),
    "\(said)")
  context.latentSize = 5000
  _ = try KernelDensityPrior(.init(), in: context)
  #expect(said.count == 2 && said[1].contains("in 5000 dimensions take"), "\(said)")
}

/// `N(10 y, 2² I)` for class `y`.
private struct WidePrior: Prior {
  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor {
    let centers = try (labels.map { try $0.to(latents.dtype) } ?? .zeros([latents.size(0)])).unsqueezed(1) * 10
    return try (latents - centers).square().sum(axis: 1) * (-1 / 8.0)
  }
}

@Test func walksGoOverThePriorWhereThatIsTheTarget() throws {
  let labels = (0..<4000).map { Int64($0 % 2 * 2) }
  let latents = try draw(labels, count: 4000, from: reference(dtype: .float64), prior: WidePrior()) {
    ($0.target, $0.chains, $0.thinning, $0.warmUp) = (.prior, 50, 20, 200)
  }.latents
  for label in [0, 2] {
    let mine = try latents.rows((0..<4000).filter { labels[$0] == Int64(label) })
    // 2,000 draws of deviation 2, worth a quarter of that at least: five standard errors.
    #expect(try (mine.mean(axis: 0) - Double(10 * label)).abs().max().item() < 0.45)
    #expect(try (mine.variance(axes: [0]) / 4 - 1).abs().max().item() < 0.35)
  }
}

private func kernelPrior(_ reference: LatentSet, _ bandwidth: Bandwidth = .factor(1e-3)) throws -> KernelDensityPrior {
  var config = KernelDensityPrior.Config()
  config.bandwidth = bandwidth
  let prior = try KernelDensityPrior(config, in: context())
  try prior.fit(reference)
  return prior
}

@Test func samplersUseTheKernelsOfTheirPrior() throws {
  let reference = try reference()
  let prior = try kernelPrior(reference)
  /// How far draws are from the nearest training latent.
  func distance(_ draw: Draw) throws -> Double {
    try draw.latents.distances(to: reference.latents).min(axis: 1).max().item()
  }
  // A thousandth of a deviation of about 0.5, in three dimensions.
  #expect(try distance(draw([0, 1, 2], count: 3, from: reference, prior: prior)) < 0.01)
  #expect(try distance(draw([0, 1, 2], count: 3, from: reference, prior: prior) { $0.target = .prior }) < 0.01)
  #expect(
    try distance(draw(Array(repeating: 2, count: 30), count: 30, from: reference, prior: prior) { $0.target = .kde })
      > 0.1)
  let request = DrawRequest(
    labels: try Tensor([0, 1, 2] as [Int64]), count: 3, latentSize: 3, prior: prior, reference: reference)
  var generator = try Generator(seed: 3)
  #expect(try distance(KernelDensitySampler(.init(), in: context()).draw(request, using: &generator)) < 0.01)
  #expect(try distance(GibbsSampler(.init(), in: context()).draw(request, using: &generator)) < 0.01)
}

@Test func exactDrawsAndSweepsAreOfTheClassThatWasAsked() throws {
  let labels: [Int64] = (0..<400).map { [3, 0, 2, 1][$0 % 4] }
  let reference = try reference()
  let request = DrawRequest(
    labels: try Tensor(labels), count: 400, latentSize: 3, prior: FlatPrior(), reference: reference)
  var generator = try Generator(seed: 3)
  let exact = try KernelDensitySampler(.init(), in: context()).draw(request, using: &generator)
  let swept = try GibbsSampler(.init(), in: context()).draw(request, using: &generator)
  for draw in [exact, swept] {
    let found = try (draw.latents.mean(axis: 1) / 10 + 0.5).floor().ints()
    #expect(found == labels.map(Int.init))
  }
  #expect(exact.diagnostics.isEmpty && exact.warnings.isEmpty)
  #expect(
    swept.diagnostics.map(\.name) == [
      "largest split R-hat", "smallest bulk effective sample size", "longest autocorrelation time",
    ])
}

/// README's line of the authors' code: the consecutive states of one walk that rejects nothing.
@Test func theAuthorsWalkGivesItsConsecutiveStates() throws {
  let count = 1000
  func walk(steps: Int) throws -> Tensor {
    let states = try draw(Array(repeating: 2, count: count), count: count, from: reference(dtype: .float64)) {
      ($0.rule, $0.threshold, $0.proposal) = (.threshold, .density(0), .variance(0.2))
      ($0.warmUp, $0.chains, $0.steps, $0.thinning) = (0, 1, steps, 1)
    }.latents
    return try states.slice(1..<count) - states.slice(0..<count - 1)
  }
  // 3 x 999 squares of N(0, 0.2): their mean has a standard deviation of 0.005.
  #expect(abs(try walk(steps: 1).square().mean().item() - 0.2) < 0.02)
  // Ten times as many steps lie ten steps apart.
  #expect(abs(try walk(steps: 10 * count).square().mean().item() - 2) < 0.3)
}

@Test func thresholdKeepsDrawsInsideTheLevelSet() throws {
  let reference = try reference(dtype: .float64)
  let density = try KernelDensity(of: reference.latents(of: 2))
  let lowest = try density.logDensity(reference.latents(of: 2)).doubles().sorted()[40]
  let labels = Array(repeating: Int64(2), count: 300)
  let inside = try draw(labels, count: 300, from: reference) { ($0.rule, $0.threshold) = (.threshold, .quantile(0.2)) }
  #expect(try density.logDensity(inside.latents).min().item() >= lowest - 1e-9)
  let followed = try draw(labels, count: 300, from: reference)
  #expect(try density.logDensity(followed.latents).min().item() < lowest)
  // The authors' threshold is never positive: nothing is rejected, and chains wander off.
  let wandering = try draw(labels, count: 300, from: reference) {
    ($0.rule, $0.threshold, $0.proposal, $0.warmUp) = (.threshold, .density(0), .variance(0.2), 0)
  }
  #expect(wandering.diagnostics.first == Measured("acceptance rate", 100, unit: "%"))
  #expect {
    try draw(labels, count: 1, from: reference) { ($0.rule, $0.threshold) = (.threshold, .density(1e9)) }
  } throws: {
    "\($0)".contains("class 2: no training latent reaches the density") && "\($0)".contains("lower it")
  }
}

/// The classes are walked side by side, and the shorter one's points are repeated for it: its quantile must not count them.
@Test func aQuantileIsOfTheClassesOwnLatentsWhereAnotherClassHasMore() throws {
  var generator = try Generator(seed: 7)
  let outliers = try Tensor([8.0, 0, -8, 1, 0, 9], shape: [3, 2])
  let few = try Tensor.concatenate([outliers, generator.normal([4, 2], dtype: .float64) * 0.1])
  let many = try generator.normal([10, 2], dtype: .float64) + 40
  let reference = LatentSet(
    latents: try .concatenate([many, few]),
    labels: try Tensor(Array(repeating: 0, count: 10) + Array(repeating: 1, count: 7)))
  // The fourth of seven; were the outliers counted twice, it would be one of them.
  let density = try KernelDensity(of: few)
  let lowest = try density.logDensity(few).doubles().sorted()[3]
  let draws = try draw(Array(repeating: 0, count: 40) + Array(repeating: 1, count: 40), count: 80, from: reference) {
    ($0.rule, $0.threshold, $0.warmUp, $0.steps) = (.threshold, .quantile(0.5), 0, 10)
  }
  #expect(try density.logDensity(draws.latents.slice(40..<80)).min().item() >= lowest - 1e-9)
}
