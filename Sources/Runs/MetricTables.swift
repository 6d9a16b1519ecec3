import Figures
import Files
import Foundation
import LatentKit
import Reports
import Training

extension MeasuredTable {
  /// The numbers as text, row by row: exact, as short as can be, and empty where there is none.
  public var cells: [[String]] {
    values.map { $0.map { $0.map { Int(exactly: $0).map(String.init) ?? "\($0)" } ?? "" } }
  }

  /// Writes the table as comma-separated values: a header with the column names, then a line for each row. Missing values
  /// are empty.
  ///
  /// - Throws: `FileError` if the file cannot be written.
  public func write(to url: URL) throws {
    let lines = zip(rows, cells).map { CSV.row([$0] + $1) }
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try AtomicFile.write(CSV.row([rowTitle] + columns) + lines.joined(), to: url)
  }

  /// The table for a page, numbers of four significant digits.
  package func grid(_ title: String, path: String) -> HTMLReport.Grid {
    let lines = zip(rows, values).map { name, values in
      [name] + values.map { $0.map { Int(exactly: $0).map(String.init) ?? number($0) } ?? "–" }
    }
    return HTMLReport.Grid(title, head: [rowTitle] + columns, rows: lines, path: path)
  }

  /// The table as a picture; nil unless it is a matrix of 1 to 40 rows and columns.
  func heatMap(title: String) throws -> HeatMap? {
    guard isMatrix, (1...40).contains(rows.count), (1...40).contains(columns.count) else { return nil }
    let flat = values.flatMap { $0.map { $0 ?? .nan } }
    let axes = rowTitle == columnTitle ? "" : " (\(rowTitle) by \(columnTitle))"
    let isWhole = flat.allSatisfy { $0.isNaN || $0 == $0.rounded() }
    return try HeatMap(
      Tensor(flat, shape: [rows.count, columns.count]), title: title + axes, rowLabels: rows, columnLabels: columns,
      decimals: columns.count > 12 ? nil : isWhole ? 0 : 2)
  }
}
