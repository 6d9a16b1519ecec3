import Foundation
import Training

@testable import Studies
import Testing

private let small = """
  name: small
  data: {use: mnist, with: {embedded: true, limit: 200}}
  encoder: {use: mlp, with: {latent: 10, hidden: [16]}}
  prior: pedcc
  sampler: class-gaussian
  stages: [{epochs: 1}]
  """

/// A folder that is removed when its test is over.
private final class Scratch {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("latentkit-studies-\(UUID().uuidString)")
  init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(at: url) }

  func write(_ text: String, to name: String) throws -> URL {
    let file = url.appendingPathComponent(name)
    try Data(text.utf8).write(to: file)
    return file
  }
}

private final class Listener: StudyObserver {
  var (titles, finished, epochs, steps): ([String], Int, Int, Int) = ([], 0, 0, 0)
  var failures: [String] = []

  func begins(run number: Int, of count: Int, title: String) { titles.append("\(number)/\(count) \(title)") }
  func finished(_ run: Run, with results: RunResults) { finished += 1 }
  func progressed(_ progress: TrainingProgress) { steps += 1 }
  func failed(_ failure: Study.Failure) { failures.append(failure.what) }
}

extension Study.Outcome {
  fileprivate var report: Study.Report? {
    if case .finished(let report) = self { report } else { nil }
  }
}

@Suite struct StudiesFromSwift {
  @Test func aRecipeIsRepeatedOverSeedsAndGoesOnWhereItWasStopped() throws {
    let scratch = try Scratch()
    let recipe = try Recipe.read(yaml: small, file: "small")
    let folder = RunFolder(scratch.url.appendingPathComponent("study"))
    func study(resuming: Bool) throws -> Study {
      try Study(
        repeating: recipe, Repeats(seeds: [1, 4]), catalog: Catalog(plugins), in: folder,
        existing: resuming ? .resume : .replace)
    }
    let listener = Listener()
    // 180 examples in batches of 128: two steps of each run.
    let stopped = try study(resuming: false).run(perClass: 2, observer: listener) { listener.steps == 3 }
    #expect(stopped.report == nil)
    #expect(listener.titles == ["1/2 small, seed 1", "2/2 small, seed 4"] && listener.finished == 1)

    let report = try #require(try study(resuming: true).run(perClass: 2, observer: listener).report)
    #expect(listener.titles.last == "2/2 small, seed 4" && listener.titles.count == 3 && listener.finished == 2)
    #expect(report.failures.isEmpty && report.results.unknown.isEmpty)
    let values = try [1, 4].map { seed in
      let summary = try RunSummary.read(RunFolder(folder.url.appendingPathComponent("seed-\(seed)")).summary)
      return try #require(summary.testMetrics.first { $0.name == "nearest-class-mean accuracy" }?.value)
    }
    let line = try #require(report.results.lines.first { $0.measure == "nearest-class-mean accuracy" })
    #expect(line.values == values && abs(line.mean - (values[0] + values[1]) / 2) < 1e-12)
    #expect(abs(try #require(line.deviation) - abs(values[0] - values[1]) / 2.0.squareRoot()) < 1e-9)

    let other = try Recipe.read(yaml: small.replacing("[16]", with: "[17]"), file: "other")
    #expect(throws: RecipeError.self) {
      try Study(repeating: other, Repeats(seeds: [1]), catalog: Catalog(plugins), in: folder, existing: .resume)
    }
  }

  @Test func anExperimentRunsWhatIsWantedAndReportsWhatFails() throws {
    let scratch = try Scratch()
    _ = try scratch.write(small, to: "small.yaml")
    let file = try scratch.write(
      """
      measures: [test/mse]
      rows:
        - {row: bad, recipe: small.yaml, set: [encoder.latent=2, prior.method=simplex]}
        - {row: good, recipe: small.yaml, published: {test/mse: 0.1}}
        - {row: other, recipe: small.yaml, set: [noise=none]}
      """, to: "table.yaml")
    let experiment = try Experiment(file)
    let catalog = try Catalog(plugins)
    func study(_ options: ExperimentOptions = ExperimentOptions()) throws -> Study {
      try Study(experiment, catalog: catalog, in: scratch.url, options: options)
    }
    let listener = Listener()
    let report = try #require(
      try study(ExperimentOptions(only: ["good", "bad"], seeds: [3])).run(perClass: nil, observer: listener).report)
    #expect(listener.titles == ["1/1 good, seed 3"])
    #expect(listener.failures == ["bad"] && report.failures.map(\.what) == ["bad"])
    #expect(report.results.lines.map(\.label) == ["good"] && report.results.lines[0].published == 0.1)

    // The runs of a changed experiment are others, and so is the folder of its results.
    let changed = try study(ExperimentOptions(seeds: [3], changes: ["epochs=2"]))
    let plain = try study(ExperimentOptions(seeds: [3]))
    #expect(changed.folder != plain.folder)
    #expect(plain.cells[1].runs[0].isFinished && !changed.cells[1].runs[0].isFinished)
    #expect(throws: UnknownName.self) { try study(ExperimentOptions(only: ["goood"])) }
  }

  /// What a projection costs is told of the test part by the metric's name, and of the training part with that said.
  @Test func accuracyAroundAProjectionIsAMeasure() throws {
    let scratch = try Scratch()
    _ = try scratch.write(
      small.replacing("{epochs: 1}", with: "{epochs: 1, then: [{project: {use: l1-ball, with: {radius: 1}}}]}"),
      to: "small.yaml")
    let experiment = try Experiment(
      scratch.write("set: [data.validation=0]\nrows: [{row: one, recipe: small.yaml}]", to: "table.yaml"))
    let study = try Study(experiment, catalog: Catalog(plugins), in: scratch.url)
    let report = try #require(try study.run(perClass: nil).report)
    let effects = try #require(RunSummary.read(study.cells[0].runs[0].folder.summary).stages?.last?.effects)
    #expect(effects.map(\.part).sorted() == ["test", "training"])
    for effect in effects {
      for (side, measured) in [("before", effect.before), ("after", effect.after)] {
        let name = "nearest-class-mean accuracy \(side) projection" + (effect.part == "test" ? "" : ", training")
        let value = try #require(measured.first { $0.name == "nearest-class-mean accuracy" }?.value)
        #expect(report.results.lines.first { $0.measure == name }?.values == [value], "\(name)")
      }
    }
    #expect(Set(effects.flatMap { [$0.before, $0.after] }.map { $0.first?.value }).count > 2)
  }

  /// Another part would take along what the experiment set of the old one.
  @Test func aFlagThatDropsASettingOfTheExperimentIsRefused() throws {
    let scratch = try Scratch()
    _ = try scratch.write(small, to: "small.yaml")
    let experiment = try Experiment(
      scratch.write(
        """
        set: [encoder.latent=12, schedule=cosine, schedule.floor=0.1, losses.mse.weight=2]
        rows: [{row: one, recipe: small.yaml, set: [data.validation=0.2]}]
        """, to: "table.yaml"))
    let catalog = try Catalog(plugins)
    func recipe(_ changes: String...) throws -> Recipe {
      try Study(experiment, catalog: catalog, in: scratch.url, options: ExperimentOptions(changes: changes)).cells[0]
        .runs[0].recipe
    }
    for (changes, reason) in [
      (
        ["data=fashion-mnist"],
        "drops what the experiment sets, data.validation=0.2; set it again"
      ),
      (["data.use=fashion-mnist"], "'data.use=fashion-mnist' drops what the experiment sets, data.validation=0.2; set"),
      (["data={use: fashion-mnist}"], "drops what the experiment sets, data.validation=0.2"),
      (["schedule=step"], "drops what the experiment sets, schedule.floor=0.1; set it again"),
      (["losses=[huber]"], "drops what the experiment sets, losses.mse.weight=2; leave the change out"),
      (
        ["encoder=conv"],
        "drops what the experiment sets, encoder.latent=12; set it"
      ),
      (
        ["encoder.latent=3", "encoder={use: conv}"],
        "as in --set encoder={use: conv} --set encoder.latent=12"
      ),
    ] {
      let error = #expect(throws: RecipeError.self) {
        try Study(experiment, catalog: catalog, in: scratch.url, options: ExperimentOptions(changes: changes))
      }
      #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }
    let other = try recipe("data=fashion-mnist", "data.validation=0")
    #expect(other[.data]?.use == "fashion-mnist" && other[.data]?.with["validation"] == 0)
    // Another value, however it is spelled, is what a flag is for.
    #expect(try recipe("data={use: mnist, with: {validation: 0.1}}")[.data]?.with["validation"] == 0.1)
    #expect(
      try recipe("schedule=step", "schedule={use: cosine, with: {floor: 0.5}}").stages?[0].steps[0].schedule?.with[
        "floor"] == 0.5)
    // The same part, and parts of which nothing is set.
    #expect(try recipe("data=mnist", "noise=none")[.data]?.with["validation"] == 0.2)
  }

  /// An experiment that is run in parts: what one part wrote is read by the next.
  @Test func earlierResultsStandForTheRunsThatMadeThem() throws {
    let scratch = try Scratch()
    _ = try scratch.write(small, to: "small.yaml")
    let experiment = try Experiment(
      scratch.write(
        """
        seeds: [1, 2]
        rows: [{row: "one, two", recipe: small.yaml}, {row: other, recipe: small.yaml, set: [noise=none]}]
        """, to: "table.yaml"))
    let catalog = try Catalog(plugins)
    func study(in folder: String, _ options: ExperimentOptions = ExperimentOptions()) throws -> Study {
      try Study(experiment, catalog: catalog, in: scratch.url.appendingPathComponent(folder), options: options)
    }
    let there = try study(in: "there", ExperimentOptions(only: ["one"]))
    let first = try #require(try there.run(perClass: nil).report).results
    let file = there.folder.appendingPathComponent("results.csv")
    var here = try study(in: "here")
    here.earlier = [try EarlierResults(file)]
    #expect(here.cells.map { $0.runs.map(here.isDone) } == [[true, true], [false, false]])
    let listener = Listener()
    let results = try #require(try here.run(perClass: nil, observer: listener).report).results
    #expect(listener.titles == ["1/2 other, seed 1", "2/2 other, seed 2"] && listener.failures.isEmpty)
    let lines = results.lines.filter { $0.row == "one, two" }
    #expect(lines.count > 2 && lines.map(\.values) == first.lines.filter { $0.row == "one, two" }.map(\.values))
    #expect(lines.allSatisfy { $0.values.count == 2 && $0.epochs == 1 })
    #expect(results.lines.filter { $0.row == "other" }.allSatisfy { $0.values.count == 2 })
    #expect(results.markdown.contains("The numbers of 2 runs come from earlier results: results.csv."))
    // A run that is there speaks for itself.
    var again = try study(in: "there", ExperimentOptions(only: ["one"]))
    again.earlier = [try EarlierResults(file)]
    #expect(try again.report().results.lines.map(\.values) == first.lines.map(\.values))
    #expect(try !again.report().results.markdown.contains("earlier results"))
    // The new file has all of them.
    let all = try EarlierResults(here.folder.appendingPathComponent("results.csv"))
    #expect(here.cells.flatMap(\.runs).allSatisfy { all.values[$0.folder.name] != nil })
    // Numbers of another recipe are never taken.
    var changed = try study(in: "here", ExperimentOptions(changes: ["epochs=2"]))
    changed.earlier = [all]
    #expect(!changed.cells.flatMap(\.runs).contains(where: changed.isDone))
  }

  @Test func earlierResultsThatAreNoneOrDamagedAreRefused() throws {
    let scratch = try Scratch()
    let head = StudyResults.csvHead.joined(separator: ",")
    for (text, reason) in [
      ("a,b\n1,2\n", "has no head of results"), ("", "has no head of results"), (head + "\nrow,,1\n", "found 3 cells"),
      (head + "\nrow,,1,,psnr,many,,,4,5000,6.5,folder\n", "is no number"),
      (head + "\nrow,,1,,psnr,nan,,,4,5000,6.5,folder\n", "is no number"),
      (head + "\n\"row,,1\n", "quote"),
    ] {
      let error = try #require(throws: FileError.self) { try EarlierResults(scratch.write(text, to: "results.csv")) }
      #expect("\(error)".contains(reason), "\(error)")
    }
    #expect(throws: FileError.self) { try EarlierResults(scratch.url.appendingPathComponent("none.csv")) }
  }

  @Test func aFolderOfOtherFilesGetsNoResults() throws {
    let scratch = try Scratch()
    _ = try scratch.write(small, to: "small.yaml")
    let file = try scratch.write("rows: [{row: one, recipe: small.yaml}]", to: "paper.yaml")
    let folder = scratch.url.appendingPathComponent("paper")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let mine = folder.appendingPathComponent("results.md")
    try Data("mine".utf8).write(to: mine)
    let listener = Listener()
    let study = try Study(Experiment(file), catalog: Catalog(plugins), in: scratch.url)
    let error = #expect(throws: FileError.self) { try study.run(perClass: nil, observer: listener) }
    #expect(error?.reason.contains("holds 'results.md' and no results") == true)
    #expect(throws: FileError.self) { try study.report() }
    #expect(try Data(contentsOf: mine) == Data("mine".utf8) && listener.titles.isEmpty)
    // Half a file of a killed program is none, and goes.
    try FileManager.default.removeItem(at: mine)
    try Data().write(to: folder.appendingPathComponent(".results.md.3.partial"))
    _ = try study.report()
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        == ["report.html", "results.csv", "results.md"])
    _ = try study.report()
  }

  @Test func aStudyIsReplacedOnlyOnceItsLockIsHeld() throws {
    let scratch = try Scratch()
    let recipe = try Recipe.read(yaml: small, file: "small")
    let folder = RunFolder(scratch.url.appendingPathComponent("study"))
    func study(_ existing: Run.Existing) throws -> Study {
      try Study(repeating: recipe, Repeats(seeds: [1]), catalog: Catalog(plugins), in: folder, existing: existing)
    }
    let first = try study(.refuse)
    let notes = folder.url.appendingPathComponent("summary.json")
    try Data("{}".utf8).write(to: notes)
    for existing in [Run.Existing.refuse, .replace, .resume] {
      let error = #expect(throws: FileError.self) { try study(existing) }
      #expect(error?.reason.contains("another program") == true)
    }
    #expect(try Data(contentsOf: notes) == Data("{}".utf8))
    withExtendedLifetime(first.lock) {}
  }

  @Test func picturesOfAnExperimentAreNamesOfFiles() throws {
    let scratch = try Scratch()
    let file = try scratch.write("figures: [../../x.png]\nrows: [{row: a, recipe: a.yaml}]", to: "t.yaml")
    #expect { try Experiment(file) } throws: { "\($0)".contains("found '../../x.png', which has a '/'") }
  }
}

@Test func aFormOfMeasuresStandsForTheirNames() {
  let known = ["accuracy", "mlp at 10 labels", "mlp at 10 labels, training", "cnn at 5 labels", "a.b"]
  #expect(
    expanded(["* at * labels", "accuracy", "mlp*", "none *"], among: known)
      == ["mlp at 10 labels", "cnn at 5 labels", "accuracy", "mlp at 10 labels, training", "none *"])
  // Only a star is special.
  #expect(expanded(["a.b", "a?b", "*.b"], among: known) == ["a.b", "a?b"])
}
