import Foundation
import LatentKit
import Recipes
import Testing
import Training

private let recipe = """
  data: mnist
  encoder: {use: mlp, with: {latent: 3, hidden: [16]}}
  decoder: {use: mlp, with: {hidden: [16]}}
  prior: {use: kde, with: {covariance: diagonal}}
  sampler: kde
  metrics: []
  stages:
    - {name: first, epochs: 1, batch: 64, train: [encoder, decoder], losses: [mse], optimizer: adam}
    - {name: second, epochs: 1, batch: 64, train: [encoder, decoder], losses: [mse], optimizer: adam}
  """

private func composed() throws -> Composition {
  let composer = Composer(catalog)
  let shape = DataShape(title: "data 'mnist'", inputShape: [1, 28, 28], inputRange: 0...1, classCount: 10)
  let resolved = try composer.resolve(Recipe.read(yaml: recipe, file: "test.yaml"))
  try composer.dryRun(resolved, for: shape, device: .cpu)
  return try composer.compose(resolved, for: shape, device: .cpu)
}

@Test func whatAPriorLearnedOutlivesTheProgram() throws {
  let scratch = try Scratch()
  let folder = try scratch.run("kde")
  let trained = try composed()
  _ = try Trainer(trained, data: digits(), folder: folder).run()
  let places = try Tensor([0.1, 0.2, 0.3, -1, 0.5, 1], shape: [2, 3])
  let labels = try Tensor([3, 4] as [Int64])
  let expected = try trained.model.prior.logDensity(places, labels: labels).doubles()

  let loaded = try composed()
  #expect(throws: RecipeError.self) { try loaded.model.prior.logDensity(places, labels: labels) }
  _ = try Checkpoint.load(loaded, from: folder.checkpoint)
  #expect(try loaded.model.prior.logDensity(places, labels: labels).doubles() == expected)
}

@Test func resumingAFinishedRunLeavesItsCheckpointAlone() throws {
  let scratch = try Scratch()
  let folder = try scratch.run("kde")
  _ = try Trainer(composed(), data: digits(), folder: folder).run()
  let before = try Data(contentsOf: folder.checkpoint)
  #expect(try Trainer(composed(), data: digits(), folder: folder).run(resuming: true) == .finished)
  #expect(try Data(contentsOf: folder.checkpoint) == before)
}

@Test func aStoppedRunGoesOnWithWhatItsPriorLearned() throws {
  let scratch = try Scratch()
  let (whole, stopped) = (try scratch.run("whole"), try scratch.run("stopped"))
  let one = try composed()
  _ = try Trainer(one, data: digits(), folder: whole).run()
  // Stops in the second stage, whose prior knows the latents of the first.
  final class Count: @unchecked Sendable { var value = 0 }
  let count = Count()
  _ = try Trainer(
    composed(), data: digits(), folder: stopped,
    shouldStop: {
      count.value += 1
      return count.value > 3
    }
  ).run()
  let two = try composed()
  _ = try Trainer(two, data: digits(), folder: stopped).run(resuming: true)
  let place = try Tensor([0.1, 0.2, 0.3], shape: [1, 3])
  #expect(
    try one.model.prior.logDensity(place, labels: nil).item() == two.model.prior.logDensity(place, labels: nil).item())
  #expect(try weights(one) == weights(two))
}
