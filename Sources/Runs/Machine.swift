import Foundation
import LatentKit
import Training

/// The data folder, device and threads that runs use.
public struct Machine: Sendable, Equatable {
  /// The folder with the data sets; nil for that of the environment variable `LATENTKIT_DATA`, or else the embedded subsets.
  public var dataFolder: URL?
  /// The device that runs compute on.
  public var device: Device
  /// Threads per operation, 1 to 1024; nil leaves the number as it is, by default one for each core.
  public var threads: Int?

  /// Creates a machine; see the properties for the defaults.

  public init(dataFolder: URL? = nil, device: Device = .best, threads: Int? = nil) {
    self.dataFolder = dataFolder
    self.device = device
    self.threads = threads
  }

  /// Takes the device and the number of threads that a run, or the first run of a study, was trained on: its bits depend on them.
  ///
  /// - Parameters:
  ///   - folder: A folder with a checkpoint, or with those of a study's runs; without one nothing changes.
  ///   - device: Whether to take the device, where this machine has it.
  ///   - threads: Whether to take the number of threads.
  public mutating func keep(_ folder: RunFolder, device: Bool = true, threads: Bool = true) {
    let runs = [folder] + folder.runs
    // A checkpoint that cannot be read is refused where the run goes on.
    guard let trained = runs.lazy.compactMap({ try? Checkpoint.read($0.checkpoint).machine }).first else { return }
    if device, let known = Device(parsing: trained.device), known.isAvailable { self.device = known }
    if threads, (1...1024).contains(trained.threads) { self.threads = trained.threads }
  }

  /// Applies the settings that hold for the whole process: the number of threads and, on GPUs, deterministic kernels.
  ///
  /// - Throws: `RecipeError` for a number of threads out of range or a device that is not available.
  public func apply() throws {
    if let threads {
      guard (1...1024).contains(threads) else { throw RecipeError("found \(threads) threads, expected 1 to 1024") }
      Torch.threadCount = threads
    }
    guard device.isAvailable else {
      let available = [Device.cpu, .cuda, .mps].filter(\.isAvailable).map(\.description).joined(separator: ", ")
      throw RecipeError(
        "device \(device) is not available with this libtorch (\(Torch.version)); choose one of: \(available)")
    }
    // CPU kernels are always deterministic.
    if device != .cpu { Torch.setDeterministic(true) }
  }
}
