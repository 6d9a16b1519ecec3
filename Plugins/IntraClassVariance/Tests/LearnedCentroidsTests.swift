import Foundation
import IntraClassVariance
import LatentKit
import TestSupport
import Testing

private func prior(
  classes: Int = 3, latent: Int = 4, store: ParameterStore = ParameterStore(),
  _ change: (inout LearnedCentroids.Config) -> Void
) throws -> LearnedCentroids {
  var config = LearnedCentroids.Config()
  change(&config)
  return try LearnedCentroids(config, in: context(classes: classes, latent: latent, title: "prior", store: store))
}

/// Seven latents of classes 0 and 2; class 1 has none.
private func batch() throws -> (latents: Tensor, labels: [Int]) {
  var generator = try Generator(seed: 2)
  return (try generator.normal([7, 4], dtype: .float64), [2, 0, 2, 2, 0, 2, 0])
}

private func updated(_ prior: LearnedCentroids, labelled: [Bool]? = nil) throws -> [[Double]] {
  let (latents, labels) = try batch()
  let mask = try labelled.map { try Tensor($0.map { Int64($0 ? 1 : 0) }) .!= 0 }
  try prior.update(
    after: forward(latents, Tensor(labels.map(Int64.init)), labelled: mask, prior: prior))
  return try rows(prior.centroids)
}

private func expectEqual(_ a: [[Double]], _ b: [[Double]]) {
  for (a, b) in zip(a.joined(), b.joined()) { #expect(abs(a - b) < 1e-12) }
}

@Test(arguments: [LearnedCentroids.Denominator.count, .countPlusOne])
func miniBatchUpdateAgreesWithALoop(denominator: LearnedCentroids.Denominator) throws {
  let prior = try prior { ($0.update, $0.rate, $0.denominator) = (.batch, 0.3, denominator) }
  var expected = try rows(prior.centroids)
  let (latents, labels) = try batch()
  let points = try rows(latents)
  for k in [0, 2] {
    let members = labels.indices.filter { labels[$0] == k }
    for axis in 0..<4 {
      let c = expected[k][axis]
      let sum = members.reduce(0.0) { $0 + points[$1][axis] }
      let n = Double(members.count)
      expected[k][axis] =
        denominator == .count ? (1 - 0.3) * c + 0.3 / n * sum : c - 0.3 * (n * c - sum) / (1 + n)
    }
  }
  expectEqual(try updated(prior), expected)
}

@Test func sampleBySampleUpdateFollowsTheBatchsOrder() throws {
  let prior = try prior { ($0.update, $0.rate) = (.sample, 0.2) }
  var expected = try rows(prior.centroids)
  let (latents, labels) = try batch()
  for (point, k) in zip(try rows(latents), labels) {
    expected[k] = zip(expected[k], point).map { 0.8 * $0 + 0.2 * $1 }
  }
  expectEqual(try updated(prior), expected)
}

@Test(arguments: [LearnedCentroids.Update.batch, .sample])
func aClassWithoutLatentsKeepsItsCentroidAndHiddenLabelsDoNotCount(update: LearnedCentroids.Update) throws {
  let prior = try prior { $0.update = update }
  let before = try rows(prior.centroids)
  // The latents of class 0 have no label.
  let after = try updated(prior, labelled: [true, false, true, true, false, true, false])
  #expect(after[0] == before[0] && after[1] == before[1])
  #expect(square(after[2], before[2]) > 1e-3)
  let none = try updated(prior, labelled: Array(repeating: false, count: 7))
  #expect(none == after)
}

@Test func aRateOfOneReplacesTheCentroid() throws {
  let (latents, labels) = try batch()
  let points = try rows(latents)
  let last = try updated(prior { ($0.update, $0.rate) = (.sample, 1) })
  expectEqual([last[0], last[2]], [points[6], points[5]])
  let means = try updated(prior { ($0.update, $0.rate) = (.batch, 1) })
  let members = labels.indices.filter { labels[$0] == 0 }
  expectEqual([means[0]], [(0..<4).map { axis in members.reduce(0) { $0 + points[$1][axis] } / 3 }])
}

@Test(arguments: [1.0, 10]) func theHadamardLayersConstantIsTheFactorOfAdamsSteps(rate: Double) throws {
  let store = ParameterStore()
  let prior = try prior(store: store) { $0.rate = rate }
  #expect(store.parameters.map(\.name) == ["part.centroids"] && store.parameters[0].role == .weight)
  let before = try rows(prior.centroids.detached())
  let (latents, labels) = try batch()
  let pass = try forward(latents, Tensor(labels.map(Int64.init)), prior: prior)
  let loss = try IntraClassVarianceLoss(NoConfig(), in: context()).terms(pass, under: prior)[0].value * 0.05
  let gradients = try loss.gradients(by: [store.parameters[0].tensor])
  try Adam(store.parameters).step(gradients, learningRate: 0.001)
  let after = try rows(prior.centroids.detached())
  // Adam's first step has the learning rate's length in every coordinate, whatever weighs the loss.
  for k in [0, 2] { for axis in 0..<4 { #expect(abs(abs(after[k][axis] - before[k][axis]) - 0.001 * rate) < 1e-6) } }
  #expect(after[1] == before[1])
  // It goes towards the latents.
  let target = try latents.select(1).doubles()[0] + latents.select(4).doubles()[0] + latents.select(6).doubles()[0]
  #expect((after[0][0] - before[0][0]) * (target / 3 - before[0][0]) > 0)
  // The other updates leave it alone.
  try prior.update(after: pass)
  #expect(try rows(prior.centroids.detached()) == after)
}

@Test(arguments: [LearnedCentroids.Update.gradient, .batch])
func firstCentroidsHaveTheDeviationAskedFor(update: LearnedCentroids.Update) throws {
  func made() throws -> Tensor {
    try prior(classes: 500, latent: 20) { ($0.update, $0.start) = (update, 3) }.centroids.detached()
  }
  let centroids = try made()
  // 10,000 values: five standard errors.
  #expect(abs(try centroids.square().mean().item() - 9) < 9 * 5 * 0.0142)
  // The same seed gives the same centroids.
  #expect(try made().doubles() == centroids.doubles())
}

@Test func densityIsThatOfTheClassOrTheEqualMixture() throws {
  let prior = try prior { $0.deviation = 0.7 }
  var generator = try Generator(seed: 9)
  let latents = try generator.normal([5, 4], dtype: .float64)
  let centres = try rows(prior.centroids.detached())
  func density(_ z: [Double], _ k: Int) -> Double {
    exp(-square(z, centres[k]) / (2 * 0.49)) / pow(2 * Double.pi * 0.49, 2)
  }
  let labels: [Int64] = [0, 1, 2, 1, 0]
  let known = try prior.logDensity(latents, labels: Tensor(labels)).doubles()
  let any = try prior.logDensity(latents, labels: nil).doubles()
  for (row, z) in try rows(latents).enumerated() {
    #expect(abs(known[row] - log(density(z, Int(labels[row])))) < 1e-10)
    #expect(abs(any[row] - log((0..<3).reduce(0) { $0 + density(z, $1) } / 3)) < 1e-10)
  }
}

@Test func drawsLieAroundTheirCentroids() throws {
  let prior = try prior { _ in }
  var generator = try Generator(seed: 3)
  let request = DrawRequest(
    labels: try .full([4000], 2, dtype: .int64), count: 4000, latentSize: 4, prior: prior)
  let draw = try prior.draw(request, using: &generator)
  let offsets = try draw.latents - prior.centroids.detached().select(2)
  #expect(draw.followsLabels && !draw.latents.requiresGradient)
  #expect(try offsets.mean(axis: 0).abs().max().item() < 5 * 0.2 / 63)
  #expect(abs(try offsets.square().mean().item() - 0.04) < 0.002)
}

@Test func ratesAndDenominatorsThatDoNotFitAreRefused() {
  #expect(
    message { _ = try prior { ($0.update, $0.rate) = (.batch, 1.5) } }
      == "prior: found a rate of 1.5 for update 'batch', expected one above 0, up to 1")
  #expect(
    message { _ = try prior { $0.denominator = .countPlusOne } }.contains("is for update 'batch', found 'gradient'"))
}
