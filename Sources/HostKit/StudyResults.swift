import Figures
import Files
import Foundation
import LatentKit
import Training

/// What the runs of a study came to, beside what is published.
struct StudyResults {
  /// One number of one run.
  struct Value {
    let cell: Study.Cell
    let run: Study.Run
    let measure: String
    let value: Double
    let unit: String
    let summary: RunSummary
  }

  /// One measure of one cell over its runs.
  struct Line {
    let label: String
    let measure: String
    let published: Double?
    let unit: String
    let values: [Double]
    /// Of each run and the examples that it was trained on; nil where runs differ.
    let epochs: Int?
    let examples: Int?

    var mean: Double { values.reduce(0, +) / Double(values.count) }
    /// Sample standard deviation (divisor n − 1); nil for fewer than two.
    var deviation: Double? {
      guard values.count > 1 else { return nil }
      return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)).squareRoot()
    }
  }

  let study: Study
  /// Every number of every finished run.
  let values: [Value]
  let lines: [Line]
  /// Measures that are asked for of finished cells, or published, and that no run has; with those there are.
  let unknown: [UnknownName]
  var unseen: ReconstructionComparison?

  /// - Parameter failures: Gains the finished runs whose files are damaged: they are left out.
  init(_ study: Study, _ failures: inout [Study.Failure]) {
    self.study = study
    var all: [Value] = []
    for cell in study.cells {
      for run in cell.runs where run.isFinished {
        do { all += try StudyResults.values(of: run, in: cell) } catch {
          failures.append(Study.Failure(what: "\(cell.label), \(run.label)", error))
        }
      }
    }
    values = all
    var known: [String] = []
    for value in all where !known.contains(value.measure) { known.append(value.measure) }
    let wanted =
      study.measures.isEmpty
      ? known.filter { !$0.contains("/") || $0.hasPrefix("test/") || $0 == "zeros/all" } : study.measures
    // While a cell has not been run, it may be the one that has the measure.
    let finished = study.cells.filter { cell in all.contains { $0.cell.label == cell.label } }
    let named =
      (finished.count == study.cells.count ? wanted : []) + finished.flatMap { $0.published.keys.sorted() }
    unknown = named.indices.filter { !known.contains(named[$0]) && !named[..<$0].contains(named[$0]) }
      .map { UnknownName(named[$0], among: known, of: "measure") }
    lines = study.cells.flatMap { cell in
      wanted.compactMap { measure in
        let found = all.filter { $0.cell.label == cell.label && $0.measure == measure }
        guard !found.isEmpty || cell.published[measure] != nil else { return nil }
        return Line(
          label: cell.label, measure: measure, published: cell.published[measure],
          unit: all.first { $0.measure == measure }?.unit ?? "", values: found.map(\.value),
          epochs: common(found.map(\.summary.epochs)), examples: common(found.map(\.summary.trainingExamples)))
      }
    }
  }

  /// Everything that a finished run measured: test metrics by their names, `test/` and `training/` loss terms,
  /// `sampler/` diagnostics, `zeros/` of each projected or masked layer.
  private static func values(of run: Study.Run, in cell: Study.Cell) throws -> [Value] {
    let summary = try RunSummary.read(run.folder.summary)
    func value(_ name: String, _ value: Double, _ unit: String = "") -> Value {
      Value(cell: cell, run: run, measure: name, value: value, unit: unit, summary: summary)
    }
    let last = try MetricsLog.read(run.folder.metrics).last
    return summary.testMetrics.map { value($0.name, $0.value, $0.unit) }
      + summary.testLosses.sorted { $0.key < $1.key }.map { value("test/\($0.key)", $0.value) }
      + (last?.training ?? [:]).sorted { $0.key < $1.key }.map { value("training/\($0.key)", $0.value) }
      + summary.sampler.map { value("sampler/\($0.name)", $0.value, $0.unit) }
      + (summary.stages?.last.map { sparsity($0).map { value($0.name, $0.value, $0.unit) } } ?? [])
  }

  /// How sparse the last stage's projected or masked weights are, all together and layer by layer.
  private static func sparsity(_ report: StageReport) -> [Measured] {
    let (zeros, all) = report.layers.reduce((0.0, 0.0)) {
      ($0.0 + $1.zeros * Double($1.count), $0.1 + Double($1.count))
    }
    return [Measured("zeros/all", 100 * zeros / max(all, 1), unit: "%")]
      + report.layers.map { Measured("zeros/\($0.name)", 100 * $0.zeros, unit: "%") }
      + (report.features.map { [Measured("surviving features", Double($0.count))] } ?? [])
  }
}

// MARK: Texts

extension StudyResults.Line {
  private var decimals: Int {
    let size = max(values.isEmpty ? 0 : abs(mean), published.map(abs) ?? 0)
    return unit == "%" ? 2 : size >= 100 ? 1 : size >= 1 ? 3 : 4
  }

  private func text(_ value: Double) -> String { String(format: "%.\(decimals)f", value) }
  private var unitText: String { unit.isEmpty ? "" : " \(unit)" }

  var oursText: String {
    values.isEmpty ? "not run" : text(mean) + (deviation.map { " ± \(text($0))" } ?? "") + unitText
  }
  var publishedText: String { published.map { text($0) + unitText } ?? "" }
  var differenceText: String {
    guard let published, !values.isEmpty else { return "" }
    return String(format: "%+.\(decimals)f", mean - published)
  }
  var countText: String { values.isEmpty ? "" : "\(values.count)" }
  var epochsText: String { epochs.map(String.init) ?? "" }
  var examplesText: String { examples.map(String.init) ?? "" }
  var columns: [String] {
    [label, measure, publishedText, oursText, differenceText, countText, epochsText, examplesText]
  }
}

extension StudyResults {
  private static let heads = ["run", "measure", "published", "ours", "difference", "runs", "epochs", "examples"]

  /// The table for people, in Markdown.
  var markdown: String {
    let rows = lines.map { "| " + $0.columns.joined(separator: " | ") + " |" }
    let head = ["| " + Self.heads.joined(separator: " | ") + " |", "|---|---|---:|---:|---:|---:|---:|---:|"]
    let texts = ["# \(study.title)", study.about, changesText].filter { !$0.isEmpty }.flatMap { [$0, ""] }
    return (texts + head + rows).joined(separator: "\n")
      + "\n\n"
      + "Ours: mean ± sample standard deviation over runs (seeds\(hasFolds ? " and folds" : "")), "
      + "each trained on so many examples.\n"
      + (unseen.map(Self.markdown) ?? "")
  }

  /// What flags changed, and that it holds against what the experiment says of itself.
  private var changesText: String {
    study.changes.isEmpty
      ? "" : "Changed for these runs, whatever else is said here: \(study.changes.joined(separator: ", "))."
  }

  private static func markdown(_ unseen: ReconstructionComparison) -> String {
    var lines = unseen.table.map { "| " + $0.joined(separator: " | ") + " |" }
    lines.insert("|---|---:|---:|", at: 1)
    let notes = unseen.notes.map { "\($0)." }
    return (["", "Reconstructions: \(ReconstructionComparison.unit).", ""] + lines + [""] + notes)
      .joined(separator: "\n") + "\n"
  }

  /// One line for each number of each run, for programs.
  var csv: String {
    let rows = values.map { value in
      [
        value.cell.row, value.cell.column, "\(value.run.seed)", value.run.fold.map(String.init) ?? "", value.measure,
        "\(value.value)", value.unit, value.cell.published[value.measure].map { "\($0)" } ?? "",
        "\(value.summary.epochs)", "\(value.summary.trainingExamples)", "\(value.summary.seconds)",
        value.run.folder.name,
      ] as [String]
    }
    let compared = (unseen?.rows ?? []).map { row in
      [
        row.run, "", "", "", "reconstruction error on \(unseen?.title ?? "")", "\(row.error)", "", "", "", "", "", "",
      ] as [String]
    }
    let head = [
      "row", "column", "seed", "fold", "measure", "value", "unit", "published", "epochs", "training_examples",
      "seconds",
      "folder",
    ]
    return ([head] + rows + compared).map(CSV.row).joined()
  }

  private var hasFolds: Bool { study.cells.contains { $0.runs.contains { $0.fold != nil } } }

  func write(to folder: URL) throws {
    do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
      throw FileError(folder.path, "cannot be made; choose a place that you may write to with --runs")
    }
    try AtomicFile.write(markdown, to: folder.appendingPathComponent("results.md"))
    try AtomicFile.write(csv, to: folder.appendingPathComponent("results.csv"))
    let figures = try drawFigures(in: folder)
    let finished = study.cells.flatMap(\.runs).filter(\.isFinished)
    try HTMLReport(
      title: study.title, subtitle: [study.about, changesText].filter { !$0.isEmpty }.joined(separator: " "),
      summary: [.init("runs", "\(finished.count) of \(study.cells.flatMap(\.runs).count) finished")],
      measurements: lines.map { line in
        .init("\(line.label): \(line.measure)", line.oursText, note: note(line))
      }
        + (unseen.map { unseen in
          unseen.rows.map {
            .init(
              "\($0.run): reconstruction error on \(unseen.title)", "\(number($0.error))",
              note: "\(number($0.ownError)) on its own test part, \($0.own)")
          }
        } ?? []), diagnostics: (unseen?.notes ?? []).map { .init("note", $0) }, figures: figures
    ).write(to: folder.appendingPathComponent("report.html"))
  }

  /// The same picture of every cell's first finished run, side by side as the cells' rows and columns say.
  private func drawFigures(in folder: URL) throws -> [HTMLReport.Figure] {
    var rows: [String] = []
    for cell in study.cells where !rows.contains(cell.row) { rows.append(cell.row) }
    var columns: [String] = []
    for cell in study.cells where !columns.contains(cell.column) { columns.append(cell.column) }
    var figures = try study.figures.compactMap { name -> HTMLReport.Figure? in
      let panels = try rows.map { row in
        try columns.map { column -> Montage.Panel? in
          let runs = study.cells.filter { $0.row == row && $0.column == column }.flatMap(\.runs).filter(\.isFinished)
          let pictures = runs.map { $0.folder.figure(name) }
          guard let url = pictures.first(where: { FileManager.default.fileExists(atPath: $0.path) }) else { return nil }
          return Montage.Panel(column.isEmpty ? row : "\(row), \(column)", try Picture(contentsOf: url))
        }
      }.filter { $0.contains { $0 != nil } }
      guard !panels.isEmpty else { return nil }
      try Montage(rows: panels, caption: study.title).write(to: folder.appendingPathComponent(name))
      return HTMLReport.Figure(name, caption: "\(name) of each run, the first seed.")
    }
    if let unseen {
      try unseen.picture.write(to: folder.appendingPathComponent("unseen.png"))
      figures.append(.init("unseen.png", caption: "Images that no run was trained on, and their reconstructions."))
    }
    return figures
  }

  private func note(_ line: Line) -> String {
    [
      line.published == nil ? "" : "published \(line.publishedText)",
      line.values.count > 1 ? "\(line.values.count) runs" : "", line.epochs.map { "\($0) epochs" } ?? "",
      line.examples.map { "\($0) examples" } ?? "",
    ].filter { !$0.isEmpty }.joined(separator: ", ")
  }

  func print(folder: URL) {
    say(study.title)
    if !study.changes.isEmpty { say(changesText) }
    for line in aligned([Self.heads] + lines.map(\.columns), numbersFrom: 2) { say(line) }
    if let unseen {
      say(ReconstructionComparison.unit)
      for line in aligned(unseen.table) { say("  \(line)") }
      for note in unseen.notes { say("note: \(note)") }
    }
    for name in unknown { warn("warning: \(name)") }
    say("results  \(folder.relativePath)/results.md")
    say("report   \(folder.relativePath)/report.html")
  }
}

/// What all of the values are; nil where they differ, or there is none.
private func common<Value: Hashable>(_ values: [Value]) -> Value? {
  let different = Set(values)
  return different.count == 1 ? different.first : nil
}

extension RunSummary {
  static func read(_ url: URL) throws -> RunSummary {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    do { return try decoder.decode(RunSummary.self, from: Data(contentsOf: url)) } catch {
      throw FileError(url.path, "is not the summary of a run; remove the run's folder and run it again")
    }
  }
}
