import Foundation
import LatentKit

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
