import Datasets
import DownstreamVAE
import Foundation
import LatentKit
import TestSupport
import Testing

/// Images of 1x2x2, or that picture repeated on a larger side, with one of three classes: noise around a picture of each.
private func examples(_ count: Int, seed: UInt64, spread: Double = 0.3, side: Int = 2) throws -> Batch {
  var generator = try Generator(seed: seed)
  let labels = (0..<count).map { Int64($0 * $0 % 7 % 3) }
  let pictures: [[Double]] = [[0.2, 0.4, 0.6, 0.5], [0.7, 0.3, 0.2, 0.6], [0.4, 0.8, 0.5, 0.1]]
  let clean = try Tensor(
    labels.flatMap { label in (0..<side * side).map { pictures[Int(label)][$0 / side % 2 * 2 + $0 % 2] } },
    shape: [count, 1, side, side])
  let inputs = try clean + generator.normal(clean.shape, dtype: .float64) * spread
  return Batch(inputs: inputs, labels: try Tensor(labels))
}

/// A code of the four pixels, turned and moved; or the same for its log variances.
private struct Turned: Encoder {
  let matrix: Tensor
  var logVariance: Double? = nil
  var isOfVariances = false
  var latentSize: Int { matrix.shape[1] }
  func encode(_ batch: Batch) throws -> Code {
    let turned = try batch.inputs.slice(0..<2, axis: 2).slice(0..<2, axis: 3).contiguous().flattened().matmul(matrix)
    if isOfVariances { return .gaussian(mean: try turned * 0, logVariance: turned) }
    let mean = try turned + 3
    return .gaussian(mean: mean, logVariance: try logVariance.map { try mean * 0 + $0 } ?? mean * 0.5)
  }
}

/// An orthogonal matrix: a turn in two planes.
private let turn: [Double] = [0.6, 0.8, 0, 0, -0.8, 0.6, 0, 0, 0, 0, 0, 1, 0, 0, -1, 0]

private struct Bench {
  var training: Batch
  var test: Batch
  var measuresTraining = false
  var model: Model
  var hidden: [Int64]?
  let side: Int

  init(latent: Int = 4, spread: Double = 0.3, side: Int = 2, count: Int = 120) throws {
    self.side = side
    training = try examples(count, seed: 1, spread: spread, side: side)
    test = try examples(90, seed: 2, spread: spread, side: side)
    model = Model(encoder: Turned(matrix: try Tensor(turn, shape: [4, 4]).slice(0..<latent, axis: 1)), prior: Normal())
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
      latent: model.encoder.latentSize, seed: seed, shape: [1, side, side], title: "metric 'probe'", dtype: .float32)
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
      for range in try [0..<64, 64..<training.inputs.size(0)] {
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

@Test(arguments: ["mean", "mean-and-variance", "pixels", "pca"])
func everyKindOfFeatureIsRead(on: String) throws {
  let bench = try Bench(spread: 0.05)
  let found = try bench.measured(settings("logistic", on: on))
  #expect(try #require(found["logistic on \(on) at 120 labels"]) > 95)
  #expect(try bench.measured(settings("logistic", on: on)) == found)
}

@Test func drawsAreAsFarFromTheirMeansAsTheCodeSays() throws {
  var bench = try Bench(spread: 0.05)
  func accuracy(logVariance: Double) throws -> Double {
    bench.model = Model(
      encoder: Turned(matrix: try Tensor(turn, shape: [4, 4]), logVariance: logVariance), prior: Normal())
    return try #require(bench.measured(settings("logistic", on: "sample"))["logistic on sample at 120 labels"])
  }
  // Four examples in seven are of one class.
  #expect(try accuracy(logVariance: -30) > 95)
  #expect(try accuracy(logVariance: 6) < 75)
}

@Test func variancesAreReadBesideMeans() throws {
  var bench = try Bench(spread: 0.05)
  bench.model = Model(encoder: Turned(matrix: try Tensor(turn, shape: [4, 4]), isOfVariances: true), prior: Normal())
  let both = try bench.measured(settings("logistic", on: "mean-and-variance"))
  #expect(try #require(both["logistic on mean-and-variance at 120 labels"]) > 95)
  let means = try bench.measured(settings("logistic", on: "mean"))
  #expect(try #require(means["logistic on mean at 120 labels"]) < 75)
}

/// By the labelled examples alone: units of latents change nothing, but those of measured examples count.
@Test func featuresAreScaledByTheExamplesOfTraining() throws {
  var bench = try Bench()
  let name = "logistic on mean at 120 labels"
  let plain = try #require(bench.measured(settings("logistic", on: "mean"))[name])
  let units = try Tensor([1000.0, 1, 0.01, 7], shape: [1, 4])
  bench.model = Model(encoder: Turned(matrix: try Tensor(turn, shape: [4, 4]) * units), prior: Normal())
  let scaled = try #require(bench.measured(settings("logistic", on: "mean"))[name])
  #expect(abs(scaled - plain) < 1e-9)
  let unscaled = try bench.measured(settings("logistic", on: "mean", ["standardised": false, "c": 1e-3]))
  #expect(unscaled["logistic on mean, unscaled, c 0.001 at 120 labels"] != plain)
  // All far to one side, where training examples of one class are: were they scaled by themselves, nothing would change.
  bench.test = Batch(inputs: try bench.test.inputs * 1 + 50, labels: bench.test.labels)
  let counts = try #require(bench.test.labels).ints().reduce(into: [0, 0, 0]) { $0[$1] += 1 }
  let far = try #require(bench.measured(settings("logistic", on: "mean"))[name])
  #expect(counts.contains { abs(far - 100 * Double($0) / 90) < 1e-9 })
}

/// A penalty that leaves the biases alone finds the most frequent class.
@Test func theStrengthOfThePenaltyCounts() throws {
  let bench = try Bench(spread: 0.05)
  let found = try bench.measured(["classifier": "logistic", "labels": [120], "c": 1e-9])
  let labels = try #require(bench.test.labels).ints()
  let share = 100 * Double(labels.count { $0 == 1 }) / 90
  #expect(abs(try #require(found["logistic on mean, c 1e-09 at 120 labels"]) - share) < 1e-9)
}

/// Three convolutions with batch normalisation and pooling; 129 examples in batches of 128 leave one, which batch normalisation cannot take.
@Test func theNetworkOfImagesLearns() throws {
  let bench = try Bench(spread: 0.1, side: 12, count: 129)
  let found = try bench.measured(
    ["classifier": "cnn", "features": "pixels", "labels": [30, 129], "steps": 60, "batch": 128])
  #expect(try #require(found["cnn on pixels, 60 steps at 129 labels"]) > 95)
  #expect(try #require(found["cnn on pixels, 60 steps at 129 labels, training"]) > 95)
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
  // Padding has no values of its own.
  var padded = try Bench(side: 4).place()
  padded.padding = 1
  #expect(
    message { _ = try ProbeMetric(.init(["features": "pca", "components": 5], at: "with"), in: padded) }.contains(
      "components 5, and inputs of 4 values"))
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
