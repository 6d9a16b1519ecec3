import Foundation
import LatentKit

/// Where data sets are looked for, and what computes.
public struct Machine: Sendable, Equatable {
  /// The folder with the data sets; nil for the one that `LATENTKIT_DATA` names, then for what ships with the package.
  public var dataFolder: URL?
  /// The machine that runs compute on.
  public var device: Device
  /// Threads of each operation, 1 to 1024; nil leaves the number as it is, all cores unless set before.
  public var threads: Int?

  /// Creates a value with these fields.
  public init(dataFolder: URL? = nil, device: Device = .best, threads: Int? = nil) {
    self.dataFolder = dataFolder
    self.device = device
    self.threads = threads
  }

  /// Applies what holds for the whole process: the number of threads and, off the CPU, deterministic kernels.
  ///
  /// - Throws: `RecipeError` for a number of threads out of range and for a device that is not available.
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
    // On the CPU everything is deterministic as it is.
    if device != .cpu { Torch.setDeterministic(true) }
  }
}
