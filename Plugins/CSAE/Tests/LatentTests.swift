import CSAE
import LatentKit
import Testing

@Test func noiseHasTheDeviationOfEquation11() throws {
  let noise = try ScaledGaussianNoise(ScaledGaussianNoise.Config(), in: context(latent: 40))
  var generator = try Generator(seed: 1)
  let latents = try generator.normal([5000, 40], dtype: .float64)
  let moved = try noise.perturb(latents, using: &generator) - latents
  let variance = try moved.square().mean().item()
  // 0.04² · 40 = 0.064; the estimate over 200,000 values has a standard error of 0.0002.
  #expect(abs(variance - 0.064) < 0.001)
  #expect(abs(try moved.mean().item()) < 0.003)
}

@Test func noiseFollowsItsSettings() throws {
  var config = ScaledGaussianNoise.Config()
  (config.beta, config.scale) = (0, 3)
  var generator = try Generator(seed: 1)
  let latents = try Tensor.ones([2, 40])
  let still = try ScaledGaussianNoise(config, in: context(latent: 40)).perturb(latents, using: &generator)
  #expect(try still.doubles() == latents.doubles())
  config.beta = 1.5
  #expect(
    message { _ = try ScaledGaussianNoise(config, in: context(title: "noise 'scaled-gaussian'")) }
      == "noise 'scaled-gaussian': beta is 1.5, expected 0 to 1")
}

/// `α` of the noise is a setting of its own: the help of both parts says so, and what `scale` is taken.
@Test func noiseTakesItsOwnScaleAndBothPartsSayIt() throws {
  var config = ScaledGaussianNoise.Config()
  config.scale = 10
  var generator = try Generator(seed: 1)
  let latents = try Tensor.zeros([5000, 40], dtype: .float64)
  let moved = try ScaledGaussianNoise(config, in: context(latent: 40)).perturb(latents, using: &generator)
  #expect(abs(try moved.square().mean().item() - 0.16) < 0.0025)  // (0.04 · 10)², five standard errors
  let help = { (pairs: KeyValuePairs<String, String>) in pairs.first { $0.key == "scale" }?.value ?? "" }
  #expect(help(ScaledGaussianNoise.Config.help).contains("Does not follow prior.scale: set both."))
  #expect(help(PEDCC.Config.help).contains("noise.scale does not follow: set both."))
  for scale in [-1, 1e200, .nan] {
    config.scale = scale
    #expect(
      message { _ = try ScaledGaussianNoise(config, in: context(title: "noise 'scaled-gaussian'")) }
        == "noise 'scaled-gaussian': scale is \(scale), expected 0 to 1e15; leave it out for sqrt(latent)")
  }
}

private func draw(_ labels: [Int64]?, count: Int, from reference: LatentSet, seed: UInt64 = 1) throws -> Draw {
  let request = DrawRequest(
    labels: try labels.map { try Tensor($0) }, count: count, latentSize: reference.latents.size(1), prior: FlatPrior(),
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
  let latents = try draw(labels, count: count, from: reference).latents
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
  let drawn = try draw(nil, count: 50, from: LatentSet(latents: latents, labels: nil)).latents
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
  #expect(result.warnings.count == 1 && result.warnings[0].hasPrefix("class 4 has 1 training latents"))
}

@Test func classGaussianFollowsTheSeed() throws {
  let reference = try reference()
  let labels: [Int64] = [0, 1, 1, 0]
  let one = try draw(labels, count: 4, from: reference, seed: 1).latents.doubles()
  #expect(try one == draw(labels, count: 4, from: reference, seed: 1).latents.doubles())
  #expect(try one != draw(labels, count: 4, from: reference, seed: 2).latents.doubles())
}

private func evaluation(_ measured: LatentSet, _ prior: any Prior, training: LatentSet? = nil) -> Evaluation {
  Evaluation(measured: measured, scores: nil, classCount: 3, prior: prior) {
    guard let training else { throw RecipeError("the training part was not to be encoded") }
    return training
  }
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
  let found = try metric(.auto).measure(evaluation(measured, prior))
  #expect(found == [Measured("nearest-class-mean accuracy", 80, unit: "%")])
}

@Test func accuracyByTrainingMeansCountsTheNearestOnes() throws {
  let training = LatentSet(
    latents: try Tensor([0.0, 0, 2, 0, 10, 10, -10, 4], shape: [4, 2]), labels: try Tensor([0, 0, 1, 2] as [Int64]))
  let measured = LatentSet(
    latents: try Tensor([1.0, 1, 9, 9, -9, 3, 0, 0], shape: [4, 2]), labels: try Tensor([0, 1, 2, 1] as [Int64]))
  for means in [NearestClassMean.Means.auto, .training] {
    #expect(try metric(means).measure(evaluation(measured, FlatPrior(), training: training))[0].value == 75)
  }
  #expect(
    message { _ = try metric(.centroids).measure(evaluation(measured, FlatPrior())) }.contains("FlatPrior has none"))
}

@Test func everyPartIsInTheCatalogAndItsCompanionsExist() throws {
  let catalog = try Catalog([CSAEPlugin.self])
  let pedcc = try catalog.priors["pedcc"]
  #expect(try pedcc.companions.noise.map { try catalog.noises[$0.use].name } == "scaled-gaussian")
  #expect(try pedcc.companions.sampler.map { try catalog.samplers[$0.use].name } == "class-gaussian")
  #expect(try pedcc.companions.metrics?.map { try catalog.metrics[$0.use].name } == ["nearest-class-mean"])
  #expect(pedcc.companions.losses?.map(\.use) == ["centroid", "mse", "sobel"])
  for slot in Slot.allCases {
    for part in catalog.descriptions(of: slot) {
      #expect(Set(try part.resolved([:], at: part.name).keys) == Set(part.settings.map(\.name)), "\(part.name)")
    }
  }
}
