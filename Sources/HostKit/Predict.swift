import ArgumentParser
import Datasets
import Files
import Foundation
import LatentKit
import Recipes
import Runs

struct Predict: PartCommand {
  static let configuration = CommandConfiguration(
    abstract: "Predict the classes of new rows or images with a trained run.",
    discussion: """
        host predict runs/demo new.csv
        host predict runs/demo pictures/ photo.png --output predictions.csv
        host predict runs/demo                             # the run's own test part

      A line for each example: its id, its class by the rule that the recipe measures \
      accuracy with, the score of each class or the distance to it, the nearest mean of a \
      class's training latents, and the latent. Columns of a table are found by their \
      names; labels may be missing.
      """)

  @Argument(help: ArgumentHelp("The folder of a run.", valueName: "run"), completion: .directory) var folder: String
  @Argument(
    help: ArgumentHelp(
      "Tables, or pictures, folders and .npz files of them, as the run reads; its own data unless said.",
      valueName: "data"), completion: .file()) var data: [String] = []
  @Option(help: "Of the run's own data: train, validation or test.") var part: DataPart?
  @Option(help: ArgumentHelp("The file to write; standard output unless said.", valueName: "file.csv"))
  var output: String?
  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp(
      "How the files are read where it is not as the run's own, as in data.separator=tab. Repeat for more.",
      valueName: "path=value"))
  var settings: [String] = []
  @OptionGroup var weights: EpochOption
  @OptionGroup(title: "Parts in other languages") var foreign: ForeignOptions
  @OptionGroup(title: "Machine") var machine: MachineOptions

  func validate() throws {
    if let other = settings.first(where: { !$0.hasPrefix("data.") }) {
      throw ValidationError("--set \(other): found no setting of the data, expected one such as data.decimal=comma")
    }
    if !settings.isEmpty, data.isEmpty {
      throw ValidationError("--set is about how files are read, and none is named; name one, or leave it out")
    }
    if let part, !data.isEmpty {
      throw ValidationError("--part \(part.rawValue) is about the run's own data, and files are named; leave one out")
    }
  }

  func run(in host: Host) throws {
    let console = host.console
    let output = try output.map { try OutputFile.named($0, by: "--output", endings: ["csv", "h5ad"]) }
    let folder = RunFolder(URL(fileURLWithPath: folder))
    let reading = try folder.lockForReading()
    defer { withExtendedLifetime(reading) {} }
    // Results may go to standard output: what is said beside them does not.
    let quiet = Console(output: console.errors, errors: console.errors)
    let run = try Run(
      opening: folder.url, catalog: host.catalog, machine: machine.machine(), observer: ConsoleObserver(quiet),
      checkpoint: weights.checkpoint(of: folder))
    let files = data.map(URL.init(fileURLWithPath:))
    if let output { try OutputFile.require(output, besides: files + run.session.inputs, by: "--output") }
    let table = try run.predict(files, part: part ?? .test, setting: settings)
    if let output {
      try table.write(to: output)
      console.say("predictions  \(output.relativePath)")
    } else {
      try table.forEachLine { console.output($0) }
    }
    if let title = table.title { quiet.say("predicted by \(title)") }
    if let (matrix, count) = table.agreement {
      let shares = [
        ("accuracy", matrix.accuracy), ("balanced accuracy", matrix.balancedAccuracy), ("macro F1", matrix.macroF1),
      ].compactMap { name, share in share.map { "\(name) \(number(100 * $0)) %" } }
      quiet.say("\(shares.joined(separator: ", ")) of \(counted(count, "labelled example"))")
    }
    for note in table.notes { quiet.warn("note: \(note)") }
  }
}
