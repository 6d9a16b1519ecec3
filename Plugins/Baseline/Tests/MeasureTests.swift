import Foundation
import LatentKit
import Statistics
import TestSupport
import Testing

@testable import Baseline

/// Shows a metric inputs and reconstructions in two batches and returns what it finds.
private func measure(
  _ metric: some Metric, _ inputs: Tensor, _ made: Tensor, labels: Tensor? = nil, labelled: Tensor? = nil,
  _ evaluated: Evaluation? = nil
) throws -> [Measured] {
  var metric = metric
  for range in try [0..<1, 1..<inputs.size(0)] {
    let batch = try Batch(
      inputs: inputs.slice(range), labels: labels?.slice(range), labelled: labelled?.slice(range))
    try metric.update(
      forward(batch, code: .point(batch.inputs.flattened()), made: made.slice(range), training: false))
  }
  return try metric.finish(evaluated ?? evaluation(LatentSet(latents: inputs.flattened(), labels: nil)))
}

private func value(_ name: String, _ found: [Measured]) throws -> Double {
  let measured = try #require(found.first { $0.name == name })
  return try #require(measured.value)
}

private func missing(_ name: String, _ found: [Measured]) throws -> String {
  let measured = try #require(found.first { $0.name == name })
  return try #require(measured.missing)
}

@Suite struct MeasuresOfImages {
  private let inputs: Tensor
  private let made: Tensor
  /// Brightness without padding.
  private let (bareInputs, bareMade): (Tensor, Tensor)
  private let padded: BuildContext

  init() throws {
    var generator = try Generator(seed: 1)
    inputs = try generator.uniform([4, 2, 18, 17]) * 2 - 1
    made = try inputs * 0.7 + generator.uniform([4, 2, 18, 17]) * 0.3
    func bare(_ values: Tensor) throws -> Tensor {
      try (values.slice(2..<16, axis: 2).slice(2..<15, axis: 3).to(.float64) + 1) / 2
    }
    (bareInputs, bareMade) = (try bare(inputs), try bare(made))
    padded = try context([2, 18, 17], range: -1...1, padding: 2)
  }

  @Test func signalToNoiseIsTheMeanOfDecibelsInBrightnessWithoutPadding() throws {
    let found = try measure(PeakSignalToNoise(.init(), in: padded), inputs, made)
    let errors = try (bareMade - bareInputs).square().mean(axes: [1, 2, 3]).doubles()
    let expected = errors.map { -10 * log10($0) }.reduce(0, +) / 4
    #expect(abs(try value("psnr", found) - expected) < 1e-4)  // pixels are Float32
    #expect(found[0].unit == "dB")
  }

  @Test func similarityIsThatOfBrightnessWithoutPadding() throws {
    let found = try measure(MeanStructuralSimilarity(.init(), in: padded), inputs, made)
    let expected = try StructuralSimilarity.values(bareMade, bareInputs, range: 1).mean().item()
    #expect(abs(try value("ssim", found) - expected) < 1e-5 && expected < 0.99)
    #expect(abs(try value("ssim", measure(MeanStructuralSimilarity(.init(), in: padded), inputs, inputs)) - 1) < 1e-9)
  }

  @Test func sharpnessIsThatOfReconstructionsOriginalsAndSamples() throws {
    var config = Sharpness.Config()
    config.samples = 3
    let drawn = try inputs.slice(1..<4) * 0.5
    let metric = try Sharpness(config, in: padded)
    let found = try measure(metric, inputs, made, sampling(drawn, labels: nil))
    for (name, images) in [
      ("reconstructions", bareMade), ("originals", bareInputs), ("samples", try (bareInputs.slice(1..<4) - 0.5) * 0.5),
    ] {
      let expected = try ImageQuality.sharpness(images).mean().item()
      #expect(abs(try value("sharpness of \(name)", found) - expected) < 1e-6)
    }
    #expect(metric.sources == .samples)
    config.samples = 0
    let plain = try Sharpness(config, in: padded)
    #expect(try plain.sources == [] && plain.timing == .atEnd && measure(plain, inputs, made).count == 2)
  }

  @Test func whatIsNoImageIsRefused() throws {
    let rows = try context([20])
    let texts = [
      message { _ = try PeakSignalToNoise(.init(), in: rows) },
      message { _ = try MeanStructuralSimilarity(.init(), in: rows) }, message { _ = try Sharpness(.init(), in: rows) },
    ]
    for text in texts {
      #expect(text.hasPrefix("part 'x' needs images [channels, height, width], found inputs of shape [20]"))
    }
    // 14x14 with a padding of 2.
    let small = try context([1, 14, 14], padding: 2)
    #expect(
      message { _ = try MeanStructuralSimilarity(.init(), in: small) }
        == "part 'x' needs images with sides of at least 11 pixels, found 10x10; drop the metric")
    var plain = try context([1, 28, 28])
    plain.model = Model(encoder: Fixed(code: .point(inputs), made: inputs), prior: Flat())
    #expect(message { _ = try PeakSignalToNoise(.init(), in: plain) }.contains("part 'x' needs a decoder"))
  }
}

/// An evaluation with samples: always these, as many as there are, and with training examples.
func sampling(
  _ inputs: Tensor, labels: Tensor?, classes: Int = 3, training: (inputs: Tensor, labels: Tensor)? = nil,
  sources: MetricSources = [.samples, .trainingInputs]
) throws -> Evaluation {
  let fixed = Fixed(code: .point(inputs), made: inputs)
  return Evaluation(
    measured: LatentSet(latents: inputs, labels: nil), scores: nil, model: Model(encoder: fixed, prior: Flat()),
    classCount: classes, random: RandomSource(try Generator(seed: 1)),
    training: .init {
      LatentSet(latents: training?.inputs ?? inputs, labels: training?.labels)
    } batches: { body in
      let training = try #require(training)
      let count = training.labels.count
      for start in stride(from: 0, to: count, by: 7) {
        let range = start..<min(start + 7, count)
        try body(Batch(inputs: training.inputs.slice(range), labels: training.labels.slice(range)))
      }
    } samples: { request, _ in
      SampleSet(latents: inputs, inputs: inputs, labels: request.areOfClasses ? labels : nil)
    }, sources: sources)
}

@Suite struct RateOfCodes {
  /// `½ (s² + m² − 1 − log s²)` for each latent.
  private struct Normal: AnalyticPrior {
    func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor {
      try (latents.square() + 1.8378770664093453).sum(axis: 1) * -0.5
    }
    func divergence(mean: Tensor, logVariance: Tensor, labels: Tensor?) throws -> Tensor {
      try (logVariance.exp() + mean.square() - 1 - logVariance).sum(axis: 1) * 0.5
    }
  }

  @Test func rateIsTheMeanDivergenceInNats() throws {
    let mean = try Tensor([1.0, 0, 0, 2, 0, 0], shape: [3, 2])
    let logVariance = try Tensor([0.0, 0, 0, 0, -2, 0], shape: [3, 2])
    var metric = try Rate(.init(), in: context([2]))
    for range in [0..<2, 2..<3] {
      let code = Code.gaussian(mean: try mean.slice(range), logVariance: try logVariance.slice(range))
      let batch = Batch(inputs: try mean.slice(range), labels: nil)
      try metric.update(forward(batch, code: code, made: mean, under: Normal(), training: false))
    }
    let found = try metric.finish(evaluation(LatentSet(latents: mean, labels: nil)))
    let expected = (0.5 + 2 + (exp(-2) + 1) / 2) / 3
    #expect(abs(try value("rate", found) - expected) < 1e-12 && found[0].unit == "nats")
  }

  @Test(arguments: [1, 0.01]) func aCollapsedCodeIsWarnedAbout(scale: Double) throws {
    let mean = try Tensor([1.0, 0, 0, 2, 0, 0], shape: [3, 2]) * scale
    var metric = try Rate(.init(), in: context([2]))
    let code = Code.gaussian(mean: mean, logVariance: try .zeros([3, 2], dtype: .float64))
    try metric.update(
      forward(Batch(inputs: mean, labels: nil), code: code, made: mean, under: Normal(), training: false))
    let found = try metric.finish(evaluation(LatentSet(latents: mean, labels: nil)))
    // Rates are 5/6 nats, and a ten thousandth of that.
    #expect((found[0].warning?.contains("collapsed") ?? false) == (scale < 1))
    #expect(try value("active latents", found) == (scale < 1 ? 0 : 2))
  }

  @Test func pointsHaveNoRate() throws {
    var metric = try Rate(.init(), in: context([2]))
    let points = try Tensor.zeros([3, 2])
    #expect(
      message {
        try metric.update(
          forward(Batch(inputs: points, labels: nil), code: .point(points), made: points, training: false))
      }.hasPrefix("part 'x' needs a Gaussian code, and the encoder gives points; set encoder.code=gaussian, or"))
  }
}

/// A trained model of rows of numbers whose features are the numbers, and whose class is the place of the greatest one.
private struct Greatest: Encoder, Classifier {
  let latentSize: Int
  func encode(_ batch: Batch) -> Code { .point(batch.inputs) }
  func scores(_ request: LatentBatch) -> Tensor { request.latents }
}

func judged(_ size: Int, classes: Int = 3) throws -> BuildContext {
  var context = try context([size], classes: classes, range: nil)
  let part = Greatest(latentSize: size)
  context.openRun = { path in
    guard path == "runs/judge" else { throw RecipeError("there is no run in \(path); name another") }
    return TrainedModel(
      path: path, checksum: "0", model: Model(encoder: part, classifier: part, prior: Flat()),
      inputs: InputDescription(shape: [size]), classCount: classes, classNames: nil)
  }
  return context
}

/// Rows whose greatest number is at the given places.
private func rows(_ places: [Int], size: Int = 3) throws -> Tensor {
  try Tensor(places.map(Int64.init)).oneHot(size).to(.float32) + 0.25
}

@Suite struct AgreementOfClasses {
  @Test func agreementCountsLikeALoop() throws {
    let labels: [Int64] = [0, 0, 1, 1, 2, 2]
    let (ofInputs, ofMade) = ([0, 1, 1, 1, 0, 0], [0, 1, 2, 1, 2, 0])
    var config = ClassAgreement.Config()
    config.classifier = "runs/judge"
    let metric = try ClassAgreement(config, in: judged(3))
    let found = try measure(
      metric, rows(ofInputs), rows(ofMade), labels: Tensor(labels), sampling(rows([0]), labels: nil))
    // Reconstructions 0, 3 and 4 are of their label; originals 0, 2 and 3; and 0, 1, 3 and 5 of what the original was found to be.
    #expect(abs(try value("class agreement", found) - 50) < 1e-12)
    #expect(abs(try value("classifier accuracy on originals", found) - 50) < 1e-12)
    #expect(abs(try value("class agreement with originals", found) - 400.0 / 6) < 1e-12)
    let table = try #require(found.last?.table)
    #expect(table.values == [[2, 50, 100, 50], [2, 50, 50, 100], [2, 50, 50, 0]] && table.rows == ["0", "1", "2"])
    // The second has no label.
    let mask = try Tensor([1, 0, 1, 1, 1, 1] as [Int64]) .!= 0
    let partly = try measure(
      metric, rows(ofInputs), rows(ofMade), labels: Tensor(labels), labelled: mask, sampling(rows([0]), labels: nil))
    #expect(abs(try value("class agreement", partly) - 60) < 1e-12)
    #expect(partly.last?.table?.values.first == [1, 100, 100, 100])
  }

  @Test func samplesAgreeWithTheClassTheyWereDrawnFor() throws {
    var config = SampleClassAgreement.Config()
    config.classifier = "runs/judge"
    let metric = try SampleClassAgreement(config, in: judged(3))
    let labels = try Tensor([0, 1, 2, 0] as [Int64])
    let found = try metric.finish(sampling(rows([0, 1, 1, 2]), labels: labels))
    #expect(try value("sample class agreement", found) == 50)
    #expect(found.last?.table?.values == [[2, 50], [1, 100], [1, 0]])
    let free = try metric.finish(sampling(rows([0, 1]), labels: nil))
    #expect(
      free.count == 1 && free[0].missing?.hasPrefix("neither the sampler nor the decoder follows classes") == true)
    #expect(metric.timing == .atEnd)
  }

  @Test func aRunThatCannotJudgeIsRefused() throws {
    let context = try judged(3)
    #expect(
      message { _ = try ClassAgreement(.init(), in: context) }.hasPrefix(
        "part 'x' judges by the classifier of another run, and none is named; train one"))
    var config = SampleClassAgreement.Config()
    config.classifier = "runs/x"
    #expect(
      message { _ = try SampleClassAgreement(config, in: context) }
        == "part 'x': there is no run in runs/x; name another")
    config.classifier = "runs/judge"
    var other = context
    other.classCount = 4
    #expect(
      message { _ = try SampleClassAgreement(config, in: other) }.contains("knows 3 classes, and the data have 4"))
    other.classCount = nil
    #expect(message { _ = try SampleClassAgreement(config, in: other) }.contains("part 'x' needs labels"))
  }
}

@Suite struct MeasuresOfFeatures {
  private let real: Tensor
  private let made: Tensor
  private let context: BuildContext

  init() throws {
    var generator = try Generator(seed: 4)
    (real, made) = (try generator.normal([60, 3]), try generator.normal([40, 3]) * 1.3 + 0.4)
    context = try judged(3)
  }

  private func frechet(_ change: (inout SampleFrechetDistance.Config) -> Void = { _ in }) throws
    -> SampleFrechetDistance
  {
    var config = SampleFrechetDistance.Config()
    config.classifier = "runs/judge"
    change(&config)
    return try SampleFrechetDistance(config, in: context)
  }

  @Test func distancesAreThoseOfTheFeatures() throws {
    let (x, y) = (try real.to(.float64), try made.to(.float64))
    let evaluation = try sampling(made, labels: nil)
    let distance = try measure(frechet(), real, real, evaluation)
    #expect(try value("Fréchet distance", distance) == FrechetDistance(x, y).value)

    var kid = KernelInceptionDistance.Config()
    (kid.classifier, kid.subsets) = ("runs/judge", 4)
    let kernel = try measure(KernelInceptionDistance(kid, in: context), real, real, evaluation)
    #expect(try value("kid", kernel) == KernelDistance.unbiased(x, y))
    let parts = try KernelDistance.ofSubsets(x, y, subsets: 4)
    let mean = parts.reduce(0, +) / 4
    let spread = (parts.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 3 / 4).squareRoot()
    #expect(abs(try value("kid spread", kernel) - spread) < 1e-12)

    var balls = PrecisionRecall.Config()
    (balls.classifier, balls.neighbors) = ("runs/judge", 3)
    let found = try measure(PrecisionRecall(balls, in: context), real, real, evaluation)
    // 40 of 60, spread evenly: without every third.
    let some = try x.rows((0..<60).filter { $0 % 3 != 0 })
    let expected = try Neighborhoods(real: some, generated: y, neighbors: 3)
    #expect(
      try [value("precision", found) / 100, value("recall", found) / 100, value("density", found)]
        == [expected.precision, expected.recall, expected.density])
    #expect(try value("coverage", found) == 100 * expected.coverage)
  }

  @Test func trainingExamplesStandBesideWhereAskedFor() throws {
    let metric = try frechet {
      $0.training = true
      $0.samples = 20
    }
    #expect(metric.sources == [.samples, .trainingInputs])
    #expect(try frechet().sources == .samples)
    let labels = try Tensor.zeros([60], dtype: .int64)
    let found = try measure(metric, made, made, sampling(made, labels: nil, training: (real, labels)))
    #expect(found.map(\.name) == ["Fréchet distance", "Fréchet distance of training examples"])
    // The samples are the measured part itself; every third training example is compared, the last of each three.
    #expect(try value("Fréchet distance", found) < 1e-9)
    let some = try real.rows((0..<60).filter { $0 % 3 == 2 }).to(.float64)
    let expected = try FrechetDistance(made.to(.float64), some).value
    #expect(try value("Fréchet distance of training examples", found) == expected)
  }

  @Test func tooFewExamplesAndBrokenSamplesAreMissingWithTheReason() throws {
    let few = try measure(frechet(), real, real, sampling(made.slice(0..<3), labels: nil))
    #expect(
      try missing("Fréchet distance", few)
        == "found 60 measured examples and 3 others, expected more than the 3 dimensions of features")
    let broken = try measure(frechet(), real, real, sampling(made.filled(with: .nan), labels: nil))
    #expect(try missing("Fréchet distance", broken).hasPrefix("features are not finite"))
    #expect(
      message { _ = try frechet { $0.samples = 3 } }.hasPrefix(
        "part 'x' found samples 3 in a feature space of 3 dimensions, expected more"))
    var kid = KernelInceptionDistance.Config()
    kid.classifier = "runs/judge"
    let kernel = try measure(
      KernelInceptionDistance(kid, in: context), real, real, sampling(made.slice(0..<19), labels: nil))
    #expect(try missing("kid", kernel) == "found 19 examples in 10 subsets, expected two or more in each")
    var balls = PrecisionRecall.Config()
    balls.classifier = "runs/judge"
    let near = try measure(PrecisionRecall(balls, in: context), real, real, sampling(made.slice(0..<5), labels: nil))
    #expect(try missing("coverage", near) == "found 5 examples, expected more than the 5 neighbours")
  }

  @Test func evenChoicesSpreadOverAllAndTakeAllThatThereAre() {
    #expect(EvenChoice(3, of: 9).all == [2, 5, 8])
    #expect(EvenChoice(9, of: 4).all == [0, 1, 2, 3])
    for wanted in 1...17 {
      let chosen = EvenChoice(wanted, of: 17).all
      let gaps = zip(chosen, chosen.dropFirst()).map { $1 - $0 }
      #expect(chosen.count == wanted && (gaps.max() ?? 1) - (gaps.min() ?? 1) <= 1)
    }
  }
}

@Suite struct ScoreOfSamples {
  private let (inputs, labels): (Tensor, Tensor)

  /// Three classes that are well apart.
  init() throws {
    var generator = try Generator(seed: 5)
    let places = (0..<90).map { $0 % 3 }
    inputs = try rows(places, size: 4) * 4 + generator.normal([90, 4]) * 0.3
    labels = try Tensor(places.map(Int64.init))
  }

  private func score(_ samples: Tensor, _ sampleLabels: Tensor?, training: Bool = true) throws -> [Measured] {
    var config = ClassificationAccuracyScore.Config()
    (config.samples, config.training, config.epochs) = (40, training, 20)
    let metric = try ClassificationAccuracyScore(config, in: context([4], classes: 3, range: nil))
    return try measure(
      metric, inputs, inputs, labels: labels, sampling(samples, labels: sampleLabels, training: (inputs, labels)))
  }

  @Test func goodSamplesTeachTheClassesAndWrongOnesTeachWrongOnes() throws {
    let good = try score(inputs * 0.9, labels)
    #expect(try value("classification accuracy score", good) > 95)
    #expect(try value("classification accuracy score of training examples", good) > 95)
    let table = try #require(good.last?.table)
    #expect(table.values.map { $0[0] } == [30, 30, 30] && table.columns.count == 3)
    // Each class is called by the next one's name.
    let turned = try Tensor((0..<90).map { Int64(($0 + 1) % 3) })
    let wrong = try score(inputs, turned)
    #expect(try value("classification accuracy score", wrong) < 5)
    #expect(wrong.last?.table?.values.allSatisfy { ($0[1] ?? 100) < 20 } == true)
    // The comparison is the same whatever the samples are, and repeats to the bit.
    #expect(wrong[1] == good[1])
    #expect(try score(inputs * 0.9, labels) == good)
    #expect(
      try score(inputs, nil, training: false)[0].missing?.hasPrefix("neither the sampler nor the decoder") == true)
  }

  @Test func imagesAreReadByConvolutions() throws {
    var generator = try Generator(seed: 6)
    // A bright half: left or right.
    let places = (0..<80).map { Int64($0 % 2) }
    let half = try Tensor((0..<(2 * 64)).map { ($0 % 8 < 4) == ($0 < 64) ? 1.0 : 0 }, shape: [2, 1, 8, 8]).to(.float32)
    let images = try half.rows(Tensor(places)) + generator.uniform([80, 1, 8, 8]) * 0.5
    var config = ClassificationAccuracyScore.Config()
    (config.training, config.epochs) = (false, 8)
    let metric = try ClassificationAccuracyScore(config, in: context([1, 8, 8], classes: 2))
    let found = try measure(
      metric, images, images, labels: Tensor(places),
      sampling(images.slice(0..<60), labels: Tensor(Array(places.prefix(60))), classes: 2))
    #expect(try value("classification accuracy score", found) > 95)
    #expect(metric.sources == .samples)
  }
}
