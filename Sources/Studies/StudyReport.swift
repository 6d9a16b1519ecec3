import Figures
import Files
import Foundation
import Recipes
import Runs
import Reports
import Training

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

extension FigureFiles {
  fileprivate var names: [String] { [png, svg].map(\.lastPathComponent) }
}

extension StudyResults.Line {
  private var decimals: Int {
    let size = max(values.isEmpty ? 0 : abs(mean), published.map(abs) ?? 0)
    return unit == "%" ? 2 : size >= 100 ? 1 : size >= 1 ? 3 : 4
  }

  private func text(_ value: Double) -> String { String(format: "%.\(decimals)f", value) }
  private var unitText: String { unit.isEmpty ? "" : " \(unit)" }

  /// Mean ± sample standard deviation; `not run` if there is no value.
  var valueText: String { values.isEmpty ? "not run" : text(mean) + (deviation.map { " ± \(text($0))" } ?? "") }
  /// Mean ± sample standard deviation with the unit; `not run` if there is no value.
  public var oursText: String { valueText + (values.isEmpty ? "" : unitText) }
  /// The published value with the unit; empty if there is none.
  public var publishedText: String { published.map { text($0) + unitText } ?? "" }
  /// Our mean minus the published value, with its sign; empty if one is missing.
  public var differenceText: String {
    guard let published, !values.isEmpty else { return "" }
    return String(format: "%+.\(decimals)f", mean - published)
  }
  /// Runs, epochs and examples, the last of `StudyResults.heads`.
  var counts: [String] {
    [values.isEmpty ? "" : "\(values.count)", epochs.map(String.init) ?? "", examples.map(String.init) ?? ""]
  }
  /// The cells of a table's row, below `StudyResults.heads`.
  public var columns: [String] {
    [label, measure, publishedText, oursText, differenceText] + counts
  }
}

extension StudyResults {
  /// The header of a table of lines.
  public static let heads = ["run", "measure", "published", "ours", "difference", "runs", "epochs", "examples"]

  /// The table in Markdown, for `results.md`.
  public var markdown: String {
    let texts = ["# \(study.title)", study.about, changesText, earlierText].filter { !$0.isEmpty }.flatMap { [$0, ""] }
    return (texts + [markdownTables]).joined(separator: "\n")
      + "\n\n"
      + "Each number is the mean ± sample standard deviation over runs (seeds\(hasFolds ? " and folds" : "")), "
      + "each with the given epochs and training examples.\n"
      + regimesText + stabilityText + (unseen.map(Self.markdown) ?? "")
  }

  /// A sentence about changes to the experiment, which override its own description; empty if there are none.
  public var changesText: String {
    study.changes.isEmpty
      ? "" : "Changed for these runs, overriding the description: \(study.changes.joined(separator: ", "))."
  }

  /// A sentence about runs whose numbers come from earlier results; empty if there are none.
  public var earlierText: String {
    let count = study.cells.flatMap(\.runs).count { study.earlierValues(of: $0) != nil }
    let files = study.earlier.map(\.file.lastPathComponent).joined(separator: ", ")
    return count == 0 ? "" : "The numbers of \(counted(count, "run")) come from earlier results: \(files)."
  }

  private static func markdown(_ unseen: ReconstructionComparison) -> String {
    let notes = unseen.notes.map { "\($0)." }
    return
      (["", "Reconstructions: \(ReconstructionComparison.unit).", ""] + Markdown.table(unseen.table) + [""] + notes)
      .joined(separator: "\n") + "\n"
  }

  static let csvHead = [
    "row", "column", "seed", "fold", "measure", "value", "unit", "published", "epochs", "training_examples",
    "seconds", "folder",
  ]

  private static let files = [
    "results.csv", "results.md", "regimes.csv", "features.csv", "predictions.csv", "confusion.csv", "report.html",
    "unseen.png", "unseen.svg",
  ]

  /// Whether a file belongs to the results of a study.
  ///
  /// - Parameters:
  ///   - name: The name of the file.
  ///   - folder: The folder of the file, which need not be one of results.
  public static func owns(_ name: String, in folder: URL) -> Bool { files.contains(name) && areResults(in: folder) }

  private static func areResults(in folder: URL) -> Bool {
    let results = folder.appendingPathComponent("results.csv")
    return OutputPlace(results, followsLinks: false) == .file
      && (try? String(contentsOf: results, encoding: .utf8))?.hasPrefix(CSV.row(csvHead)) == true
  }

  /// Refuses a folder that holds files and neither a study's results nor its runs, and one that cannot be written.
  ///
  /// - Parameter figures: The pictures that are written into it.
  /// - Throws: `FileError`.
  static func requireOwn(_ folder: URL, figures: [String]) throws {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
    let drawn = figures.map { FigureFiles(folder.appendingPathComponent($0)) }.flatMap { [$0.png, $0.svg] }
    for file in files.map(folder.appendingPathComponent) + drawn { try OutputPlace.require(.file, at: file) }
    if OutputPlace(folder, followsLinks: true) == .folder, access(folder.path, W_OK | X_OK) != 0 {
      throw FileError(folder.path, "cannot be written: \(systemMessage()); choose a folder that you may write to")
    }
    guard let other = names.sorted().first(where: { AtomicFile.target(ofTemporary: $0) == nil }),
      !RunFolder(folder).exists
    else { return }
    guard !areResults(in: folder) else { return }
    throw FileError(
      folder.path, "holds '\(other)' and no results; choose another folder, or move what is in it elsewhere")
  }

  private func lockResults(_ folder: URL) throws -> RunLock {
    let figures = study.figures
    return try RunFolder(folder).lockResults {
      try Self.requireOwn($0, figures: figures)
    } owning: { name in
      Self.files.contains(name)
        || figures.contains { FigureFiles(folder.appendingPathComponent($0)).names.contains(name) }
    }
  }

  /// One line for each number of each run, for `results.csv`.
  public var csv: String {
    let rows = values.map { value in
      [
        value.cell.row, value.cell.column, "\(value.run.seed)", value.run.fold.map(String.init) ?? "", value.measure,
        "\(value.value)", value.unit, value.cell.published[value.measure].map { "\($0)" } ?? "",
        "\(value.size.epochs)", "\(value.size.trainingExamples)", "\(value.size.seconds)",
        value.run.folder.name,
      ] as [String]
    }
    let compared = unseen.map(comparedRows) ?? []
    return ([Self.csvHead] + rows + compared).map(CSV.row).joined()
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
    let lock = try study.lock ?? lockResults(folder)
    defer { withExtendedLifetime(lock) {} }
    // First: by it a folder is known as one of results.
    try AtomicFile.write(csv, to: folder.appendingPathComponent("results.csv"))
    try AtomicFile.write(markdown, to: folder.appendingPathComponent("results.md"))
    let grids = try writePredictions(to: folder) + writeFeatures(to: folder)
    if !regimes.isEmpty { try AtomicFile.write(regimesCSV, to: folder.appendingPathComponent("regimes.csv")) }
    let figures = try drawFigures(in: folder)
    let finished = study.cells.flatMap(\.runs).filter(study.isDone)
    try HTMLReport(
      title: study.title,
      subtitle: [study.about, changesText, earlierText].filter { !$0.isEmpty }.joined(separator: " "),
      summary: [.init("runs", "\(finished.count) of \(study.cells.flatMap(\.runs).count) finished")],
      measurements: lines.map { .init("\($0.label): \($0.measure)", $0.oursText, note: note($0)) }
        + (unseen.map(measurements) ?? []),
      grids: grids + (regimesGrid.map { [$0] } ?? []),
      diagnostics: regimes.map { .init("regimes", $0.thresholds) } + (unseen?.notes ?? []).map { .init("note", $0) },
      figures: figures
    ).write(to: folder.appendingPathComponent("report.html"))
  }

  /// Writes what the runs of a single recipe predict of their test parts, with the confusion matrix of all.
  private func writePredictions(to folder: URL) throws -> [HTMLReport.Grid] {
    guard study.cells.count == 1, let joined = try JoinedPredictions(of: study.cells[0].runs) else { return [] }
    try joined.write(to: folder.appendingPathComponent("predictions.csv"))
    guard let confusion = joined.confusion else { return [] }
    try confusion.write(to: folder.appendingPathComponent("confusion.csv"))
    return [confusion.grid("confusion, test parts of all runs", path: "confusion.csv")]
  }

  /// Writes how often each input feature was selected, where runs remove some.
  private func writeFeatures(to folder: URL) throws -> [HTMLReport.Grid] {
    guard !selected.isEmpty else { return [] }
    let lines = [SelectedFeatures.csvHead] + selected.flatMap(\.csv)
    try AtomicFile.write(lines.map(CSV.row).joined(), to: folder.appendingPathComponent("features.csv"))
    return [
      HTMLReport.Grid(
        "stability of the selected features", head: SelectedFeatures.titles, rows: selected.map(\.columns),
        path: "features.csv")
    ]
  }

  /// The stability of the selected features in Markdown; empty where no runs select any.
  private var stabilityText: String {
    guard !selected.isEmpty else { return "" }
    let table = Markdown.table([SelectedFeatures.titles] + selected.map(\.columns))
    return
      (["", "## Selected features", ""] + table)
      .joined(separator: "\n") + "\n\n"
      + "Stability: 1 where all runs select the same features, 0 in expectation where each selects at random (Nogueira, Sechidis & Brown "
      + "2018). features.csv has the frequency of each feature.\n"
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
