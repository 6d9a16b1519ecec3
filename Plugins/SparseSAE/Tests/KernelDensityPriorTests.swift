import Foundation
import LatentKit
import Statistics
import Testing

@testable import SparseSAE

private func context() throws -> BuildContext {
  BuildContext(inputShape: [8], classCount: 3, latentSize: 2, scope: try Scope(path: "prior"), title: "prior 'kde'")
}

/// Classes 0 and 1 of 30 and 10 latents, and one latent of class 2.
private func latents() throws -> LatentSet {
  var generator = try Generator(seed: 1)
  let parts = try [
    generator.normal([30, 2], dtype: .float64), generator.normal([10, 2], dtype: .float64) * 0.3 + 4,
    generator.normal([1, 2], dtype: .float64),
  ]
  let labels = zip([30, 10, 1], 0...).flatMap { Array(repeating: Int64($1), count: $0) }
  return LatentSet(latents: try .concatenate(parts), labels: try Tensor(labels))
}

private func fitted(_ change: (inout KernelDensityPrior.Config) -> Void = { _ in }) throws -> KernelDensityPrior {
  var config = KernelDensityPrior.Config()
  change(&config)
  let prior = try KernelDensityPrior(config, in: context())
  try prior.fit(latents())
  return prior
}

private func places() throws -> Tensor { try Tensor([0.0, 0.5, 4, 4, -1, 2], shape: [3, 2]) }

@Test func eachClassHasItsOwnDensity() throws {
  let found = try fitted().logDensity(places(), labels: Tensor([1, 0, 1] as [Int64])).doubles()
  for (row, label) in [1, 0, 1].enumerated() {
    let expected = try KernelDensity(of: latents().latents(of: label)).logDensity(places()).doubles()[row]
    #expect(abs(found[row] - expected) < 1e-12)
  }
}

@Test func withoutLabelsClassesAreMixedByTheirShares() throws {
  let prior = try fitted()
  let found = try prior.logDensity(places(), labels: nil).doubles()
  for row in 0..<3 {
    let sum = try zip([30.0, 10, 1], [0, 1, 2] as [Int64]).reduce(0.0) { sum, part in
      sum
        + part.0 / 41
        * exp(try prior.logDensity(places(), labels: Tensor([part.1, part.1, part.1])).doubles()[row])
    }
    #expect(abs(found[row] - log(sum)) < 1e-12)
  }
  let whole = try fitted { $0.perClass = false }
  let expected = try KernelDensity(of: latents().latents).logDensity(places())
  #expect(try (whole.logDensity(places(), labels: nil) - expected).abs().max().item() < 1e-12)
  #expect(try (whole.logDensity(places(), labels: Tensor([0, 1, 2] as [Int64])) - expected).abs().max().item() < 1e-12)
}

private func request(_ count: Int, _ labels: [Int64]?, of prior: any Prior) throws -> DrawRequest {
  DrawRequest(labels: try labels.map { try Tensor($0) }, count: count, latentSize: 2, prior: prior)
}

@Test func drawsFollowClassesAndShares() throws {
  let prior = try fitted()
  var generator = try Generator(seed: 2)
  let labels = (0..<3000).map { Int64($0 % 2) }
  let following = try prior.draw(request(3000, labels, of: prior), using: &generator)
  let drawn = following.latents
  #expect(drawn.shape == [3000, 2] && drawn.dtype == .float64 && following.followsLabels)
  let ones = try drawn.rows((0..<3000).filter { labels[$0] == 1 })
  let mean = try (ones.mean(axis: 0) - latents().latents(of: 1).mean(axis: 0)).abs().max().item()
  // 1,500 draws of a deviation of about 0.4: five standard errors.
  #expect(mean < 0.06)
  let any = try prior.draw(request(4000, nil, of: prior), using: &generator)
  let free = try any.latents.mean(axis: 1).doubles()
  #expect(!any.followsLabels)
  // Class 1 has 10 of 41 latents and lies beyond 3; five standard errors.
  #expect(abs(Double(free.count { $0 > 3 }) / 4000 - 10.0 / 41) < 0.04)
  #expect(try prior.draw(request(0, nil, of: prior), using: &generator).latents.shape == [0, 2])
}

@Test func densityHasAGradientForLosses() throws {
  let prior = try fitted()
  let z = try places()
  try z.requiringGradient()
  let gradient = try #require(
    try prior.logDensity(z, labels: Tensor([0, 1, 0] as [Int64])).sum().gradients(by: [z])[0]
  ).doubles()
  let values = try places().doubles()
  for index in values.indices {
    func sum(_ step: Double) throws -> Double {
      var moved = values
      moved[index] += step
      return try prior.logDensity(Tensor(moved, shape: [3, 2]), labels: Tensor([0, 1, 0] as [Int64])).sum().item()
    }
    let slope = try (sum(1e-5) - sum(-1e-5)) / 2e-5
    #expect(abs(gradient[index] - slope) < 1e-6 * max(1, abs(slope)))
  }
}

@Test func aPriorThatHasNotLearnedSaysSo() throws {
  let prior = try KernelDensityPrior(.init(), in: context())
  #expect {
    try prior.logDensity(places(), labels: nil)
  } throws: {
    "\($0)".hasPrefix("prior 'kde' has learned nothing yet: it is fitted at the end of a stage")
  }
}

@Test func whatCannotBeLearnedIsRefused() throws {
  #expect {
    try fitted().logDensity(places(), labels: Tensor([0, 7, 0] as [Int64]))
  } throws: {
    "\($0)".contains("no training latents of class 7")
  }
  let prior = try KernelDensityPrior(.init(), in: context())
  #expect(throws: RecipeError.self) { try prior.fit(LatentSet(latents: .ones([4, 2]), labels: nil)) }
  #expect(throws: RecipeError.self) { try prior.fit(LatentSet(latents: .full([4, 2], .nan), labels: nil)) }
  #expect(throws: RecipeError.self) { try fitted { $0.folds = 1 } }
}

@Test(arguments: KernelShape.allCases) func fewLatentsOfAClassAreEnough(shape: KernelShape) throws {
  for bandwidth in [Bandwidth.scott, .crossValidated] {
    let prior = try fitted { ($0.covariance, $0.bandwidth) = (shape, bandwidth) }
    #expect(try prior.logDensity(places(), labels: Tensor([2, 2, 1] as [Int64])).isFinite().all())
  }
}

@Test func onePriorForAllClassesGivesDrawsOfNone() throws {
  let prior = try fitted { $0.perClass = false }
  var generator = try Generator(seed: 3)
  let drawn = try prior.draw(request(4000, Array(repeating: 1, count: 4000), of: prior), using: &generator)
  #expect(!drawn.followsLabels)
  // Class 1, beyond 3, has 10 of 41 latents; the kernels of all are wider than those of each.
  #expect(try (drawn.latents.mean(axis: 1) .> 3).to(.float64).mean().item() < 0.5)
}

/// `latents()` with labels hidden, among others that are far away.
private func partlyLabelled() throws -> LatentSet {
  let known = try latents()
  let far = try Tensor.full([9, 2], 100, dtype: .float64)
  let labels = try Tensor.concatenate([Tensor(Array(repeating: Int64(0), count: 9)), #require(known.labels)])
  return LatentSet(
    latents: try .concatenate([far, known.latents]), labels: labels, labelled: try .range(0, 50) .>= 9)
}

@Test func latentsWhoseLabelIsHiddenBelongToNoClass() throws {
  let prior = try KernelDensityPrior(.init(), in: context())
  try prior.fit(partlyLabelled())
  for labels in [[0, 0, 0], [1, 1, 1], nil] as [[Int64]?] {
    let labels = try labels.map { try Tensor($0) }
    #expect(
      try prior.logDensity(places(), labels: labels).doubles()
        == fitted().logDensity(places(), labels: labels).doubles())
  }
  // What needs no labels learns from all.
  var config = KernelDensityPrior.Config()
  config.perClass = false
  let whole = try KernelDensityPrior(config, in: context())
  try whole.fit(partlyLabelled())
  let expected = try KernelDensity(of: partlyLabelled().latents).logDensity(places()).doubles()
  #expect(try whole.logDensity(places(), labels: nil).doubles() == expected)
}

@Test func settingsOfThePriorOutOfTheirRangeAreRefusedWithIt() {
  func message(_ settings: [String: Value]) -> String {
    do { _ = try KernelDensityPrior.Config(settings, at: "prior.with") } catch { return "\(error)" }
    return "nothing thrown"
  }
  #expect(message(["bandwidth": -1]) == "prior.with.bandwidth: found -1, expected 1e-9 to 1000000000")
  #expect(message(["bandwidth": 1e300]).hasPrefix("prior.with.bandwidth: found 1e+300, expected"))
  #expect(message(["folds": -2]) == "prior.with.folds: found -2, expected 0 to 1000000000")
  #expect(message(["bandwidth": "scott", "folds": 3]) == "nothing thrown")
}
