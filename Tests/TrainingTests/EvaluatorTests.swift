import Datasets
import Foundation
import LatentKit
import Recipes
import Testing
import Training

/// What parts saw, in order.
final class Notes<Value>: @unchecked Sendable {
  private let lock = NSLock()
  private var values: [Value] = []
  func add(_ value: Value) { lock.withLock { values.append(value) } }
  /// What was noted since the last call.
  func take() -> [Value] {
    lock.withLock {
      defer { values = [] }
      return values
    }
  }
}

/// A loss from a closure.
struct ClosureLoss: Loss {
  let make: @Sendable (Forward) throws -> [Term]
  func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] { try make(forward) }
  static func named(_ name: String, _ make: @escaping @Sendable (Forward) throws -> [Term]) -> Contribution {
    Contribution(.loss, Entry(name, "for a test") { _, _ in ClosureLoss(make: make) })
  }
}

/// A metric from two closures.
struct ClosureMetric: Metric {
  var timing = MetricTiming.everyEpoch
  let shown: @Sendable (Forward) throws -> Void
  let result: @Sendable (Evaluation) throws -> [Measured]
  mutating func update(_ forward: Forward) throws { try shown(forward) }
  func finish(_ evaluation: Evaluation) throws -> [Measured] { try result(evaluation) }
  static func named(
    _ name: String, _ timing: MetricTiming = .everyEpoch,
    update: @escaping @Sendable (Forward) throws -> Void = { _ in },
    finish: @escaping @Sendable (Evaluation) throws -> [Measured]
  ) -> Contribution {
    Contribution(
      .metric, Entry(name, "for a test") { _, _ in ClosureMetric(timing: timing, shown: update, result: finish) })
  }
}

/// A loss that draws noise of its own.
private let drawingLoss = ClosureLoss.named("drawing") { forward in
  // The latents are read while the stream is being asked.
  let noise = try forward.random.normal(forward.latents.shape)
  return [.perExample("drawing", try (forward.latents + noise).square().mean(axis: 1))]
}

/// A metric that draws all it can: of its own stream, of the code, and at the end.
private let drawingMetric = ClosureMetric.named(
  "greedy",
  update: { forward in
    _ = try forward.random.normal(forward.draw.shape)
    _ = try forward.random.fork()
  },
  finish: { [Measured("greedy", try $0.random.normal([1]).item())] })

private func yaml(metrics: String) -> String {
  """
  seed: 3
  data: mnist
  encoder: {use: mlp, with: {latent: 5, hidden: [16], code: gaussian}}
  decoder: {use: mlp, with: {hidden: [16]}}
  classifier: {use: mlp, with: {hidden: [8], dropout: 0.3}}
  prior: standard-normal
  noise: {use: scaled-gaussian, with: {beta: 0.1, scale: 1}}
  metrics: \(metrics)
  stages:
    - epochs: 2
      batch: 50
      train: [encoder, decoder, classifier]
      losses: [mse, kl, cross-entropy, drawing]
      optimizer: adam
  """
}

@Suite struct EvaluationStreams {
  private func run(
    _ metrics: String, validation: Int = 700, in scratch: Scratch, adding parts: [Contribution] = []
  ) throws -> (weights: [String: Data], log: [EpochRecord]) {
    let catalog = try Catalog(plugins + [TestPlugin.self], adding: [drawingLoss, drawingMetric] + parts)
    let composition = try compose(yaml(metrics: metrics), with: catalog)
    let folder = try scratch.run(UUID().uuidString)
    _ = try Trainer(composition, data: digits(validation: validation), folder: folder, shouldStop: { false }).run()
    return (try weights(composition), try timeless(folder))
  }

  @Test func aMetricOrAValidationPartMoreChangesNoOtherNumber() throws {
    let scratch = try Scratch()
    let plain = try run("[accuracy]", in: scratch)
    let greedy = try run("[greedy, accuracy]", in: scratch)
    let blind = try run("[accuracy]", validation: 0, in: scratch)
    #expect(greedy.weights == plain.weights && blind.weights == plain.weights)
    #expect(plain.log.count == 2)
    for (one, other) in zip(plain.log, greedy.log) {
      #expect(one.training == other.training && one.validation == other.validation)
      #expect(
        one.metrics == other.metrics.filter { $0.name != "greedy" } && other.metrics.count == one.metrics.count + 1)
    }
    for (one, other) in zip(plain.log, blind.log) {
      #expect(one.training == other.training && other.validation.isEmpty && other.metrics.isEmpty)
    }
    // The metric's own stream starts anew each time.
    #expect(Set(greedy.log.compactMap { $0.metrics.first?.value }).count == 1)
  }

  @Test func theOrderOfMetricsChangesNoNumber() throws {
    // Streams that began alike would make the two draws one and the same.
    func draw(_ name: String) -> Contribution {
      ClosureMetric.named(name) { [Measured(name, try $0.random.normal([1]).item())] }
    }
    let catalog = try Catalog(plugins + [TestPlugin.self], adding: [drawingLoss, draw("one"), draw("two")])
    let data = try digits()
    func values(_ metrics: String) throws -> [String: Double?] {
      let composition = try compose(yaml(metrics: metrics), with: catalog)
      let measured = try Evaluator(composition).evaluate(data.training, stage: 0, training: data.training).measurements
      return Dictionary(uniqueKeysWithValues: measured.map { ($0.name, $0.value) })
    }
    let both = try values("[one, two]")
    #expect(both.count == 2 && both["one"] != both["two"])
    #expect(try values("[two, one]") == both)
    #expect(try values("[two]")["two"] == both["two"])
  }

  @Test func drawsGoOnFromBatchToBatchAndStartAnewAtEachEvaluation() throws {
    let (losses, metrics, codes) = (Notes<[Float]>(), Notes<[Float]>(), Notes<[Float]>())
    let loss = ClosureLoss.named("noting") { forward in
      if !forward.isTraining { losses.add(try forward.random.normal([3]).floats()) }
      return [.batch("noting", try forward.latents.sum() * 0)]
    }
    let metric = ClosureMetric.named(
      "noting",
      update: { forward in
        metrics.add(try forward.random.normal([3]).floats())
        // The deviation of the draws from their means.
        codes.add(try (forward.draw - forward.code.mean).slice(0..<1).floats())
      }, finish: { _ in [] })
    let catalog = try Catalog(plugins + [TestPlugin.self], adding: [loss, metric])
    let composition = try compose(
      """
      {data: mnist, encoder: {use: mlp, with: {latent: 3, hidden: [4], code: gaussian}}, prior: standard-normal,
       metrics: [noting], stages: [{train: [encoder, decoder], losses: [mse, noting]}]}
      """, with: catalog)
    let data = try digits()
    for notes in [losses, metrics, codes] { _ = notes.take() }
    let evaluator = Evaluator(composition, batchSize: 80)
    _ = try evaluator.evaluate(data.training, stage: 0, training: data.training)
    let first = [losses, metrics, codes].map { $0.take() }
    _ = try evaluator.evaluate(data.training, stage: 0, training: data.training)
    #expect([losses, metrics, codes].map { $0.take() } == first)
    // 200 examples in pieces of 80: three draws each, all different.
    for notes in first { #expect(notes.count == 3 && Set(notes).count == 3) }
    #expect(Set(first[0] + first[1]).count == 6)
  }
}

@Suite struct MeasuringMetrics {
  @Test func whatIsMeasuredAtTheEndIsNotMeasuredEachEpoch() throws {
    let shown = Notes<Int>()
    let late = ClosureMetric.named(
      "late", .atEnd, update: { shown.add(try $0.inputs.size(0)) }, finish: { _ in [Measured("late", 7)] })
    let scratch = try Scratch()
    let folder = try scratch.run("run")
    let catalog = try Catalog(plugins + [TestPlugin.self], adding: [late])
    let composition = try compose(
      """
      {data: mnist, encoder: {use: mlp, with: {latent: 3, hidden: [4]}}, prior: pedcc, metrics: [late, nearest-class-mean],
       stages: [{epochs: 2, batch: 50, train: [encoder, decoder], losses: [mse, centroid]}]}
      """, with: catalog)
    _ = shown.take()
    let data = try digits()
    _ = try Trainer(composition, data: data, folder: folder, shouldStop: { false }).run()
    #expect(shown.take().isEmpty)
    for record in try MetricsLog.read(folder.metrics) { #expect(!record.metrics.map(\.name).contains("late")) }
    let validation = try #require(data.validation)
    let result = try Evaluator(composition, batchSize: 20).evaluate(validation, stage: 0, training: data.training)
    #expect(result.measurements.first == Measured("late", 7))
    #expect(shown.take() == [20, 20, 10])
  }

  @Test func aValueThatIsNotFiniteIsMissingAndTrainingGoesOn() throws {
    let odd = ClosureMetric.named("odd") { _ in
      let table = MeasuredTable(
        rowTitle: "a", rows: ["x"], columnTitle: "b", columns: ["y", "z"], values: [[.nan, 2]])
      return [Measured("odd", .nan, unit: "nats"), Measured("huge", .infinity), Measured("table", table)]
    }
    let scratch = try Scratch()
    let folder = try scratch.run("run")
    let composition = try compose(
      """
      {data: mnist, encoder: {use: mlp, with: {latent: 3, hidden: [4]}}, prior: pedcc, metrics: [odd],
       stages: [{epochs: 2, batch: 50, train: [encoder, decoder], losses: [mse, centroid]}]}
      """, with: Catalog(plugins + [TestPlugin.self], adding: [odd]))
    #expect(
      try Trainer(composition, data: digits(), folder: folder, shouldStop: { false }).run() == .finished)
    let log = try MetricsLog.read(folder.metrics)
    #expect(log.count == 2)
    for record in log {
      let measured = try #require(record.metrics.first { $0.name == "odd" })
      #expect(measured.value == nil && measured.unit == "nats" && measured.missing?.contains("nan") == true)
      #expect(record.metrics.first { $0.name == "huge" }?.missing?.contains("inf") == true)
    }
  }

  @Test func twoLossesOfOneNameHaveNamesOfTheirOwnEverywhere() throws {
    let scratch = try Scratch()
    let folder = try scratch.run("run")
    let composition = try compose(
      """
      {data: mnist, encoder: {use: mlp, with: {latent: 3, hidden: [4]}}, prior: pedcc, metrics: [],
       stages: [{epochs: 2, batch: 50, train: [encoder, decoder], optimizer: adam,
         losses: [mse, {use: mse, weight: 0.5, with: {reduction: sum}}, centroid]}]}
      """)
    _ = try Trainer(composition, data: digits(), folder: folder, shouldStop: { false }).run()
    let text = try String(contentsOf: folder.metrics, encoding: .utf8)
    #expect(text.contains("\"mse\":") && text.contains("\"mse-2\":"))
    for record in try MetricsLog.read(folder.metrics) {
      for part in [record.training, record.validation] {
        #expect(Set(part.keys) == ["mse", "mse-2", "centroid", "total"])
        let (mse, sum) = (try #require(part["mse"]), try #require(part["mse-2"]))
        // The sum is over the 784 values of an image.
        #expect(abs(sum - 784 * mse) < 1e-3 * sum)
        let total = mse + 0.5 * sum + (try #require(part["centroid"]))
        #expect(abs(try #require(part["total"]) - total) < 1e-5 * total)
      }
    }
  }
}

@Suite struct WeightedMeans {
  /// The term of each example: its first latent.
  private static let loss = ClosureLoss.named("first") { forward in
    _ = try forward.labels
    return [.perExample("first", try forward.latents.select(0, axis: 1))]
  }
  private static let other = ClosureLoss.named("second") { forward in
    [.perExample("second", try forward.latents.select(1, axis: 1), over: .all)]
  }

  @Test(arguments: [false, true], [30, 80, 200])
  func lossesAreMeansOverTheExamplesThatCountWhateverTheBatch(weighted: Bool, batchSize: Int) throws {
    var data = try digits().training
    let labels = try #require(data.examples.labels).ints()
    // Every third label is known; digits 0 to 4 count twice, 9 not at all.
    let known = labels.indices.map { $0 % 3 == 0 }
    let weights = labels.map { weighted ? ($0 < 5 ? 2.0 : $0 == 9 ? 0 : 1) : 1 }
    data = try BatchSource(
      Examples(
        inputs: data.examples.inputs, labels: data.examples.labels,
        isLabelled: Tensor(known.map { $0 ? 1 : 0 as Int64 }) .!= 0,
        weights: weighted ? Tensor(weights.map { Float($0) }) : nil), classCount: 10)
    let composition = try compose(
      """
      {data: mnist, encoder: {use: mlp, with: {latent: 3, hidden: [4]}}, prior: pedcc, decoder: none, metrics: [],
       stages: [{train: [encoder], losses: [{use: first, weight: 3}, second]}]}
      """, with: Catalog(plugins + [TestPlugin.self], adding: [WeightedMeans.loss, WeightedMeans.other]))
    let result = try Evaluator(composition, batchSize: batchSize).evaluate(data, stage: 0, training: data)
    let latents = try result.latents.latents.doubles()
    func mean(_ axis: Int, _ isIn: (Int) -> Bool) -> Double {
      let chosen = labels.indices.filter(isIn)
      return chosen.reduce(0) { $0 + weights[$1] * latents[3 * $1 + axis] } / chosen.reduce(0) { $0 + weights[$1] }
    }
    let (first, second) = (mean(0) { known[$0] }, mean(1) { _ in true })
    #expect(abs(try #require(result.losses["first"]) - first) < 1e-6)
    #expect(abs(try #require(result.losses["second"]) - second) < 1e-6)
    #expect(abs(try #require(result.losses["total"]) - (3 * first + second)) < 1e-6)
  }
}
