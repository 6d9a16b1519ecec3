import CSAE
import LatentKit
import TestSupport
import Testing

/// The noise on latents of 40 dimensions that are 0, Float64.
private func noise(under prior: (any Prior)? = nil, _ change: (inout ScaledGaussianNoise.Config) -> Void = { _ in })
  throws -> Tensor
{
  var config = ScaledGaussianNoise.Config()
  change(&config)
  var context = try context(latent: 40)
  let latents = try Tensor.zeros([5000, 40], dtype: .float64)
  if let prior { context.model = Model(encoder: FixedEncoder(latents), prior: prior) }
  var generator = try Generator(seed: 1)
  return try ScaledGaussianNoise(config, in: context).perturb(LatentBatch(latents), using: &generator)
}

@Test func noiseHasTheDeviationOfEquation11() throws {
  let moved = try noise()
  // 0.04² · 40 = 0.064; the estimate over 200,000 values has a standard error of 0.0002.
  #expect(abs(try moved.square().mean().item() - 0.064) < 0.001)
  #expect(abs(try moved.mean().item()) < 0.003)
}

@Test func noiseIsAddedToTheLatents() throws {
  var config = ScaledGaussianNoise.Config()
  var generator = try Generator(seed: 1)
  let latents = try generator.normal([5000, 40], dtype: .float64)
  generator = try Generator(seed: 1)
  let moved = try ScaledGaussianNoise(config, in: context(latent: 40))
    .perturb(LatentBatch(latents), using: &generator)
  #expect(try moved.doubles() == (latents + noise()).doubles())
  config.beta = 0
  let still = try ScaledGaussianNoise(config, in: context(latent: 40))
    .perturb(LatentBatch(latents), using: &generator)
  #expect(try still.doubles() == latents.doubles())
}

/// `α` of eq. 11 is that of the centroids (eq. 5), unless set.
@Test func noiseFollowsThePriorsScale() throws {
  let ten = try PEDCC(PEDCC.Config(["scale": 10], at: "prior.with"), in: context(latent: 40))
  let plain = try noise()
  #expect(abs(try noise(under: ten).square().mean().item() - 0.16) < 0.0025)  // (0.04 · 10)², five standard errors
  #expect(try noise(under: PEDCC(PEDCC.Config(), in: context(latent: 40))).doubles() == plain.doubles())
  #expect(try noise(under: FlatPrior()).doubles() == plain.doubles())
  let set = try noise(under: ten) { $0.scale = 40.0.squareRoot() }
  #expect(try set.doubles() == plain.doubles())
}

private func draw(_ labels: [Int64]?, count: Int, from reference: LatentSet, seed: UInt64 = 1) throws -> Draw {
  let request = DrawRequest(
    labels: try labels.map { try Tensor($0) }, count: count, latentSize: try reference.latents.size(1),
    prior: FlatPrior(),
    reference: reference)
  var generator = try Generator(seed: seed)
  return try ClassGaussianSampler(NoConfig(), in: context()).draw(request, using: &generator)
}

/// Correlated latents of two classes.
private func reference() throws -> LatentSet {
  var generator = try Generator(seed: 2)
  let mixing = try Tensor([2.0, 0, 0, 1, 1, 0, -1, 0.5, 0.3], shape: [3, 3])
  let first = try generator.normal([300, 3], dtype: .float64).matmul(mixing)
  let second = try generator.normal([300, 3], dtype: .float64) * 0.2 + 5
  return LatentSet(
    latents: try .concatenate([first, second]),
    labels: try .concatenate([.zeros([300], dtype: .int64), .ones([300], dtype: .int64)]))
}

@Test func classGaussianDrawsHaveTheMomentsOfTheirClass() throws {
  let reference = try reference()
  let count = 60_000
  let labels = (0..<count).map { Int64($0 % 3 == 0 ? 0 : 1) }
  let result = try draw(labels, count: count, from: reference)
  #expect(result.followsLabels)
  let latents = result.latents
  for label in 0..<2 {
    let rows = labels.indices.filter { labels[$0] == Int64(label) }
    let found = try latents.rows(rows)
    let trained = try reference.latents(of: label)
    let offsets = try trained - trained.mean(axis: 0, keep: true)
    let covariance = try offsets.transposed().matmul(offsets) / 299
    let moved = try found - trained.mean(axis: 0, keep: true)
    let spread = try covariance.diagonal().max().item()
    #expect(try moved.mean(axis: 0).abs().max().item() < 5 * (spread / Double(rows.count)).squareRoot())
    let difference = try moved.transposed().matmul(moved) / Double(rows.count) - covariance
    #expect(try difference.abs().max().item() < 0.05 * spread)
  }
}

@Test func classGaussianDrawsStayInTheSpanOfFewLatents() throws {
  // Three latents in five dimensions: their covariance has rank 2.
  var generator = try Generator(seed: 3)
  let latents = try generator.normal([3, 5], dtype: .float64)
  let result = try draw(nil, count: 50, from: LatentSet(latents: latents, labels: nil))
  #expect(!result.followsLabels)
  let drawn = result.latents
  let axes = try latents.slice(1..<3) - latents.slice(0..<1)
  let offsets = try drawn - latents.slice(0..<1)
  // What is left of each draw after its projection onto the span.
  let projection = try axes.transposed().matmul(axes.matmul(axes.transposed()).inverse()).matmul(axes)
  #expect(try (offsets - offsets.matmul(projection)).abs().max().item() < 1e-6)
  #expect(try offsets.abs().max().item() > 0.1)
}

@Test func aClassOfOneLatentRepeatsItAndSaysSo() throws {
  let reference = LatentSet(
    latents: try Tensor([1.0, 2, 5, 6, 7, 9], shape: [3, 2]), labels: try Tensor([4, 0, 0] as [Int64]))
  let result = try draw([4, 0, 4], count: 3, from: reference)
  #expect(try result.latents.select(0).doubles() == [1, 2])
  #expect(try result.latents.select(2).doubles() == [1, 2])
  #expect(
    result.warnings == [
      "class 4: the training latents have no spread, so that draws repeat one point; give more examples"
    ])
}

@Test func severalClassesWithoutSpreadAreOneWarning() throws {
  let reference = LatentSet(
    latents: try Tensor([1.0, 2, 5, 6, 7, 9, 5, 6], shape: [4, 2]), labels: try Tensor([4, 0, 2, 0] as [Int64]))
  let warnings = try draw([4, 0, 2], count: 3, from: reference).warnings
  #expect(warnings.count == 1 && warnings[0].hasPrefix("class 0, and 2 more like it: "))
}

@Test func classGaussianFollowsTheSeed() throws {
  let reference = try reference()
  let labels: [Int64] = [0, 1, 1, 0]
  let one = try draw(labels, count: 4, from: reference, seed: 1).latents.doubles()
  #expect(try one == draw(labels, count: 4, from: reference, seed: 1).latents.doubles())
  #expect(try one != draw(labels, count: 4, from: reference, seed: 2).latents.doubles())
}

private func metric(_ means: NearestClassMean.Means) throws -> NearestClassMean {
  var config = NearestClassMean.Config()
  config.means = means
  return try NearestClassMean(config, in: context(classes: 3, latent: 4))
}

@Test func accuracyByCentroidsCountsTheNearestOnes() throws {
  // 20 centroids of which the data have three classes: the others are never chosen.
  var config = PEDCC.Config()
  config.classes = 20
  let prior = try PEDCC(config, in: context(classes: 3, latent: 40))
  let centroids = prior.centroids
  // The last one is nearest to centroid 7, and of the classes there are, to 1.
  let between = try centroids.slice(7..<8) * 0.9 + centroids.slice(1..<2) * 0.5
  let latents = try Tensor.concatenate([centroids.rows([0, 1, 2, 2]), between])
  let measured = LatentSet(latents: latents, labels: try Tensor([0, 1, 2, 0, 1] as [Int64]))
  let found = try metric(.auto).finish(evaluation(measured, prior))
  #expect(found == [Measured("nearest-class-mean accuracy", 80, unit: "%")])
}

@Test func accuracyByTrainingMeansCountsTheNearestOnes() throws {
  let training = LatentSet(
    latents: try Tensor([0.0, 0, 2, 0, 10, 10, -10, 4], shape: [4, 2]), labels: try Tensor([0, 0, 1, 2] as [Int64]))
  let measured = LatentSet(
    latents: try Tensor([1.0, 1, 9, 9, -9, 3, 0, 0], shape: [4, 2]), labels: try Tensor([0, 1, 2, 1] as [Int64]))
  for means in [NearestClassMean.Means.auto, .training] {
    #expect(try metric(means).finish(evaluation(measured, FlatPrior(), training: training))[0].value == 75)
  }
  #expect(
    message { _ = try metric(.centroids).finish(evaluation(measured, FlatPrior())) }.contains("FlatPrior has none"))
}

@Test func accuracyByTheNearestMeanIsOfTheLabelledExamples() throws {
  let training = LatentSet(
    latents: try Tensor([0.0, 0, 9, 9, -9, 9], shape: [3, 2]), labels: try Tensor([0, 1, 2] as [Int64]))
  let measured = LatentSet(
    latents: try Tensor([1.0, 1, 9, 9, -9, 3], shape: [3, 2]), labels: try Tensor([0, 2, 2] as [Int64]),
    labelled: try Tensor([1, 0, 1] as [Int64]) .!= 0)
  // The second, which is nearest to another mean, has no label.
  #expect(try metric(.training).finish(evaluation(measured, training: training))[0].value == 100)
}

@Test func everyPartIsInTheCatalogAndItsCompanionsExist() throws {
  let catalog = try Catalog([CSAEPlugin.self])
  let companions = try catalog[.prior]["pedcc"].companions
  #expect(companions.parts == [.noise: "scaled-gaussian", .sampler: "class-gaussian"])
  for (slot, part) in companions.parts { _ = try catalog.description(of: slot, part.use) }
  #expect(companions.metrics.map(\.use) == ["nearest-class-mean"])
  #expect(companions.losses?.map(\.use) == ["centroid", "mse", "sobel"])
  for (slot, name) in [(Slot.encoder, "conditional-mlp"), (.decoder, "conditional-mlp"), (.metric, "centroid-angles")] {
    #expect(try catalog.description(of: slot, name).plugin == "CSAE")
  }
}

/// A part, a setting, what it is refused for and the range that is named.
private let nonsense: [(slot: Slot, part: String, setting: String, values: [Value], range: SettingRange)] = [
  (.prior, "pedcc", "classes", [0, 25_001, 1_000_000_000], .within(1...25_000)),
  (.prior, "pedcc", "scale", [1e200, 9e-16, -1], .within(1e-15...1e15)),
  (.prior, "pedcc", "deviation", [0, 1.1e15], .within(1e-15...1e15)),
  (.prior, "pedcc", "gamma", [0, -1, 1e300], .above(0, upTo: 1e6)),
  (.prior, "pedcc", "epsilon", [0, -1, 2.5], .within(1e-9...2)),
  (.prior, "pedcc", "iterations", [0, 20_000_000], .within(1...1e7)),
  (.prior, "pedcc", "tolerance", [-1, 2], .within(0...1)),
  (.prior, "pedcc", "restarts", [-1, 1001], .within(0...1000)),
  (.noise, "scaled-gaussian", "beta", [-0.1, 1.5], .within(0...1)),
  (.noise, "scaled-gaussian", "scale", [-1, 1e200], .within(0...1e15)),
  (.encoder, "conditional-mlp", "latent", [0], .within(1...1_000_000)),
  (.decoder, "conditional-mlp", "hidden", [[0]], .within(1...1_000_000).each(count: 0...64)),
  (.encoder, "pooled-resnet", "widths", [[], [0]], .within(1...1_000_000).each(count: 1...16)),
]

@Test func settingsOutOfRangeAreRefusedWithTheRange() throws {
  let catalog = try Catalog([CSAEPlugin.self])
  for (slot, part, setting, values, range) in nonsense {
    let description = try catalog.description(of: slot, part)
    for value in values {
      #expect(
        message { _ = try description.resolved([setting: value], at: "part.with") }
          == "part.with.\(setting): found \(value.text), expected \(range.text)")
    }
  }
}

@Test func everyNumberHasARange() throws {
  let catalog = try Catalog([CSAEPlugin.self])
  for part in Slot.all.flatMap({ catalog.descriptions(of: $0) }) {
    for setting in part.settings where setting.choices == nil {
      #expect(setting.range != nil, "\(part.name).\(setting.name)")
    }
  }
}
