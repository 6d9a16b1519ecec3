import LatentKit
import Recipes
import Testing

@Suite struct Overrides {
  static func model() throws -> Recipe {
    try recipe(
      """
      encoder: {use: mlp, with: {latent: 40, hidden: [400, 200]}}
      decoder: mlp
      prior: {use: pedcc, with: {classes: 10}}
      noise: none
      data: {use: mnist, with: {pad: 2}}
      metrics: [accuracy, nearest-class-mean]
      stages:
        - name: encoder
          epochs: 20
          train: [encoder]
          losses: [centroid, {use: sobel, weight: 0.02}]
          optimizer: {use: adam, with: {learningRate: 0.001}}
          schedule: constant
          then: [{project: {use: l11-ball, with: {radius: 100}}}, mask]
        - name: decoder
          epochs: 30
          steps:
            - {train: [discriminator], losses: [critic], repeat: 5, optimizer: adam, schedule: constant}
            - train: [decoder]
              losses: [mse, {use: sobel, weight: 0.5, with: {fidelity: paper}}]
              optimizer: adam
              schedule: cosine
      """)
  }

  static func changed(_ assignment: String) throws -> Recipe {
    var recipe = try model()
    try recipe.set(assignment)
    return recipe
  }

  @Test func settingsNeedNoWith() throws {
    #expect(try Self.changed("prior.classes=20")[.prior]?.with == ["classes": 20])
    #expect(try Self.changed("prior.with.classes = 20")[.prior]?.with == ["classes": 20])
    #expect(try Self.changed("prior.scale=1e-3")[.prior]?.with == ["classes": 10, "scale": 0.001])
    #expect(try Self.changed("data.pad=0")[.data]?.with == ["pad": 0])
    #expect(try Self.changed("encoder.hidden=[8, 4]")[.encoder]?.with["hidden"] == [8, 4])
    #expect(try Self.changed("encoder.hidden[1]=7")[.encoder]?.with["hidden"] == [400, 7])
    #expect(try Self.changed("encoder.name=a=b")[.encoder]?.with["name"] == "a=b")
    #expect(try Self.changed("prior.classes=null")[.prior]?.with == ["classes": .null])
    #expect(try Self.changed("metrics.accuracy.scores=latents")[all: .metric]?[0].with == ["scores": "latents"])
    #expect(try Self.changed("metrics[1].means=training")[all: .metric]?[1].with == ["means": "training"])
  }

  @Test func aFaultElsewhereIsNotBlamedOnTheAssignment() throws {
    var broken = try Self.model()
    broken.stages?[0].steps[0].losses[1].weight = 1e300
    let found = message { try broken.set("epochs=1") }
    #expect(found?.hasPrefix("stages[0].steps[0].losses[1].weight: found 1e+300, expected a finite number") == true)
    let own = message { try broken.set("stages.encoder.losses.sobel.weight=1e13") }
    #expect(own?.hasPrefix("'stages.encoder.losses.sobel.weight=1e13': stages[0].") == true, "\(own ?? "")")
    #expect(message { try broken.set("epochs=0") }?.hasPrefix("'epochs=0': stages[0].epochs: found 0") == true)
  }

  @Test func aLongValueIsShortenedInMessages() throws {
    let list = "[" + (0..<90_000).map(String.init).joined(separator: ", ") + "]"
    for assignment in ["epochs=\(list)", "seed=\(String(repeating: "7", count: 90_000))", "x=\(list)", list] {
      let found = message { _ = try Self.changed(assignment) }
      #expect((1..<1000).contains(found?.count ?? 0), "\(found?.prefix(2000) ?? "")")
    }
    let setting = SettingDescription("sizes", default: [1], "sizes", .atLeast(1))
    let values = Value.array((0..<90_000).map { .int($0) })
    #expect(values.shortText.count <= 110 && values.shortText.hasPrefix("[0, 1, 2"))
    let entry = Entry<any Encoder>("mine", "s", settings: [setting]) { _, _ in throw RecipeError("never made") }
    let found = message { _ = try entry.resolved(["sizes": values], at: "encoder.with") }
    #expect(found?.hasPrefix("encoder.with.sizes: found [0, 1, 2") == true && (found?.count ?? 0) < 250)
  }

  @Test func plainValuesAreSet() throws {
    #expect(try Self.changed("seed=3").seed == 3)
    #expect(try Self.changed("name=try 4").name == "try 4")
    #expect(try Self.changed("metrics=[accuracy]")[all: .metric] == [PartChoice("accuracy")])
  }

  @Test func stagesAreFoundByPlaceAndByName() throws {
    #expect(try Self.changed("stages[1].epochs=5").stages?.map(\.epochs) == [20, 5])
    #expect(try Self.changed("stages.decoder.epochs=5").stages?.map(\.epochs) == [20, 5])
    #expect(try Self.changed("stages.encoder.examples=100").stages?.map(\.examples) == [100, nil])
    #expect(try Self.changed("stages[1].steps[0].repeat=2").stages?[1].steps.map(\.repeat) == [2, 1])
    #expect(try Self.changed("stages.encoder.clip=1.5").stages?[0].steps[0].clip == 1.5)
    #expect(
      try Self.changed("stages[1].steps[1].train=[decoder, prior]").stages?[1].steps[1].train == ["decoder", "prior"])
    #expect(try Self.changed("stages[0].then=[]").stages?[0].then == [])
    #expect(
      try Self.changed("stages[0].then[0].project.radius=500").stages?[0].then[0]
        == .project(PartChoice("l11-ball", with: ["radius": 500]), parameters: []))
    #expect(
      try Self.changed("stages[0].then[0].project.parameters=[encoder]").stages?[0].then[0]
        == .project(PartChoice("l11-ball", with: ["radius": 100]), parameters: ["encoder"]))
  }

  @Test func projectionsHaveANameOfTheirOwnWhereverTheyAre() throws {
    #expect(
      try Self.changed("project.radius=500").stages?[0].then[0]
        == .project(PartChoice("l11-ball", with: ["radius": 500]), parameters: []))
    #expect(
      try Self.changed("stages.encoder.project=l1-ball").stages?[0].then[0]
        == .project(PartChoice("l1-ball"), parameters: []))
    let without = try #require(throws: (any Error).self) { try Self.changed("stages.decoder.project.radius=5") }
    #expect("\(without)".contains("this recipe projects no weights"))
  }

  @Test func withoutAStageItGoesToAllOfThem() throws {
    #expect(try Self.changed("epochs=5").stages?.map(\.epochs) == [5, 5])
    #expect(try Self.changed("batch=64").stages?.map(\.batch) == [64, 64])
    let steps = try Self.changed("optimizer.learningRate=0.01").stages?.flatMap(\.steps)
    #expect(steps?.map { $0.optimizer?.with["learningRate"] } == [0.01, 0.01, 0.01])
    #expect(try Self.changed("clip=1").stages?.flatMap(\.steps).map(\.clip) == [1, 1, 1])
    #expect(
      try Self.changed("schedule=step").stages?.flatMap(\.steps).map { $0.schedule?.use } == ["step", "step", "step"])
  }

  @Test func lossesAreFoundByNameWhereverTheyAre() throws {
    func sobels(_ assignment: String) throws -> [PartChoice] {
      try #require(Self.changed(assignment).stages).flatMap(\.steps).flatMap(\.losses).filter { $0.use == "sobel" }
    }
    #expect(try sobels("losses.sobel.weight=0.1").map(\.weight) == [0.1, 0.1])
    #expect(try sobels("stages.decoder.losses.sobel.weight=0.1").map(\.weight) == [0.02, 0.1])
    #expect(try sobels("stages[0].steps[0].losses.sobel.weight=0.1").map(\.weight) == [0.1, 0.5])
    #expect(try sobels("stages[0].losses[1].weight=0.1").map(\.weight) == [0.1, 0.5])
    #expect(try sobels("losses.sobel.fidelity=code").map { $0.with["fidelity"] } == ["code", "code"])
    #expect(
      try sobels("losses.sobel={use: sobel, weight: 2}") == [
        PartChoice("sobel", weight: 2), PartChoice("sobel", weight: 2),
      ])
    let replaced = try Self.changed("losses.mse=huber").stages?[1].steps[1].losses
    #expect(replaced?[0] == PartChoice("huber"))
    #expect(try Self.changed("stages.encoder.losses=[mse]").stages?[0].steps[0].losses == [PartChoice("mse")])
  }

  @Test func anotherNameDropsTheSettingsAndTheSameNameKeepsThem() throws {
    var recipe = try Self.model()
    try recipe.apply(choice: .prior, "standard-normal")
    #expect(recipe[.prior] == PartChoice("standard-normal"))
    try recipe.apply(choice: .encoder, "mlp")
    #expect(recipe[.encoder]?.with["latent"] == 40)
    try recipe.apply(choice: .decoder, "none")
    #expect(recipe[.decoder] == PartChoice("none"))
    try recipe.apply(choice: .sampler, "mh")
    #expect(recipe[.sampler] == PartChoice("mh"))
    try recipe.apply(choice: .metric, "accuracy")
    #expect(recipe[all: .metric] == [PartChoice("accuracy")])
    try recipe.apply(choice: .optimizer, "sgd")
    #expect(
      recipe.stages?.flatMap(\.steps).map(\.optimizer) == [PartChoice("sgd"), PartChoice("sgd"), PartChoice("sgd")])
    #expect(try Self.changed("prior=standard-normal")[.prior] == PartChoice("standard-normal"))
    #expect(try Self.changed("prior=pedcc")[.prior] == PartChoice("pedcc", with: ["classes": 10]))
    #expect(try Self.changed("prior={use: kde, with: {a: 1}}")[.prior] == PartChoice("kde", with: ["a": 1]))
    // A loss that gets another name keeps its weight.
    let losses = try Self.changed("stages.encoder.losses.sobel=edges").stages?[0].steps[0].losses
    #expect(losses?[1] == PartChoice("edges", weight: 0.02))
  }

  @Test func slotsThatAreNeededCannotBeNone() throws {
    var recipe = try Self.model()
    #expect(
      message { try recipe.apply(choice: .prior, "none") } == "a recipe needs a prior, found 'none'; choose one by name"
    )
    #expect(message { try recipe.apply(choice: .loss, "mse") }?.contains("stages[0].losses=[mse]") == true)
    #expect(try recipe == Self.model())
  }

  @Test(arguments: [
    ("prior", "expected path=value, as in prior.classes=20"),
    ("=3", "expected path=value"),
    ("seed=", "'seed=': found no value after '='; write null for none"),
    ("sede=3", "'sede=3': there is no key 'sede'; known: name, about, seed, data"),
    ("sede=3", "Did you mean 'seed'?"),
    ("epoch=3", "Did you mean 'epochs'?"),
    ("epochs=ten", "stages[0].epochs: found 'ten', expected a whole number of at least 1"),
    ("epochs=-1", "found -1, expected"),
    ("seed=-1", "seed: found -1"),
    ("stages[7].epochs=1", "there is no stage [7], found 2 of them"),
    ("stages.decodr.epochs=1", "there is no stage 'decodr'; known: encoder, decoder. Did you mean 'decoder'?"),
    ("stages.decoder.epoch=1", "there is no key 'epoch'; known: name, epochs"),
    ("stages.decoder.steps[2].clip=1", "there is no step [2], found 2"),
    ("stages.decoder.steps[0].clp=1", "there is no key 'clp'; known: train, repeat"),
    ("losses.sobl.weight=1", "there is no loss 'sobl'; known: centroid, sobel, critic, mse. Did you mean 'sobel'?"),
    ("stages.encoder.losses.mse.weight=1", "there is no loss 'mse'; known: centroid, sobel"),
    ("losses.sobel.weight=.nan", "weight: found nan, expected a finite number"),
    ("metrics.acuracy.x=1", "there is no metric 'acuracy'; known: accuracy, nearest-class-mean"),
    ("noise.beta=0.1", "noise: this recipe has no part there; choose one first, as in noise=NAME"),
    ("classifier.hidden=3", "classifier: this recipe has no part there"),
    ("seed.x=1", "seed: there is nothing below it to set, found 'x'"),
    ("encoder.hidden[5]=1", "encoder.with.hidden: there is no [5] in a list of 2"),
    ("encoder.latent.x=1", "encoder.with.latent: found 40, which has no 'x'"),
    ("encoder[0]=1", "encoder: found one part, expected a list to have [0]"),
    ("a..b=1", "found the path 'a..b', expected names and indices"),
    ("prior.classes=[1", "this is not YAML"),
    ("stages[0].then[9].project.radius=1", "there is no action [9], found 2"),
  ])
  func pathsThatLeadNowhereAreRefused(assignment: String, expected: String) throws {
    var recipe = try Self.model()
    let found = message { try recipe.set(assignment) }
    #expect(found?.contains(expected) == true, "found: \(found ?? "no error")")
    #expect(try recipe == Self.model(), "a refused change changes nothing")
  }

  @Test func stagesThatAreNotThereYetAreNamed() {
    var recipe = Recipe()
    #expect(
      message { try recipe.set("epochs=3") }?.contains("no stages yet; write its stages, or resolve it first") == true)
  }
}
