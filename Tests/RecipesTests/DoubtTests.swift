import LatentKit
import Recipes
import Testing

/// What is said of a recipe and its data before anything is tried.
@Suite struct DoubtsBeforeTraining {
  @Test(arguments: [
    ("losses: [{use: mse, weight: 0}, kl]", "loss 'mse' has weight 0"),
    ("losses: [{use: mse, weight: -1}]", "loss 'mse' has weight -1.0"),
    ("losses: [mse], optimizer: {use: adam, with: {learningRate: 11}}", "the learning rate is 11.0"),
    ("losses: [mse], clip: 1e-7", "clip is 1e-07"),
    ("losses: [mse], batch: 101", "batch is 101, and it trains on 100 examples"),
    ("losses: [mse], batch: 31, examples: 30", "batch is 31, and it trains on 30 examples"),
    ("losses: [mse], schedule: {use: warm, with: {warmUp: 2.5}}", "warmUp is 2.5 epochs and the stage has 2"),
    ("losses: [mse, {use: slow, with: {warmUp: 3}}]", "the warmUp of loss 'slow' is 3.0 epochs and the stage has 2"),
  ])
  func whatIsSurelyMeantOtherwiseIsSaid(step: String, expected: String) throws {
    let warm = Contribution(
      .schedule,
      Entry("warm", "s", settings: [SettingDescription("warmUp", default: 0.0, "epochs", .atLeast(0))]) { _, context in
        FlatSchedule(NoConfig(), in: context)
      })
    let slow = Contribution(
      .loss,
      Entry("slow", "s", settings: [SettingDescription("warmUp", default: 0.0, "epochs", .atLeast(0))]) { _, _ in
        Making { [.batch("slow", try $0.latents.sum())] }
      })
    var data = digits
    data.trainingCount = 100
    func told(_ step: String) throws -> [String] {
      try warnings(
        "{encoder: resnet, stages: [{epochs: 2, train: [encoder, decoder], \(step)}]}", [warm, slow], for: data)
    }
    let found = try told(step).filter { $0.contains(expected) }
    #expect(found.count == 1 && found[0].hasPrefix("stage 'main': "), "\(found)")
    #expect(try told("losses: [mse], batch: 100, clip: 1, schedule: {use: warm, with: {warmUp: 2}}").isEmpty)
    #expect(try told("losses: [mse, {use: slow, with: {warmUp: 2}}], batch: 100").isEmpty)
  }

  @Test func aClassifierThatNothingTrainsIsSaid() throws {
    func told(_ classifier: String, _ train: String, _ losses: String = "mse") throws -> [String] {
      try warnings(
        "{encoder: resnet, classifier: \(classifier), stages: [{train: [\(train)], losses: [\(losses)]}]}", [])
    }
    let found = try told("linear", "encoder, decoder")
    #expect(found.count == 1 && found[0].hasPrefix("classifier 'linear' has weights that no step trains"), "\(found)")
    #expect(try told("none", "encoder, decoder").isEmpty)
    #expect(try told("linear", "encoder, decoder, classifier", "mse, cross-entropy").isEmpty)
  }

  @Test func batchesWithoutALabelAreSaid() throws {
    let labelled = Contribution(
      .loss,
      Entry("labelled", "s") { _, _ in
        struct Labelled: Loss {
          var needs: DataNeeds { .labels }
          func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
            [.perExample("labelled", try forward.latents.sum(axis: 1) * forward.labels.to(.float32))]
          }
        }
        return Labelled() as any Loss
      })
    var data = digits
    (data.trainingCount, data.isPartlyLabelled) = (54_000, true)
    func told(_ labels: Int?, _ loss: String) throws -> [String] {
      data.labelledByChance = labels
      return try warnings(
        "{encoder: resnet, stages: [{batch: 128, train: [encoder, decoder], losses: [mse, \(loss)]}]}", [labelled],
        for: data
      ).filter { $0.contains("data.labelledShare") }
    }
    // C(53900, 128) / C(54000, 128) = 0.789.
    let found = try told(100, "labelled")
    #expect(found.count == 1 && found[0].contains("79 % of its batches of 128 hold none of the 100 labels"), "\(found)")
    #expect(try told(nil, "labelled").isEmpty && told(1000, "labelled").isEmpty && told(100, "kl").isEmpty)
  }

  @Test func unusualSettingsAreSaid() throws {
    let settings = [
      SettingDescription("width", default: 1.0, "width", .above(0, upTo: 1e9), usually: .within(1e-3...1e3))
    ]
    let parts = [
      Contribution(
        .sampler, Entry("wide", "s", settings: settings) { _, _ in DrawingSampler { try $1.normal([$0.count, 3]) } }),
      Contribution(
        .loss,
        Entry("wide", "s", settings: settings) { _, _ in
          Making { [.batch("wide", try $0.latents.sum() * 0)] }
        }),
    ]
    func told(_ width: String, isTrained: Bool = false) throws -> [String] {
      let yaml =
        "{encoder: resnet, sampler: {use: wide, with: {width: \(width)}}, stages: [{train: [encoder, decoder], "
        + "losses: [mse, {use: wide, with: {width: \(width)}}]}]}"
      return try Composer(Catalog([StubPlugin.self], adding: parts)).dryRun(
        recipe(yaml), for: digits, isTrained: isTrained)
    }
    for usual in ["1", "1e3", "0.001"] { #expect(try told(usual).isEmpty) }
    let sampler = "sampler.width is 1000000000.0; usual values are 0.001 to 1000"
    #expect(
      try told("1e9") == [sampler, "stage 'main': loss 'wide'.width is 1000000000.0; usual values are 0.001 to 1000"])
    #expect(try told("1e9", isTrained: true) == [sampler])
  }

  @Test func rowsThatAreNotScaledAreSaid() throws {
    var cells = DataShape(title: "data 'cells'", inputShape: [6], inputRange: nil, classCount: 2)
    func told() throws -> [String] {
      try warnings("{encoder: mlp, stages: [{train: [encoder], losses: [kl]}]}", [], for: cells)
    }
    cells.largestInput = 100
    #expect(try told().isEmpty)
    cells.largestInput = 54_000
    #expect(
      try told() == [
        "inputs of data 'cells' reach 5.4e+04 in size; most models diverge on such: scale them, as by --transform center "
          + "--transform scale"
      ])
  }

  @Test func largeModelsAreAnnouncedBeforeTheyTakeMemory() throws {
    // More than any machine has: what is said after the attempt is never said.
    let huge = Contribution(
      .encoder,
      Entry("huge", "s") { _, context in
        _ = try context.scope.parameter("small", [1 << 20], .constant(0))
        _ = try context.scope.parameter("weight", [1 << 24, 1 << 22], .constant(0))
        throw RecipeError("never reached")
      })
    var said: [String] = []
    let found = message {
      try Composer(Catalog([StubPlugin.self], adding: [huge])).dryRun(recipe("encoder: huge"), for: digits) {
        said.append($0)
      }
    }
    #expect(found?.contains("never reached") == false)
    #expect(said.count == 1)
    let expected =
      "encoder 'huge': 'encoder.weight' of [16777216, 4194304] takes 262144.0 GiB, and two to four times that"
    #expect(said.first?.hasPrefix(expected) == true, "\(said)")
  }

  @Test func largeInputsAreAnnouncedBeforeTheyTakeMemory() throws {
    var said: [String] = []
    let large = DataShape(title: "data 'mnist'", inputShape: [1, 1028, 1028], inputRange: 0...1, classCount: 10)
    let catalog = try Catalog([StubPlugin.self])
    try Composer(catalog).dryRun(
      recipe("{encoder: resnet, decoder: none, stages: [{train: [encoder], losses: [kl]}]}"), for: large
    ) { said.append($0) }
    // 128 * 1028 * 1028 * 4 bytes.
    #expect(said.count == 1 && said[0].contains("takes 0.5 GiB"))
    try Composer(catalog).dryRun(recipe("{encoder: resnet}"), for: digits) { said.append($0) }
    #expect(said.count == 1)
  }
}
