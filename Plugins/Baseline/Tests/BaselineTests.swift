import Baseline
import Foundation
import LatentKit
import Testing

@Suite struct Networks {
  @Test(arguments: [CodeKind.point, .gaussian])
  func encodersGiveOneLatentPerInput(kind: CodeKind) throws {
    let images = try context([1, 32, 32])
    var mlp = MLPEncoder.Config()
    (mlp.latent, mlp.hidden, mlp.code) = (5, [8, 6], kind)
    var conv = ConvEncoder.Config()
    (conv.latent, conv.widths, conv.code) = (5, [2, 3], kind)
    var resnet = ResNetEncoder.Config()
    (resnet.latent, resnet.widths, resnet.code) = (5, [2, 3, 4], kind)
    let encoders: [any FeatureEncoder] = [
      try MLPEncoder(mlp, in: images), try ConvEncoder(conv, in: context([1, 32, 32])),
      try ResNetEncoder(resnet, in: context([1, 32, 32])),
    ]
    let inputs = Batch(inputs: try .ones([3, 1, 32, 32]), labels: nil)
    for encoder in encoders {
      #expect(encoder.latentSize == 5)
      let code = try encoder.encode(inputs)
      #expect(code.mean.shape == [3, 5])
      if case .gaussian(_, let logVariance) = code {
        #expect(kind == .gaussian)
        #expect(logVariance.shape == [3, 5])
      } else {
        #expect(kind == .point)
      }
      #expect(try !encoder.features(inputs).isEmpty)
    }
  }

  @Test func resnetWithItsDefaultsIsTheEncoderOfTable1() throws {
    let context = try context([1, 32, 32])
    let encoder = try ResNetEncoder(.init(), in: context)
    let shapes = try encoder.features(Batch(inputs: .zeros([1, 1, 32, 32]), labels: nil)).map {
      Array($0.shape.dropFirst())
    }
    #expect(shapes == [[32, 32, 32], [64, 16, 16], [128, 8, 8], [128, 4, 4]])
  }

  @Test func decodersMakeInputs() throws {
    var deconv = DeconvDecoder.Config()
    deconv.widths = [4, 3, 2]
    let decoder = try DeconvDecoder(deconv, in: context([3, 28, 28], latent: 6))
    #expect(try decoder.decode(LatentBatch(.zeros([2, 6]))).shape == [2, 3, 28, 28])
    let mlp = try MLPDecoder(.init(), in: context([1, 28, 28], latent: 6))
    let made = try mlp.decode(LatentBatch(.ones([2, 6])))
    #expect(made.shape == [2, 1, 28, 28])
    #expect(try made.min().item() > 0 && made.max().item() < 1)
  }

  @Test func deconvRefusesSidesItCannotMake() throws {
    #expect {
      try DeconvDecoder(.init(), in: context([1, 28, 28], latent: 6))
    } throws: { "\($0)".contains("multiples of 8") && "\($0)".contains("28x28") && "\($0)".contains("data.pad") }
  }

  @Test func convolutionalPartsRefuseTables() throws {
    #expect { try ConvEncoder(.init(), in: context([30])) } throws: { "\($0)".contains("mlp") }
  }

  @Test func aPartStartsAlikeWhateverStandsBesideIt() throws {
    let alone = try context([1, 8, 8], latent: 4, classes: 3)
    let store = ParameterStore()
    let crowded = try Scope(path: "", store: store, seed: 1)
    _ = try Linear(3, 3, in: crowded("other"))
    var beside = alone
    beside.scope = crowded("part")
    let first = try LinearClassifier(.init(), in: alone).scores(LatentBatch(.ones([1, 4])))
    let second = try LinearClassifier(.init(), in: beside).scores(LatentBatch(.ones([1, 4])))
    #expect(try first.floats() == second.floats())
  }
}

@Suite struct Losses {
  /// The single term of a loss for a fixed model.
  func value(
    _ loss: any Loss, inputs: Tensor, labels: Tensor? = nil, code: Code, made: Tensor, scores: Tensor? = nil
  ) throws -> Tensor {
    let prior = try StandardNormal(.init(), in: context([1], latent: code.mean.size(1)))
    let pass = try forward(
      Batch(inputs: inputs, labels: labels), code: code, made: made, scores: scores, under: prior)
    let terms = try loss.terms(pass, under: prior)
    #expect(terms.count == 1)
    let value = try terms[0].value
    // What masks and weights choose among reduces to the fast value of the whole batch.
    let values = try terms[0].values()
    #expect(try values.shape == [inputs.size(0)])
    let reduced = try terms[0].reduction == .mean ? values.mean() : values.sum()
    #expect(try abs(reduced.item() - value.item()) < 1e-12 * max(1, abs(value.item())))
    return value
  }

  /// Central differences against the gradient by `x`.
  func checkGradient(of x: Tensor, _ function: (Tensor) throws -> Tensor) throws {
    let values = try x.doubles()
    let leaf = try x.clone().requiringGradient()
    let gradient = try #require(try function(leaf).gradients(by: [leaf])[0]).doubles()
    for index in values.indices {
      func at(_ offset: Double) throws -> Double {
        var moved = values
        moved[index] += offset
        return try function(Tensor(moved, shape: x.shape)).item()
      }
      let slope = try (at(1e-6) - at(-1e-6)) / 2e-6
      #expect(abs(slope - gradient[index]) < 1e-6)
    }
  }

  let inputs: [Double] = [0.1, 0.9, 0.4, 0.6, 0.0, 1.0]
  let made: [Double] = [0.3, 0.7, 0.45, 0.1, 0.2, 0.8]
  let code = try! Code.point(Tensor([0.5, -1.0, 2.0, 0.25], shape: [2, 2]))

  @Test(arguments: [ValueReduction.mean, .sum])
  func reconstructionLossesMatchALoop(reduction: ValueReduction) throws {
    let divisor = reduction == .mean ? 6.0 : 2.0
    let errors = zip(made, inputs).map { $0 - $1 }
    var mse = SquaredError.Config()
    mse.reduction = reduction
    var huber = HuberError.Config()
    (huber.delta, huber.reduction) = (0.15, reduction)
    var bce = BinaryCrossEntropy.Config()
    bce.reduction = reduction
    let image = try context([3])
    let cases: [(any Loss, Double)] = [
      (SquaredError(mse, in: image), errors.map { $0 * $0 }.reduce(0, +) / divisor),
      (
        HuberError(huber, in: image),
        errors.map { abs($0) < 0.15 ? 0.5 * $0 * $0 : 0.15 * (abs($0) - 0.075) }.reduce(0, +) / divisor
      ),
      (
        try BinaryCrossEntropy(bce, in: image),
        zip(made, inputs).map { -$1 * log($0) - (1 - $1) * log(1 - $0) }.reduce(0, +) / divisor
      ),
    ]
    let x = try Tensor(inputs, shape: [2, 3])
    let y = try Tensor(made, shape: [2, 3])
    for (loss, expected) in cases {
      #expect(abs(try value(loss, inputs: x, code: code, made: y).item() - expected) < 1e-9)
      try checkGradient(of: y) { try value(loss, inputs: x, code: code, made: $0) }
    }
  }

  @Test func bceOfLogitsIsBceOfTheirSigmoid() throws {
    var config = BinaryCrossEntropy.Config()
    config.logits = true
    let x = try Tensor(inputs, shape: [2, 3])
    let logits = try Tensor([-2.0, 0.5, 3, 1, -1, 0], shape: [2, 3])
    let a = try value(BinaryCrossEntropy(config, in: context([3])), inputs: x, code: code, made: logits)
    let b = try value(BinaryCrossEntropy(.init(), in: context([3])), inputs: x, code: code, made: logits.sigmoid())
    #expect(abs(try a.item() - b.item()) < 1e-9)
  }

  @Test func bceRefusesInputsBelowZeroAndOutputsBeyondOne() throws {
    for (shape, advice) in [([1, 1, 3], "data.range=unit"), ([3], "transform min-max")] {
      #expect { try BinaryCrossEntropy(.init(), in: context(shape, range: -1...1)) } throws: {
        "\($0)".contains("found inputs -1.0 to 1.0; ") && "\($0)".contains(advice)
      }
    }
    let x = try Tensor(inputs, shape: [2, 3])
    let beyond = try Tensor(made.map { $0 + 2 }, shape: [2, 3])
    #expect {
      try value(BinaryCrossEntropy(.init(), in: context([3])), inputs: x, code: code, made: beyond)
    } throws: { "\($0)".contains("decoder.output=sigmoid") }
  }

  @Test func divergenceIsTheClosedForm() throws {
    let mean = try Tensor([0.5, -1, 2, 0], shape: [2, 2])
    let logVariance = try Tensor([0.1, -0.3, 0.7, 0], shape: [2, 2])
    var expected = 0.0
    for (m, v) in zip(try mean.doubles(), try logVariance.doubles()) { expected += 0.5 * (m * m + exp(v) - v - 1) / 2 }
    let x = try Tensor(inputs, shape: [2, 3])
    let kl = Divergence(.init(), in: try context([3]))
    let found = try value(kl, inputs: x, code: .gaussian(mean: mean, logVariance: logVariance), made: x)
    #expect(abs(try found.item() - expected) < 1e-9)
    try checkGradient(of: mean) {
      try value(kl, inputs: x, code: .gaussian(mean: $0, logVariance: logVariance), made: x)
    }
    try checkGradient(of: logVariance) {
      try value(kl, inputs: x, code: .gaussian(mean: mean, logVariance: $0), made: x)
    }
    #expect { try value(kl, inputs: x, code: code, made: x) } throws: { "\($0)".contains("encoder.code=gaussian") }
  }

  @Test func drawnDivergenceAgreesWithTheClosedFormOnAverage() throws {
    // A prior without a closed form: the same density, so the average over many draws must be the closed form.
    struct Opaque: Prior {
      let inside: StandardNormal
      func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor {
        try inside.logDensity(latents, labels: labels)
      }
    }
    let count = 40_000
    let mean = try Tensor.full([count, 2], 0.7, dtype: .float64)
    let logVariance = try Tensor.full([count, 2], -0.4, dtype: .float64)
    let expected = 2 * 0.5 * (0.49 + exp(-0.4) + 0.4 - 1)
    let prior = Opaque(inside: try StandardNormal(.init(), in: context([2], latent: 2)))
    let pass = try forward(
      Batch(inputs: mean, labels: nil), code: .gaussian(mean: mean, logVariance: logVariance), made: mean, under: prior,
      seed: 9)
    let found = try Divergence(.init(), in: context([2])).terms(pass, under: prior)[0].value.item()
    // The standard error of the average is about 0.005.
    #expect(abs(found - expected) < 0.025)
  }

  @Test func crossEntropyMatchesALoopForBothSources() throws {
    let scores: [Double] = [1, 2, 0.5, -1, 0, 3]
    let labels = [2, 0]
    var expected = 0.0
    for row in 0..<2 {
      let values = Array(scores[row * 3..<row * 3 + 3])
      expected += (log(values.map { exp($0) }.reduce(0, +)) - values[labels[row]]) / 2
    }
    let tensor = try Tensor(scores, shape: [2, 3])
    let targets = try Tensor(labels.map(Int64.init))
    let x = try Tensor(inputs, shape: [2, 3])
    let classifier = try CrossEntropy(.init(), in: context([3], latent: 2, classes: 3))
    let a = try value(classifier, inputs: x, labels: targets, code: code, made: x, scores: tensor)
    #expect(abs(try a.item() - expected) < 1e-9)
    var config = CrossEntropy.Config()
    config.scores = .latents
    let latents = try CrossEntropy(config, in: context([3], latent: 3, classes: 3))
    let b = try value(latents, inputs: x, labels: targets, code: .point(tensor), made: x)
    #expect(abs(try b.item() - expected) < 1e-9)
    #expect { try CrossEntropy(config, in: context([3], latent: 2, classes: 3)) } throws: {
      "\($0)".contains("encoder.latent=3")
    }
    #expect(classifier.needs == .labels)
    #expect { try value(classifier, inputs: x, code: code, made: x, scores: tensor) } throws: {
      "\($0)".contains("labels")
    }
  }
}

@Suite struct PriorsAndSchedules {
  @Test func standardNormalDensityMatchesTheFormula() throws {
    let prior = try StandardNormal(.init(), in: context([1], latent: 2))
    let density = try prior.logDensity(Tensor([0.0, 0, 1, -2], shape: [2, 2]), labels: nil).doubles()
    #expect(abs(density[0] + log(2 * Double.pi)) < 1e-12)
    #expect(abs(density[1] + log(2 * Double.pi) + 2.5) < 1e-12)
  }

  @Test func priorSamplerNeedsADirectPrior() throws {
    let context = try context([1], latent: 3)
    let sampler = PriorSampler(.init(), in: context)
    var generator = try Generator(seed: 1)
    func request(_ prior: any Prior) -> DrawRequest {
      DrawRequest(labels: nil, count: 50_000, latentSize: 3, prior: prior, reference: nil)
    }
    let draw = try sampler.draw(request(StandardNormal(.init(), in: context)), using: &generator)
    #expect(draw.latents.shape == [50_000, 3] && !draw.followsLabels)
    #expect(abs(try draw.latents.mean().item()) < 0.02)
    #expect(abs(try draw.latents.variance().item() - 1) < 0.02)
    #expect(throws: RecipeError.self) { try sampler.draw(request(Flat()), using: &generator) }
  }

  @Test func schedulesGoAsTheySay() throws {
    let context = try context([1])
    var step = StepSchedule.Config()
    (step.epochs, step.factor) = (2, 0.1)
    let steps = StepSchedule(step, in: context)
    let factors = [0, 19, 20, 39, 40].map { steps.factor(step: $0, stepsPerEpoch: 10, epochs: 6) }
    for (found, expected) in zip(factors, [1, 1, 0.1, 0.1, 0.01]) { #expect(abs(found - expected) < 1e-12) }
    var cosine = CosineSchedule.Config()
    cosine.warmUp = 1
    let wave = CosineSchedule(cosine, in: context)
    let curve = (0..<40).map { wave.factor(step: $0, stepsPerEpoch: 10, epochs: 4) }
    #expect(curve[0] < 0.1 && curve[9] > 0.9 && curve[10] == 1)
    #expect(zip(curve[10...], curve[11...]).allSatisfy { $0 > $1 })
    #expect(curve[39] > 0 && curve[39] < 0.01)
    #expect(abs(wave.factor(step: 25, stepsPerEpoch: 10, epochs: 4) - 0.5) < 1e-12)
  }

  @Test func nesterovNeedsMomentum() throws {
    var sgd = SGDRule.Config()
    (sgd.nesterov, sgd.momentum) = (true, 0)
    #expect(throws: RecipeError.self) { try SGDRule(sgd, in: context([1])) }
  }
}
