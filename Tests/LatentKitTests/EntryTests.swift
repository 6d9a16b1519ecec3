import LatentKit
import Testing

/// A density with a number in it.
private struct Cube: Prior {
  let side: Double
  let axes: [Int]
  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor { try latents.sum(axis: 1) * 0 - side }
}

private let cube = Contribution(
  .prior,
  Entry(
    "cube", "uniform inside of a cube",
    settings: [
      SettingDescription("side", default: 2.0, "Its side.", .above(0)),
      SettingDescription("axes", default: [0, 1], "Which axes.", .atLeast(0)),
      SettingDescription("open", default: false, "Without its faces."),
      SettingDescription("shape", default: "flat", "How.", choices: ["flat", "round"]),
      SettingDescription("seed", default: .null, "Whatever.", .atLeast(0), type: .int),
      SettingDescription("edges", default: [0, 0.5], "Where."),
    ]
  ) { settings, context in Cube(side: try settings.double("side"), axes: try settings.ints("axes")) })

@Suite struct Entries {
  private func entry() throws -> Entry<any Prior> { try Catalog([], adding: [cube])[.prior]["cube"] }

  @Test func aClosureMakesAPartOfItsSettings() throws {
    let context = BuildContext(inputShape: [3], latentSize: 2, scope: try Scope(path: "prior"))
    let made = try #require(try entry().make(["side": 3, "axes": [2]], at: "prior.with", in: context) as? Cube)
    // A whole number is a number.
    #expect(made.side == 3 && made.axes == [2])
    let plain = try #require(try entry().make([:], at: "prior.with", in: context) as? Cube)
    #expect(plain.side == 2 && plain.axes == [0, 1])
  }

  @Test func resolvingShowsEverySettingOfAClosureAsWell() throws {
    let resolved = try entry().resolved(["side": 3, "shape": "round"], at: "prior.with")
    #expect(
      resolved == ["side": 3.0, "axes": [0, 1], "open": false, "shape": "round", "seed": .null, "edges": [0.0, 0.5]])
    #expect(try entry().resolved(resolved, at: "prior.with") == resolved)
  }

  @Test(
    arguments: [
      (
        ["sid": 1],
        "prior.with.sid: there is no setting 'sid'; known: side, axes, open, shape, seed, edges. Did you mean 'side'?"
      ),
      (["side": "long"], "prior.with.side: found 'long', expected a number"),
      (["side": 0], "prior.with.side: found 0.0, expected above 0"),
      (["axes": 3], "prior.with.axes: found 3, expected a list of whole numbers"),
      (["axes": [1.5]], "prior.with.axes: found [1.5], expected a list of whole numbers"),
      (["axes": [-1]], "prior.with.axes: found [-1], expected 0 or more"),
      (["open": 1], "prior.with.open: found 1, expected true or false"),
      (["shape": "rond"], "Did you mean 'round'?"),
      (["seed": "x"], "prior.with.seed: found 'x', expected a whole number"),
      (["seed": 1.5], "prior.with.seed: found 1.5, expected a whole number"),
      (["seed": -1], "prior.with.seed: found -1, expected 0 or more"),
      (["side": .null], "prior.with.side: found null, expected a number"),
      (["edges": ["a"]], "prior.with.edges: found ['a'], expected a list of numbers"),
    ] as [([String: Value], String)])
  func wrongSettingsOfAClosureAreRefusedBeforeItRuns(settings: [String: Value], sentence: String) throws {
    let entry = try Catalog(
      [],
      adding: [
        Contribution(
          .prior,
          Entry("cube", "s", settings: Catalog([], adding: [cube])[.prior]["cube"].settings) { _, _ -> any Prior in
            Issue.record("the closure ran")
            return Cube(side: 1, axes: [])
          })
      ])[.prior]["cube"]
    let context = BuildContext(inputShape: [3], scope: try Scope(path: "prior"))
    #expect { try entry.make(settings, at: "prior.with", in: context) } throws: {
      $0 is ConfigError && "\($0)".contains(sentence)
    }
    #expect { try entry.resolved(settings, at: "prior.with") } throws: { "\($0)".contains(sentence) }
  }
}

@Suite struct ClosureSettings {
  private let settings = [
    SettingDescription("share", default: 0.5, "Help."), SettingDescription("count", default: 2, "Help."),
    SettingDescription("word", default: "a", "Help."), SettingDescription("open", default: true, "Help."),
    SettingDescription("widths", default: [1, 2], "Help."), SettingDescription("edges", default: [1, 2.5], "Help."),
    SettingDescription("names", default: ["a"], "Help."),
    SettingDescription("seed", default: .null, "Help.", type: .int),
  ]

  /// Makes a part whose closure reads its settings by `read`.
  private func read<Read>(
    _ given: [String: Value] = [:], _ read: @escaping @Sendable (SettingValues) throws -> Read
  ) throws -> Read {
    nonisolated(unsafe) var found: Read?
    let entry = Entry<any Prior>("p", "s", settings: settings) { settings, _ in
      found = try read(settings)
      return Cube(side: 1, axes: [])
    }
    let context = BuildContext(inputShape: [3], scope: try Scope(path: "prior"))
    _ = try Catalog([], adding: [Contribution(.prior, entry)])[.prior]["p"].make(given, at: "prior.with", in: context)
    return try #require(found)
  }

  private func problem<Read>(_ read: @escaping @Sendable (SettingValues) throws -> Read) -> String {
    do {
      return "gave \(try self.read([:], read))"
    } catch { return "\(error)" }
  }

  @Test func eachTypeHasAnAccessor() throws {
    #expect(try read { try [$0.double("share"), $0.double("count")] } == [0.5, 2])
    #expect(try read { try $0.int("count") } == 2)
    #expect(try read { try $0.bool("open") })
    #expect(try read { try $0.string("word") } == "a")
    #expect(try read { try $0.ints("widths") } == [1, 2])
    #expect(try read { try $0.doubles("edges") } == [1, 2.5])
    #expect(try read(["edges": [3, 4]]) { try $0.doubles("edges") } == [3, 4])
    #expect(try read { try $0.doubles("widths") } == [1, 2])
    #expect(try read { try $0.strings("names") } == ["a"])
    #expect(try read { try $0.isSet("seed") } == false)
    #expect(try read(["seed": 7]) { try $0.isSet("seed") ? $0.int("seed") : 0 } == 7)
  }

  @Test func aNameThatIsNotDeclaredIsNamed() {
    let sentence =
      "prior.with.shar: the part reads a setting that it does not declare: there is no setting 'shar'; known: share, count, "
      + "word, open, widths, edges, names, seed. Did you mean 'share'?"
    #expect(problem { try $0.double("shar") } == sentence)
    #expect(problem { try $0.ints("shar") } == sentence)
    #expect(problem { try $0["shar"] } == sentence)
    #expect(problem { try $0.isSet("shar") } == sentence)
  }

  @Test func aTypeThatIsNotTheDeclaredOneIsNamed() {
    let end = "; its declaration and its closure must agree"
    #expect(
      problem { try $0.int("share") } == "prior.with.share: found 0.5, and the part reads it as a whole number" + end)
    #expect(problem { try $0.bool("count") }.contains("found 2, and the part reads it as true or false"))
    #expect(problem { try $0.string("open") }.contains("found true, and the part reads it as text"))
    #expect(
      problem { try $0.ints("edges") }.contains("found [1.0, 2.5], and the part reads it as a list of whole numbers"))
    #expect(problem { try $0.strings("widths") }.contains("reads it as a list of texts"))
    #expect(problem { try $0.int("seed") }.contains("is unset, and the part reads it as a whole number"))
  }
}

@Suite struct Defects {
  private struct Stray: Loss, Component {
    struct Config: ComponentConfig {
      @Setting("Fine.") var good = 1
      var bad = 2
      var worse = "x"
    }
    init(_ config: Config, in context: BuildContext) {}
    func terms(_ forward: Forward, under prior: any Prior) -> [Term] { [] }
  }

  private struct Silent: Loss, Component {
    struct Config: ComponentConfig {
      @Setting("") var quiet = 1
    }
    init(_ config: Config, in context: BuildContext) {}
    func terms(_ forward: Forward, under prior: any Prior) -> [Term] { [] }
  }

  private struct Outside: Loss, Component {
    struct Config: ComponentConfig {
      @Setting("A share.", .within(0..<1)) var share = 1.0
    }
    init(_ config: Config, in context: BuildContext) {}
    func terms(_ forward: Forward, under prior: any Prior) -> [Term] { [] }
  }

  private func problem(_ contributions: [Contribution]) -> String? {
    do {
      _ = try Catalog([], adding: contributions)
      return nil
    } catch { return error is CatalogError ? "\(error)" : "another error: \(error)" }
  }

  private func prior(_ name: String, settings: [SettingDescription] = []) -> Contribution {
    Contribution(.prior, Entry(name, "s", settings: settings) { _, _ in Flat() })
  }

  @Test func settingsWithoutHelpAreNamed() {
    #expect(
      problem([.loss("stray", Stray.self, "s")])
        == "plugin this program, loss 'stray': its settings bad, worse have no help; declare them with @Setting(\"…\")")
    #expect(
      problem([.loss("silent", Silent.self, "s")])
        == "plugin this program, loss 'silent': its setting 'quiet' has no help")
    #expect(
      problem([prior("p", settings: [SettingDescription("quiet", default: 1, "")])])
        == "plugin this program, prior 'p': its setting 'quiet' has no help")
  }

  @Test func aDefaultOutsideItsRangeIsNamed() {
    #expect(
      problem([.loss("outside", Outside.self, "s")]) == """
        plugin this program, loss 'outside': the default of its setting 'share' is 1, outside its range 0 up to, not \
        including, 1
        """)
    #expect(
      problem([prior("p", settings: [SettingDescription("n", default: 0, "Help.", .atLeast(1))])])?
        .contains("the default of its setting 'n' is 0, outside its range 1 or more") == true)
    #expect(
      problem([
        prior("p", settings: [SettingDescription("shape", default: "flt", "Help.", choices: ["flat", "round"])])
      ])?
      .hasSuffix("the default of its setting 'shape' is 'flt', none of its values flat, round") == true)
  }

  @Test func settingsOfAClosureHaveATypeThatTheirDefaultHas() {
    #expect(
      problem([prior("p", settings: [SettingDescription("n", default: .null, "Help.")])])?
        .hasSuffix("its setting 'n' is unset by default and has no type; declare it with type: .int, say") == true)
    #expect(problem([prior("p", settings: [SettingDescription("n", default: .null, "Help.", type: .int)])]) == nil)
    #expect(
      problem([prior("p", settings: [SettingDescription("n", default: "x", "Help.", type: .int)])])?
        .hasSuffix("the default of its setting 'n' is 'x', expected a whole number") == true)
  }

  @Test func namesAreThereOnceAndCanBeWritten() {
    let twice = [SettingDescription("n", default: 0, "Help."), SettingDescription("n", default: 1, "Help.")]
    #expect(problem([prior("p", settings: twice)])?.contains("its setting 'n' is declared twice") == true)
    #expect(problem([prior("p"), prior("p")])?.contains("both contribute prior 'p'; rename one of them") == true)
    for name in ["", "none", "two words", "a/b", "-a", "a:b", "ü"] {
      #expect(problem([prior(name)])?.contains("expected a name of letters, digits") == true, "\(name)")
    }
    for name in ["p", "l1-ball", "vae+gan", "v1.2_b", "7"] { #expect(problem([prior(name)]) == nil) }
  }
}

@Suite struct Slots {
  @Test func slotsHaveNamesAndKeysOfTheirOwn() {
    #expect(Set(Slot.all.map(\.name)).count == Slot.all.count)
    #expect(Set(Slot.all.map(\.key)).count == Slot.all.count)
    for slot in Slot.all {
      #expect(!slot.summary.isEmpty && slot.isSingle != (slot.place == .list || slot.place == .step))
    }
  }
}
