import Foundation
import LatentKit
import Recipes
import Testing
import Training

// What happens after each step: projections, and parts that update themselves.

/// Keeps each weight inside `[-bound, bound]`.
private struct Box: Constraint, Component {
  struct Config: ComponentConfig {
    @Setting("The largest magnitude.", .above(0)) var bound = 0.01
  }
  let bound: Double
  init(_ config: Config, in context: BuildContext) { bound = config.bound }
  func project(_ weights: Tensor) throws { try weights.copyInPlace(weights.clamped(-bound, bound)) }
}

/// Exponential averages of each class's latents, in buffers.
private final class ClassAverages: CentroidPrior, OnlineUpdate, Component {
  struct Config: ComponentConfig {
    @Setting("How much of the old average stays.", .within(0..<1)) var memory = 0.75
  }
  static let seen = Notes<[Double]>()
  private let memory: Double
  private let means: Tensor
  private let updates: Tensor

  init(_ config: Config, in context: BuildContext) throws {
    memory = config.memory
    means = try context.scope.buffer("means", .zeros([context.requireClasses(), context.latentSize]))
    updates = try context.scope.buffer("updates", .zeros([1]))
  }

  var centroids: Tensor { means }
  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor {
    try latents.distances(to: means).square().min(axis: 1) * -0.5
  }

  func update(after forward: Forward) throws {
    ClassAverages.seen.add(try forward.latents.doubles())
    let members = try forward.labels.oneHot(means.size(0)).to(.float32)
    let counts = try members.sum(axis: 0).unsqueezed(1)
    let batch = try members.transposed().matmul(forward.latents) / counts.clamped(1)
    try means.copyInPlace((counts .> 0).choose(means * memory + batch * (1 - memory), means))
    try updates.addInPlace(.ones([1]))
  }
}

private let seen = Notes<(inputs: [Float], labels: [Int], latents: [Double])>()

private let parts: [Contribution] = [
  .constraint("box", Box.self, "bounds each weight"),
  .prior(
    "class-averages", ClassAverages.self, "averages of the latents of each class",
    with: Companions([.sampler: "class-gaussian"])),
  ClosureLoss.named("noting") { forward in
    if forward.isTraining {
      seen.add((try forward.inputs.floats(), try forward.labels.ints(), try forward.latents.doubles()))
    }
    return [.batch("noting", try forward.latents.sum() * 0)]
  },
]

private func composed(_ yaml: String) throws -> Composition {
  try compose(yaml, with: Catalog(plugins + [TestPlugin.self], adding: parts))
}

private let clipped = """
  seed: 2
  data: mnist
  encoder: {use: mlp, with: {latent: 4, hidden: [8]}}
  decoder: {use: mlp, with: {hidden: [8]}}
  discriminator: flat
  prior: class-averages
  metrics: []
  stages:
    - epochs: 2
      batch: 64
      steps:
        - train: [discriminator]
          repeat: 2
          losses: [least-squares]
          optimizer: {use: adam, with: {learningRate: 0.01}}
          after: [{project: {use: box, with: {bound: 0.01}, biases: true}}]
        - {train: [encoder, decoder, prior], losses: [mse, {use: centroid, weight: 0.01}], optimizer: adam}
  """

@Suite(.serialized) struct AfterEachStep {
  @Test func weightsAreInsideTheConstraintAfterEveryStep() throws {
    let scratch = try Scratch()
    let folder = try scratch.run("run")
    let composition = try composed(clipped)
    let critic = composition.store.parameters(under: "discriminator")
    #expect(try critic.contains { try $0.tensor.abs().max().item() > 0.0101 })
    var largest: [Double] = []
    let trainer = try Trainer(
      composition, data: digits(), folder: folder, secondsBetweenCheckpoints: 0,
      shouldStop: {
        largest.append(try! critic.map { try $0.tensor.detached().abs().max().item() }.max()!)
        return false
      })
    _ = try trainer.run()
    #expect(largest.count >= 8 && largest.allSatisfy { $0 <= Double(Float(0.01)) })
    // Something pushes against the bound, and the other parts are not in the box.
    #expect(largest.contains { $0 == Double(Float(0.01)) })
    #expect(
      try composition.store.parameters(under: "decoder").contains {
        try $0.tensor.detached().abs().max().item() > 0.0101
      })
    let saved = try Checkpoint.read(folder.checkpoint)
    for (name, tensor) in saved.tensors where name.hasPrefix("model.discriminator.") {
      #expect(try tensor.abs().max().item() <= Double(Float(0.01)))
    }
  }

  @Test func aPriorThatAveragesDoesWhatALoopOverTheBatchesDoes() throws {
    let scratch = try Scratch()
    let folder = try scratch.run("run")
    // The encoder stands still, so that latents can be computed again afterwards.
    let composition = try composed(
      """
      seed: 4
      data: mnist
      encoder: {use: mlp, with: {latent: 4, hidden: [8]}}
      prior: {use: class-averages, with: {memory: 0.6}}
      metrics: []
      stages: [{epochs: 2, batch: 30, train: [prior], losses: [noting]}]
      """)
    _ = seen.take()
    _ = try Trainer(composition, data: digits(), folder: folder, shouldStop: { false }).run()
    let batches = seen.take()
    #expect(batches.count == 2 * 7)

    var means = [[Double]](repeating: [0, 0, 0, 0], count: 10)
    for batch in batches {
      let inputs = try Tensor(batch.inputs, shape: [batch.labels.count, 1, 28, 28])
      let latents = try composition.model.encode(Batch(inputs: inputs, labels: nil)).mean.detached().doubles()
      for label in Set(batch.labels) {
        let rows = batch.labels.indices.filter { batch.labels[$0] == label }
        for axis in 0..<4 {
          let mean = rows.map { latents[4 * $0 + axis] }.reduce(0, +) / Double(rows.count)
          means[label][axis] = 0.6 * means[label][axis] + 0.4 * mean
        }
      }
    }
    let found = try composition.model.prior.requireCentroids(for: "test").doubles()
    for (value, expected) in zip(found, means.flatMap { $0 }) { #expect(abs(value - expected) < 1e-5) }
    #expect(found.contains { abs($0) > 0.01 })

    // The checkpoint has it, and gives it back.
    let saved = try #require(Checkpoint.read(folder.checkpoint).tensors["model.prior.means"])
    #expect(try saved.doubles() == found)
    let loaded = try composed(composition.recipe.yaml())
    _ = try Checkpoint.load(loaded, from: folder.checkpoint)
    #expect(try loaded.model.prior.requireCentroids(for: "test").doubles() == found)
    #expect(try loaded.store.parameters.first { $0.name == "prior.updates" }?.tensor.item() == 14)
  }

  @Test func anUpdateSeesTheLatentsFromBeforeItsStep() throws {
    let scratch = try Scratch()
    let composition = try composed(
      """
      data: mnist
      encoder: {use: mlp, with: {latent: 4, hidden: [8]}}
      prior: class-averages
      metrics: []
      stages: [{epochs: 1, batch: 50, losses: [mse, noting], optimizer: {use: sgd, with: {learningRate: 1}}}]
      """)
    // A prior that updates itself is trained unless the recipe says otherwise.
    #expect(composition.recipe.stages?[0].steps[0].train == ["encoder", "decoder", "prior"])
    #expect(composition.stages[0].steps[0].parameters.allSatisfy { !$0.name.hasPrefix("prior.") })
    _ = (seen.take(), ClassAverages.seen.take())
    _ = try Trainer(composition, data: digits(validation: 0), folder: scratch.run("run"), shouldStop: { false }).run()
    let latents = seen.take().map(\.latents)
    #expect(latents.count == 4 && ClassAverages.seen.take() == latents)
  }

  @Test func aPriorThatTheStepDoesNotTrainStaysAsItIs() throws {
    let scratch = try Scratch()
    let composition = try composed(
      clipped.replacingOccurrences(of: "[encoder, decoder, prior]", with: "[encoder, decoder]"))
    _ = try Trainer(composition, data: digits(validation: 0), folder: scratch.run("run"), shouldStop: { false }).run()
    #expect(try composition.model.prior.requireCentroids(for: "test").doubles().allSatisfy { $0 == 0 })
  }

  @Test(arguments: [0.0, 1000.0])
  func aRunKilledAnywhereGoesOnWithItsAveragesAndItsBox(secondsBetweenCheckpoints: Double) throws {
    let scratch = try Scratch()
    let whole = try composed(clipped)
    let (folder, copies) = try scratch.trained(
      whole, digits(), secondsBetweenCheckpoints: secondsBetweenCheckpoints)
    let (expected, log) = (try weights(whole), try timeless(folder))
    #expect(copies.count >= 8 && expected.keys.contains("prior.means"))
    for copy in copies {
      let checkpoint = try Checkpoint.read(copy.checkpoint)
      if checkpoint.position.totalIterations > 0 {
        #expect(try checkpoint.tensors["model.discriminator.weight"]!.abs().max().item() <= Double(Float(0.01)))
      }
      let composition = try composed(clipped)
      let again = try Trainer(composition, data: digits(), folder: copy, shouldStop: { false })
      #expect(try again.run(resuming: true) == .finished)
      #expect(try weights(composition) == expected)
      #expect(try timeless(copy) == log)
    }
  }
}

/// A part without a Swift type of a component trains like any other.
@Test func aPartMadeAtRunTimeTrains() throws {
  struct Shift: LatentNoise {
    let by: Tensor
    func perturb(_ request: LatentBatch, using generator: inout Generator) throws -> Tensor { try request.latents + by }
  }
  let shift = Contribution(
    .noise,
    Entry("shift", "moves latents", settings: [SettingDescription("start", default: 0.5, "Where from.")]) {
      settings, context in
      Shift(by: try context.scope.parameter("by", [context.latentSize], .constant(settings.double("start"))))
    })
  let scratch = try Scratch()
  let folder = try scratch.run("run")
  let composition = try compose(
    """
    {data: mnist, encoder: {use: mlp, with: {latent: 3, hidden: [4]}}, prior: standard-normal, noise: {use: shift, with: {start: 2}},
     metrics: [], stages: [{epochs: 3, batch: 50, train: [noise], losses: [mse], optimizer: {use: sgd, with: {learningRate: 5}}}]}
    """, with: Catalog(plugins, adding: [shift]))
  _ = try Trainer(composition, data: digits(), folder: folder, shouldStop: { false }).run()
  let by = try composition.store.parameters(under: "noise")[0].tensor.floats()
  #expect(by.count == 3 && by.allSatisfy { $0 != 2 })
  let losses = try MetricsLog.read(folder.metrics).compactMap { $0.training["total"] }
  #expect(losses.count == 3 && losses[2] < losses[0])
}
