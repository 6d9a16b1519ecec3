import Datasets
import Foundation
import LatentKit
import Recipes
import Testing
import Training

/// A metric from closures, with sources.
private struct Asking: Metric {
  let sources: MetricSources
  var late: Bool
  var timing: MetricTiming { late ? .atEnd : .everyEpoch }
  let result: @Sendable (Evaluation) throws -> [Measured]
  func finish(_ evaluation: Evaluation) throws -> [Measured] { try result(evaluation) }

  static func named(
    _ name: String, _ sources: MetricSources, late: Bool = false,
    finish: @escaping @Sendable (Evaluation) throws -> [Measured]
  ) -> Contribution {
    Contribution(.metric, Entry(name, "for a test") { _, _ in Asking(sources: sources, late: late, result: finish) })
  }
}

/// Draws normal latents and notes how many.
private struct CountingSampler: Sampler {
  let notes: Notes<Int>
  var refusesRehearsals = false
  func draw(_ request: DrawRequest, using generator: inout Generator) throws -> Draw {
    if refusesRehearsals, request.isRehearsal { throw RecipeError("too few latents to learn from") }
    notes.add(request.count)
    return Draw(latents: try generator.normal([request.count, request.latentSize]), followsLabels: true)
  }
}

private func recipe(_ metrics: String, sampler: String = "prior", decoder: String = "mlp") -> String {
  """
  {seed: 3, data: mnist, encoder: {use: mlp, with: {latent: 5, hidden: [16]}}, decoder: \(decoder),
   prior: standard-normal, sampler: \(sampler), metrics: \(metrics),
   stages: [{epochs: 2, batch: 50, train: [encoder], losses: [{use: pull}], optimizer: adam}]}
  """
}

private let pull = ClosureLoss.named("pull") { [.perExample("pull", try $0.latents.square().sum(axis: 1))] }

@Suite struct SamplesOfMetrics {
  private func composed(
    _ metrics: String, _ parts: [Contribution], sampler: String = "prior", decoder: String = "mlp"
  ) throws -> Composition {
    try compose(
      recipe(metrics, sampler: sampler, decoder: decoder),
      with: Catalog(plugins + [TestPlugin.self], adding: [pull] + parts))
  }

  @Test func metricsThatAskAlikeShareOneDrawAndEachEvaluationDrawsTheSame() throws {
    let (drawn, seen) = (Notes<Int>(), Notes<Data>())
    let sampler = Contribution(.sampler, Entry("counting", "s") { _, _ in CountingSampler(notes: drawn) })
    func asking(_ name: String, _ count: Int, ofClasses: Bool = false) -> Contribution {
      Asking.named(name, .samples) { evaluation in
        let set = try evaluation.samples(count, ofClasses: ofClasses)
        seen.add(try set.latents.bytes())
        if !evaluation.isRehearsal {
          #expect(set.inputs.shape == [count, 1, 28, 28])
          #expect(try set.labels?.ints() == (ofClasses ? (0..<count).map { $0 % 10 } : nil))
          #expect(try set.inputs.bytes() == evaluation.model.decode(LatentBatch(set.latents)).bytes())
        }
        return [Measured(name, try set.inputs.mean().item())]
      }
    }
    let parts = [sampler, asking("one", 30), asking("two", 30), asking("three", 25, ofClasses: true)]
    let data = try digits()
    let composition = try composed("[one, two, three]", parts, sampler: "counting")
    // Before training, few are drawn, whatever was asked for.
    #expect(drawn.take().allSatisfy { $0 <= 10 })
    _ = seen.take()
    let evaluator = Evaluator(composition, batchSize: 400)
    let first = try evaluator.evaluate(data.training, stage: 0, training: data.training).measurements
    #expect(drawn.take() == [30, 25])
    let bytes = seen.take()
    #expect(bytes[0] == bytes[1] && bytes[0] != bytes[2])
    #expect(first[0].value == first[1].value)
    #expect(try evaluator.evaluate(data.training, stage: 0, training: data.training).measurements == first)
    #expect(seen.take() == bytes)
    // The order of metrics, and others beside them, change no draw.
    let other = try composed("[three, two]", parts, sampler: "counting")
    _ = seen.take()
    _ = try Evaluator(other).evaluate(data.training, stage: 0, training: data.training)
    #expect(seen.take() == [bytes[2], bytes[0]])
  }

  @Test func aMetricOfSamplesAndTrainingInputsChangesNoBitOfTraining() throws {
    let greedy = Asking.named("greedy", [.samples, .trainingInputs]) { evaluation in
      var sum = try evaluation.samples(20).inputs.sum().item()
      try evaluation.forEachTrainingBatch { sum += try $0.inputs.sum().item() }
      return [Measured("greedy", sum + (try evaluation.random.normal([1]).item()))]
    }
    let scratch = try Scratch()
    func run(_ metrics: String) throws -> (weights: [String: Data], log: [EpochRecord]) {
      let composition = try composed(metrics, [greedy])
      let folder = try scratch.run(UUID().uuidString)
      _ = try Trainer(composition, data: digits(), folder: folder, shouldStop: { false }).run()
      return (try weights(composition), try timeless(folder))
    }
    let (plain, measured) = (try run("[]"), try run("[greedy]"))
    #expect(measured.weights == plain.weights)
    #expect(measured.log.map(\.training) == plain.log.map(\.training))
    #expect(measured.log.map(\.validation) == plain.log.map(\.validation))
    #expect(measured.log.count == 2 && measured.log.allSatisfy { $0.metrics.map(\.name) == ["greedy"] })
  }

  @Test func trainingBatchesAreTheTrainingPartInItsOrderWithItsMask() throws {
    let seen = Notes<(inputs: Data, labels: [Int], known: [Int]?)>()
    let walking = Asking.named("walking", .trainingInputs, late: true) { evaluation in
      try evaluation.forEachTrainingBatch {
        seen.add((try $0.inputs.bytes(), try $0.labels?.ints() ?? [], try $0.labelled?.to(.int64).ints()))
      }
      return []
    }
    let composition = try composed("[walking]", [walking])
    let data = try digits()
    _ = seen.take()
    let evaluator = Evaluator(composition, batchSize: 80)
    _ = try evaluator.evaluate(#require(data.validation), stage: 0, training: data.training, atEnd: false)
    #expect(seen.take().isEmpty)
    let examples = data.training.examples
    let mask = try Tensor((0..<200).map { Int64($0 % 2) }) .!= 0
    let partly = try BatchSource(
      Examples(inputs: examples.inputs, labels: examples.labels, isLabelled: mask), classCount: 10)
    _ = try evaluator.evaluate(#require(data.validation), stage: 0, training: partly)
    let batches = seen.take()
    #expect(batches.map(\.labels.count) == [80, 80, 40])
    #expect(try batches.flatMap(\.labels) == examples.labels?.ints())
    #expect(batches.flatMap { $0.known ?? [] } == (0..<200).map { $0 % 2 })
    #expect(try batches[1].inputs == data.training.batch(80..<160).inputs.bytes())
  }

  @Test func sourcesAreMeasuredAtTheEndUnlessTheMetricSaysOtherwise() {
    struct Plain: Metric {
      var sources: MetricSources
      func finish(_ evaluation: Evaluation) throws -> [Measured] { [] }
    }
    for (sources, expected) in [
      (MetricSources(), MetricTiming.everyEpoch), (.samples, .atEnd), (.trainingInputs, .atEnd),
    ] { #expect(Plain(sources: sources).timing == expected) }
  }

  @Test func whatAMetricDoesNotDeclareItIsNotGiven() throws {
    let sly = Asking.named("sly", .trainingInputs) { [Measured("sly", try $0.samples(3).inputs.sum().item())] }
    #expect { try composed("[sly]", [sly]) } throws: {
      "\($0)" == "metric 'sly' uses samples of the evaluation and does not say so; list '.samples' in its 'sources'"
    }
  }

  @Test func samplesNeedADecoder() throws {
    let asking = Asking.named("asking", .samples) { _ in [] }
    #expect { try composed("[asking]", [asking], decoder: "none") } throws: {
      "\($0)".hasPrefix("metric 'asking', which measures samples, needs a decoder")
    }
  }

  @Test func aSamplersRefusalToRehearseRefusesNoMetric() throws {
    let sampler = Contribution(
      .sampler, Entry("shy", "s") { _, _ in CountingSampler(notes: Notes<Int>(), refusesRehearsals: true) })
    let asking = Asking.named("asking", .samples) { [Measured("asking", try $0.samples(7).inputs.mean().item())] }
    let composition = try composed("[asking]", [sampler, asking], sampler: "shy")
    let data = try digits()
    let result = try Evaluator(composition).evaluate(data.training, stage: 0, training: data.training)
    #expect(result.measurements[0].value?.isFinite == true)
    // The metric's own mistakes are found nevertheless.
    let wrong = Asking.named("wrong", .samples) { _ in throw RecipeError("is wrong") }
    #expect { try composed("[wrong]", [sampler, wrong], sampler: "shy") } throws: { "\($0)".contains("is wrong") }
  }
}

@Suite struct EvaluatorsOfOddSizes {
  @Test(arguments: [0, -3]) func aBatchSizeBelowOneIsRefused(size: Int) throws {
    let data = try digits()
    let composition = try compose(
      recipe("[]"), with: Catalog(plugins + [TestPlugin.self], adding: [pull]))
    let evaluator = Evaluator(composition, batchSize: size)
    for attempt in [
      { _ = try evaluator.encode(data.training) },
      { _ = try evaluator.evaluate(data.training, stage: 0, training: data.training) },
      { _ = try evaluator.decode(.ones([2, 5]), labels: nil) },
    ] {
      #expect(
        throws: RecipeError("found a batch size of \(size) for measuring, expected 1 or more"), performing: attempt)
    }
  }
}

/// A prior whose fit draws: one latent, by chance.
private final class Lottery: FittablePrior, @unchecked Sendable {
  let notes: Notes<Data>
  init(_ notes: Notes<Data>) { self.notes = notes }
  func fit(_ latents: LatentSet, using generator: inout Generator) throws {
    notes.add(try generator.normal([3]).bytes())
  }
  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor { try latents.sum(axis: 1) * 0 }
}

@Suite struct StreamsOfFits {
  @Test func aFitDrawsTheSameInTrainingAndWhenTheCheckpointIsOpened() throws {
    let notes = Notes<Data>()
    let lottery = Contribution(.prior, Entry("lottery", "p") { _, _ in Lottery(notes) })
    let text = recipe("[]", sampler: "idle").replacingOccurrences(of: "standard-normal", with: "lottery")
    let sampler = Contribution(.sampler, Entry("idle", "s") { _, _ in CountingSampler(notes: Notes<Int>()) })
    let catalog = try Catalog(plugins + [TestPlugin.self], adding: [pull, lottery, sampler])
    let composition = try compose(text, with: catalog)
    let folder = try Scratch()
    let run = try folder.run("run")
    _ = notes.take()
    _ = try Trainer(composition, data: digits(), folder: run, shouldStop: { false }).run()
    let trained = notes.take()
    _ = try Checkpoint.load(composition, from: run.checkpoint)
    #expect(trained.count == 1 && notes.take() == trained)
    let other = try compose(text.replacingOccurrences(of: "seed: 3", with: "seed: 4"), with: catalog)
    _ = notes.take()
    _ = try Trainer(other, data: digits(), folder: folder.run("other"), shouldStop: { false }).run()
    #expect(notes.take() != trained)
  }
}
