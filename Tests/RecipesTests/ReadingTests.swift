import Foundation
import LatentKit
import Recipes
import Testing

@Suite struct Reading {
  @Test func thePrecisionIsReadAndWrittenWhereItIsNotFloat32() throws {
    let half = try recipe("{encoder: resnet, precision: bf16}")
    #expect(half.precision == .bf16 && half.yaml().contains("precision: bf16"))
    #expect(try recipe(half.yaml()) == half)
    let plain = try recipe("{encoder: resnet, precision: float32}")
    #expect(try plain == recipe("encoder: resnet") && !plain.yaml().contains("precision"))
    var changed = plain
    try changed.set("precision=bf16")
    #expect(changed == half)
    #expect(throws: (any Error).self) { try changed.set("precision=bf17") }
    do { _ = try recipe("{encoder: resnet, precision: fp16}") } catch {
      #expect("\(error)".contains("there is no precision 'fp16'; known: float32, tf32, bf16, float16"))
    }
  }

  @Test func everyKeyOfTheSchemaIsRead() throws {
    let read = try recipe(
      """
      name: all
      about: 'Table 2: everything'
      seed: 3
      data: {use: mnist, with: {pad: 2, range: unit}}
      encoder: resnet
      decoder: none
      classifier: {use: mlp, with: {hidden: [8, 4], dropout: 0.5}}
      discriminator: conv
      prior:
        use: pedcc
        with: {classes: 20, scale: null}
      noise: scaled-gaussian
      sampler: mh
      metrics: [accuracy, {use: nearest-class-mean, with: {means: training}}]
      stages:
        - name: dense
          epochs: 5
          batch: 64
          examples: 100
          steps:
            - {train: [discriminator], repeat: 5, losses: [critic]}
            - train: [encoder, prior]
              losses: [kl, {use: sobel, weight: 0.02, with: {fidelity: paper}}]
              optimizer: {use: sgd, with: {learningRate: 0.1}}
              schedule: cosine
              clip: 2
          then:
            - {project: {use: l11-ball, with: {radius: 1e3}, parameters: [encoder, decoder.hidden1]}}
            - mask
            - rewind
            - project: l1-ball
        - {name: sparse, train: [encoder], losses: [mse]}
      """)
    var expected = Recipe()
    expected.name = "all"
    expected.about = "Table 2: everything"
    expected.seed = 3
    expected[.data] = PartChoice("mnist", with: ["pad": 2, "range": "unit"])
    expected[.encoder] = PartChoice("resnet")
    expected[.decoder] = PartChoice("none")
    expected[.classifier] = PartChoice("mlp", with: ["hidden": [8, 4], "dropout": 0.5])
    expected[.discriminator] = PartChoice("conv")
    expected[.prior] = PartChoice("pedcc", with: ["classes": 20, "scale": .null])
    expected[.noise] = PartChoice("scaled-gaussian")
    expected[.sampler] = PartChoice("mh")
    expected[all: .metric] = [PartChoice("accuracy"), PartChoice("nearest-class-mean", with: ["means": "training"])]
    expected.stages = [
      Recipe.Stage(
        name: "dense", epochs: 5, batch: 64, examples: 100,
        steps: [
          Recipe.Step(train: ["discriminator"], repeat: 5, losses: [PartChoice("critic")]),
          Recipe.Step(
            train: ["encoder", "prior"],
            losses: [PartChoice("kl"), PartChoice("sobel", with: ["fidelity": "paper"], weight: 0.02)],
            optimizer: PartChoice("sgd", with: ["learningRate": 0.1]), schedule: PartChoice("cosine"), clip: 2),
        ],
        then: [
          .project(PartChoice("l11-ball", with: ["radius": 1e3]), parameters: ["encoder", "decoder.hidden1"]), .mask,
          .rewind, .project(PartChoice("l1-ball"), parameters: []),
        ]),
      Recipe.Stage(name: "sparse", steps: [Recipe.Step(train: ["encoder"], losses: [PartChoice("mse")])]),
    ]
    #expect(read == expected)
  }

  @Test func aStageWithTheKeysOfAStepHasOneStep() throws {
    let short = try recipe("stages: [{epochs: 3, train: [encoder], losses: [mse], clip: 1}]")
    let long = try recipe("stages: [{name: main, epochs: 3, steps: [{train: [encoder], losses: [mse], clip: 1.0}]}]")
    #expect(short == long)
  }

  @Test func stagesWithoutNamesGetDifferentOnes() throws {
    let names = try recipe("stages: [{epochs: 1}, {epochs: 2}]").stages?.map(\.name)
    #expect(names == ["stage1", "stage2"])
  }

  @Test(
    arguments: [
      ("1", Value.int(1)), ("-3", -3), ("+4", 4), ("1.0", .double(1)), ("1e-3", 0.001), ("2.5E+2", 250.0), (".5", 0.5),
      ("007", 7), ("true", true), ("False", false), ("yes", "yes"), ("no", "no"), ("on", "on"), ("null", .null),
      ("~", .null),
      ("'1'", "1"), ("\"true\"", "true"), ("!!str 5", "5"), ("0x10", "0x10"), ("1_000", "1_000"), ("inf", "inf"),
      ("nan", "nan"), ("e5", "e5"), ("1e", "1e"), ("1.", .double(1)), ("-", "-"), ("+.e", "+.e"), ("12:30", "12:30"),
      ("mean", "mean"), ("99999999999999999999", .double(1e20)), (".inf", .double(.infinity)), ("[1, a]", [1, "a"]),
      ("{a: {b: 2}}", ["a": ["b": 2]]),
    ] as [(String, Value)])
  func scalarsFollowTheCoreSchema(text: String, value: Value) throws {
    #expect(try recipe("encoder: {use: mlp, with: {x: \(text)}}")[.encoder]?.with["x"] == value)
  }
}

@Suite struct ReadingErrors {
  @Test(arguments: [
    ("seed: 1\nencodr: mlp", "test.yaml:2:1: there is no key 'encodr'; known: extends, name, about"),
    ("seed: 1\nencodr: mlp", "Did you mean 'encoder'?"),
    (
      "encoder: {use: mlp, wth: {}}",
      "test.yaml:1:21: encoder: there is no key 'wth'; known: use, with, from, frozen, checksum. Did you mean 'with'?"
    ),
    ("sampler: {use: a, foreign: 3}", "sampler.foreign: found 3, expected the manifest of a foreign library"),
    ("sampler: {use: a, checksum: aa}", "sampler.checksum: it is about a foreign library, and there is no 'foreign'"),
    (
      "sampler: {use: a, foreign: a.yaml, checksum: aa}", "sampler.checksum: found 'aa', expected 64 hexadecimal digits"
    ),
    (
      "prior: {use: a, checksum: aa}",
      "prior.checksum: it is that of a part's folder or of a foreign library, and there is neither 'from' nor 'foreign'"
    ),
    ("encoder: {use: a, checksum: aa}", "encoder.checksum: it is about weights from a folder, and there is no 'from'"),
    ("prior: {from: ./a, foreign: a.yaml}", "prior.foreign: a part comes from a folder or from a foreign library"),
    ("prior: {use: a, foreign: a.yaml, frozen: true}", "prior.frozen: it is about weights from a folder"),
    ("prior: {use: a, forein: a.yaml}", "known: use, with, from, frozen, checksum, foreign. Did you mean 'foreign'?"),
    ("encoder: {use: mlp, foreign: a.yaml}", "encoder: there is no key 'foreign'"),
    ("encoder: {use: mlp, weight: 2}", "encoder: there is no key 'weight'; known: use, with"),
    ("encoder: 3", "test.yaml:1:10: encoder: found 3, expected the name of an encoder, or {use: NAME"),
    ("encoder:", "test.yaml:1:1: encoder: found nothing, expected the name of an encoder"),
    ("encoder: [mlp]", "encoder: found a list, expected the name of an encoder"),
    ("encoder: {with: {latent: 3}}", "encoder: found no 'use', expected the name of an encoder"),
    (
      "encoder: {use: mlp, with: [3]}",
      "test.yaml:1:27: encoder.with: found a list, expected settings, as in {latent: 40}"
    ),
    ("decoder: {use: none, with: {a: 1}}", "decoder.with: 'none' has no settings"),
    ("seed: -1", "test.yaml:1:7: seed: found -1, expected a whole number of at least 0"),
    ("seed: 1.5", "seed: found 1.5, expected a whole number"),
    ("name: 7", "name: found 7, expected text; put it in quotes"),
    ("name: ../../escaped", "test.yaml:1:7: name: found '../../escaped', which has a '/', expected a name"),
    ("name: ''", "name: found '', which is empty"),
    ("metrics: accuracy", "metrics: found 'accuracy', expected a list of metrics, as in [NAME, NAME]"),
    (
      "stages:\n  - epochs: ten", "test.yaml:2:13: stages[0].epochs: found 'ten', expected a whole number of at least 1"
    ),
    ("stages: [{epochs: -5}]", "stages[0].epochs: found -5, expected a whole number of at least 1"),
    ("stages: [{epochs: 0}]", "stages[0].epochs: found 0, expected"),
    ("stages: [{batch: 0}]", "stages[0].batch: found 0, expected a whole number of at least 1"),
    ("stages: [{batch: true}]", "stages[0].batch: found true, expected"),
    ("stages: [{examples: 1e2}]", "stages[0].examples: found 100.0, expected a whole number"),
    ("stages: {epochs: 5}", "stages: found a mapping, expected a list of stages"),
    ("stages: [{epoch: 5}]", "stages[0]: there is no key 'epoch'; known: name, epochs, batch"),
    ("stages: [{name: a.b}]", "stages[0].name: found 'a.b', expected a name of letters, digits"),
    ("stages: [{name: a}, {name: a}]", "stages[1]: two stages are named 'a'"),
    (
      "stages: [{losses: [mse], steps: []}]",
      "stages[0].losses: a stage has either 'steps' or the one step's own keys; move 'losses'"
    ),
    ("stages: [{losses: mse}]", "stages[0].losses: found 'mse', expected a list of losses"),
    (
      "stages:\n  - losses: [mse, {use: kl, weight: .nan}]",
      "test.yaml:2:37: stages[0].losses[1].weight: found nan, expected a finite number"
    ),
    (
      "stages: [{losses: [{use: kl, weight: heavy}]}]",
      "stages[0].losses[0].weight: found 'heavy', expected a finite number"
    ),
    ("stages: [{steps: [{train: [encodr]}]}]", "stages[0].steps[0].train[0]: there is no slot to train 'encodr'"),
    ("stages: [{train: [encoder, encoder]}]", "stages[0].train[1]: 'encoder' is listed twice"),
    ("stages: [{steps: [{repeat: 0}]}]", "stages[0].steps[0].repeat: found 0"),
    ("stages: [{clip: 0}]", "stages[0].clip: found 0, expected a number above 0"),
    (
      "stages: [{then: [msk]}]",
      "stages[0].then[0]: there is no action 'msk'; known: project, mask, rewind. Did you mean 'mask'?"
    ),
    ("stages: [{then: [project]}]", "stages[0].then[0]: 'project' needs a constraint"),
    (
      "stages: [{then: [{project: {use: l1-ball, parameters: encoder}}]}]",
      "parameters: found 'encoder', expected a list of names"
    ),
    ("", "test.yaml: found nothing, expected a recipe; write at least 'encoder: NAME'"),
    ("# only a comment\n", "test.yaml: found nothing, expected a recipe"),
    ("- a\n- b", "test.yaml:1:1: found a list, expected a recipe"),
    ("just text", "test.yaml:1:1: found 'just text', expected a recipe"),
    ("encoder:\n\tuse: mlp", "test.yaml:2:1: found a tab, expected spaces"),
    ("encoder: mlp\nencoder: conv", "the key 'encoder' is given twice"),
    ("encoder: {use: mlp, with: {latent: 1, latent: 2}}", "the key 'latent' is given twice"),
    ("encoder: {use: mlp", "this is not YAML"),
    ("encoder: mlp\n---\nencoder: conv", "second document"),
    ("encoder: *nothing", "test.yaml:1:10: this is not YAML: found undefined alias"),
    ("encoder: {use: mlp, with: {[1, 2]: 3}}", "found a list or a mapping as a key"),
  ])
  func sayWhereAndWhat(yaml: String, expected: String) {
    let found = message { _ = try recipe(yaml) }
    #expect(found?.contains(expected) == true, "found: \(found ?? "no error")")
  }

  @Test func endlessAndDeepTextIsRefused() {
    let levels = (1...9).map {
      "x\($0): &x\($0) [" + Array(repeating: "*x\($0 - 1)", count: 9).joined(separator: ", ") + "]"
    }
    let bomb = "encoder: {use: mlp, with: {x0: &x0 [1], \(levels.joined(separator: ", "))}}"
    #expect(message { _ = try recipe(bomb) }?.contains("too large or nested too deeply") == true)
    let deep =
      "encoder: {use: mlp, with: {x: \(String(repeating: "[", count: 200))\(String(repeating: "]", count: 200))}}"
    #expect(message { _ = try recipe(deep) }?.contains("too large or nested too deeply") == true)
    #expect(
      message { _ = try recipe(String(repeating: "[", count: 100_000)) }?.contains("too large or nested too deeply")
        == true)
    #expect(message { _ = try recipe(String(repeating: "# much\n", count: 200_000)) }?.contains("at most 1 MB") == true)
  }

  @Test func anAliasStandsForItsValue() throws {
    let read = try recipe(
      "encoder: &a {use: mlp, with: {hidden: &h [8, 4]}}\ndecoder: {use: mlp, with: {hidden: *h}}\nclassifier: *a")
    #expect(read[.decoder] == PartChoice("mlp", with: ["hidden": [8, 4]]))
    #expect(read[.classifier] == read[.encoder])
  }

  @Test func listsAndSettingsHaveAtMostAThousandItems() throws {
    func items(_ count: Int, _ item: (Int) -> String) -> String { (0..<count).map(item).joined(separator: ", ") }
    func refusal(_ count: Int, isList: Bool) -> String? {
      message {
        _ = try recipe(
          isList
            ? "{encoder: mlp, metrics: [\(items(count) { "m\($0)" })]}"
            : "encoder: {use: mlp, with: {\(items(count) { "k\($0): 1" })}}")
      }
    }
    for isList in [true, false] { #expect(refusal(1000, isList: isList) == nil) }
    #expect(refusal(1001, isList: true)?.hasSuffix("metrics: found a list of 1001, expected at most 1000") == true)
    #expect(refusal(1001, isList: false)?.hasSuffix("with: found 1001 settings, expected at most 1000") == true)
  }

  /// Keys that are nested aliases, or nested themselves: nothing may hash or compare them.
  @Test(.timeLimit(.minutes(10)))
  func keysThatAreAliasesOrNestedAreRefusedAtOnce() {
    let levels = (1...40).map { "x\($0): &x\($0) [*x\($0 - 1), *x\($0 - 1)]" }
    let bomb = "{x0: &x0 [1], \(levels.joined(separator: ", ")), ? *x40 : 1}"
    #expect(message { _ = try recipe(bomb) } != nil)
    let short = "{x0: &x0 [1], ? *x0 : 1}"
    #expect(message { _ = try recipe(short) }?.contains("as a key") == true)
    let nested = String(repeating: "{? ", count: 90) + "[" + String(repeating: "1,", count: 50_000) + "1]"
    #expect(message { _ = try recipe(nested) }?.contains("as a key") == true)
  }

  private func seconds(_ yaml: String) -> Double {
    // Of this thread's processor, as other tests run at the same time.
    func now() -> Double {
      var time = timespec()
      clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
      return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
    }
    return (0..<3).map { _ in
      let start = now()
      _ = message { _ = try recipe(yaml) }
      return now() - start
    }.min() ?? 0
  }

  /// Twice the text takes at most three times the time, and a little.
  @Test(.timeLimit(.minutes(10)), arguments: ["settings", "keys", "stages", "list", "aliases", "long name"])
  func theTimeOfReadingIsLinear(kind: String) {
    func text(_ count: Int) -> String {
      let numbers = 0..<count
      return switch kind {
      case "settings": "encoder: {use: mlp, with: {\(numbers.map { "k\($0): 1" }.joined(separator: ", "))}}"
      case "keys": numbers.map { "k\($0): 1\n" }.joined()
      case "stages": "encoder: mlp\nstages:\n" + numbers.map { "- {name: s\($0)}\n" }.joined()
      case "list": "encoder: {use: mlp, with: {hidden: [\(numbers.map { "\($0)" }.joined(separator: ", "))]}}"
      case "aliases": "encoder: {use: mlp, with: {a: &a 1, b: [\(numbers.map { _ in "*a" }.joined(separator: ", "))]}}"
      default: "encoder: {use: \(String(repeating: "x", count: 10 * count))}"
      }
    }
    let (one, two) = (seconds(text(22_500)), seconds(text(45_000)))
    #expect(two < 3 * one + 0.2, "\(one) s, then \(two) s")
    #expect(seconds(text(90_000)) < 30)
  }

  @Test func numbersOfStepsHaveLimits() {
    for (yaml, expected) in [
      ("stages: [{epochs: 1000001}]", "epochs: found 1000001, expected a whole number of at most 1000000"),
      ("stages: [{repeat: 10001, losses: [mse]}]", "repeat: found 10001, expected a whole number of at most 10000"),
      ("stages: [{clip: 1e-320}]", "clip: found 1e-320, expected a number above 0, 1e-12 to 1e12"),
      ("stages: [{clip: 1e13}]", "expected a number above 0, 1e-12 to 1e12"),
      (
        "stages: [{losses: [{use: mse, weight: 1e300}]}]",
        "weight: found 1e+300, expected a finite number: 0, or 1e-37 to 1e12 in size"
      ),
      ("stages: [{losses: [{use: mse, weight: 1e-38}]}]", "weight: found 1e-38, expected a finite number: 0, or 1e-37"),
    ] {
      let found = message { _ = try recipe("encoder: mlp\n" + yaml) }
      #expect(found?.contains(expected) == true, "\(found ?? "no error")")
    }
  }

  @Test func filesThatAreMissingOrNotTextAreRefused() throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("recipes-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    #expect(
      message { _ = try Recipe.read(folder.appendingPathComponent("a.yaml")) }?.contains("there is no such file")
        == true)
    #expect(message { _ = try Recipe.read(folder) }?.contains("found a folder without a recipe.yaml") == true)
    let bytes = folder.appendingPathComponent("b.yaml")
    try Data([0x65, 0xff, 0xfe, 0x00]).write(to: bytes)
    #expect(message { _ = try Recipe.read(bytes) }?.contains("not UTF-8") == true)
    let good = folder.appendingPathComponent("c.yaml")
    try Data("encoder: mlp".utf8).write(to: good)
    #expect(try Recipe.read(good).recipe[.encoder] == PartChoice("mlp"))
  }

  @Test func laterErrorsAreFoundInTheFile() throws {
    let yaml = """
      encoder:
        use: mlp
        with:
          latent: [3]
      decoder: {use: mpl}
      stages:
        - losses:
            - mse
            - {use: sobel, with: {fidelity: 3}}
      """
    let source = try RecipeSource(yaml: yaml, file: "x.yaml")
    let setting = #expect(throws: ConfigError.self) { try composer.resolve(source.recipe) }
    #expect("\(source.located(try #require(setting)))".hasPrefix("x.yaml:5:16: decoder: there is no decoder 'mpl'"))
    #expect(
      "\(source.located(ConfigError(path: "encoder.with.latent", "bad")))" == "x.yaml:4:13: encoder.with.latent: bad")
    #expect("\(source.located(ConfigError(path: "encoder.with.latent.0", "bad")))".hasPrefix("x.yaml:4:14:"))
    // The file has no 'steps', the recipe has.
    let loss = ConfigError(path: "stages[0].steps[0].losses[1].with.fidelity", "bad")
    #expect("\(source.located(loss))".hasPrefix("x.yaml:9:39: stages[0].steps[0].losses[1].with.fidelity: bad"))
    // What is not in the file belongs to the nearest thing that is.
    #expect(
      "\(source.located(ConfigError(path: "encoder.with.code", "bad")))".hasPrefix("x.yaml:4:5: encoder.with.code"))
    #expect("\(source.located(ConfigError(path: "prior", "bad")))" == "x.yaml: prior: bad")
  }

  @Test func errorsOfChangedValuesAreNotTheFiles() throws {
    let source = try RecipeSource(yaml: "encoder: {use: mlp, with: {latent: 3}}", file: "x.yaml")
    var changed = source.recipe
    try changed.set("encoder.latent=[1]")
    let error = ConfigError(path: "encoder.with.latent", "bad")
    #expect("\(source.located(error, in: changed))" == "encoder.with.latent: bad")
    #expect("\(source.located(error, in: source.recipe))".hasPrefix("x.yaml:1:36"))
  }
}
