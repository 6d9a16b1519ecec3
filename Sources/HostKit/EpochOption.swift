import ArgumentParser
import Foundation
import Training

/// The epoch whose weights a command takes, of a run that kept its checkpoint.
struct EpochOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The weights after this epoch, as in 5 or decoder:5: one of keepEpochs, or the best or the last of a stage with 'stop'; those of the run's end unless said.",
      valueName: "epoch"),
    completion: .custom { words, _, _ in
      words.map { RunFolder(URL(fileURLWithPath: $0)) }.first(where: \.exists)?.keptEpochs.map(\.description) ?? []
    })
  var epoch: String?

  /// Returns the kept epoch of a run; nil for the weights of its end.
  /// - Throws: `FileError` for one that was not kept, with those that were.
  func kept(by folder: RunFolder) throws -> KeptEpoch? {
    // What is no run is refused when it is opened.
    guard let epoch, folder.exists else { return nil }
    return try folder.keptEpoch(epoch)
  }

  /// Returns the checkpoint of that epoch; nil for the last one.
  /// - Throws: As `kept(by:)`.
  func checkpoint(of folder: RunFolder) throws -> URL? {
    try kept(by: folder).map { folder.checkpoint(of: $0) }
  }

  /// What the names of pictures and tables end in; empty for the weights of the run's end.
  func suffix(of folder: RunFolder) throws -> String {
    try kept(by: folder).map { "-\($0.stage)-epoch-\($0.epoch)" } ?? ""
  }
}
