import LatentKit
import Recipes
import Testing

// Parts with one fault each, made from closures.

private struct DrawnPrior: DirectPrior {
  let size: Int
  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor { try latents.sum(axis: 1) * 0 }
  func draw(_ request: DrawRequest, using generator: inout Generator) throws -> Draw {
    Draw(latents: try generator.normal([request.count, size]), followsLabels: false)
  }
}

/// An encoder that goes another way in evaluation mode.
private struct Moody: Encoder {
  let latentSize = 3
  let layer: Linear
  let mode: Mode
  let evaluate: @Sendable (Tensor) throws -> Tensor
  func encode(_ batch: Batch) throws -> Code {
    let latents = try layer(batch.inputs.flattened())
    return .point(mode.isTraining ? latents : try evaluate(latents))
  }
}

private struct Measuring: Metric {
  let shown: @Sendable (Forward) throws -> Void
  let result: @Sendable (Evaluation) throws -> [Measured]
  mutating func update(_ forward: Forward) throws { try shown(forward) }
  func finish(_ evaluation: Evaluation) throws -> [Measured] { try result(evaluation) }
}

private func sampler(_ draw: @escaping @Sendable (DrawRequest, inout Generator) throws -> Tensor) -> Contribution {
  Contribution(.sampler, Entry("mine", "s") { _, _ in DrawingSampler(draw: draw) })
}

private func encoder(_ evaluate: @escaping @Sendable (Tensor) throws -> Tensor) -> Contribution {
  Contribution(
    .encoder,
    Entry("moody", "s") { _, context in
      Moody(
        layer: try Linear(context.inputSize, 3, in: context.scope("layer")), mode: context.scope.mode,
        evaluate: evaluate)
    })
}

private func metric(
  update: @escaping @Sendable (Forward) throws -> Void = { _ in },
  finish: @escaping @Sendable (Evaluation) throws -> [Measured] = { _ in [] }
) -> Contribution {
  Contribution(.metric, Entry("mine", "s") { _, _ in Measuring(shown: update, result: finish) })
}

private func loss(_ name: String = "mine", _ make: @escaping @Sendable (Forward) throws -> [Term]) -> Contribution {
  Contribution(.loss, Entry(name, "s") { _, _ in Making(make: make) })
}

@Suite struct Rehearsals {
  private func problem(_ yaml: String, _ parts: Contribution..., for data: DataShape = digits) -> String? {
    message { _ = try warnings(yaml, parts, for: data) }
  }

  @Test func aSamplerThatLearnsEachClassIsToldOfThoseWithoutExamples() throws {
    var data = digits
    data.missingClasses = [0, 3]
    // Means of classes, as class-gaussian has.
    let learning = sampler { request, generator in
      let reference = try #require(request.reference)
      let known = try Set(reference.labels?.ints() ?? [])
      for label in try request.labels?.ints() ?? [] where !known.contains(label) {
        throw RecipeError("nothing of class \(label)")
      }
      return try generator.normal([request.count, request.latentSize])
    }
    let other = sampler { try $1.normal([$0.count, $0.latentSize]) }
    func refusal(_ part: Contribution, _ data: DataShape, _ yaml: String = "{encoder: resnet, sampler: mine}") throws
      -> String?
    {
      var found: RecipeError?
      try Composer(Catalog([StubPlugin.self], adding: [part])).dryRun(
        recipe(yaml), for: data, refusingDraws: { found = $0 })
      return found?.description
    }
    #expect(
      try refusal(learning, data)
        == "sampler 'mine' learns each class from training examples with its label, and data 'mnist' has none of classes "
        + "0, 3; give it more examples or labels, or choose another sampler")
    #expect(try refusal(learning, digits) == nil && refusal(other, data) == nil)
    // One that refuses anything may do so for the random latents.
    #expect(try refusal(sampler { _, _ in throw RecipeError("never") }, data) == nil)
  }

  @Test func aSamplerMustDrawWhatWasAsked() {
    let yaml = "{encoder: resnet, sampler: mine}"
    #expect(problem(yaml, sampler { try $1.normal([$0.count, $0.latentSize]) }) == nil)
    #expect(
      problem(yaml, sampler { try $1.normal([3, $0.latentSize]) })
        == "sampler 'mine' drew latents of shape [3, 3], expected [4, 3]")
    #expect(
      problem(yaml, sampler { try $1.normal([$0.count, 2]) })?.hasPrefix("sampler 'mine' drew latents of shape [4, 2]")
        == true)
    let type = problem(yaml, sampler { try $1.normal([$0.count, $0.latentSize], dtype: .float64) })
    #expect(type?.hasPrefix("sampler 'mine' drew latents of type") == true && type?.contains("float64") == true)
    #expect(
      problem(yaml, sampler { try $1.normal([$0.count, $0.latentSize]) / 0 })
        == "sampler 'mine' drew numbers that are not finite")
    // What libtorch refuses is a mistake; what the sampler refuses may be due to the few random latents.
    #expect(
      problem(yaml, sampler { try $1.normal([$0.count, 2]).matmul($1.normal([3, 3])) })?
        .hasPrefix("sampler 'mine', draws: matmul of [4, 2] and [3, 3]") == true)
    #expect(problem(yaml, sampler { _, _ in throw RecipeError("too few latents") }) == nil)
    #expect(
      problem(yaml, sampler { _, _ in throw RecipeError("it is broken", isDefect: true) })
        == "sampler 'mine': it is broken")
  }

  @Test func aSamplerIsGivenLatentsOfEachClassAndTheRequestOfTraining() {
    let found = problem(
      "{encoder: resnet, sampler: mine}",
      sampler { request, generator in
        let reference = try request.requireReference(for: "mine")
        for label in 0..<10 where try reference.latents(of: label).size(0) < 2 {
          throw TensorError("few of \(label)", reason: "unexpected")
        }
        guard try request.labels?.ints().count == request.count else {
          throw TensorError("labels", reason: "unexpected")
        }
        return try generator.normal([request.count, request.latentSize])
      })
    #expect(found == nil)
  }

  @Test func drawsOfThePriorAreLookedAt() {
    func prior(_ size: Int) -> Contribution {
      Contribution(.prior, Entry("mine", "s") { _, _ in DrawnPrior(size: size) })
    }
    #expect(problem("{encoder: resnet, prior: mine}", prior(3)) == nil)
    #expect(
      problem("{encoder: resnet, prior: mine}", prior(2))
        == "prior 'mine' drew latents of shape [4, 2], expected [4, 3]")
  }

  @Test func whatBreaksInEvaluationModeAloneIsFoundToo() {
    let yaml = "{encoder: moody, stages: [{train: [encoder, decoder], losses: [mse]}]}"
    #expect(problem(yaml, encoder { $0 }) == nil)
    #expect(
      problem(yaml, encoder { try $0.matmul($0) })?.hasPrefix("encoder 'moody', in evaluation mode: matmul of") == true)
    #expect(
      problem(yaml, encoder { try $0.slice(0..<2, axis: 1) })?
        .hasPrefix(
          "encoder 'moody', in evaluation mode, makes codes of shape [80, 2] for a batch of 80, expected [80, 3]")
        == true)
    #expect(
      problem(yaml, encoder { try $0 / 0 })?.hasPrefix(
        "encoder 'moody', in evaluation mode, makes numbers that are not")
        == true)
  }

  @Test func everyMetricIsRehearsed() {
    let yaml = "{encoder: resnet, metrics: [accuracy, mine]}"
    #expect(problem(yaml, metric()) == nil)
    #expect(
      problem(yaml, metric(update: { _ = try $0.latents.matmul($0.latents) }))?.hasPrefix("metric 'mine': matmul of")
        == true)
    #expect(
      problem(
        yaml,
        metric(finish: {
          _ = try $0.measured.latents.matmul($0.training.latents); return []
        }))
        == "metric 'mine': matmul of [80, 3] and [80, 3]: mat1 and mat2 shapes cannot be multiplied (80x3 and 80x3)")
    // It sees what an evaluation will show it.
    #expect(
      problem(
        yaml,
        metric(
          update: { forward in
            guard !forward.isTraining, try forward.reconstruction.shape == forward.inputs.shape else {
              throw TensorError("the pass", reason: "unexpected")
            }
          },
          finish: { evaluation in
            guard evaluation.classCount == 10, evaluation.scores == nil, evaluation.measured.labels?.count == 80 else {
              throw TensorError("the evaluation", reason: "unexpected")
            }
            return [Measured("none", .nan)]
          })) == nil)
  }

  @Test func aTermThatReachesNoWeightBesideOthersIsWarnedAbout() throws {
    let idle = loss { _ in [.batch("idle", try .scalar(1))] }
    let half = loss("half") {
      [.batch("latent", try $0.latents.square().mean()), .batch("inputs", try $0.inputs.mean())]
    }
    func found(_ losses: String) throws -> [String] {
      try warnings("{encoder: resnet, stages: [{train: [encoder, decoder], losses: \(losses)}]}", [idle, half])
    }
    #expect(try found("[mse, kl]") == [])
    #expect(
      try found("[mse, mine]") == [
        "stage 'main', loss 'mine': term 'idle' reaches none of the weights that the step trains, so it changes nothing"
      ])
    let warned = try found("[mse, half]")
    #expect(warned.count == 1 && warned[0].contains("loss 'half': term 'inputs' reaches none"))
    // Alone it leaves nothing to train, which is refused.
    #expect(
      problem("{encoder: resnet, stages: [{train: [encoder], losses: [mine]}]}", idle)?
        .contains("trains encoder, but none of its losses mine reaches it") == true)
  }

  /// A tiny batch has the last class as well as the first.
  @Test func anIndexBeyondTheLastClassIsFoundBeforeTraining() {
    func table(_ offset: Int) -> Contribution {
      loss { forward in
        let weights = try Tensor.ones([10]).rows((forward.labels + Double(offset)).to(.int64))
        return [.perExample("weighted", try forward.latents.square().sum(axis: 1) * weights)]
      }
    }
    let yaml = "{encoder: resnet, stages: [{train: [encoder], losses: [mine]}]}"
    #expect(
      problem(yaml, table(1))?.hasPrefix("stage 'main', loss 'mine': rows of [10] and [4]: found index 10") == true)
    #expect(problem(yaml, table(-1))?.contains("found index -1, expected 0 to 9") == true)
    #expect(problem(yaml, table(0)) == nil)
  }

  @Test func aGradientThatIsNotFiniteNamesItsLoss() {
    // The value of √0 is 0, and its slope has no bound.
    let rooted = loss("rooted") { [.batch("rooted", try ($0.latents * 0).square().sum().sqrt())] }
    #expect(
      problem("{encoder: resnet, stages: [{train: [encoder, decoder], losses: [mse, rooted, kl]}]}", rooted)
        == """
        stage 'main': the gradient of encoder.layer.weight under loss 'rooted' is not finite for random inputs
        """)
  }

  @Test func whatUpdatesItselfIsTriedToo() {
    struct Online: Prior, OnlineUpdate {
      let mean: Tensor
      func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor {
        try (latents - mean).square().sum(axis: 1)
      }
      func update(after forward: Forward) throws { try mean.copyInPlace(forward.latents.matmul(forward.latents)) }
    }
    let online = Contribution(
      .prior,
      Entry("online", "s") { _, context in
        Online(mean: try context.scope.buffer("mean", .zeros([context.latentSize]))) as any Prior
      })
    for train in ["[encoder, prior]", "[prior]"] {
      let found = problem("{encoder: resnet, prior: online, stages: [{train: \(train), losses: [kl]}]}", online)
      #expect(found?.hasPrefix("stage 'main', prior: matmul of [4, 3] and [4, 3]") == true, "\(found ?? "no error")")
    }
    #expect(problem("{encoder: resnet, prior: online, stages: [{train: [encoder], losses: [kl]}]}", online) == nil)
  }

  @Test func hiddenLabelsAreTriedBeforeTraining() {
    var partly = digits
    partly.isPartlyLabelled = true
    let batch = loss { [.batch("moments", try $0.latents.mean() * $0.labels.to(.float32).mean())] }
    let each = loss { [.perExample("each", try $0.latents.sum(axis: 1) * $0.labels.to(.float32))] }
    let yaml = "{encoder: resnet, stages: [{train: [encoder], losses: [mine]}]}"
    let found = problem(yaml, batch, for: partly)
    #expect(found?.hasPrefix("stage 'main', loss 'mine': term 'moments' reads the labels") == true)
    #expect(found?.contains("data.labelled") == true)
    #expect(problem(yaml, batch) == nil && problem(yaml, each, for: partly) == nil)
    // A part can say that it needs every label.
    struct Greedy: Loss {
      var needs: DataNeeds { .everyLabel }
      func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
        [.batch("l", try forward.latents.mean())]
      }
    }
    let greedy = Contribution(.loss, Entry("mine", "s") { _, _ -> any Loss in Greedy() })
    #expect(problem(yaml, greedy, for: partly)?.hasPrefix("loss 'mine' needs a label of every example") == true)
    #expect(problem(yaml, greedy) == nil)
  }

  @Test func aTermPerExampleMustHaveAValueForEach() {
    let yaml = "{encoder: resnet, stages: [{train: [encoder], losses: [mine]}]}"
    #expect(problem(yaml, loss { [.perExample("l", try $0.latents.sum(axis: 1))] }) == nil)
    // Latents have three coordinates: summed over the batch, these would pass for three examples.
    let found = problem(yaml, loss { [.perExample("l", try $0.latents.sum(axis: 0))] })
    #expect(
      found == "stage 'main', loss 'mine': term 'l' has 3 values for a batch of 4, expected one for each example")
    // Where nothing masks or weighs, training never asks for the values of a term that has a faster way.
    let lazy = problem(
      yaml,
      loss { forward in
        let latents = try forward.latents
        return [.perExample("l", whole: try latents.mean()) { latents }]
      })
    #expect(lazy?.hasPrefix("stage 'main', loss 'mine': term 'l' has the shape [4, 3]") == true)
  }

  @Test func termsThatClassWeightsCannotChangeAreWarnedAbout() throws {
    var weighted = digits
    weighted.isWeighted = true
    let yaml = "{encoder: resnet, stages: [{train: [encoder], losses: [whole, each]}]}"
    let parts = [
      loss("whole") { [.batch("moments", try $0.latents.mean())] },
      loss("each") { [.perExample("each", try $0.latents.sum(axis: 1))] },
    ]
    #expect(
      try warnings(yaml, parts, for: weighted) == [
        "stage 'main', loss 'whole': term 'moments' is no mean or sum over examples, so data.classWeights does not change it"
      ])
    #expect(try warnings(yaml, parts) == [])
  }

  @Test func dataOfOneClassAreWarnedAbout() throws {
    var single = digits
    (single.classCount, single.classNames) = (1, ["healthy"])
    let yaml = "{encoder: resnet, stages: [{train: [encoder], losses: [each]}]}"
    let parts = [loss("each") { [.perExample("each", try $0.latents.sum(axis: 1))] }]
    #expect(
      try warnings(yaml, parts, for: single) == [
        "all labels of data 'mnist' are of one class, 'healthy', so every accuracy is 100 %; check where the labels come from"
      ])
  }

  @Test func aPartMadeAtRunTimeFitsAmongTheOthers() throws {
    // No Swift type of a component: an entry made of a closure, with a weight of its own.
    struct Shift: LatentNoise {
      let by: Tensor
      func perturb(_ request: LatentBatch, using generator: inout Generator) throws -> Tensor {
        try request.latents + by
      }
    }
    let shift = Contribution(
      .noise,
      Entry("shift", "moves latents", settings: [SettingDescription("start", default: 0.5, "Where from.", .atLeast(0))])
      {
        settings, context in
        Shift(by: try context.scope.parameter("by", [context.latentSize], .constant(settings.double("start"))))
      })
    let composer = Composer(try Catalog([StubPlugin.self], adding: [shift]))
    let yaml =
      "{encoder: resnet, noise: {use: shift, with: {start: 2}}, stages: [{train: [noise, decoder], losses: [mse]}]}"
    let full = try composer.resolve(recipe(yaml))
    #expect(full[.noise] == PartChoice("shift", with: ["start": 2.0]))
    try composer.dryRun(full, for: digits)
    let made = try composer.compose(full, for: digits)
    #expect(made.store.parameters(under: "noise").map(\.name) == ["noise.by"])
    #expect(try made.store.parameters(under: "noise")[0].tensor.floats() == [2, 2, 2])
  }
}
