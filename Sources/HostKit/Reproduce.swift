import ArgumentParser
import Datasets
import Foundation
import LatentKit
import Recipes
import Training

struct Reproduce: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run the experiments behind a table or a figure, and put our numbers beside the published ones.",
    discussion: """
        host reproduce Plugins/CSAE/experiments/table-2.yaml --dry-run
        host reproduce Plugins/CSAE/experiments/table-2.yaml --only 'with linear'
        host reproduce Plugins/CSAE/experiments/table-2.yaml --report

      What is finished is kept and what was stopped goes on: start it again with the same command. Experiments that \
      have a run in common share it. Full data sets only, unless --set asks for less; what --set changed is written above \
      the numbers, which go to a folder of their own.
      """)

  @Argument(
    help: ArgumentHelp("The experiment's file.", valueName: "experiment.yaml"),
    completion: .file(extensions: ["yaml", "yml"]))
  var file: String
  @Option(
    parsing: .singleValue,
    help: ArgumentHelp("Run only rows with this in their name. Repeat for more.", valueName: "text"))
  var only: [String] = []
  @Option(help: ArgumentHelp("Other seeds than the experiment's, as in 1,2,3 or 1-5.", valueName: "list")) var seeds:
    String?
  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp("A change to every recipe, as in epochs=16. Repeat for more.", valueName: "path=value"))
  var settings: [String] = []
  @Option(
    help: ArgumentHelp(
      "A data set that no run was trained on, for all runs to reconstruct; the experiment's unless said.",
      valueName: "data"))
  var unseen: String?
  @Option(help: ArgumentHelp("Where run folders go.", valueName: "folder")) var runs = "runs"
  @Option(help: "Samples to draw of each class.") var perClass = 10
  @Flag(help: "Show what there is to run, and stop.") var dryRun = false
  @Flag(help: "Show the numbers of what has been run, and run nothing.") var report = false
  @OptionGroup(title: "Machine") var machine: MachineOptions

  func validate() throws {
    guard (1...1000).contains(perClass) else { throw ValidationError("--per-class is \(perClass), expected 1 to 1000") }
  }

  func run() throws {
    let experiment = try Experiment(URL(fileURLWithPath: file))
    let study = try Study(experiment, self)
    if dryRun { return show(study) }
    if report { return try study.report(machine) }
    try study.run(
      Purpose(command: "reproduce", perClass: perClass), machine,
      wayOn: (["host"] + CommandLine.arguments.dropFirst()).map(\.quotedForShell).joined(separator: " "))
  }

  private func show(_ study: Study) {
    say(study.title)
    for cell in study.cells where study.isWanted(cell) {
      for run in cell.runs {
        let state = run.isFinished ? "finished" : run.isBegun ? "begun" : "to do"
        say(
          "\(state.padding(toLength: 9, withPad: " ", startingAt: 0))\(cell.label), \(run.label)  \(run.folder.url.relativePath)"
        )
      }
    }
    let runs = study.cells.filter(study.isWanted).flatMap(\.runs)
    say("\(runs.count { !$0.isFinished }) of \(runs.count) runs to do")
  }
}

extension Study {
  /// The rows of an experiment, as flags change it. Runs lie beside each other, named by what is in their recipes, so
  /// that experiments share them.
  init(_ experiment: Experiment, _ flags: Reproduce) throws {
    let composer = Composer(try Host.catalog)
    let parent = URL(fileURLWithPath: flags.runs)
    func isWanted(_ label: String) -> Bool {
      flags.only.isEmpty || flags.only.contains { label.localizedCaseInsensitiveContains($0) }
    }
    guard experiment.rows.contains(where: { isWanted($0.label) }) else {
      throw UnknownName(flags.only.joined(separator: "', '"), among: experiment.rows.map(\.label), of: "row with")
    }
    let seeds = try flags.seeds.map(RepeatOptions.list) ?? experiment.plan.seeds
    let unseen = flags.unseen ?? experiment.plan.unseen
    if let unseen { _ = try DatasetLibrary.description(unseen) }
    let title = experiment.plan.title.isEmpty ? experiment.name : experiment.plan.title
    let cells = try experiment.rows.compactMap { row -> Cell? in
      var recipe: Recipe
      do { recipe = try experiment.resolved(row, by: flags.settings, composer) } catch {
        // Rows that are left out need not have what a flag changes.
        guard isWanted(row.label) else { return nil }
        throw error
      }
      recipe.about = "\(title): \(row.label)"
      let hasSmallPart = DatasetLibrary.known.contains { $0.name == recipe.data?.use && $0.isEmbedded }
      if hasSmallPart, recipe.data?.with["embedded"].map({ $0 == .null }) ?? true {
        recipe.data?.with["embedded"] = false
      }
      let runs = Study.runs(of: recipe, seeds: seeds, folds: experiment.plan.folds) { recipe, _, _ in
        RunFolder(parent.appendingPathComponent(recipe.folderName))
      }
      return Cell(row: row.row, column: row.column, published: row.published, runs: runs)
    }
    let digest = String(Generator.seed(0, for: flags.settings.joined(separator: "\n")), radix: 36)
    self.init(
      title: title, about: experiment.plan.about, changes: flags.settings, cells: cells,
      measures: experiment.plan.measures, figures: experiment.plan.figures,
      unseen: unseen, isWanted: { isWanted($0.label) },
      folder: parent.appendingPathComponent(
        experiment.name + (flags.settings.isEmpty ? "" : "-changed-\(digest.prefix(6))")))
  }
}

extension Experiment {
  /// The resolved recipe of a row, with the changes of the experiment, of the row and of flags, in this order.
  fileprivate func resolved(_ row: Row, by flags: [String], _ composer: Composer) throws -> Recipe {
    let source = try recipe(of: row)
    var recipe = source.recipe
    do {
      if let data = row.data { recipe.use(data: data) }
      if let data = recipe.data?.use, data != DatasetLibrary.tableName { _ = try DatasetLibrary.description(data) }
      recipe = try composer.resolve(recipe)
      for change in plan.set + row.set + flags {
        guard Recipe.path(of: change) != "seed" else {
          throw ConfigError(path: "seed", "'\(change)' changes nothing: each run has a seed of 'seeds', or of --seeds")
        }
        try recipe.set(change)
      }
      return try composer.resolve(recipe)
    } catch {
      let located = (error as? ConfigError).map { source.located($0, in: recipe) } ?? error
      throw located is RecipeFileError ? located : RecipeError("row '\(row.label)': \(located)")
    }
  }
}

extension String {
  /// The same as one word of a shell.
  var quotedForShell: String {
    let plain = !isEmpty && allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_./=,:-+@%".contains($0)) }
    return plain ? self : "'" + replacing("'", with: "'\\''") + "'"
  }
}

extension Recipe {
  /// A name for its run's folder that differs where anything differs that the run depends on.
  fileprivate var folderName: String {
    var content = self
    (content.name, content.about) = (nil, nil)
    let digest = Generator.seed(0, for: content.yaml())
    return "\(name ?? "run")-\(data?.use ?? "")-seed-\(seed)-" + String(digest, radix: 36)
  }
}
