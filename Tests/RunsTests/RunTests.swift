import Foundation
import LatentKit
import Runs
import Testing

@Suite struct Scripts {
  @Test func aScriptComposesTrainsEvaluatesAndSamples() throws {
    let scratch = try Scratch()
    let listener = Listener()

    // What the README shows, on fewer digits.
    let catalog = try Catalog(plugins)
    let recipe = try Recipe.read(yaml: small, file: "small")
    let run = try Run(recipe, catalog: catalog, in: scratch.url.appendingPathComponent("mine"), observer: listener)
    try run.train()
    let result = try run.evaluate(.test)
    let samples = try run.sample(classes: [3, 5], perClass: 4)
    let results = try run.finish(perClass: 2)

    // 270 examples of 300 are trained on, in batches of 50.
    #expect(listener.runs == 1 && listener.steps == 2 * 6 && listener.results.count == 1 && listener.notices.isEmpty)
    #expect(listener.epochs.map(\.epoch) == [1, 2])
    let losses = listener.epochs.compactMap { $0.training["total"] }
    #expect(losses.count == 2 && losses[1] < losses[0])

    #expect(samples.draw.latents.shape == [8, 10] && samples.images?.shape == [8, 1, 28, 28])
    #expect(try samples.labels?.ints() == [3, 3, 3, 3, 5, 5, 5, 5])
    // Draws of a class lie around its own mean.
    let means = try run.encode(.train).classMeans(10)
    for label in [3, 5] {
      let draws = try run.sample(classes: [label], perClass: 200).draw.latents.mean(axis: 0).reshaped([1, 10])
      let distances = try draws.distances(to: means).doubles()
      #expect(distances.indices.min { distances[$0] < distances[$1] } == label)
    }

    // The error again, from what the model makes of the test images.
    let made = try run.reconstruct(.test)
    #expect(made.originals.shape == [1000, 1, 28, 28])
    let error = try (made.originals - made.reconstructions).to(.float64).square().mean().item()
    let measured = try #require(result.measurements.first { $0.name == "reconstruction error" }?.value)
    #expect(abs(measured - error) < 1e-9)

    // What is written is what was measured.
    #expect(results.summary.testMetrics == result.measurements && results.summary.testLosses == result.losses)
    #expect(try RunSummary.read(run.folder.summary).testMetrics == result.measurements)
    for file in results.figures + [run.folder.report, run.folder.recipe, run.folder.checkpoint] {
      #expect(FileManager.default.fileExists(atPath: file.path), "\(file.lastPathComponent)")
    }
  }

  @Test func tablesOfMetricsAreInTheReportAndTakeNoPictureOfTheRun() throws {
    struct Tables: Metric {
      func finish(_ evaluation: Evaluation) -> [Measured] {
        func table(isMatrix: Bool) -> MeasuredTable {
          MeasuredTable(
            rowTitle: "row", rows: ["<a>", "b"], columnTitle: "column", columns: ["c", "d"],
            values: [[1, 2], [0.125, .nan]], isMatrix: isMatrix)
        }
        return [
          Measured("some scores", table(isMatrix: false)), Measured("curves", table(isMatrix: true)),
        ]
      }
    }
    let scratch = try Scratch()
    let catalog = try Catalog(
      plugins, adding: [Contribution(.metric, Entry("tables", "two tables") { _, _ in Tables() })])
    var recipe = try Recipe.read(yaml: small, file: "small")
    recipe[all: .metric] = [PartChoice("tables")]
    let run = try Run(recipe, catalog: catalog, in: scratch.url.appendingPathComponent("mine"))
    try run.train()
    let figures = try run.finish(perClass: nil).figures.map(\.lastPathComponent)
    #expect(figures.contains("curves.png") && figures.contains("curves-metric.png"))
    #expect(Set(figures).count == figures.count)
    let page = try String(contentsOf: run.folder.report, encoding: .utf8)
    #expect(page.contains("<h2>some scores, test part</h2>") && !page.contains("<h2>curves, test part</h2>"))
    #expect(page.contains("<tr><th scope=\"row\">&lt;a&gt;</th><td>1</td><td>2</td></tr>"))
    #expect(page.contains("<tr><th scope=\"row\">b</th><td>0.125</td><td>–</td></tr>"))
    #expect(page.contains("<th scope=\"row\">some scores</th><td>see below</td>") && !page.contains("a table"))
  }

  @Test func tablesOfNamesThatMakeOneFileKeepTheirOwn() throws {
    struct Tables: Metric {
      func finish(_ evaluation: Evaluation) -> [Measured] {
        ["by class", "By-class", "by class", "by-class-2", "curves", "curves metric"].enumerated().map {
          position, name in
          Measured(
            name,
            MeasuredTable(
              rowTitle: "row", rows: ["a"], columnTitle: "column", columns: ["c"], values: [[Double(position)]]))
        }
      }
    }
    let scratch = try Scratch()
    let catalog = try Catalog(
      plugins, adding: [Contribution(.metric, Entry("tables", "six tables") { _, _ in Tables() })])
    var recipe = try Recipe.read(yaml: small, file: "small")
    recipe[all: .metric] = [PartChoice("tables")]
    let run = try Run(recipe, catalog: catalog, in: scratch.url.appendingPathComponent("mine"))
    try run.train()
    let results = try run.finish(perClass: nil)
    let expected = ["by-class", "by-class-2", "by-class-3", "by-class-2-2", "curves", "curves-metric"]
    // The last two are the run's own.
    #expect(
      results.tables.map { $0.deletingPathExtension().lastPathComponent } == expected + [
        "class-distances", "confusion",
      ])
    for (position, table) in results.tables.dropLast(2).enumerated() {
      #expect(try String(contentsOf: table, encoding: .utf8).contains("a,\(position)"))
    }
    let figures = results.figures.map(\.lastPathComponent)
    #expect(Set(figures).count == figures.count && figures.contains("curves-metric.png"))
    #expect(figures.contains("curves-metric-metric.png"))
  }

  @Test func latentsWhoseLabelIsHiddenAreDrawnAsOfNoClass() throws {
    let scratch = try Scratch()
    var recipe = try Recipe.read(yaml: small, file: "small")
    try recipe.set("data.labelled=30")
    let run = try Run(recipe, catalog: Catalog(plugins), in: scratch.url.appendingPathComponent("mine"))
    let (training, test) = (try run.encode(.train), try run.encode(.test))
    let panels = try #require(try run.session.latentScatter(training: training, test: test))
    // Thirty digits keep their label, three of each class; the test part hides none.
    let groups = panels.map { $0.groups.filter { !$0.isMarker } }
    let counts = groups.map { $0.map(\.points.count) }
    let total = try training.latents.size(0)
    #expect(run.session.labelledCount == 30 && counts[0] == Array(repeating: 3, count: 10) + [total - 30])
    #expect(groups[0].map(\.isBackground) == Array(repeating: false, count: 10) + [true])
    #expect(counts[1].count == 10 && counts[1].reduce(0, +) == 1000)
    // The prior's centroids stand in both panels, at the same places.
    let centroids = try panels.map { try #require($0.groups.last).points }
    #expect(centroids[0].count == 10 && centroids[0].map(\.x) == centroids[1].map(\.x))
  }

  @Test func drawsDependOnTheSeedAndNotOnWhetherTheRunHasFinished() throws {
    let scratch = try Scratch()
    let run = try Run(
      Recipe.read(yaml: small, file: "small"), catalog: Catalog(plugins), in: scratch.url.appendingPathComponent("a"))
    try run.train()
    let before = try run.sample(perClass: 2).draw.latents.bytes()
    try run.finish(perClass: nil)
    let opened = try Run(opening: run.folder.url, catalog: Catalog(plugins))
    #expect(try opened.sample(perClass: 2).draw.latents.bytes() == before)
    #expect(try opened.sample(perClass: 2, seed: 1).draw.latents.bytes() != before)
    #expect(throws: RecipeError.self) { try opened.sample(classes: [10]) }
    for none in [0, -1] { #expect(throws: RecipeError.self) { try opened.sample(perClass: none) } }
    // A run that went on and was killed in its last minute has latents of older weights.
    let latents = try Safetensors.read(run.folder.latents).tensors
    let moved = try #require(latents["latents"]) + 9
    try Safetensors.write(latents.merging(["latents": moved]) { $1 }, to: run.folder.latents)
    #expect(try opened.sample(perClass: 2).draw.latents.bytes() != before)
    try FileManager.default.removeItem(at: run.folder.summary)
    #expect(try opened.sample(perClass: 2).draw.latents.bytes() == before)
    #expect(throws: RecipeError.self) { try opened.sample(classes: []) }
  }
}

@Suite struct Folders {
  private let catalog: Catalog
  private let recipe: Recipe

  init() throws {
    catalog = try Catalog(plugins)
    recipe = try Recipe.read(yaml: small, file: "small")
  }

  @Test func aStoppedRunGoesOnToTheSameWeights() throws {
    let scratch = try Scratch()
    let (one, other) = (scratch.url.appendingPathComponent("one"), scratch.url.appendingPathComponent("other"))
    let whole = try Run(recipe, catalog: catalog, in: one)
    #expect(try whole.train() == .finished)

    let listener = Listener()
    let stopped = try Run(recipe, catalog: catalog, in: other, observer: listener)
    #expect(try stopped.train { listener.steps == 8 } == .interrupted)
    #expect(listener.epochs.count == 1)
    // The same script again, as another program would start it.
    let resumed = try Run(recipe, catalog: catalog, in: other, existing: .resume, observer: listener)
    #expect(throws: FileError.self, "while another run holds the folder") { try resumed.train() }
    #expect(try stopped.train() == .finished)
    #expect(listener.steps == 12)
    let weights = try [whole, stopped].map { run in
      try run.session.composition.store.parameters.map { try $0.tensor.detached().bytes() }
    }
    #expect(weights[0] == weights[1])
  }

  @Test func aRunInTheFolderIsRefusedReplacedOrGoneOnWith() throws {
    let scratch = try Scratch()
    let url = scratch.url.appendingPathComponent("run")
    func run(_ existing: Run.Existing, _ recipe: Recipe, _ listener: Listener? = nil) throws -> Run {
      try Run(recipe, catalog: catalog, in: url, existing: existing, observer: listener)
    }
    try run(.refuse, recipe).train()
    #expect(throws: FileError.self) { try run(.refuse, recipe) }
    let listener = Listener()
    let again = try run(.resume, recipe, listener)
    try again.train()
    #expect(listener.steps == 0, "nothing is left to train")
    #expect(try again.evaluate().losses == Run(opening: url, catalog: catalog).evaluate().losses)
    // A finished run holds its folder no longer.
    try again.finish(perClass: nil)

    var other = recipe
    other.seed = 1
    let differs = try #require(throws: RecipeError.self) { try run(.resume, other).train() }
    #expect(differs.description.contains("differ from the run in"))
    try run(.replace, other).train()
    #expect(try Recipe.read(RunFolder(url).recipe).recipe.seed == 1)
  }

  @Test func aRunThatAnotherProgramTrainsIsNeitherReplacedNorTouched() throws {
    let scratch = try Scratch()
    let url = scratch.url.appendingPathComponent("run")
    let busy = try Run(recipe, catalog: catalog, in: url)
    var steps = 0
    func stop() -> Bool {
      steps += 1
      return steps == 8
    }
    #expect(try busy.train(shouldStop: stop) == .interrupted)
    func contents() throws -> [String: Data] {
      try FileManager.default.subpathsOfDirectory(atPath: url.path).reduce(into: [:]) {
        $0[$1] = try? Data(contentsOf: url.appendingPathComponent($1))
      }
    }
    let before = try contents()
    let other = try Run(recipe, catalog: catalog, in: url, existing: .replace)
    let error = #expect(throws: FileError.self) { try other.train() }
    #expect(error?.reason.contains("another program") == true)
    #expect(try contents() == before && before.count >= 4)
    #expect(try busy.train() == .finished)
    try busy.finish(perClass: nil)

    // One that was begun, and finished, after this program looked.
    let place = scratch.url.appendingPathComponent("late")
    let late = try Run(recipe, catalog: catalog, in: place)
    let first = try Run(recipe, catalog: catalog, in: place)
    try first.train()
    try first.finish(perClass: nil)
    let refused = #expect(throws: FileError.self) { try late.train() }
    #expect(refused?.reason.contains("holds a run already") == true)
    #expect(FileManager.default.fileExists(atPath: first.folder.summary.path))
  }

  @Test func filesOfOthersAreNoRun() throws {
    let scratch = try Scratch()
    let figures = scratch.url.appendingPathComponent("paper/figures")
    try FileManager.default.createDirectory(at: figures, withIntermediateDirectories: true)
    let mine = figures.appendingPathComponent("samples.png")
    try Data("mine".utf8).write(to: mine)
    for existing in [Run.Existing.refuse, .replace, .resume] {
      let run = try Run(
        recipe, catalog: catalog, in: scratch.url.appendingPathComponent("paper"), existing: existing)
      let error = #expect(throws: FileError.self) { try run.train() }
      #expect(error?.reason.contains("holds 'figures/samples.png' and no run") == true)
    }
    #expect(try Data(contentsOf: mine) == Data("mine".utf8))
  }

  @Test func aCheckpointThatWasKeptIsOpened() throws {
    let scratch = try Scratch()
    var recipe = recipe
    try recipe.set("keepEpochs=[1]")
    let run = try Run(recipe, catalog: catalog, in: scratch.url.appendingPathComponent("run"))
    try run.train()
    func weights(_ session: Session) throws -> [Data] {
      try session.composition.store.parameters.map { try $0.tensor.detached().bytes() }
    }
    let kept = run.folder.checkpoint(of: "main", epoch: 1)
    let early = try weights(Session(opening: run.folder.url, catalog: catalog, checkpoint: kept))
    let stored = try Checkpoint.read(kept)
    #expect(
      try early
        == run.session.composition.store.parameters.map { try #require(stored.tensors["model.\($0.name)"]).bytes() })
    #expect(try early != weights(run.session))
    #expect(try weights(Session(opening: run.folder.url, catalog: catalog)) == weights(run.session))
  }

  /// A model outlives the metrics that it was measured by.
  @Test func aMetricThatIsGoneIsLeftOutAndNamed() throws {
    let scratch = try Scratch()
    let run = try Run(recipe, catalog: catalog, in: scratch.url.appendingPathComponent("run"))
    try run.train()
    let text = try String(contentsOf: run.folder.recipe, encoding: .utf8)
    func opened(_ changes: (String, String)...) throws -> [Notice] {
      let changed = changes.reduce(text) { $0.replacing($1.0, with: $1.1) }
      #expect(changed != text)
      try Data(changed.utf8).write(to: run.folder.recipe)
      let listener = Listener()
      let result = try Run(opening: run.folder.url, catalog: catalog, observer: listener).evaluate(.test)
      #expect(!result.losses.isEmpty && !result.measurements.contains { $0.name == "reconstruction error" })
      return listener.notices
    }
    let place = run.folder.recipe.relativePath
    for (new, reason) in [
      ("{use: reconstruction-error, with: {gone: 1}}", "there is no setting 'gone'"),
      ("reconstruction-errors", "there is no metric"),
    ] {
      let warnings = try opened(("reconstruction-error", new)).map(\.description).filter { $0.hasPrefix("warning: ") }
      #expect(warnings.count == 1)
      #expect(warnings[0].hasPrefix("warning: a metric is left out: \(place):"))
      #expect(warnings[0].contains(reason), "\(warnings)")
    }
    let error = #expect(throws: RecipeFileError.self) { try opened(("hidden:", "hiden:")) }
    #expect(error?.file == place && error?.position != nil && error?.path.hasPrefix("encoder.with") == true)
  }

  @Test func whatIsNoRunIsNotOpened() throws {
    let scratch = try Scratch()
    let error = #expect(throws: RecipeError.self) { try Run(opening: scratch.url, catalog: catalog) }
    #expect(error?.description.contains("is not the folder of a run") == true)
    var recipe = recipe
    recipe[.data] = nil
    let missing = #expect(throws: RecipeError.self) { try Run(recipe, catalog: catalog, in: scratch.url) }
    #expect(missing?.description == "the recipe names no data; add 'data: mnist'")
  }

  @Test func aMachineThatIsNotThereIsRefused() throws {
    #expect(throws: RecipeError.self) { try Machine(threads: 0).apply() }
    #expect(throws: RecipeError.self) { try Machine(device: Device(.cuda, index: 99)).apply() }
  }

  @Test func tablesAreWrittenExactlyAndWithoutNeedlessDigits() throws {
    let scratch = try Scratch()
    let table = MeasuredTable(
      rowTitle: "true class", rows: ["a", "b, c"], columnTitle: "predicted class", columns: ["x", "y"],
      values: [[76, 0.1 + 0.2], [.nan, 1e300]])
    let url = scratch.url.appendingPathComponent("tables/t.csv")
    try table.write(to: url)
    #expect(
      try String(contentsOf: url, encoding: .utf8)
        == "true class,x,y\r\na,76,0.30000000000000004\r\n\"b, c\",,1e+300\r\n")
  }
}
