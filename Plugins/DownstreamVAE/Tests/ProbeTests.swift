import Datasets
import DownstreamVAE
import Foundation
import LatentKit
import TestSupport
import Testing

/// Images of 1x2x2 with one of three classes: noise around a picture of each.
private func examples(_ count: Int, seed: UInt64, spread: Double = 0.3) throws -> Batch {
  var generator = try Generator(seed: seed)
  let labels = (0..<count).map { Int64($0 * $0 % 7 % 3) }
  let pictures: [[Double]] = [[0.2, 0.4, 0.6, 0.5], [0.7, 0.3, 0.2, 0.6], [0.4, 0.8, 0.5, 0.1]]
  let clean = try Tensor(labels.flatMap { pictures[Int($0)] }, shape: [count, 4])
  let inputs = try (clean + generator.normal([count, 4], dtype: .float64) * spread).reshaped([count, 1, 2, 2])
  return Batch(inputs: inputs, labels: try Tensor(labels))
}

/// A code of the four pixels, turned and moved.
private struct Turned: Encoder {
  let matrix: Tensor
  var latentSize: Int { matrix.shape[1] }
  func encode(_ batch: Batch) throws -> Code {
    let mean = try batch.inputs.flattened().matmul(matrix) + 3
    return .gaussian(mean: mean, logVariance: try mean * 0.5)
  }
}

/// An orthogonal matrix: a turn in two planes.
private let turn: [Double] = [0.6, 0.8, 0, 0, -0.8, 0.6, 0, 0, 0, 0, 0, 1, 0, 0, -1, 0]

private struct Bench {
  var training: Batch
  var test: Batch
  var measuresTraining = false
  let model: Model
  var hidden: [Int64]?

  init(latent: Int = 4, spread: Double = 0.3) throws {
    training = try examples(120, seed: 1, spread: spread)
    test = try examples(90, seed: 2, spread: spread)
    let matrix = try Tensor(turn, shape: [4, 4]).slice(0..<latent, axis: 1)
    model = Model(encoder: Turned(matrix: matrix), prior: Normal())
  }

  /// Every result by name.
  func measured(_ settings: [String: Value], seed: UInt64 = 1) throws -> [String: Double] {
    Dictionary(uniqueKeysWithValues: try results(settings, seed: seed).compactMap { m in m.value.map { (m.name, $0) } })
  }

  func results(_ settings: [String: Value], seed: UInt64 = 1) throws -> [Measured] {
    try results(ProbeMetric(.init(settings, at: "with"), in: place(seed: seed)))
  }

  func place(seed: UInt64 = 1) throws -> BuildContext {
    try context(
      latent: model.encoder.latentSize, seed: seed, shape: [1, 2, 2], title: "metric 'probe'", dtype: .float32)
  }

  func results(_ metric: some Metric) throws -> [Measured] {
    var metric = metric
    let random = RandomSource(try Generator(seed: 4))
    let pieces = try [0..<50, 50..<test.inputs.size(0)].map { range in
      Batch(inputs: try test.inputs.slice(range), labels: try test.labels?.slice(range))
    }
    for piece in pieces {
      try metric.update(Forward(piece, through: model, training: false, drawing: random))
    }
    let labelled = try hidden.map { try Tensor($0) .== 1 }
    let latents = LatentSet(
      latents: try model.encode(training).mean, labels: training.labels, labelled: labelled)
    let reference = Evaluation.TrainingReference({ latents }) { body in
      for range in [0..<64, 64..<120] {
        try body(
          Batch(
            inputs: training.inputs.slice(range), labels: training.labels?.slice(range),
            labelled: labelled?.slice(range)))
      }
    }
    return try metric.finish(
      Evaluation(
        measured: LatentSet(latents: model.encode(test).mean, labels: test.labels), scores: nil, model: model,
        classCount: 3, random: random, training: reference, sources: metric.sources, of: "metric 'probe'",
        measuresTraining: measuresTraining))
  }
}

private func settings(_ classifier: String, on: String, _ more: [String: Value] = [:]) -> [String: Value] {
  ["classifier": .string(classifier), "features": .string(on), "labels": .array([.int(30), .int(120)])]
    .merging(more) { $1 }
}

/// The penalty depends on the weights' length alone and not on biases, so that turning and moving features changes nothing.
@Test func logisticRegressionDoesNotSeeATurn() throws {
  let bench = try Bench()
  let plain: [String: Value] = ["standardised": false]
  let pixels = try bench.measured(settings("logistic", on: "pixels", plain))
  let latents = try bench.measured(settings("logistic", on: "mean", plain))
  let components = try bench.measured(settings("logistic", on: "pca", plain.merging(["components": 4]) { $1 }))
  #expect(pixels.count == 4)
  for (name, value) in pixels {
    let part = name.replacing("logistic on pixels", with: "")
    #expect(abs(value - (try #require(latents["logistic on mean\(part)"]))) < 1e-9, "\(name)")
    #expect(abs(value - (try #require(components["logistic on pca 4\(part)"]))) < 1e-9, "\(name)")
  }
}

@Test(arguments: ["logistic", "mlp", "cnn", "nearest-neighbours"])
func everyClassifierLearnsWhatCanBeTold(classifier: String) throws {
  let found = try Bench(spread: 0.05).measured(settings(classifier, on: "mean"))
  #expect(try #require(found["\(classifier) on mean at 120 labels"]) > 95)
  #expect(try #require(found["\(classifier) on mean at 120 labels, training"]) > 95)
  #expect(try #require(found["\(classifier) on mean at 30 labels"]) > 90)
}

@Test(arguments: ["mean", "sample", "mean-and-variance", "pixels", "pca"])
func everyKindOfFeatureIsRead(on: String) throws {
  let bench = try Bench(spread: 0.05)
  let found = try bench.measured(settings("logistic", on: on))
  // Draws have the deviation exp(1.5 / 2) or more: they tell little of the class.
  #expect(try #require(found["logistic on \(on) at 120 labels"]) > (on == "sample" ? 25 : 95))
  #expect(try bench.measured(settings("logistic", on: on)) == found)
}

/// Two probes of one recipe are two measures.
@Test func whatCouldStandInOneRecipeHasANameOfItsOwn() throws {
  let bench = try Bench()
  let three = try bench.measured(["classifier": "nearest-neighbours", "labels": [30], "neighbors": 3])
  #expect(three["nearest-neighbours on mean, 3 neighbours at 30 labels"] != nil)
  let weak = try bench.measured(["classifier": "logistic", "labels": [30], "c": 0.5])
  #expect(weak["logistic on mean, c 0.5 at 30 labels"] != nil)
  let quick = try bench.measured(["classifier": "mlp", "labels": [30], "steps": 20, "learningRate": 0.01, "seed": 7])
  #expect(quick["mlp on mean, 20 steps, rate 0.01, seed 7 at 30 labels"] != nil)
}

/// A class of which no example is known is never found, nor are classes told by a vote of all there are.
@Test func fewerLabelsThanClassesOrVotesAreMissing() throws {
  let bench = try Bench()
  let few = try bench.results(["classifier": "logistic", "labels": [2, 30]])
  #expect(few.first { $0.name == "logistic on mean at 2 labels" }?.missing == "there are 3 classes")
  #expect(few.first { $0.name == "logistic on mean at 30 labels" }?.value != nil)
  let votes = try bench.results(["classifier": "nearest-neighbours", "labels": [4, 30]])
  #expect(votes.first { $0.name == "nearest-neighbours on mean at 4 labels" }?.missing == "5 neighbours vote")
}

/// The nearest neighbour of an example that was trained on is itself.
@Test func onTheTrainingPartTheOtherExamplesAreMeasured() throws {
  var bench = try Bench(spread: 1)
  (bench.test, bench.measuresTraining) = (bench.training, true)
  let probe: [String: Value] = ["classifier": "nearest-neighbours", "neighbors": 1, "labels": [100, 119, 120]]
  let found = try bench.results(probe)
  func value(_ labels: Int) -> Measured? {
    found.first { $0.name == "nearest-neighbours on mean, 1 neighbours at \(labels) labels" }
  }
  #expect([0, 100].contains(value(119)?.value) && value(120)?.missing == "all examples are trained on")
  // Of 20 examples.
  let share = try #require(value(100)?.value) / 5
  #expect(abs(share - share.rounded()) < 1e-9 && share < 20)
}

/// More than 30 examples are asked for by a probe whose least number is 30: the first ones are those of the other.
@Test func moreLabelsHoldTheFewerOnesWhateverTheModel() throws {
  let (one, other) = (try Bench(), try Bench(latent: 1))
  let name = "nearest-neighbours on pixels at 30 labels"
  let few = try one.measured(["classifier": "nearest-neighbours", "features": "pixels", "labels": [30]])
  let many = try other.measured(["classifier": "nearest-neighbours", "features": "pixels", "labels": [120, 30, 60]])
  #expect(few[name] == many[name] && few["\(name), training"] == many["\(name), training"])
  let another = try one.measured(["classifier": "nearest-neighbours", "features": "pixels", "labels": [30]], seed: 2)
  let pinned = try one.measured(
    ["classifier": "nearest-neighbours", "features": "pixels", "labels": [30], "seed": 1], seed: 2)
  func values(_ found: [String: Double]) -> [Double] { found.values.sorted() }
  #expect(values(another) != values(few) && values(pinned) == values(few))
}

/// A run can train a stage on the examples that probes of others have, and one with hidden labels keeps these.
@Test func theOrderIsThatOfStagesAndOfHiddenLabels() throws {
  let batch = try examples(120, seed: 1)
  let order = try LabelOrder(LatentSet(latents: batch.inputs.flattened(), labels: batch.labels), seed: 7)
  let set = try Examples(
    inputs: Tensor((0..<120).map { Float($0) }, shape: [120, 1]), labels: batch.labels)
  let stage = try set.balanced(24, seed: 7, for: Examples.labelOrder).inputs.doubles().map(Int.init)
  #expect(order.prefix(24).sorted() == stage)
  let hidden = try set.hidingLabels(exceptFor: 24, seed: 7, for: Examples.labelOrder)
  #expect(try order.prefix(24).sorted() == hidden.isLabelled?.nonzero().squeezed(1).ints())
  let labels = try #require(batch.labels).ints()
  let counts = order.prefix(24).reduce(into: [0, 0, 0]) { $0[labels[$1]] += 1 }
  #expect(counts == [8, 8, 8])
}

@Test func hiddenLabelsAreNotUsed() throws {
  var bench = try Bench()
  bench.hidden = (0..<120).map { Int64($0 % 3 == 0 ? 1 : 0) }
  let found = try bench.results(settings("logistic", on: "mean"))
  #expect(
    found.first { $0.name == "logistic on mean at 120 labels" }?.missing == "the training part has 40 labelled examples"
  )
  #expect(found.first { $0.name == "logistic on mean at 30 labels" }?.value != nil)
  let table = try #require(found.last?.table)
  #expect(table.rows == ["30"] && table.columns == ["measured", "training"])
  // Whatever stands in their place changes nothing.
  let labels = try #require(bench.training.labels).ints()
  let others = labels.indices.map { Int64($0 % 3 == 0 ? labels[$0] : (labels[$0] + 1) % 3) }
  bench.training = Batch(inputs: bench.training.inputs, labels: try Tensor(others))
  #expect(try bench.results(settings("logistic", on: "mean")).map(\.value) == found.map(\.value))
}

@Test func manyParametersOverfitWhereThereIsNothingToLearn() throws {
  // Noise as large as this leaves about a third right.
  let found = try Bench(spread: 40).measured(settings("mlp", on: "pixels", ["steps": 3000, "learningRate": 0.01]))
  #expect(try #require(found["mlp on pixels, 3000 steps, rate 0.01 at 30 labels, training"]) > 95)
  #expect(try #require(found["mlp on pixels, 3000 steps, rate 0.01 at 30 labels"]) < 60)
}

@Test func latentsThatAreNoSquareAreRefusedByACNN() throws {
  #expect(
    message { _ = try Bench(latent: 3).results(settings("cnn", on: "mean")) }
      == "metric 'probe' is set to a cnn on latents of 3 values, which make no square; set encoder.latent to a square, 4 or 9 "
      + "say, or choose mlp")
  #expect(
    message { _ = try Bench().results(settings("cnn", on: "pca")) }
      == "metric 'probe' is set to a cnn on principal components, which are no image; choose logistic or mlp")
  #expect(
    message { _ = try Bench().results(settings("logistic", on: "pca", ["components": 9])) }
      == "metric 'probe' found components 9, and inputs of 4 values; set it to these or fewer")
}

/// Latents are the scores of the three classes here: those of the examples that a probe of as many labels is trained on count.
@Test(arguments: [nil, 30, 120])
func trainingAccuracyIsOfTheExamplesThatWereLearnedFrom(count: Int?) throws {
  let bench = try Bench(latent: 3)
  let settings: [String: Value] = ["scores": "latents"].merging(count.map { ["examples": .int($0)] } ?? [:]) { $1 }
  let found = try bench.results(TrainingAccuracy(.init(settings, at: "with"), in: bench.place()))
  let labels = try #require(bench.training.labels)
  let latents = try bench.model.encode(bench.training).mean
  let places = try LabelOrder(LatentSet(latents: latents, labels: labels), seed: 1).prefix(count ?? 120)
  let right = try zip(latents.rows(places).argmax(axis: 1).ints(), labels.rows(places).ints()).count { $0 == $1 }
  #expect(found.map(\.name) == ["training accuracy"])
  #expect(found[0].value == 100 * Double(right) / Double(places.count) && right > 0 && right < places.count)
}

@Test func trainingAccuracySaysWhereThereAreFewerLabels() throws {
  var bench = try Bench(latent: 3)
  bench.hidden = (0..<120).map { Int64($0 % 3 == 0 ? 1 : 0) }
  let found = try bench.results(
    TrainingAccuracy(.init(["scores": "latents", "examples": 41], at: "with"), in: bench.place()))
  #expect(found.map(\.missing) == ["the training part has 40 labelled examples"])
}
