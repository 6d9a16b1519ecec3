import Foundation
import LatentKit
import Runs
import Testing

@testable import HostKit
@testable import Recipes
@testable import Training

/// Small runs that leave every kind of file: of images and a table, finished and repeated, with a shared part.
private struct SmallRuns: @unchecked Sendable {
  let scratch: Scratch
  /// A run of images: the recipe of the page about recipes, with two latents and a confusion matrix.
  let images: RunFolder
  /// A run of a table, whose prior is fitted and whose encoder is projected.
  let table: RunFolder
  /// The runs of a study, which open that of images.
  let study: RunFolder
  let part: URL

  static let made = Result { try SmallRuns() }

  private init() throws {
    let scratch = try Scratch()
    self.scratch = scratch
    func run(_ name: String) -> RunFolder { RunFolder(scratch.url.appendingPathComponent(name)) }
    (images, table, study) = (run("images"), run("table"), run("study"))
    part = scratch.url.appendingPathComponent("part")
    let place = ["--runs", scratch.path, "--per-class", "1"]

    let example = GuidePage("Docs/recipes.md").code.first { $0.language == "yaml" }?.text ?? ""
    let recipe = try scratch.write(example, to: "two-steps.yaml")
    try host(
      ["compose", recipe, "--set", "encoder.latent=2", "--metric", "accuracy", "--metric", "confusion"] + place
        + ["--name", "images"])

    let rows = (0..<60).map { row in
      "\(row % 2 * 9),\(sin(Double(row))),\(cos(Double(row))),\(row % 2 == 0 ? "even" : "odd")"
    }
    let csv = try scratch.write((["a,b,c,label"] + rows).joined(separator: "\n"), to: "t.csv")
    let small = "{latent: 2, hidden: [6]}"
    let other = try scratch.write(
      """
      about: a table
      data: {use: table, with: {path: '\(csv)', labelled: 20}}
      transforms: [center]
      encoder: {use: mlp, with: \(small)}
      decoder: {use: mlp, with: {hidden: [6], output: none}}
      prior: kde
      sampler: kde
      stages:
        - {epochs: 1, batch: 8, then: [{project: {use: l11-ball, with: {radius: 1}, parameters: [encoder]}}]}
      """, to: "table.yaml")
    try host(["compose", other] + place + ["--name", "table"])
    try host("reconstruct", table.url.path)
    try host("export", table.url.path, "--part", "encoder", "--output", part.path)

    let judge = "{use: class-agreement, with: {classifier: '\(images.url.path)'}}"
    let repeated = try scratch.write(
      "data: {use: mnist, with: {embedded: true, limit: 100}}\nencoder: {use: mlp, with: \(small)}\n"
        + "prior: standard-normal\nmetrics: [\(judge)]\nstages: [{epochs: 1}]", to: "small.yaml")
    try host(["compose", repeated, "--seeds", "1,2"] + place + ["--name", "study"])
  }

  /// The files below a folder, as paths from it.
  static func files(_ folder: URL) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: folder.path).filter {
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(
        atPath: folder.appendingPathComponent($0).path, isDirectory: &isFolder) && !isFolder.boolValue
    }
  }
}

/// The names of the properties of a value that is written as JSON: its keys, whether they have a value or not.
private func keys(_ value: Any) -> Set<String> { Set(Mirror(reflecting: value).children.compactMap(\.label)) }

/// Whether a name is of a form in which words of capitals, and 'N', stand for anything: `checkpoints/STAGE-epoch-N.safetensors`.
private func matches(_ name: String, _ form: String) throws -> Bool {
  let pattern = NSRegularExpression.escapedPattern(for: form).replacing(/\b[A-Z]+\b/, with: ".+")
  return try name.wholeMatch(of: Regex(pattern)) != nil
}

/// `Docs/runs.md` beside what runs leave.
@Suite struct LayoutOfRuns {
  private let page = GuidePage("Docs/runs.md")
  private let runs: SmallRuns

  init() throws { runs = try SmallRuns.made.get() }

  @Test func itHasEveryFileOfARunAndNoOther() throws {
    var forms = page.names(under: "file")
    let pictures = page.names(under: "picture")
    forms += pictures.flatMap { ["figures/\($0).png", "figures/\($0).svg"] }
    let seeds = ["seed-1", "seed-2"].map { RunFolder(runs.study.url.appendingPathComponent($0)) }
    let files = Set(try ([runs.images, runs.table] + seeds).flatMap { try SmallRuns.files($0.url) })
    for file in files.union(RunFolder.Kind.run.all) {
      #expect(try forms.contains { try matches(file, $0) }, "the page lacks \(file)")
    }
    for form in forms { #expect(try files.contains { try matches($0, form) }, "no run leaves \(form)") }
    #expect(Set(pictures) == Set(RunFolder.figures))

    let ofStudy = Set(page.names(under: "file of a study"))
    #expect(ofStudy == RunFolder.Kind.study.all)
    let found = try SmallRuns.files(runs.study.url).filter { !$0.hasPrefix("seed-") && $0 != RunList.name }
    // Its runs remove no input features.
    #expect(Set(found) == ofStudy.subtracting(["features.csv"]))
    let repeats = try JSONDecoder().decode(Value.self, from: Data(contentsOf: runs.study.repeats))
    guard case .object(let fields) = repeats else { throw RecipeError("no object") }
    #expect(Set(fields.keys).isSubset(of: ["seeds", "folds"]))
  }

  @Test func itHasEveryKeyOfTheLogsAndNoOther() throws {
    let epochs = try MetricsLog.read(runs.images.metrics)
    let epoch = try #require(epochs.first)
    #expect(Set(page.names(under: "key of an epoch")) == keys(epoch))
    #expect(epochs.contains { $0.gradientNorms != nil })
    let measured = try #require(epoch.metrics.first)
    #expect(Set(page.names(under: "key of a measurement")) == keys(measured))
    let table = try #require(RunSummary.read(runs.images.summary).testMetrics.compactMap(\.table).first)
    let row = try #require(page.rows(under: "key of a measurement").last)
    #expect(Set(GuidePage.quoted(row[1])) == keys(table))

    let stage = try #require(StageLog.read(runs.table.stages).first)
    #expect(Set(page.names(under: "key of a stage")) == keys(stage))
    let (layer, feature) = (try #require(stage.layers.first), try #require(stage.features?.first))
    let rows = page.rows(under: "key of a stage")
    #expect(Set(GuidePage.quoted(rows[1][1])) == keys(layer))
    let effect = try #require(stage.effects?.first)
    #expect(Set(GuidePage.quoted(rows[3][1])) == keys(effect).union(["training", "test"]))
    #expect(Set(GuidePage.quoted(rows[5][1])) == keys(feature))
    let summary = try RunSummary.read(runs.table.summary)
    #expect(Set(page.names(under: "key of the summary")) == keys(summary))
  }

  @Test(arguments: [("features.csv", "table/features.csv"), ("results.csv", "study/results.csv")])
  func itHasTheColumns(of name: String, in file: String) throws {
    let sentence = try #require(page.text.firstMatch(of: try Regex("`\(name)` has the columns ([^\n]*)\\.\n")))
    let columns = GuidePage.quoted(String(sentence[1].substring ?? ""))
    let head = try runs.scratch.read(file).split(whereSeparator: \.isNewline).first
    #expect(head.map { $0.split(separator: ",").map(String.init) } == columns)
  }
}

/// `Docs/weights.md` beside the files of runs and shared parts.
@Suite struct LayoutOfWeights {
  private let page = GuidePage("Docs/weights.md")
  private let runs: SmallRuns

  init() throws { runs = try SmallRuns.made.get() }

  @Test func itHasEveryTensorOfCheckpointsWithItsType() throws {
    let types: [DType: String] = [.float32: "F32", .float64: "F64", .int64: "I64", .uint8: "U8", .bool: "BOOL"]
    // Names in the order of the types, where a row has several.
    let forms = page.rows(under: "tensor").flatMap { row -> [(form: String, types: [String])] in
      let (names, known) = (GuidePage.quoted(row[0]), row[1].matches(of: /[A-Z]+[0-9]*/).map { String($0.0) })
      return names.count == 1 ? [(names[0], known)] : zip(names, known).map { ($0, [$1]) }
    }
    let kept = [
      runs.images.checkpoint, runs.table.checkpoint, runs.images.checkpoint(of: "images", epoch: 1),
      runs.images.checkpoint(of: "images", epoch: 3),
    ]
    var found: Set<String> = []
    for url in kept {
      for (name, tensor) in try Checkpoint.read(url).tensors {
        let form = try forms.first { try matches(name, $0.form) }
        #expect(form?.types.contains(types[tensor.dtype] ?? "") == true, "the page lacks \(name) of \(tensor.dtype)")
        found.insert(form?.form ?? "")
      }
    }
    #expect(found == Set(forms.map(\.form)))
  }

  @Test func itHasEveryKeyOfCheckpoints() throws {
    let (_, metadata) = try Safetensors.read(runs.table.checkpoint)
    #expect(Set(page.names(under: "key of the metadata")) == Set(metadata.keys))
    #expect(Set(page.names(under: "key of the position")) == keys(Checkpoint.Position()))
    let machine = try #require(page.rows(under: "key of the metadata").first { $0[0] == "`machine`" })
    #expect(Set(GuidePage.quoted(machine[1])) == keys(Checkpoint.Machine(device: .cpu)))
  }

  @Test func itHasTheTensorsOfOtherFiles() throws {
    let latents = try Safetensors.read(runs.table.latents).tensors
    let parts = ["", "validation.", "test."].flatMap { part in ["latents", "labels", "rows"].map { part + $0 } }
    #expect(Set(latents.keys) == Set(parts + ["labelled"]))
    let images = try Safetensors.read(runs.images.watched).tensors
    #expect(images["samples/images/1"]?.shape == [10, 1, 28, 28] && images["reconstructions/images/3"] != nil)
    #expect(images.values.allSatisfy { $0.dtype == .uint8 })
    let names = page.rows(under: "file").flatMap { GuidePage.quoted($0[1]) }
    #expect(Set(names).isSuperset(of: ["latents", "labels", "labelled", "rows", "samples/STAGE/EPOCH", "decoded"]))
  }

  @Test func itHasEveryFileAndKeyOfASharedPart() throws {
    let files = Set(page.names(under: "file of a part"))
    #expect(files == Set(try SmallRuns.files(runs.part)))
    let json = try JSONDecoder().decode(
      SharedPart.self, from: Data(contentsOf: runs.part.appendingPathComponent("part.json")))
    // Where it was read from is not written.
    #expect(Set(page.names(under: "key of part.json")) == keys(json).subtracting(["folder"]))
    let (classes, weight) = (try #require(json.classes), try #require(json.weights.first))
    for row in page.rows(under: "key of part.json") {
      let inner = Set(GuidePage.quoted(row[1]))
      switch row[0] {
      case "`versions`": #expect(inner == Set(json.versions.keys))
      case "`inputs`": #expect(inner == keys(json.inputs))
      case "`classes`": #expect(inner == keys(classes))
      case "`weights`": #expect(inner.subtracting(["weight", "buffer"]) == keys(weight))
      case "`preprocessing`": #expect(inner == keys(json.preprocessing))
      default: break
      }
    }
  }
}
