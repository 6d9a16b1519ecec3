import LatentKit
import SparseSAE
import Statistics
import Testing

private func context() throws -> BuildContext {
  BuildContext(
    inputShape: [1, 8, 8], classCount: 3, latentSize: 3, scope: try Scope(path: "sampler"), title: "sampler 'x'")
}

/// Classes 0, 1 and 2 around 0, 10 and 20, of 60, 30 and 90 latents.
private func reference() throws -> LatentSet {
  var generator = try Generator(seed: 1)
  let sizes = [60, 30, 90]
  let latents = try sizes.enumerated().map { try generator.normal([$1, 3]) * 0.5 + Double(10 * $0) }
  return LatentSet(
    latents: try .concatenate(latents),
    labels: try Tensor(sizes.enumerated().flatMap { Array(repeating: Int64($0), count: $1) }))
}

private func prior(_ change: (inout KernelDensityPrior.Config) -> Void) throws -> KernelDensityPrior {
  var config = KernelDensityPrior.Config()
  change(&config)
  let prior = try KernelDensityPrior(config, in: context())
  try prior.fit(reference())
  return prior
}

/// The three samplers with the same settings.
private func samplers(
  target: WalkTarget = .auto, bandwidth: Bandwidth = .scott, covariance: KernelShape = .full, maximumPoints: Int? = nil
) throws -> [any Sampler] {
  var exact = KernelDensitySampler.Config()
  (exact.target, exact.bandwidth, exact.covariance) = (target, bandwidth, covariance)
  exact.maximumPoints = maximumPoints
  var walk = MetropolisHastingsSampler.Config()
  (walk.target, walk.bandwidth, walk.covariance) = (target, bandwidth, covariance)
  (walk.maximumPoints, walk.warmUp, walk.steps) = (maximumPoints, 100, 600)
  var sweep = GibbsSampler.Config()
  (sweep.target, sweep.bandwidth, sweep.covariance) = (target, bandwidth, covariance)
  sweep.maximumPoints = maximumPoints
  return [
    try KernelDensitySampler(exact, in: context()), try MetropolisHastingsSampler(walk, in: context()),
    try GibbsSampler(sweep, in: context()),
  ]
}

private func draw(_ sampler: any Sampler, _ labels: [Int64]?, under prior: any Prior, count: Int = 300) throws -> Draw {
  let request = DrawRequest(
    labels: try labels.map { try Tensor($0) }, count: count, latentSize: 3, prior: prior, reference: try reference())
  var generator = try Generator(seed: 2)
  return try sampler.draw(request, using: &generator)
}

private let labels = (0..<300).map { Int64($0 % 3) }

/// Which class each draw is nearest to.
private func classes(of draw: Draw) throws -> [Int] { try (draw.latents.mean(axis: 1) / 10 + 0.5).floor().ints() }

/// How far draws are from the nearest training latent, at most; in Float64, as distances are differences of squares.
private func distance(_ draw: Draw) throws -> Double {
  try draw.latents.to(.float64).distances(to: reference().latents.to(.float64)).min(axis: 1).max().item()
}

@Test func aPriorWithoutClassesGivesDrawsOfTheClassThatWasAsked() throws {
  let whole = try prior { ($0.perClass, $0.bandwidth) = (false, .factor(1e-3)) }
  for sampler in try samplers() {
    let found = try draw(sampler, labels, under: whole)
    #expect(try classes(of: found) == labels.map(Int.init), "\(type(of: sampler))")
    #expect(try distance(found) < 0.01, "the prior's bandwidth, \(type(of: sampler))")
  }
}

@Test func aPriorWithoutClassesIsFollowedWhereNoneIsAskedOrItIsTheTarget() throws {
  // Along the line of the classes a kernel of the whole is 7 wide, one of a class 0.3.
  let whole = try prior { $0.perClass = false }
  let exact = try samplers()[0]
  #expect(try distance(draw(exact, nil, under: whole)) > 2)
  #expect(try distance(draw(exact, labels, under: whole)) < 2)
  for sampler in try samplers(target: .prior) { #expect(try distance(draw(sampler, labels, under: whole)) > 2) }
}

@Test func theTargetMeansTheSameToAllSamplers() throws {
  let narrow = try prior { $0.bandwidth = .factor(1e-3) }
  for target in [WalkTarget.auto, .prior, .kde] {
    for sampler in try samplers(target: target) {
      #expect(try (distance(draw(sampler, labels, under: narrow)) < 0.01) == (target != .kde), "\(type(of: sampler))")
    }
  }
}

@Test func settingsThatThePriorOverrulesAreTold() throws {
  let fitted = try prior { _ in }
  let sentence =
    "sampler.bandwidth, sampler.covariance, sampler.maximumPoints had no effect, as draws follow the kernels of prior 'kde'; set sampler.target to kde to use your own, or set those of the prior"
  for sampler in try samplers(bandwidth: .silverman, covariance: .diagonal, maximumPoints: 20) {
    #expect(try draw(sampler, [0, 1], under: fitted, count: 2).warnings.first == sentence)
  }
  func told(_ samplers: [any Sampler], under prior: any Prior = fitted) throws -> [String] {
    try samplers.flatMap { try draw($0, [0, 1], under: prior, count: 2).warnings }.filter { $0.contains("no effect") }
  }
  #expect(try told(samplers()).isEmpty, "defaults")
  #expect(try told(samplers(target: .kde, bandwidth: .silverman, maximumPoints: 20)).isEmpty)
  // Classes are estimated from so many points then, with the prior's bandwidth.
  let whole = try prior { $0.perClass = false }
  #expect(try told(samplers(maximumPoints: 20), under: whole).isEmpty)
  let half = try told(samplers(bandwidth: .factor(2), maximumPoints: 20), under: whole)
  #expect(half.count == 3 && half.allSatisfy { $0.hasPrefix("sampler.bandwidth had no effect") })
}

private struct OtherPrior: Prior {
  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor { try .zeros([latents.size(0)]) }
}

@Test func kernelsOfAPriorThatHasNoneAreRefusedBeforeTraining() throws {
  let found = try samplers(target: .prior).compactMap { $0 as? any SelectiveSampler }
  #expect(found.count == 2, "a walk takes any prior")
  for sampler in found {
    #expect {
      try sampler.check(OtherPrior())
    } throws: {
      "\($0)".hasPrefix("sampler 'x': target is prior") && "\($0)".contains("choose prior kde")
    }
    try sampler.check(prior { _ in })
  }
  for sampler in try samplers().compactMap({ $0 as? any SelectiveSampler }) { try sampler.check(OtherPrior()) }
}

@Test func sweepsThatHaveNotMixedNameTheSamplerThatNeedNotTo() throws {
  // Forty points in thirty dimensions: kernels hardly touch.
  var generator = try Generator(seed: 7)
  let reference = LatentSet(latents: try generator.normal([40, 30]), labels: nil)
  let request = DrawRequest(
    labels: nil, count: 60, latentSize: 30, prior: OtherPrior(), reference: reference)
  var config = GibbsSampler.Config()
  (config.chains, config.warmUp, config.steps) = (4, 10, 100)
  let warnings = try GibbsSampler(config, in: context()).draw(request, using: &generator).warnings
  #expect(warnings.count == 2)
  #expect(warnings.allSatisfy { $0.hasSuffix(", or draw with sampler kde, which is exact and independent") })
}

@Test func autocorrelationTimesCountAllStepsWhateverIsJudged() throws {
  func time(thinning: Int) throws -> Double {
    var config = MetropolisHastingsSampler.Config()
    (config.thinning, config.jumpEvery, config.steps) = (thinning, 0, 4000)
    let found = try draw(MetropolisHastingsSampler(config, in: context()), [0, 0], under: OtherPrior(), count: 2)
    return try #require(found.diagnostics.first { $0.name == "longest autocorrelation time" }?.value)
  }
  // The same walk: every step is judged, or every tenth.
  let (all, some) = (try time(thinning: 4), try time(thinning: 40))
  #expect(some != all && abs(some / all - 1) < 0.25)
}

private struct ClassPrior: Prior {
  let knowsClasses = true
  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor {
    let means = try (labels?.to(latents.dtype) ?? .zeros([latents.size(0)])).unsqueezed(1) * 10
    return try (latents - means).square().sum(axis: 1) * -0.5
  }
}

@Test func drawsFollowLabelsWhereTheDensityIsThatOfTheClass() throws {
  let (known, whole) = (try prior { _ in }, try prior { $0.perClass = false })
  for target in WalkTarget.allCases {
    for sampler in try samplers(target: target) {
      let comment: Comment = "\(target), \(type(of: sampler))"
      #expect(try draw(sampler, [0, 1], under: known, count: 2).followsLabels, comment)
      // One density for everything is the same for every class; `auto` and `kde` estimate the class then.
      #expect(try draw(sampler, [0, 1], under: whole, count: 2).followsLabels == (target != .prior), comment)
      for prior in [known, whole] {
        #expect(try !draw(sampler, nil, under: prior, count: 2).followsLabels, comment)
      }
    }
  }
}

@Test func walksOverAPriorFollowLabelsWhereItKnowsClasses() throws {
  let walk = try samplers(target: .prior)[1]
  #expect(try draw(walk, [0, 1], under: ClassPrior(), count: 2).followsLabels)
  #expect(try !draw(walk, nil, under: ClassPrior(), count: 2).followsLabels)
  // As the standard normal: it may be walked over, whatever the class that is asked for.
  #expect(try !draw(walk, [0, 1], under: OtherPrior(), count: 2).followsLabels)
}

@Test func latentsWhoseLabelIsHiddenAreNotDrawnFrom() throws {
  let known = try reference()
  let far = try Tensor.full([20, 3], 1000)
  let hidden = LatentSet(
    latents: try .concatenate([far, known.latents]),
    labels: try .concatenate([Tensor(Array(repeating: Int64(1), count: 20)), #require(known.labels)]),
    labelled: try .range(0, 200) .>= 20)
  func draws(_ sampler: any Sampler, from reference: LatentSet) throws -> [Double] {
    let request = DrawRequest(
      labels: try Tensor(labels), count: 300, latentSize: 3, prior: OtherPrior(), reference: reference)
    var generator = try Generator(seed: 2)
    return try sampler.draw(request, using: &generator).latents.doubles()
  }
  for sampler in try samplers() {
    #expect(try draws(sampler, from: hidden) == draws(sampler, from: known), "\(type(of: sampler))")
  }
}
