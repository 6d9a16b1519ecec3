import Files
import Foundation

/// An epoch of a stage whose checkpoint stays in a run's folder: `keepEpochs` lists it, or it is the best or the last one of a stage
/// that has a `stop`.
public struct KeptEpoch: Hashable, Sendable, CustomStringConvertible {
  /// The name of the stage.
  public let stage: String
  /// The epoch of that stage, counted from 1.
  public let epoch: Int

  /// `main:5`, as `RunFolder.keptEpoch(_:)` takes it.
  public var description: String { "\(stage):\(epoch)" }
}

extension RunFolder {
  /// The epochs whose checkpoints are in the folder, by the stage's name, then by number.
  public var keptEpochs: [KeptEpoch] {
    let names =
      (try? FileManager.default.contentsOfDirectory(atPath: checkpoint.deletingLastPathComponent().path)) ?? []
    return names.compactMap { name in
      guard let match = name.wholeMatch(of: /(.+)-epoch-([0-9]+)\.safetensors/), let epoch = Int(match.2) else {
        return nil
      }
      return KeptEpoch(stage: String(match.1), epoch: epoch)
    }
    .sorted { ($0.stage, $0.epoch) < ($1.stage, $1.epoch) }
  }

  /// The checkpoint of a kept epoch.
  public func checkpoint(of kept: KeptEpoch) -> URL { checkpoint(of: kept.stage, epoch: kept.epoch) }

  /// Returns the kept epoch that a text names: `5`, or `decoder:5` where several stages kept such an epoch.
  ///
  /// - Throws: `FileError` for an epoch that was not kept, with those that were, and for one of several stages.
  public func keptEpoch(_ text: String) throws -> KeptEpoch {
    let (all, parts) = (keptEpochs, text.split(separator: ":", omittingEmptySubsequences: false))
    guard (1...2).contains(parts.count), let number = parts.last.flatMap({ Int($0) }), number > 0, !parts[0].isEmpty
    else {
      throw FileError(
        url.relativePath, "found epoch '\(text)', expected a number from 1, or a stage and a number as in main:5")
    }
    let found = all.filter { $0.epoch == number && (parts.count == 1 || $0.stage == parts[0]) }
    guard let first = found.first else {
      let stages = Set(all.map(\.stage)).sorted().map { stage in
        let epochs = all.filter { $0.stage == stage }.map { "\($0.epoch)" }.joined(separator: ", ")
        return "\(epochs.contains(",") ? "epochs" : "epoch") \(epochs) of stage '\(stage)'"
      }
      throw FileError(
        url.relativePath,
        "kept no checkpoint of epoch \(text); "
          + (stages.isEmpty
            ? "it kept none: train with --set keepEpochs=[\(number)] to keep it"
            : "it kept \(stages.joined(separator: " and "))"))
    }
    guard found.count == 1 else {
      throw FileError(
        url.relativePath,
        "kept epoch \(number) of \(found.count) stages; choose one of: "
          + found.map(\.description).joined(separator: ", "))
    }
    return first
  }
}
