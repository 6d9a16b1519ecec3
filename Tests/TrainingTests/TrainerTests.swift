import Datasets
import Foundation
import LatentKit
import Recipes
import Testing
@testable import Training

private let parts = """
  data: mnist
  encoder: {use: mlp, with: {latent: 12, hidden: [16]}}
  decoder: {use: mlp, with: {hidden: [16]}}
  prior: pedcc

  """

@Suite struct Stages {
  @Test func trainingMakesTheLossSmaller() throws {
    let scratch = try Scratch()
    let folder = try scratch.run("run")
    let composition = try compose(
      parts + "stages: [{epochs: 20, batch: 50, train: [encoder, decoder], losses: [centroid, mse], optimizer: adam}]")
    _ = try Trainer(composition, data: digits(), folder: folder, shouldStop: { false }).run()
    let log = try MetricsLog.read(folder.metrics)
    #expect(log.map(\.epoch) == Array(1...20))
    #expect(log.last?.iteration == 80)
    let totals = log.compactMap { $0.training["total"] }
    #expect(totals.count == 20 && totals[19] < 0.8 * totals[0])
    for record in log {
      #expect(abs(record.training["total"]! - record.training["centroid"]! - record.training["mse"]!) < 1e-5)
      #expect(record.validation["total"]!.isFinite)
    }
  }

  /// Short epochs: what a kill may lose is two seconds, not each epoch's wait for the disk.
  @Test func checkpointsAreWrittenByTime() throws {
    let scratch = try Scratch()
    let folder = try scratch.run("run")
    let composition = try compose(
      parts + "stages: [{epochs: 40, batch: 200, train: [encoder, decoder], losses: [mse], optimizer: adam}]")
    var written: Set<Int> = []
    let start = ContinuousClock.now
    _ = try Trainer(
      composition, data: digits(), folder: folder,
      shouldStop: {
        if let checkpoint = try? Checkpoint.read(folder.checkpoint) { written.insert(checkpoint.position.epoch) }
        return false
      }
    ).run()
    let seconds = (ContinuousClock.now - start) / .seconds(1)
    #expect(written.contains(0) && Double(written.count) <= 2 + seconds / 2)
    #expect(try Checkpoint.read(folder.checkpoint).position.isFinished)
  }

  /// On a GPU terms wait for 25 iterations, since reading them waits for the device.
  @Test func termsThatWaitKeepTheirIterations() throws {
    var pending = PendingTerms(stage: "main", every: 3)
    for iteration in 1...3 {
      #expect(!pending.isDue)
      pending.add("mse", try .scalar(Double(iteration)))
      pending.add("total", try .scalar(Double(10 * iteration)))
      pending.endIteration(at: iteration, epoch: 1)
    }
    #expect(pending.isDue)
    let taken = try pending.take()
    #expect(taken.map(\.name) == ["mse", "total", "mse", "total", "mse", "total"])
    #expect(taken.map(\.value) == [1, 10, 2, 20, 3, 30] && taken.map(\.iteration) == [1, 1, 2, 2, 3, 3])
    #expect(try !pending.isDue && pending.take().isEmpty)
  }

  /// What a rehearsal with a few examples lets pass, as an index that only some batch has.
  @Test func anOperationThatIsRefusedInTrainingNamesStageIterationAndLoss() throws {
    struct Misplaced: Loss {
      func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
        let offset = try forward.inputs.size(0) > 4 ? 1.0 : 0
        let weights = try Tensor.ones([10]).rows((forward.labels + offset).to(.int64))
        return [.perExample("misplaced", try forward.latents.square().sum(axis: 1) * weights)]
      }
    }
    let scratch = try Scratch()
    let composition = try compose(
      parts
        + "stages: [{name: first, epochs: 1, batch: 50, train: [encoder, decoder], losses: [mse, misplaced], optimizer: adam}]",
      with: Catalog(plugins, adding: [Contribution(.loss, Entry("misplaced", "s") { _, _ in Misplaced() })]))
    let error = #expect(throws: RecipeError.self) {
      try Trainer(composition, data: digits(), folder: scratch.run("run"), shouldStop: { false }).run()
    }
    #expect(
      error?.description
        == "stage 'first', iteration 1, loss 'misplaced': rows of [10] and [50]: found index 10, expected 0 to 9")
  }

  @Test func aStepChangesOnlyThePartsItTrains() throws {
    let scratch = try Scratch()
    let composition = try compose(
      parts + "stages: [{epochs: 1, batch: 50, train: [decoder], losses: [mse], optimizer: adam}]")
    let before = try weights(composition)
    _ = try Trainer(composition, data: digits(), folder: scratch.run("run"), shouldStop: { false }).run()
    let after = try weights(composition)
    #expect(before.keys.filter { before[$0] != after[$0] }.allSatisfy { $0.hasPrefix("decoder.") })
    #expect(before.keys.filter { $0.hasPrefix("decoder.") }.allSatisfy { before[$0] != after[$0] })
  }

  @Test func frozenPartsKeepTheirRunningStatistics() throws {
    let scratch = try Scratch()
    let yaml = """
      data: mnist
      encoder: {use: conv, with: {latent: 4, widths: [2, 2]}}
      decoder: {use: mlp, with: {hidden: [8]}}
      prior: standard-normal
      stages: [{epochs: 1, batch: 50, train: [decoder], losses: [mse], optimizer: adam}]
      """
    let composition = try compose(yaml)
    let before = try weights(composition)
    _ = try Trainer(composition, data: digits(train: 100), folder: scratch.run("run"), shouldStop: { false }).run()
    let after = try weights(composition)
    #expect(before.keys.contains("encoder.block1.norm.runningMean"))
    for name in before.keys where name.hasPrefix("encoder.") { #expect(before[name] == after[name]) }
  }

  @Test func alternatingStepsTrainTheirOwnParts() throws {
    let scratch = try Scratch()
    let folder = try scratch.run("run")
    let composition = try compose(
      parts + """
        discriminator: flat
        stages:
          - epochs: 2
            batch: 50
            steps:
              - {train: [discriminator], repeat: 3, losses: [least-squares], optimizer: adam}
              - {train: [encoder, decoder], losses: [mse, centroid], optimizer: adam}
        """)
    let before = try weights(composition)
    _ = try Trainer(composition, data: digits(), folder: folder, shouldStop: { false }).run()
    let after = try weights(composition)
    #expect(before["discriminator.weight"] != after["discriminator.weight"])
    #expect(before["encoder.latent.weight"] != after["encoder.latent.weight"])
    let log = try MetricsLog.read(folder.metrics)
    #expect(Set(log[0].training.keys) == ["1.least-squares", "1.total", "2.mse", "2.centroid", "2.total"])
  }

  @Test func maskedWeightsStayZeroAndTheOthersRewind() throws {
    let scratch = try Scratch()
    let dense =
      "{name: dense, epochs: 1, batch: 50, train: [encoder, decoder], losses: [centroid, mse], optimizer: adam"
    let rewound = try compose(
      parts + "stages: [\(dense), then: [{project: {use: small-to-zero, parameters: [encoder]}}, mask, rewind]}]")
    let initial = try rewound.store.parameters.reduce(into: [:]) { $0[$1.name] = try $1.tensor.floats() }
    _ = try Trainer(rewound, data: digits(), folder: scratch.run("rewound"), shouldStop: { false }).run()
    var zeros: [String: [Bool]] = [:]
    for parameter in rewound.store.parameters {
      let values = try parameter.tensor.floats()
      let masked = parameter.role == .weight && parameter.tensor.rank == 2 && parameter.name.hasPrefix("encoder")
      if masked {
        zeros[parameter.name] = values.map { $0 == 0 }
        #expect(values.contains(0) && values.contains { $0 != 0 })
      }
      for (value, start) in zip(values, initial[parameter.name]!) { #expect(value == start || (masked && value == 0)) }
    }
    // Once more, with a second stage: what was masked stays zero, the rest moves.
    let sparse = try compose(
      parts + """
        stages:
          - \(dense), then: [{project: {use: small-to-zero, parameters: [encoder]}}, mask, rewind]}
          - {name: sparse, epochs: 1, batch: 50, train: [encoder, decoder], losses: [centroid, mse], optimizer: {use: adam, with: {weightDecay: 0.01}}}
        """)
    _ = try Trainer(sparse, data: digits(), folder: scratch.run("sparse"), shouldStop: { false }).run()
    for parameter in sparse.store.parameters {
      guard let zeros = zeros[parameter.name] else { continue }
      let values = try parameter.tensor.floats()
      #expect(zip(values, zeros).allSatisfy { $1 ? $0 == 0 : true })
      #expect(zip(values, initial[parameter.name]!).contains { $0 != $1 && $0 != 0 })
    }
  }

  @Test func aStageOfFewExamplesNeverSeesTheOthers() throws {
    let scratch = try Scratch()
    let folder = try scratch.run("run")
    let few = "epochs: 3, batch: 10, examples: 20, train: [encoder], losses: [centroid, recorder], optimizer: adam"
    // The dry run has seen inputs of its own.
    let composition = try compose(parts + "stages: [{\(few)}]")
    TestPlugin.Recorder.seen = [:]
    _ = try Trainer(composition, data: digits(), folder: folder, shouldStop: { false }).run()
    #expect(try MetricsLog.read(folder.metrics).last?.iteration == 6)
    #expect(TestPlugin.Recorder.seen.count == 20)
    #expect(TestPlugin.Recorder.seen.values.allSatisfy { $0 == 3 })
  }

  @Test func aStageThatAsksForMoreExamplesThanThereAreIsRefused() throws {
    let scratch = try Scratch()
    let many = "epochs: 1, examples: 300, train: [encoder], losses: [centroid], optimizer: adam"
    let composition = try compose(parts + "stages: [{\(many)}]")
    #expect {
      _ = try Trainer(composition, data: digits(), folder: scratch.run("run"), shouldStop: { false }).run()
    } throws: { "\($0)".contains("needs 300 examples, and the training part has 200") }
  }

  @Test func aLastBatchOfOneIsLeftOut() throws {
    let scratch = try Scratch()
    let folder = try scratch.run("run")
    let composition = try compose(
      parts + "stages: [{epochs: 1, batch: 50, train: [encoder], losses: [centroid], optimizer: adam}]")
    _ = try Trainer(composition, data: digits(train: 101), folder: folder, shouldStop: { false }).run()
    #expect(try MetricsLog.read(folder.metrics).last?.iteration == 2)
  }
}

@Suite struct BadNumbers {
  @Test func theTermAndTheIterationThatWentBadAreNamedAndTheCheckpointStaysGood() throws {
    let scratch = try Scratch()
    let folder = try scratch.run("run")
    let composition = try compose(
      parts
        + "stages: [{epochs: 3, batch: 50, train: [encoder, decoder], losses: [centroid, mse, {use: poison, with: {from: 7}}], optimizer: adam}]"
    )
    #expect {
      _ = try Trainer(
        composition, data: digits(validation: 0), folder: folder, secondsBetweenCheckpoints: 0, shouldStop: { false }
      ).run()
    } throws: { error in
      // Four iterations make an epoch: the seventh is in the second one.
      error is TrainingError && "\(error)".contains("'poison' became nan")
        && "\(error)".contains("iteration 7, in epoch 2")
        && "\(error)".contains("optimizer.learningRate")
    }
    let saved = try Checkpoint.read(folder.checkpoint)
    #expect(saved.position.epoch == 1)
    for tensor in saved.tensors.values where tensor.dtype.isFloatingPoint { #expect(try tensor.isFinite().all()) }
  }
}

@Suite struct UnscaledRows {
  @Test func divergenceOnRowsThatAreNotScaledNamesTheirSize() throws {
    let scratch = try Scratch()
    let inputs = try Tensor((0..<400).map { Float($0 * 97 % 400 * 10) }, shape: [100, 4])
    let source = try BatchSource(Examples(inputs: inputs), settings: DataSettings(), classCount: nil)
    let yaml = """
      encoder: {use: mlp, with: {latent: 2, hidden: [8], code: gaussian}}
      decoder: {use: mlp, with: {hidden: [8]}}
      prior: standard-normal
      stages: [{epochs: 50, batch: 20, train: [encoder, decoder], losses: [mse, kl], optimizer: {use: sgd, with: {learningRate: 1}}}]
      """
    func remedy(_ largest: Double?) throws -> String {
      let composer = Composer(catalog)
      var shape = DataShape(title: "data 'rows'", inputShape: [4], inputRange: nil, classCount: nil)
      shape.largestInput = largest
      let composition = try composer.compose(composer.resolve(Recipe.read(yaml: yaml, file: "t")), for: shape)
      let data = TrainingData(training: source, validation: nil)
      let error = #expect(throws: TrainingError.self) {
        _ = try Trainer(composition, data: data, folder: scratch.run("\(UUID())"), shouldStop: { false }).run()
      }
      return error?.description ?? ""
    }
    let found = try remedy(3990)
    #expect(
      found.contains("inputs of data 'rows' reach 3990 in size, which is the likely cause: scale them"), "\(found)")
    #expect(!found.contains("learningRate"))
    // It is the first iteration that is not finite: a rate cannot be too high before the first step.
    for scaled in [Double?.some(3), nil] {
      let found = try remedy(scaled)
      #expect(found.hasPrefix("stage 'main', at the first iteration: loss term "), "\(found)")
      #expect(
        found.hasSuffix(
          "no step came before it, so that the loss or the weights that parts begin with are at fault; 'host check' examines them"
        ))
      #expect(!found.contains("Weights from before"))
    }
  }
}

@Suite struct Checkpoints {
  @Test func weightsThatWentBadNeverReplaceTheLastGoodCheckpoint() throws {
    let scratch = try Scratch()
    let folder = try scratch.run("run")
    let composition = try compose(
      parts + "stages: [{epochs: 2, batch: 50, train: [encoder, decoder], losses: [centroid, mse], optimizer: adam}]")
    let bad = composition.store.parameters[0].tensor
    var iterations = 0
    let trainer = try Trainer(
      composition, data: digits(validation: 0), folder: folder, secondsBetweenCheckpoints: 0,
      shouldStop: {
        iterations += 1
        // As after a gradient that was not a number in the very last step of the second epoch.
        if iterations == 8 { try? bad.fillInPlace(.nan) }
        return false
      })
    #expect { try trainer.run() } throws: {
      "\($0)".contains(composition.store.parameters[0].name) && "\($0)".contains("not finite")
    }
    let good = try Checkpoint.read(folder.checkpoint)
    #expect(good.position.epoch == 2 && !good.position.isFinished)
    for tensor in good.tensors.values where tensor.dtype.isFloatingPoint { #expect(try tensor.isFinite().all()) }
  }

  @Test func twoProgramsNeverShareARun() throws {
    let scratch = try Scratch()
    let first = try RunFolder.claim("name", in: scratch.url)
    let second = try RunFolder.claim("name", in: scratch.url)
    #expect(first.name == "name" && second.name == "name-2")
    let lock = try first.lock()
    #expect { try first.lock() } throws: { "\($0)".contains("another program") }
    withExtendedLifetime(lock) {}
  }
}

@Suite struct Clipping {
  /// Of a step by plain gradients of rate 1, the length is that of the gradient.
  @Test func noStepIsLongerThanTheClip() throws {
    let scratch = try Scratch()
    func length(_ clip: String) throws -> Double {
      let composition = try compose(
        parts
          + "stages: [{epochs: 1, batch: 200, train: [encoder, decoder], losses: [mse], optimizer: {use: sgd, with: {learningRate: 1}}, clip: \(clip)}]"
      )
      let before = try composition.store.parameters.map { try $0.tensor.detached().clone() }
      _ = try Trainer(
        composition, data: digits(validation: 0), folder: scratch.run("\(UUID())"), shouldStop: { false }
      ).run()
      return try zip(composition.store.parameters, before).reduce(0) { sum, pair in
        try sum + (pair.0.tensor.detached() - pair.1).to(.float64).square().sum().item()
      }.squareRoot()
    }
    let free = try length("null")
    #expect(free > 0.008)
    #expect(abs(try length("0.004") - 0.004) < 1e-6)
    // One that is shorter already stays as it is.
    #expect(try length("\(2 * free)") == free)
  }
}

@Suite struct Scheduling {
  /// Of gradients that are clipped to one length, the length of a step is that of the learning rate.
  @Test func stepsFollowTheScheduleOverAllEpochsOfAStage() throws {
    let scratch = try Scratch()
    let composition = try compose(
      parts + """
        stages:
          - epochs: 3
            batch: 100
            train: [encoder, decoder]
            losses: [mse]
            optimizer: {use: sgd, with: {learningRate: 1, momentum: 0}}
            schedule: cosine
            clip: 0.002
        """)
    func copies() throws -> [Tensor] { try composition.store.parameters.map { try $0.tensor.detached().clone() } }
    var weights = [try copies()]
    let folder = try scratch.run("run")
    _ = try Trainer(
      composition, data: digits(validation: 0), folder: folder,
      shouldStop: {
        if let now = try? copies() { weights.append(now) }
        return false
      }
    ).run()
    let lengths = try zip(weights, weights.dropFirst()).map { before, after in
      try zip(before, after).reduce(0.0) { try $0 + ($1.1 - $1.0).to(.float64).square().sum().item() }.squareRoot()
    }
    // Two iterations in each of three epochs; weights are rounded, some thousands of them.
    #expect(lengths.count == 6)
    for (step, length) in lengths.enumerated() {
      #expect(abs(length - 0.002 * 0.5 * (1 + cos(.pi * Double(step) / 6))) < 2e-6)
    }
    let rates = try MetricsLog.read(folder.metrics).map { $0.learningRates[0] }
    for (epoch, rate) in rates.enumerated() {
      #expect(abs(rate - 0.5 * (1 + cos(.pi * Double(2 * epoch + 1) / 6))) < 1e-12)
    }
    #expect(rates.count == 3)
  }
}

@Suite struct Evaluating {
  @Test func measuringChangesNothing() throws {
    let yaml = """
      data: mnist
      encoder: {use: conv, with: {latent: 4, widths: [2, 2]}}
      decoder: {use: mlp, with: {hidden: [8]}}
      classifier: {use: mlp, with: {hidden: [8], dropout: 0.5}}
      prior: standard-normal
      metrics: [accuracy]
      stages: [{epochs: 1, batch: 50, train: [encoder, decoder, classifier], losses: [mse, cross-entropy], optimizer: adam}]
      """
    let composition = try compose(yaml)
    let data = try digits()
    let before = try weights(composition)
    let evaluator = Evaluator(composition, batchSize: 70)
    let first = try evaluator.evaluate(data.training, stage: 0, training: data.training)
    let second = try evaluator.evaluate(data.training, stage: 0, training: data.training)
    #expect(try weights(composition) == before)
    #expect(first.losses == second.losses && first.measurements == second.measurements)
    #expect(first.latents.latents.shape == [200, 4])
  }

  @Test func lossesAreMeansOverExamplesWhateverTheBatch() throws {
    let composition = try compose(
      parts + "stages: [{epochs: 1, batch: 50, train: [encoder, decoder], losses: [centroid, mse], optimizer: adam}]")
    let data = try digits()
    let whole = try Evaluator(composition, batchSize: 200).evaluate(data.training, stage: 0, training: data.training)
    let pieces = try Evaluator(composition, batchSize: 30).evaluate(data.training, stage: 0, training: data.training)
    for (name, value) in whole.losses { #expect(abs(value - pieces.losses[name]!) < 1e-5 * max(1, abs(value))) }
  }
}

@Suite struct Showing {
  @Test func numbersAndTimesAreShort() {
    #expect([0.0, 0.00001234, 3.14159, 12_345.6].map(number) == ["0.0", "1.234e-05", "3.142", "1.235e+04"])
    #expect([0.42, 59, 60, 3_725].map(duration) == ["0.4 s", "59 s", "1:00", "1:02:05"])
  }
}
