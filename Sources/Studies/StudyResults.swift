import Files
import Foundation
import LatentKit
import Recipes
import Runs
import Training

/// The results of a study's runs beside the published numbers.
public struct StudyResults {
  /// How much a run has trained.
  public struct RunSize: Sendable {
    /// Epochs of all stages.
    public let epochs: Int
    /// Examples of the training part.
    public let trainingExamples: Int
    /// Seconds of training.
    public let seconds: Double
  }

  /// One number of one run.
  public struct Value: Sendable {
    /// The cell of the run.
    public let cell: Study.Cell
    /// The run.
    public let run: Study.PlannedRun
    /// The name of the measure: `nearest-class-mean accuracy`, `test/mse`.
    public let measure: String
    /// The value in `unit`.
    public let value: Double
    /// The unit, such as `%`; may be empty.
    public let unit: String
    /// How much the run has trained.
    public let size: RunSize
  }

  /// One measure of one cell over its runs.
  public struct Line: Sendable {
    /// The cell's row.
    public let row: String
    /// The cell's column; may be empty.
    public let column: String
    /// The cell's label.
    public let label: String
    /// The name of the measure: `nearest-class-mean accuracy`, `test/mse`.
    public let measure: String
    /// The published value; nil if there is none.
    public let published: Double?
    /// The unit, such as `%`; may be empty.
    public let unit: String
    /// The value of each finished run.
    public let values: [Double]
    /// Epochs of each run; nil if runs differ.
    public let epochs: Int?
    /// Training examples of each run; nil if runs differ.
    public let examples: Int?

    /// The mean over the runs; NaN if there are none.
    public var mean: Double { values.mean }
    /// The sample standard deviation (divisor n − 1); nil for fewer than two runs.
    public var deviation: Double? { values.deviation }
  }

  /// The study whose results these are.
  public internal(set) var study: Study
  /// Every number of every finished run.
  public let values: [Value]
  /// The measures that are compared, cell by cell.
  public let lines: [Line]
  /// Wanted or published measures that no run has, with suggestions.
  public let unknown: [UnknownName]
  /// The regimes of an adversarial weight, one curve after the other; empty where no row has a `weight`.
  public let regimes: [RegimeCurve]
  /// The input features that runs select, for each cell whose runs remove some.
  let selected: [SelectedFeatures]
  /// The comparison on unseen data; nil if the study names none.
  public internal(set) var unseen: ReconstructionComparison?

  /// - Parameter failures: Receives the finished runs whose files are damaged, which are left out.
  init(_ study: Study, _ failures: inout Failures) {
    self.study = study
    var all: [Value] = []
    for cell in study.cells {
      for run in cell.runs where study.isDone(run) {
        if let earlier = study.earlierValues(of: run) {
          all += earlier.map {
            Value(
              cell: cell, run: run, measure: $0.measured.name, value: $0.measured.value ?? .nan, unit: $0.measured.unit,
              size: $0.run)
          }
          continue
        }
        do { all += try StudyResults.values(of: run, in: cell) } catch {
          failures.add("\(cell.label), \(run.label)", error)
        }
      }
    }
    // What a recipe measures twice.
    var seen: Set<[String]> = []
    all = all.filter { seen.insert([$0.cell.label, $0.run.folder.name, $0.measure, "\($0.value)"]).inserted }
    values = all
    regimes = RegimeCurve.all(of: study, all)
    var selected: [SelectedFeatures] = []
    for cell in study.cells {
      do { if let found = try SelectedFeatures(cell) { selected.append(found) } } catch {
        failures.add("\(cell.label), selected features", error)
      }
    }
    self.selected = selected
    let known = unique(all.map(\.measure))
    let wanted =
      study.measures.isEmpty
      ? known.filter { !$0.contains("/") || $0.hasPrefix("test/") || $0 == "zeros/all" }
      : expanded(study.measures, among: unique(known + study.cells.flatMap { $0.published.keys.sorted() }))
    // A cell that has not been run may have the measure.
    let finished = study.cells.filter { cell in all.contains { $0.cell.label == cell.label } }
    let named =
      (finished.count == study.cells.count ? wanted : []) + finished.flatMap { $0.published.keys.sorted() }
    unknown = unique(named.filter { !known.contains($0) }).map { UnknownName($0, among: known, of: "measure") }
    lines = study.cells.flatMap { cell in
      wanted.compactMap { measure in
        // A run counts once, by the first of two metrics whose measures have one name.
        var runs: Set<String> = []
        let found = all.filter {
          $0.cell.label == cell.label && $0.measure == measure && runs.insert($0.run.folder.name).inserted
        }
        guard !found.isEmpty || cell.published[measure] != nil else { return nil }
        return Line(
          row: cell.row, column: cell.column, label: cell.label, measure: measure, published: cell.published[measure],
          unit: all.first { $0.measure == measure }?.unit ?? "", values: found.map(\.value),
          epochs: common(found.map(\.size.epochs)), examples: common(found.map(\.size.trainingExamples)))
      }
    }
  }

  /// All numbers of a finished run: test metrics by name, `test/` and `training/` loss terms, `gradient norm/` of the last epoch (of the one
  /// whose weights it has, where a stage has a `stop`),
  /// `sampler/` diagnostics, `zeros/` of each projected or masked layer.
  private static func values(of run: Study.PlannedRun, in cell: Study.Cell) throws -> [Value] {
    let summary = try RunSummary.read(run.folder.summary)
    func losses(_ values: [String: Double], _ part: String) -> [Measured] {
      let names = stableNames(of: Array(values.keys))
      return values.sorted { $0.key < $1.key }.map { Measured("\(part)/\(names[$0.key] ?? $0.key)", $0.value) }
    }
    func diagnostics(_ found: [Measured]) -> [Measured] {
      found.map { metric in
        var metric = metric
        metric.name = "sampler/\(metric.name)"
        return metric
      }
    }
    // Those of the weights that were measured: the last ones, or those that a stage's 'stop' chose.
    let records = try MetricsLog.read(run.folder.metrics)
    let chosen = summary.stops?.last.flatMap { stop in
      records.last { $0.stage == stop.stage && $0.epoch == stop.epoch && $0.stage == records.last?.stage }
    }
    let last = chosen ?? records.last
    var measured = summary.testMetrics + losses(summary.testLosses, "test") + losses(last?.training ?? [:], "training")
    measured += losses(last?.gradientNorms ?? [:], "gradient norm")
    measured += diagnostics(summary.sampler) + (summary.stages?.last.map(sparsity) ?? [])
    measured += (summary.stages ?? []).last { $0.effects != nil }.map(projection) ?? []
    let size = RunSize(epochs: summary.epochs, trainingExamples: summary.trainingExamples, seconds: summary.seconds)
    // Missing values and tables have no number to compare.
    return measured.compactMap { metric in
      metric.value.map {
        Value(cell: cell, run: run, measure: metric.name, value: $0, unit: metric.unit, size: size)
      }
    }
  }

  /// The metrics before and after the last projections: of the test part by their names, of the training part with that said.
  private static func projection(_ report: StageReport) -> [Measured] {
    (report.effects ?? []).flatMap { effect in
      [("before", effect.before), ("after", effect.after)].flatMap { side, found in
        found.map { metric in
          var metric = metric
          metric.name += " \(side) projection" + (effect.part == "test" ? "" : ", \(effect.part)")
          return metric
        }
      }
    }
  }

  /// The share of zeros among the last stage's projected or masked weights, in all and layer by layer.
  private static func sparsity(_ report: StageReport) -> [Measured] {
    let (zeros, all) = report.layers.reduce((0.0, 0.0)) {
      ($0.0 + $1.zeros * Double($1.count), $0.1 + Double($1.count))
    }
    return [Measured("zeros/all", 100 * zeros / max(all, 1), unit: "%")]
      + report.layers.map { Measured("zeros/\($0.name)", 100 * $0.zeros, unit: "%") }
      + (report.features.map { [Measured("surviving features", Double($0.count))] } ?? [])
  }
}

/// Returns the names that are listed, and for `logistic at * labels` those that it stands for, in their own order; a form that stands for
/// none as it is.
func expanded(_ forms: [String], among known: [String]) -> [String] {
  unique(
    forms.flatMap { form in
      let pieces = form.split(separator: "*", omittingEmptySubsequences: false).map {
        NSRegularExpression.escapedPattern(for: String($0))
      }
      let pattern = pieces.joined(separator: ".*")
      let found = known.filter { $0.range(of: "^(?:\(pattern))$", options: .regularExpression) != nil }
      return found.isEmpty ? [form] : found
    })
}

/// Returns the names of terms without the number of their step (`3.latent-class`) where no other step of the stage has the same term,
/// so that a term has one name in stages of one step and of several.
func stableNames(of names: [String]) -> [String: String] {
  func bare(_ name: String) -> String { name.replacing(/^[0-9]+\./, with: "") }
  let steps = Dictionary(grouping: names, by: bare)
  return Dictionary(uniqueKeysWithValues: names.map { ($0, steps[bare($0)]?.count == 1 ? bare($0) : $0) })
}

/// The common value; nil if values differ or there is none.
private func common<Value: Hashable>(_ values: [Value]) -> Value? {
  let different = Set(values)
  return different.count == 1 ? different.first : nil
}
