import Foundation
import IntraClassVariance
import LatentKit
import TestSupport
import Testing

private let labels: [Int] = [0, 2, 1, 1, 0]

private func latents() throws -> Tensor {
  var generator = try Generator(seed: 1)
  return try generator.normal([5, 4], dtype: .float64)
}

private func centroids() throws -> Tensor {
  var generator = try Generator(seed: 2)
  return try generator.normal([3, 4], dtype: .float64)
}

/// The terms by name, each reduced.
private func values(_ loss: any Loss, _ latents: Tensor, under prior: any Prior, classifier: (any Classifier)? = nil)
  throws
  -> [String: Tensor]
{
  let pass = try forward(latents, Tensor(labels.map(Int64.init)), prior: prior, classifier: classifier)
  return try loss.terms(pass, under: prior).reduce(into: [:]) { found, term in
    let value = try term.value
    if term.isPerExample { #expect(abs(try term.values().mean().item() - value.item()) < 1e-12) }
    found[term.name] = value
  }
}

@Test func varianceIsTheMeanSquareFromTheCentroids() throws {
  let prior = FixedCentroids(centroids: try centroids())
  let loss = try IntraClassVarianceLoss(NoConfig(), in: context())
  let (points, targets) = (try rows(latents()), try rows(prior.centroids))
  let expected = labels.indices.reduce(0.0) { $0 + square(points[$1], targets[labels[$1]]) } / 5
  func term(_ latents: Tensor) throws -> Tensor {
    try #require(try values(loss, latents, under: prior)["intra-class-variance"])
  }
  #expect(abs(try term(latents()).item() - expected) < 1e-12)
  #expect(try gradientError(of: term, at: latents()) < 1e-7)
  #expect(
    message { _ = try values(loss, latents(), under: FlatPrior()) }
      .hasPrefix("loss 'intra-class-variance' needs a prior with class centroids"))
}

@Test func varianceMovesLearnedCentroidsTheOtherWay() throws {
  let loss = try IntraClassVarianceLoss(NoConfig(), in: context())
  let points = try latents()
  let error = try gradientError(
    of: { try #require(try values(loss, points, under: FixedCentroids(centroids: $0))["intra-class-variance"]) },
    at: centroids())
  #expect(error < 1e-7)
}

@Test func centerLossIsHalfTheVarianceAndMovesNoCentroid() throws {
  let center = try CenterLoss(NoConfig(), in: context())
  let variance = try IntraClassVarianceLoss(NoConfig(), in: context())
  let prior = FixedCentroids(centroids: try centroids().requiringGradient())
  let points = try latents().requiringGradient()
  let half = try #require(try values(center, points, under: prior)["center"])
  let whole = try #require(try values(variance, points, under: prior)["intra-class-variance"])
  #expect(abs(try half.item() - whole.item() / 2) < 1e-12)
  #expect(try half.gradients(by: [prior.centroids])[0] == nil)
  #expect(try whole.gradients(by: [prior.centroids])[0] != nil)
}

@Test func distanceSoftmaxAgreesWithALoop() throws {
  var config = DistanceSoftmax.Config()
  config.gamma = 0.3
  let loss = try DistanceSoftmax(config, in: context())
  // Five centroids for three classes: those to come take no part.
  let all = try Tensor.concatenate([centroids(), .zeros([2, 4], dtype: .float64)])
  let prior = FixedCentroids(centroids: all)
  let (points, targets) = (try rows(latents()), try rows(centroids()))
  let expected = labels.indices.reduce(0.0) { sum, row in
    let scores = targets.map { exp(-0.3 * square(points[row], $0)) }
    return sum - log(scores[labels[row]] / scores.reduce(0, +)) / 5
  }
  func term(_ latents: Tensor) throws -> Tensor {
    try #require(try values(loss, latents, under: prior)["distance-softmax"])
  }
  #expect(abs(try term(latents()).item() - expected) < 1e-12)
  #expect(try gradientError(of: term, at: latents()) < 1e-7)
}

@Test func aScaledLinearClassifierStartsAsALinearOneAndStepsFarther() throws {
  let store = ParameterStore()
  var config = ScaledLinearClassifier.Config()
  config.scale = 10
  let classifier = try ScaledLinearClassifier(config, in: context(latent: 2, store: store))
  let weight = store.parameters[0].tensor
  let points = try Tensor([1.0, 0, 0, 1], shape: [2, 2])
  let scores = try classifier.scores(LatentBatch(points))
  let bias = try store.parameters[1].tensor.doubles()
  for row in 0..<2 {
    for k in 0..<3 {
      let product = try scores.select(row).doubles()[k] - bias[k]
      #expect(abs(product) <= 1 / 2.0.squareRoot())
      #expect(abs(product - 10 * (try weight.select(k).doubles()[row])) < 1e-12)
    }
  }
}

@Test func additiveMarginSoftmaxAgreesWithALoop() throws {
  let store = ParameterStore()
  let classifier = try CosineClassifier(NoConfig(), in: context(store: store))
  var config = AdditiveMarginSoftmax.Config()
  (config.scale, config.margin) = (5, 0.2)
  let prior = FlatPrior()
  let model = Model(encoder: FixedEncoder(latents: try latents()), classifier: classifier, prior: prior)
  let loss = try AdditiveMarginSoftmax(config, in: context(model: model))
  let (points, directions) = (try rows(latents()), try rows(store.parameters[0].tensor.detached()))
  func cosine(_ a: [Double], _ b: [Double]) -> Double {
    let zero = Array(repeating: 0.0, count: a.count)
    return zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } / (square(a, zero) * square(b, zero)).squareRoot()
  }
  let expected = labels.indices.reduce(0.0) { sum, row in
    let scores = directions.indices.map {
      exp(5 * (cosine(points[row], directions[$0]) - ($0 == labels[row] ? 0.2 : 0)))
    }
    return sum - log(scores[labels[row]] / scores.reduce(0, +)) / 5
  }
  func term(_ latents: Tensor) throws -> Tensor {
    try #require(try values(loss, latents, under: prior, classifier: classifier)["additive-margin-softmax"])
  }
  #expect(abs(try term(latents()).item() - expected) < 1e-10)
  #expect(try gradientError(of: term, at: latents()) < 1e-6)
  let without = Model(encoder: FixedEncoder(latents: try latents()), prior: prior)
  #expect(
    message { _ = try AdditiveMarginSoftmax(config, in: context(title: "loss", model: without)) }
      == "loss takes cosines, and the recipe has another classifier or none; set classifier to cosine")
}

// MARK: Between classes

private func interClass(
  bound: Double, strength: Double, rate: Double = 1, store: ParameterStore = ParameterStore()
) throws -> InterClassVarianceLoss {
  var config = InterClassVarianceLoss.Config()
  (config.bound, config.strength, config.rate) = (bound, strength, rate)
  return try InterClassVarianceLoss(config, in: context(store: store))
}

@Test func betweenIsTotalLessWithinAtTheMeans() throws {
  // With the class means as centroids and the grand mean learned, T − W is the variance of class means by their shares.
  let store = ParameterStore()
  let loss = try interClass(bound: 0.5, strength: 3, store: store)
  let points = try rows(latents())
  func mean(_ members: [Int]) -> [Double] {
    (0..<4).map { axis in members.reduce(0) { $0 + points[$1][axis] } / Double(members.count) }
  }
  let means = (0..<3).map { k in mean(labels.indices.filter { labels[$0] == k }) }
  let grand = mean(Array(points.indices))
  try store.parameters[0].tensor.copyInPlace(Tensor(grand))
  let prior = FixedCentroids(centroids: try Tensor(means.flatMap { $0 }, shape: [3, 4]))
  let found = try values(loss, latents(), under: prior)
  let between = labels.reduce(0.0) { $0 + square(means[$1], grand) } / 5
  #expect(abs(try #require(found["between-class variance"]).item() + between) < 1e-12)
  let total = points.reduce(0) { $0 + square($1, grand) } / 5
  #expect(abs(try #require(found["total variance beyond bound"]).item() - 3 * max(0, total - 0.5)) < 1e-12)
  #expect(abs(try #require(found["grand mean"]).item() - total) < 1e-12)
  // At the grand mean its gradient is zero, and no other term reaches it.
  let sum = try found.values.reduce(Tensor.scalar(0, dtype: .float64)) { try $0 + $1 }
  let gradient = try #require(try sum.gradients(by: [store.parameters[0].tensor])[0])
  #expect(try gradient.abs().max().item() < 1e-12)
}

@Test(arguments: [1.0, 10, 1000]) func theExtensionCannotBeLoweredBelowItsBound(scale: Double) throws {
  // However far latents and centroids are spread.
  let loss = try interClass(bound: 2, strength: 1)
  let found = try values(loss, latents() * scale, under: FixedCentroids(centroids: centroids() * scale))
  let both =
    try #require(found["between-class variance"]).item() + #require(found["total variance beyond bound"]).item()
  #expect(both >= -2 - 1e-6)
  #expect(message { _ = try InterClassVarianceLoss.Config(["strength": 0.9], at: "with") }.contains("1"))
}

@Test func theExtensionRefusesExamplesThatCountDifferently() throws {
  let prior = FixedCentroids(centroids: try centroids())
  let model = Model(encoder: FixedEncoder(latents: try latents()), prior: prior)
  let batch = Batch(inputs: try latents(), labels: try Tensor(labels.map(Int64.init)), weights: try .ones([5]))
  let pass = Forward(batch, through: model, training: true, drawing: RandomSource(try Generator(seed: 1)))
  #expect(message { _ = try interClass(bound: 2, strength: 1).terms(pass, under: prior) }.contains("data.classWeights"))
}

@Test(arguments: [1.0, 10]) func theRateIsTheFactorOfTheGrandMeansSteps(rate: Double) throws {
  let store = ParameterStore()
  let loss = try interClass(bound: 1e6, strength: 1, rate: rate, store: store)
  let weight = store.parameters[0].tensor
  let prior = FixedCentroids(centroids: try centroids())
  let term = try #require(try values(loss, latents(), under: prior)["grand mean"])
  try Adam(store.parameters).step(term.gradients(by: [weight]), learningRate: 0.001)
  // It began at 0; the loss reads the moved mean.
  let mean = try weight.detached() * rate
  let directions = try latents().mean(axis: 0).doubles()
  for (found, direction) in zip(try mean.doubles(), directions) {
    #expect(abs(found - 0.001 * rate * (direction > 0 ? 1 : -1)) < 1e-6)
  }
  let moved = try #require(try values(loss, latents(), under: prior)["grand mean"]).item()
  let expected = try rows(latents()).reduce(0) { $0 + square($1, try mean.doubles()) } / 5
  #expect(abs(moved - expected) < 1e-12)
}
