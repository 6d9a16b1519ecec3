import ArgumentParser
import Foundation
import LatentKit
import Recipes
import Studies

struct Reproduce: PartCommand {
  static let configuration = CommandConfiguration(
    abstract: "Run the experiments behind a table or a figure, and put our numbers beside the published ones.",
    discussion: """
        host reproduce Plugins/CSAE/experiments/table-2.yaml --dry-run
        host reproduce Plugins/CSAE/experiments/table-2.yaml --only 'with linear'
        host reproduce Plugins/CSAE/experiments/table-2.yaml --report
        host reproduce Plugins/CSAE/experiments/table-2.yaml --earlier results.csv

      What is finished is kept and what was stopped goes on: start it again with the same command. Experiments that \
      have a run in common share it. Full data sets only, unless --set asks for less; what --set changed is written above \
      the numbers, which go to a folder of their own. With --earlier, runs whose numbers another machine or an \
      earlier day has left in a results.csv are not run again: a run is known by its recipe, seed and fold.
      """)

  @Argument(
    help: ArgumentHelp("The experiment's file.", valueName: "experiment.yaml"),
    completion: .file(extensions: ["yaml", "yml"]))
  var file: String
  @Option(
    parsing: .singleValue,
    help: ArgumentHelp("Run only rows with this in their name. Repeat for more.", valueName: "text"))
  var only: [String] = []
  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Other seeds than the experiment's, as in 1,2,3 or 1-5.", valueName: "list")) var seeds: String?
  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp("A change to every recipe, as in epochs=16. Repeat for more.", valueName: "path=value"))
  var settings: [String] = []
  @Option(
    help: ArgumentHelp(
      "A data set that no run was trained on, for all runs to reconstruct; the experiment's unless said.",
      valueName: "data"))
  var unseen: String?
  @Option(
    parsing: .singleValue,
    help: ArgumentHelp(
      "The results.csv of earlier runs of the experiment, which are not run again. Repeat for more.", valueName: "file"),
    completion: .file(extensions: ["csv"]))
  var earlier: [String] = []
  @Option(help: ArgumentHelp("Where run folders go.", valueName: "folder")) var runs = "runs"
  @Option(help: "Samples to draw of each class.") var perClass = 10
  @Flag(help: "Show what there is to run, and stop.") var dryRun = false
  @Flag(help: "Show the numbers of what has been run, and run nothing.") var report = false
  @OptionGroup(title: "Parts in other languages") var foreign: ForeignOptions
  @OptionGroup(title: "Machine") var machine: MachineOptions

  func validate() throws {
    guard (1...1000).contains(perClass) else { throw ValidationError("--per-class is \(perClass), expected 1 to 1000") }
  }

  func run(in host: Host) throws {
    var study = try study(of: Experiment(URL(fileURLWithPath: file)), catalog: host.catalog)
    if dryRun { return show(study, host.console) }
    study.machine = try machine.machine()
    if report {
      let report = try study.report(observer: ConsoleObserver(host.console))
      return try host.show(report)
    }
    host.warnAboutFigures()
    try host.run(
      study, perClass: perClass,
      wayOn: (["host"] + CommandLine.arguments.dropFirst()).map(\.quotedForShell).joined(separator: " "))
  }

  /// The runs of an experiment, as the flags change it.
  func study(of experiment: Experiment, catalog: Catalog) throws -> Study {
    var study = try Study(
      experiment, catalog: catalog, in: URL(fileURLWithPath: runs),
      options: ExperimentOptions(
        only: only, seeds: seeds.map(RepeatOptions.list), changes: settings, unseen: unseen))
    study.earlier = try earlier.map { try EarlierResults(URL(fileURLWithPath: $0)) }
    return study
  }

  private func show(_ study: Study, _ console: Console) {
    console.say(study.title)
    func say(_ run: Study.PlannedRun, _ label: String) {
      let state = run.isFinished ? "finished" : study.isDone(run) ? "earlier" : run.isBegun ? "begun" : "to do"
      console.say(
        "\(state.padding(toLength: 9, withPad: " ", startingAt: 0))\(label), \(run.label)  \(run.folder.url.relativePath)"
      )
    }
    let first = study.wantedFirst
    for run in first { say(run, run.firstLabel) }
    for cell in study.cells where study.isWanted(cell) { for run in cell.runs { say(run, cell.label) } }
    let runs = first + study.cells.filter(study.isWanted).flatMap(\.runs)
    console.say("\(runs.count { !study.isDone($0) }) of \(runs.count) runs to do")
  }
}

extension String {
  /// The same as one word of a shell.
  var quotedForShell: String {
    let plain = !isEmpty && allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "_./=,:-+@%".contains($0)) }
    return plain ? self : "'" + replacing("'", with: "'\\''") + "'"
  }
}
