import LatentKit
import Recipes
import Testing

/// Parts that bring steps, losses and metrics with them, and the composer that knows them.
private func composer(_ companions: Companions) throws -> Composer {
  Composer(
    try Catalog(
      [StubPlugin.self],
      adding: [
        Contribution(
          .discriminator,
          Entry("critic", "one linear layer, with what trains it", with: companions) { _, context in
            try TinyDiscriminator(NoConfig(), in: context)
          })
      ]))
}

private let clipped = Step(
  train: ["discriminator"], repeat: 5, losses: ["least-squares-critic"], optimizer: "sgd",
  after: [.project(PartChoice("l11-ball", with: ["radius": 2]), parameters: ["discriminator"], biases: true)])

private let critic = Companions(
  metrics: ["accuracy"], steps: [clipped], joining: [.decoder: [PartChoice("adversarial", weight: 0.01)]])

@Suite struct JoiningCompanions {
  @Test func aCriticBringsItsStepAndTheLossOfTheDecoder() throws {
    let composer = try composer(critic)
    let full = try composer.resolve(recipe("{encoder: resnet, prior: pedcc, discriminator: critic}"))
    let steps = try #require(full.stages?.first).steps
    #expect(steps.map(\.train) == [["discriminator"], ["encoder", "decoder"]])
    #expect(steps.map(\.repeat) == [5, 1])
    #expect(steps[0].losses.map(\.use) == ["least-squares-critic"])
    #expect(steps[1].losses.map(\.use) == ["centroid", "mse", "sobel", "adversarial"])
    #expect(steps[1].losses.map(\.weight) == [1, 1, 0.02, 0.01])
    // All settings are there, as for parts that a person wrote.
    #expect(steps[0].optimizer == PartChoice("sgd", with: ["learningRate": 0.001, "beta1": 0.9, "momentum": 0]))
    #expect(steps[0].schedule?.use == "constant")
    #expect(steps[0].after == clipped.after && steps[1].after.isEmpty)

    #expect(try composer.resolve(full) == full)
    #expect(try recipe(full.yaml()) == full)
    try composer.dryRun(full, for: digits)
    let made = try composer.compose(full, for: digits)
    #expect(
      made.stages[0].steps.map { $0.parameters.map(\.name) } == [
        ["discriminator.layer.weight", "discriminator.layer.bias"],
        ["encoder.layer.weight", "encoder.layer.bias", "decoder.layer.weight", "decoder.layer.bias"],
      ])
    guard case .project(_, let projected) = made.stages[0].steps[0].after[0] else {
      Issue.record("no projection")
      return
    }
    #expect(projected.map(\.name) == ["discriminator.layer.weight", "discriminator.layer.bias"])
  }

  @Test func onlyStagesWithTheOtherSlotAreJoined() throws {
    let full = try composer(critic).resolve(
      recipe(
        """
        encoder: resnet
        discriminator: critic
        stages: [{train: [encoder], losses: [kl]}, {steps: [{train: [encoder], losses: [kl]}, {train: [decoder], losses: [mse]}]}]
        """))
    #expect(
      full.stages?.map { $0.steps.map(\.train) } == [[["encoder"]], [["discriminator"], ["encoder"], ["decoder"]]])
    #expect(
      full.stages?[1].steps.map { $0.losses.map(\.use) } == [["least-squares-critic"], ["kl"], ["mse", "adversarial"]])
  }

  @Test(arguments: [
    "{encoder: resnet, discriminator: conv}", "{encoder: resnet, discriminator: none}",
    // The recipe trains it in a step of its own.
    """
    encoder: resnet
    discriminator: critic
    stages: [{steps: [{train: [decoder], losses: [mse]}, {train: [discriminator], losses: [least-squares-critic]}]}]
    """,
    // No stage trains what the critic would join.
    "{encoder: resnet, discriminator: critic, stages: [{train: [encoder], losses: [kl]}]}",
    "{encoder: resnet, discriminator: critic, stages: []}",
  ])
  func nothingIsAddedWhereItIsThereOrHasNoPlace(yaml: String) throws {
    let full = try composer(critic).resolve(recipe(yaml))
    let steps = full.stages?.flatMap(\.steps) ?? []
    #expect(!steps.flatMap(\.losses).contains { $0.use == "adversarial" })
    #expect(steps.count { $0.train == ["discriminator"] } == (yaml.contains("least-squares-critic") ? 1 : 0))
  }

  @Test func whatJoinsNoStageIsWarnedAbout() throws {
    func warnings(_ companions: Companions, _ yaml: String) throws -> [String] {
      try composer(companions).dryRun(recipe(yaml), for: digits).filter { $0.contains("left out; train") }
    }
    let without =
      "{encoder: resnet, decoder: none, discriminator: critic, metrics: [], stages: [{train: [encoder], losses: [kl]}]}"
    let with =
      "{encoder: resnet, discriminator: critic, metrics: [], stages: [{train: [encoder, decoder], losses: [mse]}]}"
    #expect(
      try warnings(critic, without) == [
        "discriminator 'critic' brings steps and losses for stages that train decoder, and no stage does, so that they are "
          + "left out; train decoder in a stage, or leave discriminator 'critic' out"
      ])
    #expect(try warnings(critic, with).isEmpty)
    let joining = Companions(joining: [.classifier: ["mse"]])
    #expect(try warnings(joining, with).first?.contains("brings losses for stages that train classifier, and") == true)
    #expect(try warnings(Companions(metrics: []), without).isEmpty)
    // Nor where the recipe trains it by itself.
    let own =
      "{encoder: resnet, discriminator: critic, metrics: [], stages: [{train: [encoder], losses: [kl]}, {train: [discriminator], losses: [least-squares-critic]}]}"
    #expect(try warnings(Companions(steps: critic.steps), own).isEmpty)
  }

  @Test func aLossThatTheStepHasAlreadyIsNotAddedAgain() throws {
    let full = try composer(critic).resolve(
      recipe(
        "{encoder: resnet, discriminator: critic, stages: [{train: [decoder], losses: [{use: adversarial, weight: 3}]}]}"
      ))
    #expect(full.stages?[0].steps[1].losses.map(\.weight) == [3])
  }

  @Test func lossesOfSeveralSlotsJoinInTheOrderOfSlots() throws {
    let several = Companions(
      steps: [clipped], joining: [.classifier: ["huber"], .prior: ["bce"], .decoder: ["kl"], .encoder: ["adversarial"]])
    // A dictionary has another order each time.
    for _ in 0..<20 {
      let full = try composer(several).resolve(
        recipe(
          """
          {encoder: resnet, prior: learned, classifier: linear, discriminator: critic,
           stages: [{train: [encoder, prior, decoder, classifier], losses: [mse]}]}
          """))
      #expect(full.stages?[0].steps[1].losses.map(\.use) == ["mse", "adversarial", "bce", "kl", "huber"])
    }
  }

  @Test func metricsOfAllPartsAreUnited() throws {
    let composer = try composer(critic)
    func metrics(_ yaml: String) throws -> [String]? {
      try composer.resolve(recipe(yaml))[all: .metric]?.map(\.use)
    }
    #expect(
      try metrics("{encoder: resnet, prior: pedcc, discriminator: critic}") == ["nearest-class-mean", "accuracy"])
    #expect(try metrics("{encoder: resnet, discriminator: critic}") == ["accuracy"])
    #expect(try metrics("{encoder: resnet, prior: pedcc, discriminator: critic, metrics: []}") == [])
  }
}

@Suite struct AfterSteps {
  private let yaml = """
    encoder: mlp
    stages:
      - name: main
        steps:
          - train: [encoder]
            losses: [kl]
            after: [{project: {use: l11-ball, with: {radius: 2}, parameters: [encoder.layer, decoder], biases: true}}, {project: l11-ball}]
          - {train: [decoder], losses: [mse]}
    """

  @Test func projectionsAreReadAndWritten() throws {
    let read = try recipe(yaml)
    let expected: [Action] = [
      .project(PartChoice("l11-ball", with: ["radius": 2]), parameters: ["encoder.layer", "decoder"], biases: true),
      .project("l11-ball"),
    ]
    #expect(read.stages?[0].steps.map(\.after) == [expected, []])
    #expect(try recipe(read.yaml()) == read)
    // A stage's only step may stand in the stage itself.
    let short = try recipe("stages: [{losses: [mse], after: [{project: l11-ball}], then: [mask]}]")
    #expect(short.stages?[0].steps[0].after == [.project("l11-ball")] && short.stages?[0].then == [.mask])
    #expect(try recipe(short.yaml()) == short)
    let resolved = try composer.resolve(short.with(encoder: "mlp"))
    #expect(try recipe(resolved.yaml()) == resolved)
    #expect(resolved.stages?[0].steps[0].after == [.project(PartChoice("l11-ball", with: ["radius": 1]))])
  }

  @Test(arguments: [
    ("[mask]", "stages[0].after[0]: a step is followed by projections only; move 'mask' to the stage's 'then'"),
    ("[rewind]", "a step is followed by projections only"),
    ("[project]", "'project' needs a constraint"),
    ("mask", "stages[0].after: found 'mask', expected a list of projections"),
    ("[{project: {use: l1-ball, biases: 1}}]", "biases: found 1, expected true or false"),
    ("[{project: {use: l1-ball, bias: true}}]", "there is no key 'bias'; known: use, with, parameters, biases"),
  ])
  func onlyProjectionsFollowAStep(after: String, expected: String) {
    let found = message { _ = try recipe("stages: [{losses: [mse], after: \(after)}]") }
    #expect(found?.contains(expected) == true, "found: \(found ?? "no error")")
  }

  @Test func theyAreOverriddenByTheirPath() throws {
    func radii(_ assignment: String) throws -> [[Value?]] {
      var changed = try recipe(yaml)
      try changed.set(assignment)
      return try #require(changed.stages?[0]).steps.map { step in
        step.after.map { if case .project(let choice, _, _) = $0 { choice.with["radius"] } else { nil } }
      }
    }
    #expect(try radii("stages[0].steps[0].after[0].project.radius=0.5") == [[0.5, nil], []])
    #expect(try radii("stages.main.steps[0].after[1].project.radius=0.5") == [[2, 0.5], []])
    // Without a place it goes to every step that has such a projection.
    #expect(try radii("after[0].project.radius=0.5") == [[0.5, nil], []])
    #expect(try radii("stages[0].after[1].project.with.radius=3") == [[2, 3], []])
    var changed = try recipe(yaml)
    try changed.set("after[0].project.biases=false")
    try changed.set("after[0].project.parameters=[encoder]")
    #expect(
      changed.stages?[0].steps[0].after[0]
        == .project(PartChoice("l11-ball", with: ["radius": 2]), parameters: ["encoder"]))
    try changed.set("stages[0].steps[1].after=[{project: l11-ball}]")
    #expect(changed.stages?[0].steps[1].after == [.project("l11-ball")])
    #expect(message { try changed.set("after[2].project.radius=1") }?.contains("there is no action [2]") == true)
    #expect(message { try changed.set("after=[mask]") }?.contains("projections only") == true)
  }

  @Test func theyProjectWhatTheStepTrains() throws {
    func projected(_ after: String) throws -> [String] {
      let made = try composer.compose(
        recipe("{encoder: mlp, stages: [{train: [decoder], losses: [mse], after: [{project: \(after)}]}]}"), for: digits
      )
      guard case .project(_, let parameters) = made.stages[0].steps[0].after[0] else { return [] }
      return parameters.map(\.name)
    }
    #expect(try projected("l11-ball") == ["decoder.layer.weight"])
    #expect(try projected("{use: l11-ball, biases: true}") == ["decoder.layer.weight", "decoder.layer.bias"])
    #expect(
      message { _ = try projected("{use: l11-ball, parameters: [encoder]}") }?
        .contains("there is no weight of two or more axes below 'encoder'; known: decoder") == true)
  }
}

extension Recipe {
  fileprivate func with(encoder: String) -> Recipe {
    var copy = self
    copy[.encoder] = PartChoice(encoder)
    return copy
  }
}

@Suite struct RecipeSlots {
  @Test(arguments: Slot.all.filter { $0.isSingle })
  func everySlotOfOnePartIsReadWrittenAndChanged(slot: Slot) throws {
    var read = try recipe("\(slot.name): {use: a, with: {x: 1}}")
    #expect(read[slot] == PartChoice("a", with: ["x": 1]))
    #expect(read.has(slot))
    #expect(try recipe(read.yaml()) == read)
    try read.set("\(slot.name).x=2")
    #expect(read[slot] == PartChoice("a", with: ["x": 2]))
    try read.set("\(slot.name)=b")
    #expect(read[slot] == PartChoice("b"))
    try read.apply(choice: slot, "c")
    #expect(read[slot] == PartChoice("c"))
    let refused = message { try read.apply(choice: slot, "none") }
    #expect((refused == nil) == (slot.place == .optional), "\(refused ?? "nothing")")
    if slot.place == .optional { #expect(!read.has(slot)) }
    // Only parts with weights are trained.
    let trained = message { _ = try recipe("stages: [{train: [\(slot.name)], losses: [mse]}]") }
    #expect((trained == nil) == slot.isTrainable)
  }

  @Test(arguments: Slot.all.filter { $0.place == .list })
  func everyListIsReadWrittenAndChanged(slot: Slot) throws {
    var read = try recipe("\(slot.key): [a, {use: b, with: {x: 1}}]")
    #expect(read[all: slot] == ["a", PartChoice("b", with: ["x": 1])])
    #expect(try recipe(read.yaml()) == read)
    try read.set("\(slot.key).b.x=2")
    try read.set("\(slot.key)[0].y=3")
    #expect(read[all: slot] == [PartChoice("a", with: ["y": 3]), PartChoice("b", with: ["x": 2])])
    try read.apply(choice: slot, "none")
    #expect(read[all: slot] == [])
  }
}
