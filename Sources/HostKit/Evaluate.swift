import ArgumentParser
import Foundation
import LatentKit
import Runs
import Training

extension DataPart: ExpressibleByArgument {}

struct Evaluate: PartCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure a trained run on a part of the data.",
    discussion:
      "  host evaluate runs/demo\n  host evaluate runs/demo --part validation\n  host evaluate runs/demo --epoch 5")

  @Argument(help: ArgumentHelp("The folder of a run.", valueName: "run"), completion: .directory) var folder: String
  @Option(help: "train, validation or test.") var part = DataPart.test
  @OptionGroup var weights: EpochOption
  @OptionGroup(title: "Parts in other languages") var foreign: ForeignOptions
  @OptionGroup(title: "Machine") var machine: MachineOptions

  func run(in host: Host) throws {
    let console = host.console
    let folder = RunFolder(URL(fileURLWithPath: folder))
    let reading = try folder.lockForReading()
    defer { withExtendedLifetime(reading) {} }
    let run = try Run(
      opening: folder.url, catalog: host.catalog, machine: machine.machine(), observer: ConsoleObserver(console),
      checkpoint: weights.checkpoint(of: folder))
    let result = try run.evaluate(part)
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
}
