import Datasets
import Files
import Foundation
import Runs
import Statistics
import Training

/// The input features that the runs of a cell select, and how stable the selection is.
struct SelectedFeatures {
  let cell: Study.Cell
  let stability: SelectionStability
  /// The names of the features; nil where they are numbered.
  private let names: [Int: String]
  /// The sum of each feature's weights over the runs.
  private let weights: [Int: Double]

  /// - Returns: Nil where fewer than two finished runs removed inputs.
  init?(_ cell: Study.Cell) throws {
    let finished = cell.runs.filter(\.isFinished)
    let reports = try finished.compactMap { run in
      try RunSummary.read(run.folder.summary).stages?.last { $0.features != nil }
    }
    let sizes = Set(reports.map(\.inputSize))
    guard reports.count > 1, sizes.count == 1, let size = sizes.first else { return nil }
    self.cell = cell
    stability = SelectionStability(reports.map { Set(($0.features ?? []).map(\.index)) }, of: size)
    var (names, weights): ([Int: String], [Int: Double]) = ([:], [:])
    for feature in reports.flatMap({ $0.features ?? [] }) { weights[feature.index, default: 0] += feature.weight }
    for run in finished where FileManager.default.fileExists(atPath: run.folder.features.path) {
      for row in try delimitedTexts(in: run.folder.features).dropFirst() where row.count == 4 {
        if let place = Int(row[2]) { names[place] = row[1] }
      }
    }
    (self.names, self.weights) = (names, weights)
  }

  /// The number of features that every run selects.
  private var common: Int { stability.frequencies.count { $0 == 1 } }

  static let titles = ["run", "runs", "features", "in all runs", "stability", "95 % interval"]

  /// The cells of a table's row, below `titles`.
  var columns: [String] {
    func text(_ value: Double) -> String { String(format: "%.3f", value) }
    return [
      cell.label, "\(stability.runs)", String(format: "%.1f of %d", stability.meanCount, stability.frequencies.count),
      "\(common)", stability.index.map(text) ?? "undefined",
      stability.interval.map { "\(text($0.lowerBound)) to \(text($0.upperBound))" } ?? "",
    ]
  }

  static let csvHead = ["row", "column", "feature", "index", "runs", "selected", "frequency", "mean_weight"]

  /// A line for each feature that some run selects, the most frequent first, then the heaviest.
  var csv: [[String]] {
    let selected = stability.frequencies.indices.filter { stability.frequencies[$0] > 0 }
    func key(_ feature: Int) -> (Double, Double, Int) {
      (-stability.frequencies[feature], -(weights[feature] ?? 0), feature)
    }
    return selected.sorted { key($0) < key($1) }.map { feature in
      let frequency = stability.frequencies[feature]
      return [
        cell.row, cell.column, names[feature] ?? "\(feature)", "\(feature)", "\(stability.runs)",
        "\(Int((frequency * Double(stability.runs)).rounded()))", "\(frequency)",
        "\((weights[feature] ?? 0) / Double(stability.runs))",
      ]
    }
  }
}
