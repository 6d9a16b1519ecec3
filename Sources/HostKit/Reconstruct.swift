import ArgumentParser
import Datasets
import Figures
import Files
import Foundation
import LatentKit
import Recipes
import Runs
import Training

struct Reconstruct: PartCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw examples above their reconstructions by trained runs, and measure the error.",
    discussion: """
        host reconstruct runs/demo
        host reconstruct runs/demo --data fashion-mnist     # data that the model never saw
        host reconstruct runs/csae-l runs/csae-c runs/cvae --data emnist-letters --classes 0,3,7

      The error is the mean squared difference of a pixel, brightness from 0 to 1, \
      padding left out, so that runs with other inputs compare. A decoder conditioned on \
      the class gets the class of the run's own data; for other data, whichever class \
      reconstructs an image best.
      """)

  @Argument(help: ArgumentHelp("The folders of one run or more.", valueName: "run"), completion: .directory)
  var folders: [String]
  @Option(help: "Another data set than the first run's, of the same size.") var data: String?
  @Option(help: "train, validation or test.") var part = DataPart.test
  @Option(help: "How many examples to draw.") var count = 20
  @Option(
    help: ArgumentHelp(
      "Classes of the data, by number or name, as in 0,3,7; all unless said.", valueName: "list")) var classes: String?
  @Option(
    help: ArgumentHelp(
      "The picture, or of a table the rows as .csv; figures/reconstructions-2.png of the run or the next unless said, named by what else is on it: data, part, more runs; reconstructions.csv.",
      valueName: "file.png|csv"))
  var output: String?
  @OptionGroup var weights: EpochOption
  @OptionGroup(title: "Parts in other languages") var foreign: ForeignOptions
  @OptionGroup(title: "Machine") var machine: MachineOptions

  func validate() throws {
    guard (1...10_000).contains(count) else { throw ValidationError("--count is \(count), expected 1 to 10000") }
  }

  func run(in host: Host) throws {
    let (console, machine) = (host.console, try machine.machine())
    let output = try output.map { try OutputFile.named($0, by: "--output", endings: ["png", "svg", "csv"]) }
    let reading = try folders.map { try RunFolder(URL(fileURLWithPath: $0)).lockForReading() }
    defer { withExtendedLifetime(reading) {} }
    let observer = ConsoleObserver(console)
    let folder = RunFolder(URL(fileURLWithPath: folders[0]))
    let first = try Session(
      opening: folder.url, catalog: host.catalog, machine: machine, observer: observer,
      checkpoint: weights.checkpoint(of: folder))
    if let output {
      try OutputFile.require(output, isOf: first.training.examples.areImages, tables: ["csv"], by: "--output")
      try OutputFile.require(output, besides: first.inputs, by: "--output")
    }
    guard first.training.examples.areImages else { return try reconstructTable(first, to: output, console) }
    let runs =
      try [Reconstructor(first, named: folder.name)]
      + folders.dropFirst().map {
        let folder = RunFolder(URL(fileURLWithPath: $0))
        return try Reconstructor(
          opening: folder.url, catalog: host.catalog, machine: machine, observer: observer,
          checkpoint: weights.checkpoint(of: folder))
      }
    let dataset = try first.dataset(named: data, observer: observer)
    let asked = try classes.map { try dataset.classes(named: $0) }
    let source = try UnseenImages(dataset, part: part, classes: asked)
    // The plain name is the run's own picture, which its report shows.
    let isOwn = dataset.name == first.dataset.name
    let special =
      [
        isOwn ? nil : dataset.name, part == .test ? nil : part.rawValue, classes.map { "classes-\($0)" },
        try weights.kept(by: folder).map { "\($0.stage)-epoch-\($0.epoch)" },
      ]
      .compactMap { $0 } + runs.dropFirst().map(\.name)
    let name = (["reconstructions"] + special).joined(separator: "-").replacing("/", with: "-") + ".png"
    if output == nil, let defect = FileName.defect(in: name, longest: 200) {
      throw ValidationError("the picture would be called '\(name)', which \(defect); name it by --output")
    }
    let comparison = try ReconstructionComparison(of: runs, on: source, count: count)
    for note in comparison.notes { console.say("note: \(note)") }
    console.say(ReconstructionComparison.unit)
    for line in aligned(comparison.table) { console.say("  \(line)") }
    let url = try write(to: output, orBesides: folder.figure(name), of: folder, overwrites: !special.isEmpty) {
      try comparison.grid.write(to: $0)
    }
    console.say("picture  \(url.relativePath)")
  }

  private func write(
    to output: URL?, orBesides own: URL, of run: RunFolder, overwrites: Bool, isFigure: Bool = true,
    _ body: (URL) throws -> Void
  ) throws -> URL {
    guard let output else {
      return try OutputFile.add(own, to: run, overwrites: overwrites, isFigure: isFigure, body)
    }
    if isFigure { try OutputFile.writePicture(output, body) } else { try body(output) }
    return output
  }

  /// Writes rows and their reconstructions side by side, in the units of the data.
  private func reconstructTable(_ session: Session, to output: URL?, _ console: Console) throws {
    guard folders.count == 1, data == nil, classes == nil else {
      throw RecipeError(
        "run '\(folders[0])' reads rows of numbers: name it alone, without --data and --classes, to write a table")
    }
    let source = try session.part(part)
    guard session.composition.model.decoder != nil else {
      throw RecipeError("run '\(folders[0])' has no decoder, so it reconstructs nothing; name a run with a decoder")
    }
    let run = RunFolder(URL(fileURLWithPath: folders[0]))
    let own = try run.url.appendingPathComponent("reconstructions\(weights.suffix(of: run)).csv")
    let url = try write(to: output, orBesides: own, of: run, overwrites: true, isFigure: false) {
      _ = try session.writeReconstructions(of: source, count: count, to: $0)
    }
    let batch = try source.batch(0..<source.count)
    let error = try session.evaluator.reconstruct(batch).squaredError(batch.inputs, .mean).item()
    console.say("mean squared error of a value, as the model sees it, \(source.count) rows  \(number(error))")
    let shown = min(count, source.count)
    console.say(
      "table    \(url.relativePath)\(shown < source.count ? ", \(shown) of the rows; --count says how many" : "")")
  }
}
