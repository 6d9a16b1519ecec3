import Datasets
import Foundation
import LatentKit
import Recipes
import Runs
import Studies
import Testing
import Training

@testable import HostKit

private let model = """
  name: small
  data: {use: mnist, with: {embedded: true, limit: 200}}
  encoder: {use: mlp, with: {latent: 10, hidden: [16]}}
  prior: pedcc
  sampler: class-gaussian

  """
private let small = model + "stages: [{epochs: 1}]"

@Suite struct StudyCommands {
  @Test func seedsAndFoldsAreRunOnceEachAndAveraged() throws {
    let scratch = try Scratch()
    let recipe = try scratch.write(small, to: "small.yaml")
    try host("compose", recipe, "--seeds", "1,3", "--folds", "2", "--runs", scratch.path, "--name", "study")
    let names = ["seed-1-fold-0", "seed-1-fold-1", "seed-3-fold-0", "seed-3-fold-1"]
    let accuracies = try names.map { name in
      let folder = RunFolder(scratch.url.appendingPathComponent("study/\(name)"))
      let summary = try RunSummary.read(folder.summary)
      #expect(summary.testExamples == 2500)
      return try #require(summary.testMetrics.first { $0.name == "nearest-class-mean accuracy" }?.value)
    }
    #expect(Set(accuracies).count > 1, "folds and seeds differ")
    let mean = accuracies.reduce(0, +) / 4
    let deviation = (accuracies.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 3).squareRoot()
    let table = try scratch.read("study/results.md")
    #expect(table.contains(String(format: "%.2f ± %.2f %%", mean, deviation)))
    #expect(table.contains("| 4 | 1 |"))
    #expect(
      try scratch.read("study/results.csv").split(whereSeparator: \.isNewline).count {
        $0.contains(",nearest-class-mean accuracy,")
      } == 4)
  }

  @Test func aStudyGoesOnWithWhatIsMissing() throws {
    let scratch = try Scratch()
    let recipe = try scratch.write(small, to: "small.yaml")
    try host("compose", recipe, "--seeds", "1-2", "--runs", scratch.path, "--name", "study")
    let folders = (1...2).map { RunFolder(scratch.url.appendingPathComponent("study/seed-\($0)")) }
    let before = try folders.map { try Data(contentsOf: $0.summary) }
    // As if it had been stopped in the second run.
    try FileManager.default.removeItem(at: folders[1].summary)
    try host("train", "--resume", "--name", "study", "--runs", scratch.path)
    #expect(try Data(contentsOf: folders[0].summary) == before[0], "finished runs are left alone")
    #expect(FileManager.default.fileExists(atPath: folders[1].summary.path))
    #expect(message("compose", recipe, "--seeds", "1", "--runs", scratch.path, "--name", "study").contains("--resume"))
  }

  @Test func runsOfOtherRecipesAreNeverAveraged() throws {
    let scratch = try Scratch()
    let recipe = try scratch.write(small, to: "small.yaml")
    func compose(_ more: String...) -> String {
      message(["compose", recipe, "--runs", scratch.path, "--name", "study", "--per-class", "2"] + more)
    }
    #expect(compose("--seeds", "1").isEmpty)
    #expect(compose("--seeds", "1,2", "--epochs", "2", "--resume").contains("differ from the study"))
    #expect(compose("--seeds", "1,2", "--resume").isEmpty)
    #expect(try scratch.read("study/results.md").contains("| 2 | 1 |"))

    // A single run of the name leaves nothing of the study, and the other way round.
    #expect(compose("--overwrite").isEmpty)
    let folder = RunFolder(scratch.url.appendingPathComponent("study"))
    let left = try FileManager.default.contentsOfDirectory(atPath: folder.url.path)
    #expect(!left.contains { $0.hasPrefix("seed-") || $0.hasPrefix("results") || $0 == "study.json" }, "\(left)")
    #expect(compose("--seeds", "3", "--overwrite").isEmpty)
    #expect(!FileManager.default.fileExists(atPath: folder.checkpoint.path))
    #expect(!FileManager.default.fileExists(atPath: folder.summary.path))
  }

  @Test func aRunThatFailsDoesNotCostTheOthers() throws {
    let scratch = try Scratch()
    _ = try scratch.write(small, to: "small.yaml")
    let experiment = try scratch.write(
      """
      measures: [test/mse]
      rows:
        - {row: bad, recipe: small.yaml, set: [encoder.latent=2, prior.method=simplex]}
        - {row: good, recipe: small.yaml, published: {test/msee: 3}}
      """, to: "table.yaml")
    #expect(throws: (any Error).self) { try host("reproduce", experiment, "--runs", scratch.path, "--per-class", "2") }
    let table = try scratch.read("table/results.md")
    #expect(table.contains("| row | test/mse | runs |") && table.contains("| good | 0.") && !table.contains("| bad |"))
    // What is needed at the end is looked for at the beginning.
    let other = try scratch.write("unseen: emnist-letters\nrows: [{row: a, recipe: small.yaml}]", to: "other.yaml")
    let found = message("reproduce", other, "--runs", scratch.path, "--data-dir", scratch.path)
    #expect(found.contains("emnist-letters"))
    #expect(!FileManager.default.fileExists(atPath: scratch.url.appendingPathComponent("other").path))
  }

  @Test func anExperimentStandsBesideWhatIsPublished() throws {
    let scratch = try Scratch()
    _ = try scratch.write(small, to: "small.yaml")
    let experiment = try scratch.write(
      """
      title: A table
      seeds: [4]
      measures: [nearest-class-mean accuracy, training/centroid]
      figures: [samples.png]
      rows:
        - {row: wide, column: a, recipe: small.yaml, set: ["encoder.hidden=[32]"], published: {nearest-class-mean accuracy: 90}}
        - {row: wide, column: b, recipe: small.yaml, data: fashion-mnist, set: [data.embedded=true]}
      """, to: "table.yaml")
    try host("reproduce", experiment, "--runs", scratch.path, "--only", "wide, a", "--per-class", "2")
    var table = try scratch.read("table/results.md")
    #expect(table.contains("| wide, a | nearest-class-mean accuracy | 90.00 % |") && !table.contains("wide, b"))
    try host("reproduce", experiment, "--runs", scratch.path, "--report")
    table = try scratch.read("table/results.md")
    #expect(table.contains("| wide, a | training/centroid |"))
    try host("reproduce", experiment, "--runs", scratch.path, "--per-class", "2")
    let folders = try FileManager.default.contentsOfDirectory(atPath: scratch.path).filter { $0.hasPrefix("small-") }
    #expect(folders.count { $0.contains("-seed-4-") } == 2)
    #expect(FileManager.default.fileExists(atPath: scratch.url.appendingPathComponent("table/samples.png").path))
    #expect(try scratch.read("table/results.csv").contains("wide,b,4,,nearest-class-mean accuracy,"))
    // A curve of an experiment only reads.
    let results = scratch.url.appendingPathComponent("table")
    try FileManager.default.removeItem(at: results)
    #expect(
      message("curve", experiment, "--runs", scratch.path, "--output", "\(scratch.path)/c").contains(
        "no number of the kind"))
    #expect(!FileManager.default.fileExists(atPath: results.path))
  }

  @Test func modelsOfAnExperimentReconstructWhatNoneHasSeen() throws {
    let scratch = try Scratch()
    _ = try scratch.write(small, to: "small.yaml")
    let experiment = try scratch.write(
      """
      unseen: fashion-mnist
      measures: [test/mse]
      rows: [{row: one, recipe: small.yaml}, {row: two, recipe: small.yaml, set: [noise.beta=0]}]
      """, to: "figure.yaml")
    try host("reproduce", experiment, "--runs", scratch.path, "--per-class", "2")
    let table = try scratch.read("figure/results.md")
    #expect(table.contains("| run | fashion-mnist, ") && table.contains("| one | 0.") && table.contains("| two | 0."))
    #expect(FileManager.default.fileExists(atPath: scratch.url.appendingPathComponent("figure/unseen.png").path))
    #expect(
      message("reproduce", experiment, "--runs", scratch.path, "--report", "--unseen", "mnst").contains("'mnist'"))
  }

  @Test func classesOfUnseenDataAreDrawnBySeedAndNamed() throws {
    let scratch = try Scratch()
    _ = try scratch.write(small, to: "small.yaml")
    func experiment(_ seed: Int, classes: Int) throws -> String {
      try scratch.write(
        """
        seeds: [\(seed)]
        unseen: fashion-mnist
        unseenClasses: \(classes)
        rows: [{row: one, recipe: small.yaml}, {row: two, recipe: small.yaml, set: [noise.beta=0]}]
        """, to: "letters-\(seed).yaml")
    }
    let first = try experiment(1, classes: 11)
    #expect(
      message("reproduce", first, "--runs", scratch.path).contains(
        "unseenClasses is 11, and fashion-mnist has 10 classes; lower it"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).allSatisfy { $0.hasSuffix(".yaml") })

    var drawn: Set<String> = []
    for seed in [1, 2] {
      let file = try experiment(seed, classes: 4)
      // What has been run does not change the choice.
      try host("reproduce", file, "--runs", scratch.path, "--per-class", "1", "--only", "two")
      let early = try scratch.read("letters-\(seed)/results.md")
      try host("reproduce", file, "--runs", scratch.path, "--per-class", "1")
      let table = try scratch.read("letters-\(seed)/results.md")
      let names = String(try #require(table.firstMatch(of: /the classes of fashion-mnist: (.+)\./)).1)
      #expect(early.contains("the classes of fashion-mnist: \(names)."))
      #expect(Set(names.split(separator: ", ")).count == 4)
      drawn.insert(names)
      // The same images by hand, and so the same error.
      let folder = try #require(
        FileManager.default.contentsOfDirectory(atPath: scratch.path).first { $0.contains("-seed-\(seed)-") })
      let byHand = try host(
        "reconstruct", "\(scratch.path)/\(folder)", "--data", "fashion-mnist", "--classes",
        names.replacing(", ", with: ","))
      let error = try #require(byHand.output.firstMatch(of: /small-\S+ +(0\.\d+)/)).1
      #expect(table.contains("| \(error) |") && table.contains(/fashion-mnist, 40+ test images of 4 classes/))
    }
    #expect(drawn.count == 2)
  }

  @Test func whatCannotBeComparedOnUnseenDataIsRefusedBeforeTraining() throws {
    let scratch = try Scratch()
    _ = try scratch.write(small, to: "small.yaml")
    let experiment = try scratch.write("rows: [{row: one, recipe: small.yaml}]", to: "figure.yaml")
    func reproduce(_ unseen: String) -> String {
      message("reproduce", experiment, "--runs", scratch.path, "--unseen", unseen)
    }
    #expect(reproduce("mnist").contains("unseen data 'mnist' are what 'one' is trained on"))
    #expect(reproduce("mnst").contains("Did you mean 'mnist'?"))
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.path).allSatisfy { $0.hasSuffix(".yaml") })
  }

  @Test func aComparisonThatFailsCostsNoTable() throws {
    let scratch = try Scratch()
    _ = try scratch.write(small, to: "small.yaml")
    let experiment = try scratch.write(
      """
      unseen: fashion-mnist
      measures: [reconstruction error]
      rows:
        - {row: one, recipe: small.yaml}
        - {row: blind, recipe: small.yaml, set: [decoder=none, "train=[encoder]", "losses=[centroid]", "metrics=[nearest-class-mean]"]}
      """, to: "figure.yaml")
    // A row without a decoder is measured, and left out of the comparison.
    try host("reproduce", experiment, "--runs", scratch.path, "--per-class", "2")
    let csv = try scratch.read("figure/results.csv")
    #expect(csv.contains("one,,1,,\"reconstruction error on fashion-mnist, "))
    #expect(csv.contains("blind,,1,,nearest-class-mean accuracy,") && !csv.contains("blind,,1,,\"recon"))
    #expect(try scratch.read("figure/report.html").contains("one: reconstruction error on fashion-mnist"))
    #expect(throws: (any Error).self) {
      try host("reproduce", experiment, "--runs", scratch.path, "--report", "--unseen", "olsson")
    }
    #expect(try scratch.read("figure/results.md").contains("| one | 0."))
  }

  @Test func aMetricThatTheRecipeHasIsMeasuredOnce() throws {
    let scratch = try Scratch()
    _ = try scratch.write(small, to: "small.yaml")
    let experiment = try scratch.write(
      """
      seeds: [1, 2]
      metrics: [nearest-class-mean]
      measures: [nearest-class-mean accuracy]
      rows: [{row: one, recipe: small.yaml}, {row: quiet, recipe: small.yaml, set: [noise=none]}]
      """, to: "table.yaml")
    try host("reproduce", experiment, "--runs", scratch.path, "--per-class", "2")
    #expect(try scratch.read("table/results.md").contains(" | 2 | 1 | 200 |"))
    let csv = try scratch.read("table/results.csv")
    #expect(csv.matches(of: /one,,1,,nearest-class-mean accuracy,/).count == 1)
  }

  @Test func whatFlagsChangedIsSaidAndFiledApart() throws {
    let scratch = try Scratch()
    _ = try scratch.write(small, to: "small.yaml")
    let experiment = try scratch.write(
      """
      about: One epoch.
      rows: [{row: one, recipe: small.yaml}, {row: quiet, recipe: small.yaml, set: [noise=none]}]
      """, to: "table.yaml")
    let common = ["reproduce", experiment, "--runs", scratch.path, "--per-class", "2", "--only", "one"]
    try host(common)
    let plain = try scratch.read("table/results.md")
    #expect(!plain.contains("Changed") && plain.contains("One epoch.") && plain.contains(" | 1 | 1 | 200 |"))
    // The row that is left out has no noise to change, which is no mistake.
    try host(common + ["--set", "noise.beta=0.5", "--set", "epochs=2"])
    #expect(try scratch.read("table/results.md") == plain)
    let names = try FileManager.default.contentsOfDirectory(atPath: scratch.path)
    let other = try #require(names.first { $0.hasPrefix("table-changed-") })
    let changed = try scratch.read("\(other)/results.md")
    #expect(changed.contains("Changed for these runs, overriding the description: noise.beta=0.5, epochs=2."))
    #expect(changed.contains(" | 1 | 2 | 200 |"))
    let run = try #require(names.first { $0.hasPrefix("small-mnist-seed-1-") })
    #expect(try scratch.read("\(run)/summary.json").contains(#""about" : "table: one""#))
    let all = ["reproduce", experiment, "--runs", scratch.path, "--dry-run", "--set"]
    #expect(
      message(all + ["noise.beta=0.5"]).contains("row 'quiet': 'noise.beta=0.5': noise: this recipe has no part there"))
    #expect(message(all + ["seed=9"]).contains("each run has one of the study's seeds; change 'seeds'"))
  }

  @Test func aDamagedRunCostsItsOwnRowOnly() throws {
    let scratch = try Scratch()
    _ = try scratch.write(small, to: "small.yaml")
    let experiment = try scratch.write(
      """
      measures: [nearest-class-mean accuracy]
      rows: [{row: one, recipe: small.yaml}, {row: two, recipe: small.yaml, set: [noise.beta=0.1], published: {nearest-class-mean accuracy: 9}}]
      """, to: "table.yaml")
    try host("reproduce", experiment, "--runs", scratch.path, "--per-class", "2")
    let plan = try Study(Experiment(URL(fileURLWithPath: experiment)), catalog: Catalog(plugins), in: scratch.url)
    try Data("{".utf8).write(to: plan.cells[1].runs[0].folder.summary)
    #expect(throws: (any Error).self) { try host("reproduce", experiment, "--runs", scratch.path, "--report") }
    let table = try scratch.read("table/results.md")
    #expect(table.contains("| one | nearest-class-mean accuracy |"))
    #expect(table.contains("| two | nearest-class-mean accuracy | 9.00 % | not run |"), "in the unit of the others")
  }

  @Test func whatIsTypedAgainIsQuotedWhereAShellWouldReadIt() {
    #expect("--set".quotedForShell == "--set" && "runs/a-b_1.yaml".quotedForShell == "runs/a-b_1.yaml")
    #expect("a b".quotedForShell == "'a b'" && "".quotedForShell == "''")
    #expect("it's;[x]".quotedForShell == #"'it'\''s;[x]'"#)
  }

  @Test func sparsityIsMeasuredOverAllProjectedWeights() throws {
    let scratch = try Scratch()
    let recipe = try scratch.write(
      model + """
        stages:
          - {epochs: 1, then: [{project: {use: l1-ball, with: {radius: 5}, parameters: [encoder]}}, mask]}
        """, to: "sparse.yaml")
    try host("compose", recipe, "--seeds", "1", "--runs", scratch.path, "--name", "study")
    let run = RunFolder(scratch.url.appendingPathComponent("study/seed-1"))
    let weights = try Safetensors.read(run.checkpoint).tensors.filter {
      $0.key.hasPrefix("model.encoder.") && $0.key.hasSuffix("weight")
    }
    let zeros = try weights.values.reduce(0.0) { try $0 + ($1 .== 0).to(.float64).sum().item() }
    let all = weights.values.reduce(0) { $0 + $1.count }
    let share = String(format: "%.2f %%", 100 * zeros / Double(all))
    #expect(zeros > 0)
    #expect(try scratch.read("study/results.md").contains("| zeros/all | \(share) |"))
  }

  @Test(arguments: [
    ("rows: []", "expected a list of runs"),
    ("titel: x\nrows: [{row: a, recipe: small.yaml}]", "Did you mean 'title'?"),
    ("rows:\n  - {row: a, recipe: small.yaml}\n  - {row: b, recipe: small.yaml, sett: [x]}", "3:40: rows[1].sett"),
    ("rows: [{row: a}]", "found no 'recipe'"),
    ("seeds: [1, 1]\nrows: [{row: a, recipe: small.yaml}]", "1 is there twice"),
    ("rows: [{row: a, recipe: nowhere.yaml}]", "/nowhere.yaml: there is no such file"),
    ("seeds: [1.5]\nrows: [{row: a, recipe: small.yaml}]", "1:8: seeds: found [1.5], expected a list of whole numbers"),
    ("rows: [{row: a, recipe: small.yaml, set: [prior.clases=3]}]", "Did you mean 'classes'?"),
    ("rows: [{row: a, recipe: small.yaml}, {row: a, recipe: small.yaml}]", "is there twice"),
    ("rows: [{row: a, recipe: small.yaml, data: mnst}]", "row 'a': data: there is no data 'mnst'"),
  ])
  func whatIsWrongInAnExperimentIsSaidInOneSentence(text: String, expected: String) throws {
    let scratch = try Scratch()
    _ = try scratch.write(small, to: "small.yaml")
    let file = try scratch.write(text, to: "table.yaml")
    let found = message("reproduce", file, "--dry-run", "--runs", scratch.path)
    #expect(found.contains(expected), "\(found)")
  }

  @Test func listsOfSeedsAreReadOrRefused() throws {
    #expect(try RepeatOptions.list("5, 7-9,1") == [5, 7, 8, 9, 1])
    for wrong in ["", "a", "3-1", "1,1", "-1", "1,,2"] {
      #expect(throws: (any Error).self) { try RepeatOptions.list(wrong) }
    }
  }

  private static let experiments: [String] = {
    let folder = packageRoot.appendingPathComponent("Plugins")
    let paths = (try? FileManager.default.subpathsOfDirectory(atPath: folder.path)) ?? []
    return paths.filter { $0.contains("/experiments/") && $0.hasSuffix(".yaml") }.sorted()
  }()

  /// The model of every row, on data of the shape that it has; of long experiments some twenty rows.
  @Test(arguments: experiments) func theModelsOfAnExperimentCanBeComposed(file: String) throws {
    let catalog = try Catalog(plugins)
    let experiment = try Experiment(packageRoot.appendingPathComponent("Plugins/\(file)"))
    let study = try Study(experiment, catalog: catalog, in: Scratch().url)
    for cell in stride(from: 0, to: study.cells.count, by: 1 + study.cells.count / 20).map({ study.cells[$0] }) {
      var recipe = cell.runs[0].recipe
      // A metric that opens a run which is trained first would not find it.
      recipe[all: .metric] = recipe[all: .metric]?.filter { metric in
        !cell.first.contains { run in metric.with.values.contains { $0.text.contains(run) } }
      }
      #expect(throws: Never.self, "\(cell.label)") {
        _ = try Composer(catalog).compose(recipe, for: shape(of: recipe, in: catalog))
      }
    }
  }

  private func shape(of recipe: Recipe, in catalog: Catalog) throws -> DataShape {
    let data = try #require(recipe[.data])
    let set = try #require(catalog.dataset(data.use).published)
    var settings = try catalog.dataset(data.use).sharedSettings(data.with)
    var shape = set.inputShape
    if shape.count == 3 {
      if data.with["pad"] == nil { settings.pad = settings.padding(toMultiplesFor: shape) }
      shape = [shape[0]] + shape[1...].map { $0 + 2 * settings.pad }
    }
    // Omniglot's characters in place of its alphabets; and there, as elsewhere, some classes may be held out.
    var classes = data.with["classes"] == "characters" ? 964 : set.classCount
    if case .array(let held)? = data.with["holdOut"], classes == set.classCount { classes -= held.count }
    let range: ClosedRange<Double>? = shape.count == 3 ? (settings.range == .unit ? 0...1 : -1...1) : nil
    return DataShape(
      title: "data '\(data.use)'", inputShape: shape, inputRange: range, padding: settings.pad, classCount: classes)
  }

  @Test func everyExperimentOfThePluginsCanBePlanned() throws {
    let (folder, files) = (packageRoot.appendingPathComponent("Plugins"), Self.experiments)
    #expect(files.count > 20)
    let scratch = try Scratch()
    var names: Set<String> = []
    for file in files {
      let url = folder.appendingPathComponent(file)
      #expect(throws: Never.self, "\(file)") { try host("reproduce", url.path, "--dry-run", "--runs", scratch.path) }
      #expect(names.insert(try Experiment(url).name).inserted, "the results of \(file) would replace those of another")
    }
  }
}
