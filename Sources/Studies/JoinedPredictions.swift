import Datasets
import Files
import Foundation
import LatentKit
import Runs
import Statistics
import Training

/// What the runs of a study predict of their test parts: with folds, of every example once a seed.
struct JoinedPredictions {
  /// The head of the file, as those of the runs have it.
  private let head: [String]
  private let lines: [[String]]
  /// How many examples of each true class were predicted to be of each class; nil where no class is known.
  let confusion: MeasuredTable?

  /// - Returns: Nil where no finished run has predictions.
  /// - Throws: `FileError` for a file that is none of predictions.
  init?(of runs: [Study.PlannedRun]) throws {
    var head: [String]?
    var lines: [[String]] = []
    for run in runs where run.isFinished && FileManager.default.fileExists(atPath: run.folder.predictions.path) {
      let rows = try delimitedTexts(in: run.folder.predictions)
      guard let first = rows.first, let part = first.firstIndex(of: "part"), head == nil || head == first else {
        throw FileError(
          run.folder.predictions.path, "has another head than the other runs' predictions; run it again")
      }
      head = first
      lines += rows.dropFirst().filter { $0.count == first.count && $0[part] == "test" }.map {
        ["\(run.seed)", run.fold.map(String.init) ?? ""] + $0
      }
    }
    guard let head else { return nil }
    (self.head, self.lines) = (["seed", "fold"] + head, lines)
    let named = try runs.first(where: \.isFinished).flatMap {
      try Safetensors.read($0.folder.latents).metadata["classNames"]
    }
    confusion = JoinedPredictions.confusion(
      lines, in: self.head, of: try named.map { try JSONDecoder().decode([String].self, from: Data($0.utf8)) })
  }

  /// - Parameter classes: The classes in their order; nil for those that have numbers only.
  private static func confusion(_ lines: [[String]], in head: [String], of classes: [String]?) -> MeasuredTable? {
    guard let truth = head.firstIndex(of: "true"), let predicted = head.firstIndex(of: "predicted") else { return nil }
    let known = lines.filter { !$0[truth].isEmpty && !$0[predicted].isEmpty }
    let found = Set(known.flatMap { [$0[truth], $0[predicted]] })
    let names = classes ?? found.sorted { (Int($0) ?? 0, $0) < (Int($1) ?? 0, $1) }
    guard (2...100).contains(names.count), found.isSubset(of: names) else { return nil }
    return ConfusionMatrix(
      truth: known.map { $0[truth] }, predicted: known.map { $0[predicted] }, classes: names
    ).table(names)
  }

  /// Writes them as CSV.
  func write(to url: URL) throws {
    try AtomicFile.write(to: url) { append in
      try append(Data(CSV.row(head).utf8))
      for line in lines { try append(Data(CSV.row(line).utf8)) }
    }
  }
}
