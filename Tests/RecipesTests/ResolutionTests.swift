import LatentKit
import Recipes
import Testing

@Suite struct Resolution {
  private func resolved(_ yaml: String) throws -> Recipe { try composer.resolve(recipe(yaml)) }

  @Test func anEncoderIsEnough() throws {
    let full = try resolved("encoder: resnet")
    #expect(full[.prior] == PartChoice("standard-normal", with: ["classes": .null, "shape": "rows"]))
    #expect(full[.decoder]?.use == "mlp")
    #expect(full[.sampler]?.use == "prior")
    #expect(full[.classifier] == nil && full[.noise] == nil && full[.data] == nil)
    #expect(full[all: .metric] == [])
    let stage = try #require(full.stages?.first)
    #expect(full.stages?.count == 1)
    #expect((stage.name, stage.epochs, stage.batch) == ("main", 10, 128))
    #expect(stage.steps[0].train == ["encoder", "decoder"])
    #expect(stage.steps[0].optimizer?.use == "adam")
    #expect(stage.steps[0].schedule?.use == "constant")
    // The prior's companions: its losses, and settings that this encoder knows.
    #expect(stage.steps[0].losses.map(\.use) == ["mse", "kl"])
    #expect(full[.encoder]?.with == ["latent": 3, "code": "gaussian"])
  }

  @Test func thePriorsCompanionsComeFirst() throws {
    let full = try resolved("{data: mnist, encoder: conv, prior: pedcc, sampler: mh}")
    // Both the prior and the encoder have a sampler and settings of the data; the recipe has a sampler of its own.
    #expect(full[.sampler]?.use == "mh")
    #expect(full[.data]?.with == ["pad": 1, "range": "unit"])
    #expect(full[.decoder]?.use == "deconv")
    #expect(full[.noise] == PartChoice("scaled-gaussian", with: ["beta": 0.1]))
    #expect(full[all: .metric]?.map(\.use) == ["nearest-class-mean"])
    #expect(full.stages?[0].batch == 64)
    #expect(full.stages?[0].steps[0].schedule?.use == "cosine")
    #expect(full.stages?[0].steps[0].losses.map(\.weight) == [1, 1, 0.02])
    #expect(try resolved("{encoder: conv, prior: pedcc}")[.sampler]?.use == "class-gaussian")
    #expect(try resolved("encoder: conv")[.sampler]?.use == "mh")
  }

  @Test func theRecipeComesBeforeAllCompanions() throws {
    let full = try resolved(
      """
      data: {use: mnist, with: {pad: 5}}
      encoder: {use: mlp, with: {code: point}}
      noise: none
      metrics: []
      stages: [{losses: [huber], train: [encoder], optimizer: {use: adam, with: {learningRate: 1}}}]
      """)
    #expect(full[.data]?.with["pad"] == 5)
    #expect(full[.encoder]?.with["code"] == "point")
    #expect(full[.noise] == PartChoice("none"))
    #expect(full[all: .metric] == [])
    #expect(full.stages?[0].epochs == 10)
    #expect(full.stages?[0].steps[0].train == ["encoder"])
    #expect(full.stages?[0].steps[0].losses.map(\.use) == ["huber"])
    #expect(full.stages?[0].steps[0].optimizer?.with["learningRate"] == 1)
    // An optimiser that the recipe leaves out is the encoder's companion, with the companion's settings.
    #expect(try resolved("encoder: mlp").stages?[0].steps[0].optimizer?.with["learningRate"] == 0.005)
    #expect(try resolved("encoder: mlp").stages?[0].epochs == 7)
    // Another optimiser does not inherit them.
    #expect(
      try resolved("{encoder: mlp, stages: [{optimizer: adam}]}").stages?[0].steps[0].optimizer?.with["learningRate"]
        == 0.001)
  }

  @Test func anOptimizerThatIsChosenByTheNameThatItHasKeepsItsSettings() throws {
    func chosen(_ name: String, for yaml: String) throws -> PartChoice? {
      try composer.resolve(recipe(yaml), choosing: TrainingChoices(optimizer: name)).stages?[0].steps[0].optimizer
    }
    let written = "{encoder: resnet, stages: [{optimizer: {use: adam, with: {learningRate: 1}}}]}"
    #expect(try chosen("adam", for: written)?.with["learningRate"] == 1)
    // Those that the encoder brings as well.
    #expect(try chosen("adam", for: "encoder: mlp")?.with["learningRate"] == 0.005)
    let other = try #require(try chosen("sgd", for: written))
    #expect(try other.use == "sgd" && other == chosen("sgd", for: "encoder: resnet"))
  }

  @Test func noneKeepsASlotEmpty() throws {
    let full = try resolved("{encoder: mlp, decoder: none, prior: pedcc, noise: none, classifier: linear}")
    #expect(full[.decoder] == PartChoice("none"))
    #expect(full[.noise] == PartChoice("none"))
    #expect(full.stages?[0].steps[0].train == ["encoder", "classifier"])
    #expect(try recipe(full.yaml()) == full)
  }

  @Test func aPriorWithWeightsIsTrained() throws {
    #expect(
      try resolved("{encoder: mlp, prior: learned}").stages?[0].steps[0].train == ["encoder", "decoder", "prior"])
  }

  @Test(arguments: [
    "encoder: resnet", "{data: mnist, encoder: conv, prior: pedcc}",
    "{encoder: mlp, decoder: none, prior: kde, classifier: mlp}",
    "{encoder: mlp, stages: []}", "{encoder: mlp, stages: [{epochs: 3}, {train: [decoder]}]}",
    "{encoder: mlp, stages: [{steps: [{train: [encoder]}, {losses: [kl]}], then: [{project: l11-ball}, mask]}]}",
  ])
  func resolvingTwiceIsResolvingOnce(yaml: String) throws {
    let once = try resolved(yaml)
    #expect(try composer.resolve(once) == once)
    #expect(try recipe(once.yaml()) == once)
  }

  @Test func changesOfAResolvedRecipeHold() throws {
    var full = try resolved("{encoder: conv, prior: pedcc}")
    for assignment in ["losses.sobel.weight=0.5", "epochs=3", "noise.beta=0.04", "prior.classes=20"] {
      try full.set(assignment)
    }
    full = try composer.resolve(full)
    #expect(full.stages?[0].steps[0].losses[2].weight == 0.5)
    #expect(full.stages?[0].epochs == 3)
    #expect(full[.noise]?.with == ["beta": 0.04])
    #expect(full[.prior]?.with["classes"] == 20)
  }

  @Test(arguments: [
    ("{}", "encoder: found nothing, expected an encoder; choose one of: mlp, conv"),
    ("encoder: none", "encoder: there is no encoder 'none'"),
    (
      "encoder: resnt",
      "encoder: there is no encoder 'resnt'; known: mlp, conv, resnet, lying, fixed. Did you mean 'resnet'?"
    ),
    ("{encoder: mlp, prior: pedc}", "prior: there is no prior 'pedc'; known: "),
    (
      "{encoder: {use: mlp, with: {latnt: 3}}}",
      "encoder.with.latnt: there is no setting 'latnt'; known: latent, code. Did you mean 'latent'?"
    ),
    ("{encoder: {use: mlp, with: {latent: ten}}}", "encoder.with.latent: found 'ten', expected a whole number"),
    ("{encoder: mlp, metrics: [acuracy]}", "metrics[0]: there is no metric 'acuracy'"),
    ("{encoder: mlp, stages: [{losses: [mse, msee]}]}", "stages[0].steps[0].losses[1]: there is no loss 'msee'"),
    (
      "{encoder: mlp, stages: [{optimizer: {use: adam, with: {rat: 1}}}]}",
      "stages[0].steps[0].optimizer.with.rat: there is no setting"
    ),
    ("{encoder: mlp, stages: [{schedule: cosin}]}", "stages[0].steps[0].schedule: there is no schedule 'cosin'"),
    ("{encoder: mlp, stages: [{then: [{project: l1}]}]}", "stages[0].then[0].project: there is no constraint 'l1'"),
  ])
  func unknownNamesAreRefusedWithTheirPath(yaml: String, expected: String) throws {
    let found = message { _ = try resolved(yaml) }
    #expect(found?.hasPrefix(expected) == true, "found: \(found ?? "no error")")
  }

  @Test func recipesOfProgramsAreCheckedAsFilesAre() throws {
    var bad = try recipe("encoder: mlp")
    bad.seed = -1
    #expect(message { _ = try composer.resolve(bad) } == "seed: found -1, expected a whole number of at least 0")
    bad.seed = 0
    bad.stages = [Recipe.Stage(epochs: 0)]
    #expect(message { _ = try composer.resolve(bad) }?.hasPrefix("stages[0].epochs: found 0") == true)
    bad.stages = [Recipe.Stage(steps: [Recipe.Step(train: ["sampler"], losses: [])])]
    #expect(message { _ = try composer.resolve(bad) }?.contains("there is no slot to train 'sampler'") == true)
    bad.stages = [Recipe.Stage(steps: [Recipe.Step(train: [], losses: [PartChoice("mse", weight: .nan)])])]
    #expect(message { _ = try composer.resolve(bad) }?.contains("expected a finite number") == true)
  }

  /// A discriminator that brings its own step, and losses that join those which train the encoder and the decoder.
  private func adversarial() throws -> Composer {
    let joining: [Slot: [PartChoice]] = [
      .decoder: [PartChoice("adversarial", weight: 0.5)], .encoder: ["huber"], .classifier: ["cross-entropy"],
    ]
    let clip = Action.project("l11-ball", parameters: ["discriminator"], biases: true)
    let step = Step(train: ["discriminator"], repeat: 2, losses: ["least-squares-critic"], after: [clip])
    return Composer(
      try Catalog(
        [StubPlugin.self],
        adding: [
          .discriminator(
            "critic", TinyDiscriminator.self, "brings its step",
            with: Companions(steps: [step], joining: joining))
        ]))
  }

  @Test func aDiscriminatorBringsItsStepAndTheLossesThatJoinOthers() throws {
    let composer = try adversarial()
    let full = try composer.resolve(recipe("{encoder: mlp, discriminator: critic, classifier: linear}"))
    let steps = try #require(full.stages?.first).steps
    #expect(steps.map(\.train) == [["discriminator"], ["encoder", "decoder", "classifier"]])
    #expect(steps[0].repeat == 2 && steps[0].losses.map(\.use) == ["least-squares-critic"])
    guard case .project(let constraint, let parameters, true)? = steps[0].after.first else {
      Issue.record("found \(steps[0].after)")
      return
    }
    #expect(constraint == PartChoice("l11-ball", with: ["radius": 1]) && parameters == ["discriminator"])
    // Own losses first, then those that join in the order of their slots: a sum of floats has an order.
    #expect(steps[1].losses.map(\.use) == ["mse", "kl", "huber", "adversarial", "cross-entropy"])
    #expect(steps[1].losses.map(\.weight) == [1, 1, 1, 0.5, 1])
    #expect(try composer.resolve(full) == full)
  }

  @Test func whatADiscriminatorBroughtGoesWithIt() throws {
    let composer = try adversarial()
    let full = try composer.resolve(recipe("{encoder: mlp, discriminator: critic, classifier: linear}"))
    for name in ["none", "conv"] {
      let changed = try composer.resolve(composer.replacing(.discriminator, by: name, in: full))
      let steps = try #require(changed.stages?.first).steps
      #expect(changed[.discriminator]?.use == name && steps.map(\.train) == [["encoder", "decoder", "classifier"]])
      #expect(steps[0].losses.map(\.use) == ["mse", "kl"])
    }
    #expect(try composer.replacing(.discriminator, by: "critic", in: full) == full)
  }

  @Test func aStepThatTrainsTheDiscriminatorTakesTheLossesAsTheyStand() throws {
    let full = try adversarial().resolve(
      recipe(
        """
        {encoder: mlp, discriminator: critic, stages: [{steps: [
          {train: [discriminator], losses: [least-squares-critic]}, {train: [decoder], losses: [mse]}]}]}
        """))
    let steps = try #require(full.stages?.first).steps
    #expect(steps.map { $0.losses.map(\.use) } == [["least-squares-critic"], ["mse"]])
  }
}
