import Files
import Foundation
import LatentKit
import Reports
import Runs
import Statistics
import Training

/// The regimes of an adversarial weight among rows that differ in it alone: one curve of a study.
public struct RegimeCurve: Sendable {
  /// The measures that regimes are found from.
  public static let measures = (
    agreement: "class agreement", sharpness: "sharpness of reconstructions", originals: "sharpness of originals"
  )

  /// The name of the curve: `gamma 0, K_z = 2`.
  public let label: String
  /// The regimes; nil where there are none.
  public let regimes: AdversarialRegimes?
  /// Why there are none; empty where there are.
  public let reason: String

  /// Returns the curves of the rows that have a `weight`, in the order of the study's cells.
  ///
  /// - Parameter values: Numbers of the study's finished runs; each run is a trial of its row's weight.
  static func all(of study: Study, _ values: [StudyResults.Value]) -> [RegimeCurve] {
    let cells = study.cells.filter { $0.weight != nil }
    return unique(cells.map(\.curveLabel)).map { label in
      let labels = Set(cells.filter { $0.curveLabel == label }.map(\.label))
      let own = values.filter { labels.contains($0.cell.label) }
      let (names, runs) = (measures, Dictionary(grouping: own) { "\($0.cell.label) \($0.run.label)" })
      func value(_ name: String, _ values: [StudyResults.Value]) -> Double? {
        values.first { $0.measure == name }?.value
      }
      let trials = runs.values.compactMap { values -> AdversarialRegimes.Trial? in
        guard let weight = values.first?.cell.weight, let agreement = value(names.agreement, values),
          let sharpness = value(names.sharpness, values)
        else { return nil }
        return .init(weight: weight, agreement: agreement, sharpness: sharpness)
      }
      let originals = own.filter { $0.measure == names.originals }.map(\.value)
      do {
        guard !originals.isEmpty, !trials.isEmpty else {
          throw RecipeError("no finished run has '\(names.agreement)', '\(names.sharpness)' and '\(names.originals)'")
        }
        // In an order of their own: a mean must not depend on that of a dictionary.
        let sorted = trials.sorted { ($0.weight, $0.agreement, $0.sharpness) < ($1.weight, $1.agreement, $1.sharpness) }
        let mean = originals.reduce(0, +) / Double(originals.count)
        return RegimeCurve(
          label: label, regimes: try AdversarialRegimes(sorted, originalSharpness: mean), reason: "")
      } catch {
        return RegimeCurve(label: label, regimes: nil, reason: "\(error)")
      }
    }
  }

  static let heads = ["curve", "weight", "class agreement, %", "sharpness", "regime"]

  /// A row for each weight, below `heads`.
  var rows: [[String]] {
    (regimes?.points ?? []).map { point in
      [label, "\(point.weight)", number(point.agreement), number(point.sharpness), point.regime.rawValue]
    }
  }

  /// The thresholds in a sentence.
  var thresholds: String {
    guard let regimes else { return "\(label): \(reason)" }
    let greatest = regimes.points.last?.weight ?? 0
    let first =
      regimes.epsilon1.map { "epsilon 1 is \($0)" } ?? "no weight up to \(greatest) gives clear reconstructions"
    let second =
      regimes.epsilon2.map { "epsilon 2 is \($0)" }
      ?? "reconstructions keep their class up to \(greatest), epsilon 2 lies beyond"
    return "\(label): \(first); \(second)"
  }
}

extension StudyResults {
  /// The section about regimes, in Markdown; empty without curves.
  var regimesText: String {
    guard !regimes.isEmpty else { return "" }
    let rows = regimes.flatMap(\.rows)
    let table = rows.isEmpty ? [] : Markdown.table([RegimeCurve.heads] + rows, endsInText: true) + [""]
    return
      (["", "## Regimes of the adversarial weight", ""] + table
      + regimes.map { "- \($0.thresholds)." })
      .joined(separator: "\n") + "\n\n"
      + "Generative: class agreement below half of that at the least weight. Of the others, blurred: less than half as sharp as the "
      + "originals; clear: sharper, with at least nine tenths of that agreement; unfaithful: sharper, with less. Both curves are made "
      + "monotone first. Each run is a trial.\n"
  }

  /// The regimes as comma-separated values, for `regimes.csv`.
  var regimesCSV: String { ([RegimeCurve.heads] + regimes.flatMap(\.rows)).map(CSV.row).joined() }

  /// The regimes for the page; nil without curves.
  var regimesGrid: HTMLReport.Grid? {
    let rows = regimes.flatMap(\.rows)
    guard !rows.isEmpty else { return nil }
    return HTMLReport.Grid(
      "Regimes of the adversarial weight", head: RegimeCurve.heads, rows: rows, path: "regimes.csv")
  }
}
