import LatentKit
import Testing

/// An encoder that multiplies by a number.
struct Scaler: Encoder, Component {
  enum Mode: String, Choice { case plain, fancy }
  struct Config: ComponentConfig {
    @Setting("By what.") var factor = 2.0
    @Setting("How long.") var size = 3
    @Setting("How.") var mode = Mode.plain
    @Setting("How far.") var limit: Int? = nil
  }
  let config: Config
  init(_ config: Config, in context: BuildContext) { self.config = config }
  var latentSize: Int { config.size }
  func encode(_ batch: Batch) throws -> Code { .point(try batch.inputs * config.factor) }
}

enum FirstPlugin: Plugin {
  static let paper: Paper? = Paper(title: "First", authors: "A", year: 1, summary: "s")
  static let contributions: [Contribution] = [.encoder("scaler", Scaler.self, "scales")]
}
enum SecondPlugin: Plugin {
  static let paper: Paper? = Paper(title: "Second", authors: "B", year: 2, summary: "s")
  static let contributions: [Contribution] = [.encoder("scaler", Scaler.self, "scales too")]
}

@Suite struct Catalogs {
  @Test func twoPartsOfOneNameAreRefusedByName() throws {
    #expect { try Catalog([FirstPlugin.self, SecondPlugin.self]) } throws: {
      "\($0)".contains("plugins First and Second both contribute encoder 'scaler'")
    }
  }

  @Test func aPartIsBuiltWithItsSettings() throws {
    let entry = try Catalog([FirstPlugin.self])[.encoder]["scaler"]
    let context = BuildContext(inputShape: [3], scope: try Scope(path: "encoder"))
    let encoder = try entry.make(["factor": 5], at: "encoder.with", in: context)
    #expect(try encoder.encode(Batch(inputs: .ones([1, 3]), labels: nil)).mean.floats() == [5, 5, 5])
    #expect(entry.plugin == "First")
  }

  @Test func resolvingShowsEverySettingAndChangesNoneThatWasSaid() throws {
    let entry = try Catalog([FirstPlugin.self])[.encoder]["scaler"]
    let resolved = try entry.resolved(["factor": 0.1], at: "encoder.with")
    #expect(resolved == ["factor": 0.1, "size": 3, "mode": "plain", "limit": .null])
    #expect(try entry.resolved(resolved, at: "encoder.with") == resolved)
  }

  @Test(
    arguments: [
      (
        ["factr": 1],
        "encoder.with.factr: there is no setting 'factr'; known: factor, size, mode, limit. Did you mean 'factor'?"
      ),
      (["size": "ten"], "encoder.with.size: found 'ten', expected a whole number"),
      (["size": 1.5], "encoder.with.size: found 1.5, expected a whole number"),
      (["factor": [1]], "encoder.with.factor: found [1], expected a number"),
      (["mode": "fancey"], "Did you mean 'fancy'?"),
      (["factor": .double(.nan)], "not finite"),
    ] as [([String: Value], String)])
  func aWrongSettingIsOneSentence(settings: [String: Value], sentence: String) throws {
    let entry = try Catalog([FirstPlugin.self])[.encoder]["scaler"]
    #expect { try entry.resolved(settings, at: "encoder.with") } throws: { "\($0)".contains(sentence) }
  }

  @Test func theNearestNameIsOnlyOfferedForASlip() {
    #expect(UnknownName("pedc", among: ["pedcc", "kde"], of: "prior").nearest == "pedcc")
    #expect(UnknownName("kdee", among: ["pedcc", "kde"], of: "prior").nearest == "kde")
    #expect(UnknownName("okde", among: ["pedcc", "kdeo"], of: "prior").nearest == "kdeo")
    #expect(UnknownName("", among: ["kl"], of: "loss").nearest == nil)
    #expect(UnknownName("something", among: ["pedcc", "kde"], of: "prior").nearest == nil)
    #expect(UnknownName("x", among: [], of: "prior").description == "there is no prior 'x'; there are none.")
  }
}
