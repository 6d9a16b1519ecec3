import ArgumentParser
import Foundation
import LatentKit
import Recipes
import Runs
import Studies
import Training

extension DataPart: ExpressibleByArgument {}

struct Evaluate: PartCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure a trained run on a part of the data, or each run of a study.",
    discussion:
      """
        host evaluate runs/demo
        host evaluate runs/demo --part validation
        host evaluate runs/demo --epoch 5
        host evaluate runs/demo --metric probe --set 'metrics.probe.labels=[100, 1000]'

      Other metrics than the run's are measured for once: its folder stays as it is.
      """)

  @Argument(help: ArgumentHelp("The folder of a run, or of a study.", valueName: "run"), completion: .directory)
  var folder: String
  @Option(help: "train, validation or test.") var part = DataPart.test
  @Option(
    name: .customLong("metric"), parsing: .singleValue,
    help: "What is measured in place of the run's metrics. Repeat for more; 'none' for nothing but the losses.",
    completion: .custom { words, _, _ in Host.names(in: .metric, on: words) })
  var metrics: [String] = []
  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp(
      "A setting of a metric, as in metrics.probe.classifier=cnn. Repeat for more.", valueName: "path=value"))
  var settings: [String] = []
  @OptionGroup var weights: EpochOption
  @OptionGroup(title: "Parts in other languages") var foreign: ForeignOptions
  @OptionGroup(title: "Machine") var machine: MachineOptions

  func validate() throws {
    for setting in settings where !Recipe.path(of: setting).hasPrefix("metrics") {
      throw ValidationError(
        "--set \(setting): found '\(Recipe.path(of: setting))', expected a setting of a metric, as in metrics.probe.classifier=cnn; "
          + "the rest of a run's recipe stays as it was trained with")
    }
  }

  func run(in host: Host) throws {
    let console = host.console
    let folder = RunFolder(URL(fileURLWithPath: folder))
    guard folder.runs.isEmpty else { return try run(overStudy: folder, in: host) }
    let (run, result) = try evaluate(folder, in: host)
    console.say("\(part.rawValue): \(try run.session.part(part).count) examples of \(run.session.dataset.name)")
    for metric in result.measurements {
      guard let table = metric.table else {
        console.say("\(metric.name) \(metric.text)")
        continue
      }
      console.say(metric.name + (metric.value == nil ? "" : " \(metric.text)"))
      let rows = zip(table.rows, table.values).map { name, values in
        [name] + values.map { $0.map { Int(exactly: $0).map(String.init) ?? number($0) } ?? "-" }
      }
      for line in aligned([[table.rowTitle] + table.columns] + rows, numbersFrom: 1) { console.say("  \(line)") }
    }
    for warning in result.measurements.compactMap(\.warning) { console.warn("warning: \(warning)") }
    for (name, value) in result.losses.sorted(by: { $0.key < $1.key }) { console.say("\(name) \(number(value))") }
  }

  private func evaluate(_ folder: RunFolder, in host: Host) throws -> (Run, EvaluationResult) {
    let reading = try folder.lockForReading()
    defer { withExtendedLifetime(reading) {} }
    let run = try Run(
      opening: folder.url, catalog: host.catalog, machine: machine.machine(), observer: ConsoleObserver(host.console),
      checkpoint: weights.checkpoint(of: folder)
    ) { recipe in
      recipe.replace(.metric, by: metrics)
      for setting in settings { try recipe.set(setting) }
    }
    return (run, try run.evaluate(part))
  }

  /// Measures each finished run of a study, and shows the means over them.
  private func run(overStudy folder: RunFolder, in host: Host) throws {
    let runs = folder.runs.filter { FileManager.default.fileExists(atPath: $0.summary.path) }
    guard !runs.isEmpty else {
      throw RecipeError(
        "no run of the study in \(folder.url.relativePath) has finished; go on with it, as in host compose --resume \(folder.url.relativePath)"
      )
    }
    var (names, values): ([String], [String: (unit: String, all: [Double])]) = ([], [:])
    for run in runs {
      let result = try evaluate(run, in: host).1
      let losses = result.losses.sorted { $0.key < $1.key }.map { Measured($0.key, $0.value) }
      for measured in result.measurements + losses {
        guard let value = measured.value else { continue }
        if values[measured.name] == nil { names.append(measured.name) }
        values[measured.name, default: (measured.unit, [])].all.append(value)
      }
    }
    let others = folder.runs.count - runs.count
    host.console.say(
      "\(part.rawValue): mean ± standard deviation over \(counted(runs.count, "run")) of \(folder.url.relativePath)"
        + (others > 0 ? " (\(others) not finished)" : ""))
    for name in names {
      guard let (unit, all) = values[name] else { continue }
      let spread = all.deviation.map { " ± \(Measured(name, $0, unit: unit).text)" } ?? ""
      let count = all.count < runs.count ? " (\(counted(all.count, "run")))" : ""
      host.console.say("\(name) \(Measured(name, all.mean, unit: unit).text)\(spread)\(count)")
    }
  }
}
