import ArgumentParser
import Foundation
import LatentKit
import Recipes
import Runs
import Training

struct Export: PartCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a trained part of a run into a folder of its own, for other projects.",
    discussion: """
        host export runs/demo --part encoder                    # demo-encoder/
        host compose --encoder ./demo-encoder --freeze encoder  # its weights stay as they are
        host compose --encoder ./demo-encoder                   # they are trained further
        python demo-encoder/part.py                             # the same outputs in PyTorch

      The folder has the weights (safetensors), what the part takes and makes, how its \
      data were prepared, the run's recipe, and a PyTorch module that repeats it. In a \
      recipe it is named by 'encoder: {from: ./demo-encoder, frozen: true}'; the \
      resolved recipe keeps its checksum.
      """)

  @Argument(help: ArgumentHelp("The folder of a run.", valueName: "run"), completion: .directory) var folder: String
  @Option(
    help: ArgumentHelp("The slot of the part, encoder say.", valueName: "slot"),
    completion: .list(Slot.all.filter(\.isTrainable).map(\.name)))
  var part: String
  @Option(
    help: ArgumentHelp("The new folder; RUN-PART in the working directory unless said.", valueName: "folder"),
    completion: .directory) var output: String?
  @OptionGroup var weights: EpochOption
  @OptionGroup(title: "Parts in other languages") var foreign: ForeignOptions
  @OptionGroup(title: "Machine") var machine: MachineOptions

  func run(in host: Host) throws {
    let console = host.console
    let known = Slot.all.filter(\.isTrainable)
    guard let slot = known.first(where: { $0.name == part }) else {
      throw ValidationError("--part: \(UnknownName(part, among: known.map(\.name), of: "slot with weights"))")
    }
    let folder = RunFolder(URL(fileURLWithPath: folder))
    let reading = try folder.lockForReading()
    defer { withExtendedLifetime(reading) {} }
    let session = try Session(
      opening: folder.url, catalog: host.catalog, machine: machine.machine(), observer: ConsoleObserver(console),
      checkpoint: weights.checkpoint(of: folder))
    let export = try PartExport(slot, of: session, named: folder.name)
    let url = URL(fileURLWithPath: output ?? "\(folder.name)-\(slot.name)")
    let checksum = try export.write(to: url)
    console.say("\(slot.name.padding(toLength: 8, withPad: " ", startingAt: 0)) \(url.relativePath)")
    console.say("checksum \(checksum)")
    if let reason = export.part.withoutPython { console.warn("warning: there is no part.py: \(reason)") }
  }
}
