import LatentKit
import Recipes
import Testing

/// The stubs, and parts of other slots that bring something.
private func composer(_ additions: [Contribution]) throws -> Composer {
  Composer(try Catalog([StubPlugin.self], adding: additions))
}

private func loss(_ name: String, _ companions: Companions) -> Contribution {
  .loss(name, LatentLoss.self, "to the origin", with: companions)
}

@Suite struct CompanionsOfAnyPart {
  @Test func aLossBringsItsPriorAndThatBringsItsNoise() throws {
    let composer = try composer([loss("pull", Companions([.prior: "pedcc", .optimizer: "sgd"], metrics: ["accuracy"]))])
    let full = try composer.resolve(recipe("{encoder: resnet, stages: [{losses: [pull]}]}"))
    #expect(full[.prior]?.use == "pedcc" && full[.noise]?.use == "scaled-gaussian")
    #expect(full[.sampler]?.use == "class-gaussian" && full[.data] == nil)
    #expect(full[all: .metric]?.map(\.use) == ["nearest-class-mean", "accuracy"])
    #expect(full.stages?[0].steps[0].optimizer?.use == "sgd")
    #expect(try composer.resolve(full) == full)
    // What the recipe says comes first.
    let told = try composer.resolve(
      recipe("{encoder: resnet, prior: kde, noise: none, metrics: [], stages: [{losses: [pull], optimizer: adam}]}"))
    #expect(told[.prior]?.use == "kde" && told[.noise]?.use == "none" && told[all: .metric] == [])
    #expect(told.stages?[0].steps[0].optimizer?.use == "adam")
    // A loss by flag brings the same as one in a file.
    let chosen = try composer.resolve(
      recipe("encoder: resnet"), choosing: TrainingChoices(losses: [(nil, "pull")]))
    #expect(chosen[.prior]?.use == "pedcc" && chosen.stages?[0].steps[0].losses.map(\.use) == ["pull"])
  }

  @Test(arguments: [
    "metrics: [m]", "transforms: [t]", "stages: [{optimizer: o}]", "stages: [{schedule: s}]",
    "stages: [{losses: [mse], after: [{project: c}]}]", "stages: [{losses: [mse], then: [{project: c}]}]",
  ])
  func partsOfEverySlotBringThePrior(yaml: String) throws {
    let brings = Companions([.prior: "kde"])
    let composer = try composer([
      .metric("m", TinyMetric.self, "nothing", with: brings),
      .transform("t", TinyTransform.self, "nothing", with: brings),
      .optimizer("o", TinyRule.self, "a rule", with: brings),
      .schedule("s", FlatSchedule.self, "the same", with: brings),
      .constraint("c", HalvingConstraint.self, "halves", with: brings),
    ])
    #expect(try composer.resolve(recipe("encoder: resnet\n\(yaml)"))[.prior]?.use == "kde")
    #expect(try composer.resolve(recipe("encoder: resnet\nprior: fitted\n\(yaml)"))[.prior]?.use == "fitted")
  }

  @Test func anOptimizerBringsItsScheduleToItsStepAlone() throws {
    let composer = try composer([.optimizer("o", TinyRule.self, "a rule", with: Companions([.schedule: "cosine"]))])
    let full = try composer.resolve(
      recipe(
        """
        {encoder: mlp, stages: [{steps: [{train: [encoder], losses: [kl], optimizer: o}, {train: [decoder], losses: [mse]}]}]}
        """))
    #expect(full.stages?[0].steps.map { $0.schedule?.use } == ["cosine", "constant"])
    let chosen = try composer.resolve(recipe("encoder: mlp"), choosing: TrainingChoices(optimizer: "o"))
    #expect(chosen.stages?[0].steps[0].schedule?.use == "cosine")
  }

  /// A prior that nobody named brings only what no other part does.
  @Test func whatAFallbackBringsComesLast() throws {
    let composer = try composer([
      .encoder(
        "own", TinyEncoder.self, "brings losses", with: Companions([.sampler: "class-gaussian"], losses: ["centroid"]))
    ])
    func losses(_ full: Recipe) -> [String]? { full.stages?[0].steps[0].losses.map(\.use) }
    let full = try composer.resolve(recipe("encoder: own"))
    #expect(full[.prior]?.use == "standard-normal" && losses(full) == ["centroid"])
    #expect(full[.sampler]?.use == "class-gaussian" && full[.encoder]?.with["code"] == "gaussian")
    #expect(try composer.resolve(full) == full)
    #expect(losses(try composer.resolve(recipe("{encoder: own, prior: standard-normal}"))) == ["mse", "kl"])
    #expect(losses(try composer.resolve(recipe("encoder: resnet"))) == ["mse", "kl"])
  }

  @Test func lossesThatDisagreeAreRefusedUnlessTheRecipeDecides() throws {
    let composer = try composer([
      loss("one", Companions([.prior: "kde"])), loss("two", Companions([.prior: "pedcc"])),
      loss("pads", Companions(settings: [.decoder: ["side": 8]])),
      loss("trims", Companions(settings: [.decoder: ["side": 4]])),
    ])
    let both = "encoder: resnet\nstages: [{losses: [one, two]}]"
    #expect(
      message { _ = try composer.resolve(recipe(both)) }
        == "prior: loss 'one' and loss 'two' bring different ones; choose in the recipe")
    #expect(try composer.resolve(recipe("prior: learned\n\(both)"))[.prior]?.use == "learned")
    // The prior comes before any loss.
    let sides = "encoder: resnet\nstages: [{losses: [pads, trims]}]"
    #expect(message { _ = try composer.resolve(recipe(sides)) }?.hasPrefix("decoder.side: loss 'pads'") == true)
    let told = try composer.resolve(recipe("decoder: {use: mlp, with: {side: 6}}\n\(sides)"))
    #expect(told[.decoder]?.with["side"] == 6)
  }

  @Test func partsThatBringEachOtherInACircleAreRefused() throws {
    let composer = try composer([
      .prior("day", FlatPrior.self, "brings a loss", with: Companions(losses: ["to-night"])),
      .prior("night", FlatPrior.self, "brings a loss", with: Companions(losses: ["to-day"])),
      loss("to-night", Companions([.prior: "night"])), loss("to-day", Companions([.prior: "day"])),
      .encoder("starts", TinyEncoder.self, "one linear layer", with: Companions(losses: ["to-day"])),
    ])
    let found = message { _ = try composer.resolve(recipe("encoder: starts\ndecoder: none")) }
    #expect(found?.contains("prior: the parts bring each other in a circle, through prior '") == true, "\(found ?? "")")
    #expect(try composer.resolve(recipe("encoder: starts\nprior: day"))[.prior]?.use == "day")
  }

  @Test func companionsThatCannotTakeEffectAreADefectOfThePlugin() {
    for companions in [
      Companions([.loss: "mse"]), Companions(joining: [.sampler: ["mse"]]), Companions(after: [.decoder: [.mask]]),
    ] {
      #expect(message { _ = try composer([loss("odd", companions)]) }?.contains("its companions") == true)
    }
  }
}

struct TinyTransform: Transform, Component {
  init(_ config: NoConfig, in context: BuildContext) {}
  func fit(_ inputs: Tensor) throws -> any FittedTransform { throw RecipeError("nothing is fitted") }
  func restore(_ parameters: FittedParameters) throws -> any FittedTransform { throw RecipeError("nothing is fitted") }
}

@Suite struct JoiningSteps {
  private let clip = Action.project("l11-ball", parameters: ["decoder"])
  private let critic = Step(train: ["discriminator"], repeat: 2, losses: ["least-squares-critic"])

  @Test func lossesAndProjectionsJoinWithoutSteps() throws {
    let composer = try composer([
      .prior(
        "joins", FlatPrior.self, "joins",
        with: Companions(joining: [.encoder: [PartChoice("huber", weight: 0.5)]], after: [.decoder: [clip]]))
    ])
    let full = try composer.resolve(recipe("{encoder: resnet, prior: joins, stages: [{losses: [kl]}]}"))
    let step = try #require(full.stages?[0].steps[0])
    #expect(step.losses.map(\.use) == ["kl", "huber"] && step.losses[1].weight == 0.5)
    #expect(step.after == [.project(PartChoice("l11-ball", with: ["radius": 1]), parameters: ["decoder"])])
    #expect(try composer.resolve(full) == full)
    // A step that is complete takes nothing.
    let complete = try composer.resolve(
      recipe("{encoder: resnet, prior: joins, stages: [{losses: [kl], complete: true}]}"))
    #expect(complete.stages?[0].steps[0].losses.map(\.use) == ["kl"] && complete.stages?[0].steps[0].after == [])
    #expect(try recipe(complete.yaml()) == complete)
    // They go with their part.
    let without = try composer.replacing(.prior, by: "kde", in: full)
    #expect(without.stages?[0].steps[0].losses.map(\.use) == ["kl"] && without.stages?[0].steps[0].after == [])
  }

  @Test func aLossBringsTheDiscriminatorAndWhatTrainsIt() throws {
    let composer = try composer([
      .loss(
        "fooling", FoolLoss.self, "fools",
        with: Companions(
          [.discriminator: "conv"],
          steps: [Step(repeat: 3, steps: [critic, critic])],
          after: [.decoder: [clip]]))
    ])
    let full = try composer.resolve(recipe("{encoder: resnet, stages: [{losses: [mse, fooling]}]}"))
    let steps = try #require(full.stages?[0].steps)
    #expect(full[.discriminator]?.use == "conv" && steps.count == 2)
    #expect(steps[0].repeat == 3 && steps[0].steps.map(\.train) == [["discriminator"], ["discriminator"]])
    #expect(steps[0].steps[0].optimizer?.use == "adam")
    #expect(steps[1].losses.map(\.use) == ["mse", "fooling"] && steps[1].after.count == 1)
    #expect(try composer.resolve(full) == full)
    #expect(try recipe(full.yaml()) == full)
    try composer.dryRun(full, for: digits)
    let made = try composer.compose(full, for: digits)
    #expect(made.stages[0].steps.count == 3 && made.stages[0].runs == [6, 6, 1])
  }

  private func adversarial() throws -> Composer {
    try composer([
      .discriminator(
        "critic", TinyDiscriminator.self, "brings its step",
        with: Companions(steps: [critic], joining: [.decoder: [PartChoice("adversarial", weight: 0.5)]]))
    ])
  }

  @Test func chosenLossesKeepThoseThatPartsJoined() throws {
    let composer = try adversarial()
    let written = try recipe("{encoder: mlp, discriminator: critic}")
    var full = try composer.resolve(written)
    full = try composer.setting(["losses.adversarial.weight=3"], in: full)
    func losses(_ chosen: [(part: String?, loss: PartChoice)], in recipe: Recipe) throws -> [String] {
      let changed = try composer.resolve(recipe, choosing: TrainingChoices(losses: chosen))
      #expect(try composer.resolve(changed) == changed)
      let step = try #require(changed.stages?[0].steps[1])
      return step.losses.map { "\($0.use) \($0.weight)" }
    }
    #expect(try losses([("decoder", "mse")], in: written) == ["mse 1.0", "adversarial 0.5"])
    #expect(try losses([(nil, "mse")], in: written) == ["mse 1.0", "adversarial 0.5"])
    #expect(try losses([("decoder", "mse")], in: full) == ["mse 1.0", "adversarial 3.0"])
    #expect(try losses([("decoder", PartChoice("adversarial", weight: 2))], in: full) == ["adversarial 2.0"])
    #expect(try losses([("decoder", "mse"), ("decoder", "none")], in: full) == ["mse 1.0"])
    #expect(try losses([("decoder", "none")], in: full) == ["mse 1.0", "kl 1.0"])
    #expect(
      message { _ = try losses([(nil, "mse")], in: full) }?
        .contains("this recipe has 2 steps; name a part that the step trains") == true)
    #expect(
      message { _ = try losses([("decodr", "mse")], in: full) }?.contains("there is no trained part 'decodr'") == true)
  }

  @Test func changedLossesKeepThoseThatPartsJoined() throws {
    let composer = try adversarial()
    let full = try composer.resolve(recipe("{encoder: mlp, discriminator: critic}"))
    func losses(_ assignments: String...) throws -> [[String]] {
      let changed = try composer.resolve(composer.setting(assignments, in: full))
      return try #require(changed.stages?[0]).steps.map { $0.losses.map(\.use) }
    }
    #expect(try losses("stages[0].steps[1].losses=[bce]") == [["least-squares-critic"], ["bce", "adversarial"]])
    #expect(
      try losses("stages[0].steps[1].losses=[bce]", "stages[0].steps[1].complete=true")
        == [["least-squares-critic"], ["bce"]])
    // What a part brought goes with it.
    #expect(try losses("discriminator=none") == [["mse", "kl"]])
    #expect(try losses("discriminator=none", "losses=[bce]") == [["bce"]])
  }
}

@Suite struct Groups {
  private let yaml = """
    encoder: mlp
    discriminator: conv
    stages:
      - steps:
          - repeat: 2
            steps:
              - {train: [discriminator], losses: [least-squares-critic], after: [{project: l11-ball}]}
              - {train: [discriminator], ownBatch: true, losses: [least-squares-critic]}
          - {train: [decoder], losses: [mse, adversarial]}
    """

  @Test func groupsAreReadWrittenAndResolved() throws {
    let read = try recipe(yaml)
    let steps = try #require(read.stages?[0].steps)
    #expect(
      steps.map(\.isGroup) == [true, false] && steps[0].repeat == 2 && steps[0].steps.map(\.ownBatch) == [false, true])
    #expect(try recipe(read.yaml()) == read)
    let full = try composer.resolve(read)
    #expect(full.stages?[0].steps[0].steps[1].optimizer?.use == "adam")
    #expect(try composer.resolve(full) == full && recipe(full.yaml()) == full)
    // A stage of one group keeps it.
    let alone = try recipe("stages: [{steps: [{repeat: 2, steps: [{losses: [mse]}, {losses: [kl]}]}]}]")
    #expect(try recipe(alone.yaml()) == alone)
    let made = try composer.compose(full, for: digits)
    #expect(made.stages[0].steps.map { $0.recipe.train } == [["discriminator"], ["discriminator"], ["decoder"]])
    #expect(made.stages[0].runs == [2, 2, 1])
  }

  @Test(arguments: [
    ("{repeat: 2, steps: []}", "stages[0].steps[0].steps: found no steps in a group, expected one or more"),
    ("{losses: [mse], steps: [{losses: [kl]}]}", "a group has 'repeat' and 'steps' only; move 'losses' into a step"),
    ("{repeat: 0, steps: [{losses: [kl]}]}", "repeat: found 0, expected a whole number of at least 1"),
    ("{repeat: 10001, steps: [{losses: [kl]}]}", "found 10001, expected a whole number of at most 10000"),
    (
      "{repeat: 10000, steps: [{repeat: 10000, steps: [{repeat: 2, steps: [{losses: [kl]}]}]}]}",
      "found groups that repeat a step 200000000 times a batch"
    ),
    ("{repeat: 2, steps: [{loss: [kl]}]}", "there is no key 'loss'"),
    ("{ownBatch: 1, losses: [kl]}", "ownBatch: found 1, expected true or false"),
  ])
  func mistakesInGroupsAreSaid(step: String, expected: String) {
    let found = message { _ = try recipe("stages: [{steps: [\(step)]}]") }
    #expect(found?.contains(expected) == true, "found: \(found ?? "no error")")
  }

  @Test func aProgramsGroupWithLossesIsRefused() throws {
    var made = try recipe(yaml)
    made.stages?[0].steps[0].losses = ["mse"]
    #expect(message { _ = try composer.resolve(made) }?.contains("move 'losses' into a step") == true)
  }

  @Test func groupsAreOverriddenByTheirPath() throws {
    func changed(_ assignment: String) throws -> [Recipe.Step] {
      var read = try composer.resolve(recipe(yaml))
      try read.set(assignment)
      return try #require(read.stages?[0].steps)
    }
    #expect(try changed("stages[0].steps[0].repeat=5")[0].repeat == 5)
    let inner = try changed("stages[0].steps[0].steps[1].optimizer.learningRate=0.5")[0].steps
    #expect(inner.map { $0.optimizer?.with["learningRate"] } == [0.005, 0.5])
    // What a group does not have goes to each of its steps.
    let all = try changed("stages[0].steps[0].optimizer.learningRate=0.5")
    #expect(all[0].steps.map { $0.optimizer?.with["learningRate"] } == [0.5, 0.5])
    #expect(all[1].optimizer?.with["learningRate"] == 0.005)
    let every = try changed("optimizer.learningRate=0.25")
    #expect(every.flatMap(\.leaves).map { $0.optimizer?.with["learningRate"] } == [0.25, 0.25, 0.25])
    #expect(try changed("losses.least-squares-critic.weight=2")[0].steps.map { $0.losses[0].weight } == [2, 2])
    #expect(message { _ = try changed("stages[0].steps[0].steps[2].clip=1") }?.contains("there is no step [2]") == true)
  }
}

/// An error that is a mean over values unless it is told otherwise.
private struct Reducible: Loss, Component {
  struct Config: ComponentConfig {
    @Setting("mean or sum.") var reduction = "mean"
    @Setting("Where it becomes linear.") var delta = 1.0
    init() {}
  }
  init(_ config: Config, in context: BuildContext) {}
  func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    [.batch("error", try (forward.reconstruction - forward.inputs).square().mean())]
  }
}

@Suite struct SettingsOfLosses {
  private func composer() throws -> Composer {
    Composer(
      try Catalog(
        [StubPlugin.self],
        adding: [
          .loss("squares", Reducible.self, "an error"), .loss("hubers", Reducible.self, "another"),
          .loss("nats", LatentLoss.self, "in nats", with: Companions(settings: [.loss: ["reduction": "sum"]])),
          .prior(
            "normal", FlatPrior.self, "brings losses",
            with: Companions(losses: [PartChoice("squares", with: ["reduction": "sum", "delta": 3]), "nats"])),
        ]))
  }

  /// The losses of the only step with their reductions.
  private func losses(_ written: String, _ chosen: [String] = []) throws -> [String] {
    let composer = try composer()
    let choices = TrainingChoices(losses: chosen.map { (nil, PartChoice($0)) })
    let full = try composer.resolve(recipe(written), choosing: choices)
    #expect(try composer.resolve(full) == full)
    return try #require(full.stages?[0].steps[0]).losses.map { loss in
      guard case .string(let reduction)? = loss.with["reduction"], let delta = loss.with["delta"] else {
        return loss.use
      }
      return "\(loss.use) \(reduction) \(delta.shortText)"
    }
  }

  @Test func aLossInNatsBringsSumsToThoseBesideIt() throws {
    #expect(try losses("{encoder: mlp, prior: kde}", ["hubers", "nats"]) == ["hubers sum 1", "nats"])
    #expect(try losses("{encoder: mlp, prior: kde}", ["hubers"]) == ["hubers mean 1"])
    #expect(try losses("{encoder: mlp, stages: [{losses: [squares, nats]}]}") == ["squares sum 1", "nats"])
  }

  @Test func whatTheRecipeSaysOfItComesFirst() throws {
    let written = "{encoder: mlp, stages: [{losses: [{use: squares, with: {reduction: mean}}, nats]}]}"
    #expect(try losses(written) == ["squares mean 1", "nats"])
    #expect(try losses(written, ["squares", "nats"]) == ["squares mean 1", "nats"])
  }

  @Test func aLossByFlagKeepsWhatThePriorSaidOfIt() throws {
    let written = "{encoder: mlp, prior: normal}"
    #expect(try losses(written) == ["squares sum 3", "nats"])
    #expect(try losses(written, ["squares", "nats"]) == ["squares sum 3", "nats"])
    #expect(try losses(written, ["squares"]) == ["squares sum 3"])
    #expect(try losses(written, ["hubers", "nats"]) == ["hubers sum 1", "nats"])
  }
}
