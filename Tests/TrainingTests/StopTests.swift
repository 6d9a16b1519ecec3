import Files
import Foundation
import LatentKit
import Recipes
import Testing
import Training

private func stage(_ stop: String, epochs: Int, name: String = "main", learningRate: Double = 0.01) -> String {
  "{name: \(name), epochs: \(epochs), batch: 64, stop: \(stop), steps: [{train: [encoder, classifier], losses: [cross-entropy], "
    + "optimizer: {use: adam, with: {learningRate: \(learningRate)}}, schedule: constant}]}"
}

/// A classifier of few digits, which overfits soon: dropout, so that its bits depend on generators.
private func recipe(_ stages: String...) -> String {
  """
  {seed: 3, data: mnist, encoder: {use: mlp, with: {latent: 12, hidden: [24]}}, decoder: none, noise: none,
   classifier: {use: mlp, with: {hidden: [16], dropout: 0.2}}, prior: standard-normal, metrics: [accuracy],
   stages: [\(stages.joined(separator: ", "))]}
  """
}

private func few() throws -> TrainingData { try digits(train: 100, validation: 60) }

private func marked(_ folder: RunFolder) throws -> RunFolder {
  try folder.mark(.run, recipe: "x")
  try Data("x".utf8).write(to: folder.recipe)
  return folder
}

private func train(_ text: String, in folder: RunFolder, resuming: Bool = false) throws -> Composition {
  let composition = try compose(text)
  let trainer = try Trainer(composition, data: few(), folder: folder, shouldStop: { false })
  #expect(try trainer.run(resuming: resuming) == .finished)
  return composition
}

@Suite struct EarlyStopping {
  /// Recomputes from the log when patience runs out, and which epoch was the best.
  @Test(arguments: ["total", "accuracy", "cross-entropy"])
  func aStageEndsWhenPatienceRunsOutAndLeavesTheWeightsOfTheBestEpoch(metric: String) throws {
    let scratch = try Scratch()
    let folder = try marked(scratch.run("run"))
    let stopped = try train(recipe(stage("{metric: \(metric), patience: 3}", epochs: 60)), in: folder)
    let log = try timeless(folder)
    let values = log.map { metric == "accuracy" ? -$0.metrics[0].value! : $0.validation[metric]! }
    let best = try #require(values.indices.min { values[$0] < values[$1] })
    #expect(log.count < 60 && log.count == best + 1 + 3)
    // No earlier epoch had waited so long.
    for end in 1..<log.count {
      let lowest = values[..<end].indices.min { values[$0] < values[$1] }!
      #expect(end - 1 - lowest < 3)
    }
    // The weights are those of a run that ended there, and the last ones are kept beside them.
    let short = try train(
      recipe(stage("null", epochs: best + 1)), in: marked(scratch.run("short")))
    #expect(try weights(stopped) == weights(short))
    #expect(folder.keptEpochs.map(\.epoch) == [best + 1, log.count])
    let long = try train(recipe(stage("null", epochs: log.count)), in: marked(scratch.run("long")))
    let last = try compose(recipe(stage("null", epochs: 60)))
    _ = try Checkpoint.load(last, from: folder.checkpoint(of: "main", epoch: log.count))
    #expect(try weights(last) == weights(long) && weights(last) != weights(stopped))
    let stop = try #require(Checkpoint.read(folder.checkpoint).position.stops?.first)
    #expect(stop.epoch == best + 1 && stop.epochs == log.count && stop.planned == 60)
    #expect(abs(stop.value) == abs(values[best]))
  }

  @Test func improvementsThatAreTooSmallSpendPatienceAndStillMakeTheBestEpoch() throws {
    let scratch = try Scratch()
    let folder = try marked(scratch.run("run"))
    // No loss falls by so much.
    _ = try train(recipe(stage("{improvement: 100, patience: 4}", epochs: 60)), in: folder)
    let log = try timeless(folder)
    #expect(log.count == 5)
    let lowest = log.min { $0.validation["total"]! < $1.validation["total"]! }!.epoch
    #expect(lowest > 1)
    #expect(try Checkpoint.read(folder.checkpoint).position.stops?.first?.epoch == lowest)
  }

  @Test func aGoalTurnsTheDirection() throws {
    let scratch = try Scratch()
    let folder = try marked(scratch.run("run"))
    _ = try train(recipe(stage("{metric: accuracy, goal: lowest, patience: 2}", epochs: 60)), in: folder)
    let values = try timeless(folder).map { $0.metrics[0].value! }
    let stop = try #require(Checkpoint.read(folder.checkpoint).position.stops?.first)
    #expect(stop.value == values.min())
  }

  /// The next stage begins with the best weights, and its own patience.
  @Test func aRunKilledAtAnyIterationEndsWithTheSameBits() throws {
    let text = recipe(
      stage("{patience: 1}", epochs: 30, name: "first", learningRate: 0.05),
      stage("{metric: accuracy, patience: 2}", epochs: 5, name: "second"))
    let scratch = try Scratch()
    let whole = try compose(text)
    let (folder, copies) = try scratch.trained(whole, few())
    let (expected, log) = (try weights(whole), try timeless(folder))
    let stops = try #require(Checkpoint.read(folder.checkpoint).position.stops)
    #expect(stops.map(\.stage) == ["first", "second"] && stops[0].epochs < 30 && stops[0].epoch < stops[0].epochs)
    for copy in copies {
      let resumed = try train(text, in: copy, resuming: true)
      #expect(try weights(resumed) == expected)
      #expect(try timeless(copy) == log)
      #expect(try Checkpoint.read(copy.checkpoint).position.stops == stops)
    }
  }

  @Test func onlyTheBestAndTheLastCheckpointStayBesideThoseThatAreListed() throws {
    let scratch = try Scratch()
    let folder = try marked(scratch.run("run"))
    let text = recipe(stage("{patience: 3}", epochs: 60)).replacing("stop:", with: "keepEpochs: [2], stop:")
    _ = try train(text, in: folder)
    let stop = try #require(Checkpoint.read(folder.checkpoint).position.stops?.first)
    #expect(Set(folder.keptEpochs.map(\.epoch)) == [2, stop.epoch, stop.epochs])
    #expect(stop.epoch > 2)
  }
}

@Suite struct StopsThatCannotBe {
  private func refusal(_ stop: String, validation: Int? = 50, metrics: String = "[accuracy]") throws -> String {
    var shape = DataShape(title: "data 'mnist'", inputShape: [1, 28, 28], inputRange: 0...1, classCount: 10)
    shape.validationCount = validation
    let text = recipe(stage(stop, epochs: 3)).replacing("metrics: [accuracy]", with: "metrics: \(metrics)")
    do {
      return try Composer(catalog).dryRun(Recipe.read(yaml: text, file: "r"), for: shape).joined(separator: "; ")
    } catch { return "\(error)" }
  }

  @Test func testDataChooseNothing() throws {
    let without = try refusal("accuracy", validation: 0)
    #expect(without.hasPrefix("stages[0].stop.metric: stage 'main' stops by 'accuracy' of the validation part"))
    #expect(without.contains("set data.validation to a share, 0.1 say") && without.contains("test data choose nothing"))
    #expect(try refusal("accuracy") == "" && refusal("accuracy", validation: nil) == "")
    // Measured on the trained model alone, which is measured on the test part.
    for name in ["confusion", "map-at-r", "R-precision", "test/accuracy"] {
      let atEnd = try refusal("{metric: \(name)}", metrics: "[confusion, map-at-r]")
      #expect(atEnd.contains("'\(name)', which is measured on the test part, at the end, and test data choose nothing"))
    }
    #expect(try refusal("nearest-class-mean", metrics: "[{use: nearest-class-mean, with: {means: training}}]") == "")
  }

  @Test func aGoalAgainstTheMetricIsSaid() throws {
    #expect(try refusal("{metric: accuracy, goal: lowest}").contains("where 'accuracy' is lowest, and highest is best"))
    #expect(try refusal("{metric: total, goal: highest}").contains("where 'total' is highest, and lowest is best"))
    #expect(try refusal("{metric: accuracy, goal: highest}") == "")
  }

  @Test func namesAreCheckedBeforeTraining() throws {
    let unknown = try refusal("acuracy")
    #expect(
      unknown.contains("there is no metric 'acuracy'; known: total, cross-entropy, accuracy. Did you mean 'accuracy'?"))
    let unranked = try refusal("class-variance", metrics: "[class-variance]")
    #expect(unranked.contains("does not say which values are better; add goal: highest, or goal: lowest"))
    #expect(try refusal("{metric: class-variance, goal: lowest}", metrics: "[class-variance]") == "")
    #expect(
      try refusal("accuracy", metrics: "[]").contains(
        "stops by 'accuracy', which the recipe does not measure; add it to metrics, or choose one of: total, cross-entropy"
      ))
  }
}

@Suite struct GoingOn {
  private func plain(_ epochs: Int, schedule: String = "constant") -> String {
    recipe(stage("null", epochs: epochs)).replacing("schedule: constant", with: "schedule: \(schedule)")
  }

  @Test(arguments: [1, 3]) func moreEpochsEndInTheBitsOfAllAtOnce(first: Int) throws {
    let scratch = try Scratch()
    let (folder, whole) = (try marked(scratch.run("parts")), try marked(scratch.run("whole")))
    let short = try train(plain(first), in: folder)
    let long = try train(plain(first), in: folder, resuming: true)
    #expect(try weights(short) == weights(long))
    let resumed = try train(plain(5), in: folder, resuming: true)
    let once = try train(plain(5), in: whole)
    #expect(try weights(resumed) == weights(once) && weights(resumed) != weights(short))
    #expect(try timeless(folder) == timeless(whole))
    func tensors(_ folder: RunFolder) throws -> [String: Data] {
      try Checkpoint.read(folder.checkpoint).tensors.mapValues { try $0.bytes() }
    }
    #expect(try tensors(folder) == tensors(whole))
  }

  /// Batches of their own, a fitted prior, and a stage before.
  @Test func aLastStageOfSeveralGoesOnToo() throws {
    func text(_ epochs: Int, prior: String) -> String {
      """
      {seed: 3, data: mnist, encoder: {use: mlp, with: {latent: 4, hidden: [16]}}, decoder: {use: mlp, with: {hidden: [8]}}, noise: none,
       prior: \(prior), sampler: \(prior == "kde" ? "kde" : "prior"), metrics: [],
       stages: [{name: a, epochs: 2, batch: 64, steps: [{train: [encoder, decoder], losses: [mse], optimizer: adam, schedule: constant}]},
         {name: b, epochs: \(epochs), batch: 64, steps: [{train: [decoder], repeat: 2, losses: [mse], optimizer: {use: sgd, with: {momentum: 0.9, learningRate: 0.01}}, schedule: constant},
           {train: [encoder], losses: [mse], optimizer: adam, schedule: constant}]}]}
      """
    }
    for prior in ["standard-normal", "kde"] {
      let scratch = try Scratch()
      let (folder, whole) = (try marked(scratch.run("parts")), try marked(scratch.run("whole")))
      _ = try train(text(2, prior: prior), in: folder)
      let resumed = try train(text(4, prior: prior), in: folder, resuming: true)
      let once = try train(text(4, prior: prior), in: whole)
      #expect(try weights(resumed) == weights(once))
      #expect(try timeless(folder) == timeless(whole))
    }
  }

  /// From the last epoch, and not from the best one.
  @Test func aStageThatStoppedGoesOnWithMorePatience() throws {
    let scratch = try Scratch()
    let (folder, whole) = (try marked(scratch.run("parts")), try marked(scratch.run("whole")))
    func text(_ patience: Int, _ epochs: Int) -> String { recipe(stage("{patience: \(patience)}", epochs: epochs)) }
    _ = try train(text(2, 60), in: folder)
    let before = try timeless(folder).count
    // More epochs alone change nothing: patience is over.
    _ = try train(text(2, 70), in: folder, resuming: true)
    #expect(try timeless(folder).count == before)
    let resumed = try train(text(6, 60), in: folder, resuming: true)
    let once = try train(text(6, 60), in: whole)
    #expect(try timeless(folder).count >= before + 4)
    #expect(try weights(resumed) == weights(once))
    #expect(try timeless(folder) == timeless(whole))
    #expect(folder.keptEpochs == whole.keptEpochs)
  }

  @Test func whatActionsChangedCannotGoOn() throws {
    let scratch = try Scratch()
    let folder = try marked(scratch.run("run"))
    func text(_ epochs: Int) -> String {
      plain(epochs).replacing("stop: null", with: "then: [{project: {use: small-to-zero}}, mask]")
    }
    _ = try train(text(1), in: folder)
    let trainer = try Trainer(compose(text(2)), data: few(), folder: folder, shouldStop: { false })
    #expect {
      try trainer.run(resuming: true)
    } throws: {
      "\($0)".contains("stage 'main' ended with a projection (small-to-zero), a mask")
        && "\($0)".contains("as a new run")
    }
  }
}
