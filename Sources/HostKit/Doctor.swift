import ArgumentParser
import Datasets
import Foundation
import LatentKit

struct Doctor: HostSubcommand {
  static let configuration = CommandConfiguration(
    abstract: "Tell what is installed, what is missing and how to get it.")

  @OptionGroup(title: "Machine") var machine: MachineOptions

  func run(in host: Host) throws {
    let (console, named) = (host.console, try machine.machine())
    try named.apply()
    let device = named.device
    console.say("libtorch   \(Torch.version)")
    let devices = [Device.cpu, .cuda, .mps].filter(\.isAvailable).map(\.description)
    console.say("devices    \(devices.joined(separator: ", ")); in use: \(device)")
    if device == .cpu && !Device.cuda.isAvailable {
      console.say("           for a GPU, point LIBTORCH at a CUDA libtorch, run Scripts/bootstrap and build again")
    }
    console.say("threads    \(Torch.threadCount) of \(ProcessInfo.processInfo.activeProcessorCount) cores")
    let plugins = host.plugins.map { $0.name }
    let count = Slot.all.reduce(0) { $0 + host.catalog.descriptions(of: $1).count }
    console.say("plugins    \(plugins.joined(separator: ", ")): \(count) parts")
    for finding in host.misplacedPlugins { console.say("           \(finding)") }
    console.tool("gnuplot", "letters pictures and draws plots", "apt-get install gnuplot-nox")
    console.tool("curl", "fetches data sets", "apt-get install curl")
    console.tool("unzip", "unpacks EMNIST", "apt-get install unzip")
    let folder = machine.namedDataFolder
    console.say(
      "data       \(folder.map { "folder \($0.path)" } ?? "no folder named; set LATENTKIT_DATA or --data-dir")")
    if let fault = machine.environmentFault() { console.say("           \(fault)") }
    for entry in try host.catalog.datasets.entries {
      if let status = entry.status(in: folder) { console.say("           \(entry.name): \(status)") }
    }
  }
}

extension Console {
  /// Says where a program is, or how to get it.
  fileprivate func tool(_ name: String, _ use: String, _ install: String) {
    let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
      .map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    let label = name + String(repeating: " ", count: max(1, 11 - name.count))
    say(path.map { "\(label)\($0)" } ?? "\(label)missing (\(use)); install it: \(install)")
  }
}
