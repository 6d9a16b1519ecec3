import ArgumentParser
import Datasets
import Foundation
import LatentKit

struct Doctor: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tell what is installed, what is missing and how to get it.")

  @OptionGroup(title: "Machine") var machine: MachineOptions

  func run() throws {
    let device = try machine.apply()
    say("libtorch   \(Torch.version)")
    let devices = [Device.cpu, .cuda, .mps].filter(\.isAvailable).map(\.description)
    say("devices    \(devices.joined(separator: ", ")); in use: \(device)")
    if device == .cpu && !Device.cuda.isAvailable {
      say("           for a GPU, point LIBTORCH at a CUDA libtorch, run Scripts/bootstrap and build again")
    }
    say("threads    \(Torch.threadCount) of \(ProcessInfo.processInfo.activeProcessorCount) cores")
    let plugins = Host.plugins.map { $0.name }
    let count = try Slot.allCases.reduce(0) { try $0 + Host.catalog.descriptions(of: $1).count }
    say("plugins    \(plugins.joined(separator: ", ")): \(count) parts")
    tool("gnuplot", "letters pictures and draws plots", "apt-get install gnuplot-nox")
    tool("curl", "fetches data sets", "apt-get install curl")
    tool("unzip", "unpacks EMNIST", "apt-get install unzip")
    let folder = machine.namedDataFolder
    say("data       \(folder.map { "folder \($0.path)" } ?? "no folder named; set LATENTKIT_DATA or --data-dir")")
    for known in DatasetLibrary.known {
      say("           \(known.name): \(known.status(in: folder))")
    }
  }

  private func tool(_ name: String, _ use: String, _ install: String) {
    let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
      .map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    let label = name + String(repeating: " ", count: max(1, 11 - name.count))
    say(path.map { "\(label)\($0)" } ?? "\(label)missing (\(use)); install it: \(install)")
  }
}
