import ArgumentParser
import Figures
import Foundation
import LatentKit
import Runs
import Training

struct Latents: PartCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw the latents of a run over its epochs, with the centroids of its prior.",
    discussion: """
        host latents runs/demo
        host latents runs/demo --animation epochs.png

      A panel for each epoch whose checkpoint the run kept, by keepEpochs of its stage, \
      and one for its end. Latents of two values are drawn as they are, longer ones in \
      the plane in which those at the end vary most.
      """)

  @Argument(help: ArgumentHelp("The folder of a run.", valueName: "run"), completion: .directory) var folder: String
  @Option(help: "train, validation or test.") var part = DataPart.train
  @Option(help: "Panels in a row.") var columns = 5
  @Option(
    help: ArgumentHelp(
      "The picture; figures/latents-epochs.png of the run or the next unless said.", valueName: "file.png"))
  var output: String?
  @Option(
    help: ArgumentHelp(
      "Also the panels one after another in one file, an animated PNG; none unless said.", valueName: "file.png"))
  var animation: String?
  @OptionGroup(title: "Parts in other languages") var foreign: ForeignOptions
  @OptionGroup(title: "Machine") var machine: MachineOptions

  func validate() throws {
    guard (1...20).contains(columns) else { throw ValidationError("--columns is \(columns), expected 1 to 20") }
  }

  func run(in host: Host) throws {
    let console = host.console
    let output = try output.map { try OutputFile.named($0, by: "--output", endings: ["png", "svg"]) }
    let animation = try animation.map { try OutputFile.named($0, by: "--animation") }
    try OutputFile.requireDifferent([output, animation].compactMap { $0 })
    if let missing = FigurePrograms.missing { throw FigureError(missing) }
    let run = RunFolder(URL(fileURLWithPath: folder))
    let reading = try run.lockForReading()
    defer { withExtendedLifetime(reading) {} }
    let history = try LatentHistory(
      opening: run.url, catalog: host.catalog, machine: machine.machine(), part: part,
      observer: ConsoleObserver(console))
    func draw(to url: URL) throws { try ScatterPlot.write(history.panels, to: url, columns: columns) }
    if let output { try OutputFile.writePicture(output, draw) }
    let picture =
      try output
      ?? OutputFile.add(
        run.figure("latents-epochs.png"), to: run, overwrites: false, isFigure: true, draw)
    console.say("epochs   \(history.epochs.map(String.init).joined(separator: ", "))")
    console.say("picture  \(picture.relativePath)")
    if let animation {
      try ScatterPlot.animate(history.panels, to: animation)
      console.say("animation  \(animation.relativePath)")
    }
  }
}
