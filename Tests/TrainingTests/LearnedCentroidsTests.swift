import Datasets
import Foundation
import LatentKit
import Recipes
import Testing
import Training

// The intra-class variance with parts of other plugins.

private func recipe(_ prior: String, _ losses: String, train: String = "encoder, classifier, prior") -> String {
  """
  seed: 3
  data: mnist
  encoder: {use: mlp, with: {latent: 4, hidden: [12], code: point}}
  decoder: none
  classifier: linear
  prior: \(prior)
  metrics: []
  stages: [{epochs: 2, batch: 60, steps: [{train: [\(train)], losses: [\(losses)], optimizer: adam}]}]
  """
}

private let updates = [
  "{use: learned-centroids, with: {update: gradient}}", "{use: learned-centroids, with: {update: batch}}",
  "{use: learned-centroids, with: {update: batch, denominator: count-plus-one}}",
  "{use: learned-centroids, with: {update: sample}}",
]

@Test func underPredefinedCentroidsItIsTheLossOfTheirPaper() throws {
  let shape = try compose(recipe("pedcc", "cross-entropy", train: "encoder, classifier"))
  let (model, data) = (shape.model, try digits())
  func term(_ loss: String) throws -> (whole: Float, each: [Float], gradient: [Float]) {
    let composition = try compose(recipe("pedcc", loss, train: "encoder"))
    let forward = Forward(
      try data.training.batch(0..<30), through: composition.model, training: true,
      drawing: RandomSource(try Generator(seed: 1)))
    let term = try composition.stages[0].steps[0].losses[0].loss.terms(forward, under: composition.model.prior)[0]
    let weights = composition.store.parameters(under: "encoder").map(\.tensor)
    return (
      try term.value.floats()[0], try term.values().floats(),
      try term.value.gradients(by: weights).flatMap { try $0!.floats() }
    )
  }
  #expect(model.prior is any CentroidPrior)
  let (own, theirs) = (try term("intra-class-variance"), try term("{use: centroid, with: {fidelity: paper}}"))
  #expect(own.whole == theirs.whole && own.each == theirs.each && own.gradient == theirs.gradient)
  #expect(own.whole > 1)
}

@Test(arguments: updates) func aKilledRunKeepsItsCentroids(prior: String) throws {
  let yaml = recipe(
    prior, "cross-entropy, {use: intra-class-variance, weight: 0.1}, {use: inter-class-variance, weight: 0.01}")
  let scratch = try Scratch()
  let whole = try compose(yaml)
  let start = try weights(whole)
  let copies = try scratch.trained(whole, digits()).copies
  let expected = try weights(whole)
  #expect(start["prior.centroids"] != expected["prior.centroids"])
  #expect(copies.count >= 6)
  for copy in copies {
    let composition = try compose(yaml)
    _ = try Trainer(composition, data: digits(), folder: copy, shouldStop: { false }).run(resuming: true)
    #expect(try weights(composition) == expected)
  }
}

@Test func centroidsThatOnlyFollowChangeNothingElse() throws {
  func trained(_ prior: String, train: String) throws -> [String: Data] {
    let scratch = try Scratch()
    let composition = try compose(recipe(prior, "cross-entropy", train: train))
    _ = try Trainer(composition, data: digits(), folder: scratch.run("run"), shouldStop: { false }).run()
    return try weights(composition).filter { !$0.key.hasPrefix("prior.") }
  }
  #expect(
    try trained(updates[1], train: "encoder, classifier, prior")
      == trained("standard-normal", train: "encoder, classifier"))
}

@Test func centroidsThatNoLossReachesAreRefused() {
  var text = ""
  do { _ = try compose(recipe(updates[0], "cross-entropy")) } catch { text = "\(error)" }
  #expect(text.contains("trains prior, but none of its losses cross-entropy reaches it"))
}
