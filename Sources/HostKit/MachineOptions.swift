import ArgumentParser
import Files
import Foundation
import LatentKit
import Runs
import Training

/// Where things are and what they run on.
package struct MachineOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Folder with the data sets.", discussion: "Otherwise $LATENTKIT_DATA, then what ships with the package.",
      valueName: "folder"))
  var dataDir: String?

  @Option(help: ArgumentHelp("cpu, cuda, cuda:1 or mps; the best that is there unless said.", valueName: "device"))
  var device: String?

  @Option(help: ArgumentHelp("Threads per operation; all cores unless said.", valueName: "count"))
  var threads: Int?

  package init() {}

  /// Returns the options as a value, checked.
  package func machine() throws -> Machine {
    if let threads {
      guard (1...1024).contains(threads) else { throw ValidationError("--threads is \(threads), expected 1 to 1024") }
    }
    try requireDataFolder()
    return Machine(dataFolder: dataFolder, device: try chosenDevice(), threads: threads)
  }

  /// Returns the options as a value for a run that goes on: what no flag says stays as it was, since bits depend on it.
  func machine(resuming folder: RunFolder, _ console: Console) throws -> Machine {
    var machine = try machine()
    let before = machine
    machine.keep(folder, device: device == nil, threads: threads == nil)
    if let kept = machine.threads, kept != before.threads, kept != Torch.threadCount {
      console.warn("note: on \(counted(kept, "thread")), as the run was begun; --threads sets another number")
    }
    return machine
  }

  private func chosenDevice() throws -> Device {
    guard let name = device else { return .best }
    guard let device = Device(parsing: name) else {
      throw ValidationError("--device is '\(name)', expected cpu, cuda, cuda:1 or mps")
    }
    guard device.isAvailable else {
      throw RecipeError(
        "device \(name) is not there with this libtorch (\(Torch.version)); 'host doctor' tells what is")
    }
    return device
  }

  /// The folder that the flag names; without it the library looks at the environment.
  var dataFolder: URL? { dataDir.map { URL(fileURLWithPath: $0) } }

  package func validate() throws {
    guard let dataDir else { return }
    guard !dataDir.isEmpty else { throw ValidationError("--data-dir is empty, expected the name of a folder") }
    if let found = dataFolder.flatMap({ OutputPlace($0, followsLinks: true) }), found != .folder {
      throw ValidationError("--data-dir: \(dataDir) is \(found.rawValue), expected a folder; name another one")
    }
  }

  /// - Throws: `ValidationError` where the flag names no folder.
  func requireDataFolder() throws {
    guard let dataFolder, OutputPlace(dataFolder, followsLinks: true) == nil else { return }
    throw ValidationError("--data-dir: there is no folder \(dataFolder.relativePath); make it, or name another one")
  }

  /// A sentence about the folder that the environment names, where no flag does and there is none; nil otherwise.
  ///
  /// - Parameter environment: The environment of the program.
  func environmentFault(_ environment: [String: String] = ProcessInfo.processInfo.environment) -> String? {
    guard dataDir == nil, let path = environment["LATENTKIT_DATA"], !path.isEmpty else { return nil }
    let folder = URL(fileURLWithPath: path)
    let found = OutputPlace(folder, followsLinks: true)
    guard found != .folder else { return nil }
    return
      "LATENTKIT_DATA is \(folder.path), which is \(found?.rawValue ?? "not there"); make that folder, or name another"
  }

  /// The folder that the flag or the environment names.
  var namedDataFolder: URL? {
    let path = dataDir ?? ProcessInfo.processInfo.environment["LATENTKIT_DATA"]
    return path.flatMap { $0.isEmpty ? nil : URL(fileURLWithPath: $0) }
  }

  /// The options as they were typed, for a command that goes on with a run.
  var typed: String {
    let options = [("data-dir", dataDir), ("device", device), ("threads", threads.map(String.init))]
    return options.map { name, value in value.map { " --\(name) \($0.quotedForShell)" } ?? "" }.joined()
  }
}
