import Foundation
import LatentKit
import Recipes
import Testing
import Training

// Groups of steps that repeat, parts that serve the steps of others, and gradients that stop being finite.

/// A decoder with batch normalisation, whose running statistics a critic's step could move.
private struct NormDecoder: LatentKit.Decoder, Component {
  private let layer: Linear
  private let norm: BatchNorm
  private let last: Linear
  private let shape: [Int]
  init(_ config: NoConfig, in context: BuildContext) throws {
    shape = context.inputShape
    layer = try Linear(context.latentSize, 8, in: context.scope("layer"))
    norm = try BatchNorm(8, in: context.scope("norm"))
    last = try Linear(8, context.inputSize, in: context.scope("last"))
  }
  func decode(_ request: LatentBatch) throws -> Tensor {
    let hidden = try norm(layer(request.latents).reshaped([request.latents.size(0), 8, 1, 1])).flattened()
    return try last(hidden).reshaped([request.latents.size(0)] + shape)
  }
}

/// A root at 0, whose slope is infinite, in the sixth step; the count is in a buffer, as all that resuming needs.
private final class Edge: Loss, OnlineUpdate, Component {
  private let steps: Tensor
  init(_ config: NoConfig, in context: BuildContext) throws {
    steps = try context.scope.buffer("steps", .zeros([1]))
  }
  func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    let factor = try steps.item() == 5 ? 0.0 : 1.0
    return [
      .batch("even", try forward.latents.mean() * 0),
      .batch("root", try (forward.latents.square().sum() * factor).sqrt()),
    ]
  }
  func update(after forward: Forward) throws { try steps.addInPlace(.ones([1])) }
}

/// Keeps each weight inside `[-0.01, 0.01]`.
private struct Box: Constraint, Component {
  init(_ config: NoConfig, in context: BuildContext) {}
  func project(_ weights: Tensor) throws { try weights.copyInPlace(weights.clamped(-0.01, 0.01)) }
}

/// The inputs of each pass in training, under the loss's name.
private let seen = Notes<(name: String, inputs: [Float], made: [Float])>()

private func noting(_ name: String, _ forward: Forward, real: Bool) throws -> [Term] {
  let made = try withoutGradients { try forward.reconstruction }
  if forward.isTraining { seen.add((name, try forward.inputs.floats(), try made.floats())) }
  let score = try forward.score(real ? forward.inputs : made.detached())
  return [.batch(name, try (score - (real ? 1 : -1)).square().mean())]
}

private let parts: [Contribution] = [
  .decoder("norm", NormDecoder.self, "with batch normalisation"),
  .constraint("box", Box.self, "bounds each weight"),
  ClosureLoss.named("real") { try noting("real", $0, real: true) },
  ClosureLoss.named("generated") { try noting("generated", $0, real: false) },
  ClosureLoss.named("fool") { forward in
    if forward.isTraining {
      seen.add(("fool", try forward.inputs.floats(), try forward.reconstruction.detached().floats()))
    }
    return [.batch("fool", try (forward.score(forward.reconstruction) - 1).square().mean())]
  },
  // A gradient penalty: the slope of the score by the inputs should be 1.
  ClosureLoss.named("penalty") { forward in
    let inputs = try forward.inputs.detached().clone().requiringGradient()
    return try withGradients {
      let slope = try forward.score(inputs).sum().gradients(by: [inputs], createGraph: true)[0]!
      return [.batch("penalty", try (slope.flattened().square().sum(axis: 1) - 1).square().mean())]
    }
  },
  .loss("edge", Edge.self, "a gradient that is not finite, in the sixth step"),
]

private func composed(_ yaml: String) throws -> Composition {
  try compose(yaml, with: Catalog(plugins + [TestPlugin.self], adding: parts))
}

private let cycles = """
  seed: 3
  data: mnist
  encoder: {use: mlp, with: {latent: 4, hidden: [8], code: point}}
  decoder: norm
  discriminator: flat
  prior: standard-normal
  metrics: []
  stages:
    - epochs: 2
      batch: 64
      steps:
        - repeat: 2
          steps:
            - {train: [discriminator], losses: [real, penalty], optimizer: adam, after: [{project: {use: box, biases: true}}]}
            - {train: [discriminator], ownBatch: true, losses: [generated], optimizer: adam, after: [{project: {use: box, biases: true}}]}
        - {train: [encoder, decoder], losses: [mse, fool], optimizer: adam}
  """

/// One after the other: they share what was seen.
@Suite(.serialized) struct Served {
  @Suite struct GroupsOfSteps {
    @Test func eachUpdateOfACycleSeesTheBatchThatItsRecipeSays() throws {
      let scratch = try Scratch()
      let composition = try composed(cycles)
      _ = seen.take()
      _ = try Trainer(composition, data: digits(validation: 0), folder: scratch.run("run"), shouldStop: { false }).run()
      let passes = seen.take()
      // 200 examples in batches of 64: four iterations in each of two epochs.
      #expect(
        passes.map(\.name)
          == Array(repeating: ["real", "generated", "real", "generated", "fool"], count: 8).flatMap { $0 })
      for iteration in 0..<8 {
        let batches = passes[5 * iteration..<5 * iteration + 5].map(\.inputs)
        #expect(Set(batches).count == 5)
      }
      // The decoder's step sees each example once an epoch; the cycles see each once in four batches.
      func images(_ names: Set<String>, _ range: Range<Int>) -> [ArraySlice<Float>] {
        passes[range].filter { names.contains($0.name) }.flatMap { pass in
          stride(from: 0, to: pass.inputs.count, by: 784).map { pass.inputs[$0..<$0 + 784] }
        }
      }
      let epoch = images(["fool"], 0..<20).map(Array.init)
      #expect(epoch.count == 200 && Set(epoch) == Set(images(["fool"], 20..<40).map(Array.init)))
      let first = images(["real", "generated"], 0..<4).map(Array.init)
      #expect(first.count == 200 && Set(first) == Set(epoch))
      // The stream that they take their batches from has another order in each of its passes.
      let orders: [[[Float]]] = (0..<8).map { cycle in passes[5 * cycle..<5 * cycle + 4].map(\.inputs) }
      #expect(Set(orders).count == 8)
    }

    @Test func stepsOfARepeatedGroupShareTheBatchOfTheirCycle() throws {
      let scratch = try Scratch()
      let composition = try composed(cycles.replacingOccurrences(of: "ownBatch: true, ", with: ""))
      _ = seen.take()
      _ = try Trainer(composition, data: digits(validation: 0), folder: scratch.run("run"), shouldStop: { false }).run()
      let inputs = seen.take().map(\.inputs)
      for iteration in 0..<8 {
        let batches = Array(inputs[5 * iteration..<5 * iteration + 5])
        #expect(batches[0] == batches[1] && batches[2] == batches[3])
        #expect(Set(batches).count == 3)
      }
    }

    @Test(arguments: [0.0, 1000.0])
    func aRunKilledInsideACycleEndsWithTheSameBits(secondsBetweenCheckpoints: Double) throws {
      let scratch = try Scratch()
      let whole = try composed(cycles)
      let critic = whole.store.parameters(under: "discriminator")
      let (folder, copies) = try scratch.trained(
        whole, digits(), secondsBetweenCheckpoints: secondsBetweenCheckpoints,
        looking: {
          // Both updates of a cycle are followed by the clipping.
          #expect(try! critic.allSatisfy { try $0.tensor.detached().abs().max().item() <= Double(Float(0.01)) })
        })
      let (expected, log) = (try weights(whole), try timeless(folder))
      #expect(copies.count >= 8)
      #expect(log[0].training.keys.sorted().prefix(3) == ["1.penalty", "1.real", "1.total"])
      for copy in copies {
        let composition = try composed(cycles)
        let again = try Trainer(composition, data: digits(), folder: copy, shouldStop: { false })
        #expect(try again.run(resuming: true) == .finished)
        #expect(try weights(composition) == expected)
        #expect(try timeless(copy) == log)
      }
    }
  }

  @Suite struct PartsThatServe {
    private let critic = """
      seed: 3
      data: mnist
      encoder: {use: mlp, with: {latent: 4, hidden: [8], code: point}}
      decoder: norm
      discriminator: flat
      prior: standard-normal
      metrics: []
      stages:
        - epochs: 1
          batch: 50
          steps:
            - {train: [discriminator], repeat: 3, losses: [generated], optimizer: adam}
            - {train: [decoder], losses: [{use: mse, weight: 0}], optimizer: {use: sgd, with: {learningRate: 0.000001}}}
      """

    @Test func aCriticsStepLeavesTheDecodersStatisticsAlone() throws {
      func statistics(_ yaml: String) throws -> [String: Data] {
        let scratch = try Scratch()
        let composition = try composed(yaml)
        _ = try Trainer(composition, data: digits(validation: 0), folder: scratch.run("run"), shouldStop: { false })
          .run()
        return try weights(composition).filter { $0.key.hasPrefix("decoder.norm.running") }
      }
      let with = try statistics(critic)
      let lines = critic.split(separator: "\n", omittingEmptySubsequences: false)
      let without = try statistics(lines.filter { !$0.contains("repeat: 3") }.joined(separator: "\n"))
      // Only the decoder's own step moves them, and it sees the same batches.
      #expect(with.count == 2 && with == without)
      let start = try weights(composed(critic)).filter { $0.key.hasPrefix("decoder.norm.running") }
      #expect(with != start)
    }

    @Test func aCriticSeesImagesNormalisedByTheBatch() throws {
      let scratch = try Scratch()
      let composition = try composed(critic)
      _ = seen.take()
      _ = try Trainer(composition, data: digits(validation: 0), folder: scratch.run("run"), shouldStop: { false }).run()
      let last = try #require(seen.take().last { $0.name == "generated" })
      // The decoder and the encoder hardly move: what the critic saw can be made again, by either kind of statistics.
      let inputs = try Tensor(last.inputs, shape: [last.inputs.count / 784, 1, 28, 28])
      func made(training: Bool) throws -> [Float] {
        composition.modes["decoder"]!.isTraining = training
        let code = try composition.model.encode(Batch(inputs: inputs, labels: nil)).mean
        return try composition.model.decode(LatentBatch(code, labels: nil)).detached().floats()
      }
      func distance(_ values: [Float]) -> Float { zip(values, last.made).map { abs($0 - $1) }.max()! }
      // Evaluation first: the other one moves statistics.
      let (used, trained) = (try made(training: false), try made(training: true))
      #expect(distance(trained) < 1e-4 && distance(used) > 0.01)
    }
  }
}

@Suite struct BadGradients {
  @Test func aGradientThatIsNotFiniteNamesItsLossAndIteration() throws {
    let scratch = try Scratch()
    let folder = try scratch.run("run")
    let composition = try composed(
      """
      data: mnist
      encoder: {use: mlp, with: {latent: 4, hidden: [8]}}
      decoder: {use: mlp, with: {hidden: [8]}}
      prior: standard-normal
      metrics: []
      stages: [{epochs: 2, batch: 50, train: [encoder, decoder], losses: [mse, edge], optimizer: adam}]
      """)
    let found = #expect(throws: TrainingError.self) {
      _ = try Trainer(
        composition, data: digits(validation: 0), folder: folder, secondsBetweenCheckpoints: 0, shouldStop: { false }
      ).run()
    }
    let text = "\(found!)"
    #expect(text.contains("the gradient of encoder.") && text.contains("under loss 'edge', term 'root',"), "\(text)")
    #expect(text.contains("stage 'main', at iteration 6, in epoch 2"), "\(text)")
    #expect(text.contains("optimizer.learningRate"))
    #expect(try Checkpoint.read(folder.checkpoint).position.epoch == 1)
  }
}
