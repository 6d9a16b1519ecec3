import Figures
import Files
import Foundation
import Recipes
import Runs
import Reports
import Training

extension StudyResults.Line {
  private var decimals: Int {
    let size = max(values.isEmpty ? 0 : abs(mean), published.map(abs) ?? 0)
    return unit == "%" ? 2 : size >= 100 ? 1 : size >= 1 ? 3 : 4
  }

  private func text(_ value: Double) -> String { String(format: "%.\(decimals)f", value) }
  private var unitText: String { unit.isEmpty ? "" : " \(unit)" }

  /// Mean ± sample standard deviation with the unit; `not run` if there is no value.
  public var oursText: String {
    values.isEmpty ? "not run" : text(mean) + (deviation.map { " ± \(text($0))" } ?? "") + unitText
  }
  /// The published value with the unit; empty if there is none.
  public var publishedText: String { published.map { text($0) + unitText } ?? "" }
  /// Our mean minus the published value, with its sign; empty if one is missing.
  public var differenceText: String {
    guard let published, !values.isEmpty else { return "" }
    return String(format: "%+.\(decimals)f", mean - published)
  }
  private var countText: String { values.isEmpty ? "" : "\(values.count)" }
  private var epochsText: String { epochs.map(String.init) ?? "" }
  private var examplesText: String { examples.map(String.init) ?? "" }
  /// The cells of a table's row, below `StudyResults.heads`.
  public var columns: [String] {
    [label, measure, publishedText, oursText, differenceText, countText, epochsText, examplesText]
  }
}

extension StudyResults {
  /// The header of a table of lines.
  public static let heads = ["run", "measure", "published", "ours", "difference", "runs", "epochs", "examples"]

  /// The table in Markdown, for `results.md`.
  public var markdown: String {
    let rows = lines.map { "| " + $0.columns.joined(separator: " | ") + " |" }
    let head = ["| " + Self.heads.joined(separator: " | ") + " |", "|---|---|---:|---:|---:|---:|---:|---:|"]
    let texts = ["# \(study.title)", study.about, changesText].filter { !$0.isEmpty }.flatMap { [$0, ""] }
    return (texts + head + rows).joined(separator: "\n")
      + "\n\n"
      + "Ours: mean ± sample standard deviation over runs (seeds\(hasFolds ? " and folds" : "")), "
      + "each with the given epochs and training examples.\n"
      + (unseen.map(Self.markdown) ?? "")
  }

  /// A sentence about changes to the experiment, which override its own description; empty if there are none.
  public var changesText: String {
    study.changes.isEmpty
      ? "" : "Changed for these runs, overriding the description: \(study.changes.joined(separator: ", "))."
  }

  private static func markdown(_ unseen: ReconstructionComparison) -> String {
    var lines = unseen.table.map { "| " + $0.joined(separator: " | ") + " |" }
    lines.insert("|---|---:|---:|", at: 1)
    let notes = unseen.notes.map { "\($0)." }
    return (["", "Reconstructions: \(ReconstructionComparison.unit).", ""] + lines + [""] + notes)
      .joined(separator: "\n") + "\n"
  }

  /// One line for each number of each run, for `results.csv`.
  public var csv: String {
    let rows = values.map { value in
      [
        value.cell.row, value.cell.column, "\(value.run.seed)", value.run.fold.map(String.init) ?? "", value.measure,
        "\(value.value)", value.unit, value.cell.published[value.measure].map { "\($0)" } ?? "",
        "\(value.summary.epochs)", "\(value.summary.trainingExamples)", "\(value.summary.seconds)",
        value.run.folder.name,
      ] as [String]
    }
    let compared = unseen.map(comparedRows) ?? []
    let head = [
      "row", "column", "seed", "fold", "measure", "value", "unit", "published", "epochs", "training_examples",
      "seconds", "folder",
    ]
    return ([head] + rows + compared).map(CSV.row).joined()
  }

  /// The lines of the comparison: of each cell's first finished run.
  private func comparedRows(of unseen: ReconstructionComparison) -> [[String]] {
    unseen.rows.map { row in
      let cell = study.cells.first { $0.label == row.run }
      let run = cell?.runs.first(where: \.isFinished)
      return [
        cell?.row ?? row.run, cell?.column ?? "", run.map { "\($0.seed)" } ?? "", "", unseen.measure,
        "\(row.error)", "", "", "", "", "", run?.folder.name ?? "",
      ]
    }
  }

  private var hasFolds: Bool { study.cells.contains { $0.runs.contains { $0.fold != nil } } }

  /// Writes `results.md`, `results.csv`, `report.html` and the pictures side by side.
  ///
  /// - Throws: `FileError` if a file cannot be written, `FigureError` if a picture cannot be read or drawn.
  public func write(to folder: URL) throws {
    do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
      throw FileError(folder.path, "cannot be made; choose a folder that you may write to")
    }
    try AtomicFile.write(markdown, to: folder.appendingPathComponent("results.md"))
    try AtomicFile.write(csv, to: folder.appendingPathComponent("results.csv"))
    let figures = try drawFigures(in: folder)
    let finished = study.cells.flatMap(\.runs).filter(\.isFinished)
    try HTMLReport(
      title: study.title, subtitle: [study.about, changesText].filter { !$0.isEmpty }.joined(separator: " "),
      summary: [.init("runs", "\(finished.count) of \(study.cells.flatMap(\.runs).count) finished")],
      measurements: lines.map { .init("\($0.label): \($0.measure)", $0.oursText, note: note($0)) }
        + (unseen.map(measurements) ?? []),
      diagnostics: (unseen?.notes ?? []).map { .init("note", $0) }, figures: figures
    ).write(to: folder.appendingPathComponent("report.html"))
  }

  private func measurements(of unseen: ReconstructionComparison) -> [HTMLReport.Table.Row] {
    unseen.rows.map {
      .init(
        "\($0.run): \(unseen.measure)", "\(number($0.error))",
        note: "\(number($0.ownError)) on its own test part, \($0.own)")
    }
  }

  /// Draws each picture of the cells' first finished runs side by side, in the cells' rows and columns.
  private func drawFigures(in folder: URL) throws -> [HTMLReport.Figure] {
    let (rows, columns) = (unique(study.cells.map(\.row)), unique(study.cells.map(\.column)))
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
      try unseen.grid.write(to: folder.appendingPathComponent("unseen.png"))
      figures.append(.init("unseen.png", caption: "Images that no run was trained on, and their reconstructions."))
    }
    return figures
  }

  private func note(_ line: Line) -> String {
    [
      line.published == nil ? "" : "published \(line.publishedText)",
      line.values.count > 1 ? "\(line.values.count) runs" : "", line.epochs.map { counted($0, "epoch") } ?? "",
      line.examples.map { counted($0, "example") } ?? "",
    ].filter { !$0.isEmpty }.joined(separator: ", ")
  }
}
