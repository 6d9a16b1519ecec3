import Files
import Foundation
import LatentKit

/// The results of one epoch: a line of `metrics.jsonl`.
public struct EpochRecord: Codable, Sendable, Equatable {
  /// The name of the stage.
  public var stage: String
  /// Counted from 1 within the stage.
  public var epoch: Int
  /// Optimiser iterations of the run so far.
  public var iteration: Int
  /// Means over the epoch of each loss term, and their weighted sum as `total`.
  public var training: [String: Double]
  /// The same on the validation part; empty without one.
  public var validation: [String: Double]
  /// The metrics on the validation part; empty without one.
  public var metrics: [Measured]
  /// The learning rate of the last iteration, per step of the stage.
  public var learningRates: [Double]
  /// Seconds of the epoch.
  public var seconds: Double
  /// Training examples per second.
  public var examplesPerSecond: Double
  /// The Euclidean norms of the last batch's gradients over each part, before clipping: `decoder`, or `2.decoder` in a stage of
  /// several steps. In recipes with a discriminator, steps of several terms have those of each weighted term, too: `2.decoder,
  /// adversarial`. Nil where nothing has a gradient, and in logs of earlier versions.
  public var gradientNorms: [String: Double]?
}

extension EpochRecord: CheckedRecord {
  var problem: String? {
    guard epoch >= 1, iteration >= 0 else { return "epoch \(epoch) at iteration \(iteration)" }
    guard seconds.isFinite, seconds >= 0 else { return "\(seconds) seconds" }
    guard !examplesPerSecond.isNaN, examplesPerSecond >= 0 else { return "\(examplesPerSecond) examples per second" }
    return metrics.lazy.compactMap(\.problem).first
  }
}

/// `metrics.jsonl`, appended to epoch by epoch.
public struct MetricsLog {
  private let url: URL

  /// Creates the log of a file, which need not exist.
  public init(_ url: URL) { self.url = url }

  /// Reads all records of a file.
  ///
  /// - Throws: `FileError`.
  public static func read(_ url: URL) throws -> [EpochRecord] {
    try JSONLines.read(url, as: "a record of an epoch")
  }

  /// Adds a line; returns the file's new length in bytes, which the checkpoint records.
  ///
  /// It is in the system's hands then, and outlives the program but not the machine: `sync` before a checkpoint that relies on it.
  public func append(_ record: EpochRecord) throws -> Int {
    let line = try JSONLines.line(record)
    // A program that is killed in between leaves no log, and not an empty one.
    guard OutputPlace(url, followsLinks: false) != nil else {
      try AtomicFile.write(line, to: url)
      return line.count
    }
    return try AtomicFile.append(String(decoding: line, as: UTF8.self), to: url, syncing: false) + line.count
  }

  /// Waits until all lines would outlive a crash of the machine.
  func sync() throws { try AtomicFile.sync(url) }

  /// Cuts off what was written after a checkpoint.
  ///
  /// - Throws: As `check`.
  public func truncate(to length: Int) throws {
    try check(length)
    guard let existing = try? Data(contentsOf: url), existing.count > length else { return }
    try AtomicFile.write(existing.prefix(length), to: url)
  }

  /// Checks that the file has the lines that a checkpoint expects.
  ///
  /// - Parameter length: In bytes.
  /// - Throws: `FileError` for a file that is missing, shorter, or has no line that ends there.
  public func check(_ length: Int) throws {
    guard let existing = try? Data(contentsOf: url) else {
      if length == 0 { return }
      throw FileError(url.path, "is missing, and the checkpoint expects \(length) bytes of it; start the run anew")
    }
    guard existing.count >= length else {
      throw FileError(url.path, "has \(existing.count) bytes, and the checkpoint expects \(length); start the run anew")
    }
    guard length == 0 || existing[existing.startIndex + length - 1] == UInt8(ascii: "\n") else {
      throw FileError(
        url.path, "has no line that ends at byte \(length), as the checkpoint expects; start the run anew")
    }
  }
}
