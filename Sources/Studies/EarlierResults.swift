import Datasets
import Files
import Foundation
import LatentKit

/// Numbers of runs whose folders are elsewhere or gone, from a study's `results.csv`.
///
/// A run is known by the name of its folder, which has a digest of its recipe: numbers of another recipe, seed or fold are never
/// taken. So an experiment can be run in parts, on several machines or days, and its table be put together.
public struct EarlierResults: Sendable {
  /// One number of one run.
  struct Value: Sendable {
    let measured: Measured
    let run: StudyResults.RunSize
  }

  /// The file.
  public let file: URL
  /// The numbers of each run, by the name of its folder.
  let values: [String: [Value]]
  /// The same in the order of the file, with the places of their runs.
  let rows: [Row]

  /// One number with the place of its run.
  struct Row: Sendable {
    let row: String
    let column: String
    /// The seed and the fold, as a planned run's label has them.
    let run: String
    let value: Value
  }

  /// Reads the numbers of a file.
  ///
  /// - Throws: `FileError` for a file that cannot be read, is not the `results.csv` of a study, or is damaged.
  public init(_ file: URL) throws {
    let path = file.relativePath
    let rows = try delimitedTexts(in: file)
    guard let head = rows.first, head == StudyResults.csvHead else {
      throw FileError(
        path,
        "has no head of results; expected the results.csv of 'host reproduce', which begins with "
          + StudyResults.csvHead.prefix(5).joined(separator: ","))
    }
    var values: [String: [Value]] = [:]
    var found: [Row] = []
    for (index, row) in rows.enumerated().dropFirst() {
      guard row.count == head.count else {
        throw FileError(path, "row \(index + 1): found \(row.count) cells, expected \(head.count); copy it again")
      }
      let cells = Dictionary(uniqueKeysWithValues: zip(head, row))
      // The comparison on unseen data is of a study, not of a run.
      guard let epochs = cells["epochs"], !epochs.isEmpty, let folder = cells["folder"] else { continue }
      guard let value = cells["value"].flatMap(Double.init), value.isFinite, let epochs = Int(epochs),
        let examples = cells["training_examples"].flatMap(Int.init), let seconds = cells["seconds"].flatMap(Double.init)
      else {
        throw FileError(
          path, "row \(index + 1): value, epochs, training_examples or seconds is no number; copy it again")
      }
      let one = Value(
        measured: Measured(cells["measure"] ?? "", value, unit: cells["unit"] ?? ""),
        run: StudyResults.RunSize(epochs: epochs, trainingExamples: examples, seconds: seconds))
      values[folder, default: []].append(one)
      let fold = cells["fold"].flatMap { $0.isEmpty ? nil : $0 }
      found.append(
        Row(
          row: cells["row"] ?? "", column: cells["column"] ?? "",
          run: Study.PlannedRun.label(seed: cells["seed"] ?? "", fold: fold), value: one)
      )
    }
    (self.file, self.values, self.rows) = (file, values, found)
  }
}

extension Study {
  /// The numbers of a run in earlier results; nil where no file has them, or the run's own folder does.
  func earlierValues(of run: PlannedRun) -> [EarlierResults.Value]? {
    run.isFinished ? nil : earlier.lazy.compactMap { $0.values[run.folder.name] }.first
  }

  /// Whether there is nothing left to do: its results are written, or among earlier ones.
  public func isDone(_ run: PlannedRun) -> Bool { run.isFinished || earlierValues(of: run) != nil }
}
