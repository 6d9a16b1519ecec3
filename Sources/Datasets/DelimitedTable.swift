import Files
import Foundation
import LatentKit

extension DataTable {
  /// Reads a delimited text.
  init(text bytes: UnsafeBufferPointer<UInt8>, _ format: TableFormat, path: String) throws {
    var reader = try DelimitedTableReader(bytes, format, path: path)
    self = try format.samples == .rows ? reader.samplesInRows() : reader.samplesInColumns()
  }
}

/// Turns the rows of a text into a table. Rows and columns count from 1, as they stand in the file.
private struct DelimitedTableReader {
  let format: TableFormat
  let path: String
  var rows: DelimitedRows
  /// The cells of the header.
  let header: [String]?
  /// The number of cells of every row, and the row that determines it.
  let width: Int
  let firstRow: Int
  /// Whether the first row has been read and is data.
  var isPending: Bool

  init(_ bytes: UnsafeBufferPointer<UInt8>, _ format: TableFormat, path: String) throws {
    (self.format, self.path) = (format, path)
    rows = try DelimitedRows(bytes, format, path: path)
    guard try rows.next() else { throw FileError(path, "is empty, expected a table") }
    width = rows.cells.count
    firstRow = rows.row
    let texts = rows.cells.indices.map { [rows] in rows.text($0) }
    let hasNumber = rows.cells.indices.contains { [rows] in rows.number($0, format.decimal) != nil }
    header = format.header ?? !hasNumber ? texts : nil
    isPending = header == nil
  }

  /// Moves to the next row of data.
  /// - Throws: `FileError` where it has more cells than the first, or fewer.
  mutating func next() throws -> Bool {
    if isPending {
      isPending = false
      return true
    }
    guard try rows.next() else { return false }
    guard rows.cells.count == width else {
      throw FileError(
        path,
        "row \(rows.row): found \(rows.cells.count) cells, expected \(width) as in row \(firstRow); check its separators"
      )
    }
    return true
  }

  // MARK: Samples in rows

  mutating func samplesInRows() throws -> DataTable {
    let names = (0..<width).map { column in
      guard let name = header?[column], !name.isEmpty else { return "column \(column + 1)" }
      return name
    }
    try refuseDuplicates(names, "columns")
    let label = try labelPlace(names)
    let dropped = try format.droppedPlaces(names, path: path)
    let features = (0..<width).filter { $0 != label && !dropped.contains($0) }
    guard !features.isEmpty else { throw FileError(path, "has no column of numbers beside the labels") }
    var values: [Float] = []
    var labels: [String] = []
    var count = 0
    while try next() {
      for column in features {
        if let number = rows.number(column, format.decimal).map(Float.init), number.isFinite {
          values.append(number)
        } else {
          values.append(try valueOfNoNumber(column, "column '\(names[column])' (\(column + 1))"))
        }
      }
      if let label { labels.append(try labelText(label)) }
      count += 1
    }
    guard count > 0 else { throw FileError(path, "has a header and no rows below it, expected samples") }
    return DataTable(
      inputs: try Tensor(values, shape: [count, features.count]), featureNames: features.map { names[$0] },
      labels: label == nil ? nil : labels)
  }

  // MARK: Samples in columns

  /// Reads samples in columns. The first cell of each row is the feature's name; the header, where there is one, has the samples' names.
  mutating func samplesInColumns() throws -> DataTable {
    guard width > 1 else {
      throw FileError(path, "row \(firstRow): found one cell, expected a name and the samples' values")
    }
    var names: [String] = []
    var places: [String: Int] = [:]
    var values: [Float] = []
    var labels: [String]?
    let labelRow = try row(of: format.label)
    let dropped = try format.drop.map { (column: $0, row: try row(of: $0)) }
    var unseen = Set(dropped.indices)
    while try next() {
      let name = rows.text(0)
      let drops = dropped.indices.filter { dropped[$0].column == .name(name) || dropped[$0].row == rows.row }
      unseen.subtract(drops)
      if labels == nil, isLabelRow(name, labelRow) {
        labels = try (1..<width).map { try labelText($0) }
        continue
      }
      if !drops.isEmpty { continue }
      if let other = places.updateValue(rows.row, forKey: name) {
        throw FileError(path, "rows \(other) and \(rows.row) are both named '\(name)'; rename one of them")
      }
      names.append(name)
      for column in 1..<width {
        if let number = rows.number(column, format.decimal).map(Float.init), number.isFinite {
          values.append(number)
        } else {
          values.append(try valueOfNoNumber(column, "column \(column + 1), feature '\(name)'"))
        }
      }
    }
    if labels == nil, format.label != .name("none") { throw missingLabel("row", count: rows.row) }
    if let first = unseen.min() {
      throw TableFormat.nothingToDrop(format.drop[first], "row", names, count: rows.row, path: path)
    }
    guard !names.isEmpty else { throw FileError(path, "has no row of numbers beside the labels") }
    let byFeature = try Tensor(values, shape: [names.count, width - 1])
    return DataTable(inputs: try byFeature.transposed().contiguous(), featureNames: names, labels: labels)
  }

  private func isLabelRow(_ name: String, _ labelRow: Int?) -> Bool {
    switch format.label {
    case .name(let label): label == name && label != "none"
    case .number: labelRow == rows.row
    case nil: TableFormat.Column.usualForLabels.contains(name.lowercased())
    }
  }

  /// Returns the row of a number: from 1 as they stand in the file, or below 0 from the last one that is not empty.
  private func row(of column: TableFormat.Column?) throws -> Int? {
    guard case .number(let number) = column else { return nil }
    guard number < 0 else { return number }
    var ahead = rows
    var found = isPending ? [rows.row] : []
    while try ahead.next() { found.append(ahead.row) }
    return found.indices.contains(found.count + number) ? found[found.count + number] : nil
  }

  // MARK: Cells

  /// Returns NaN for a missing value where those are kept.
  private func valueOfNoNumber(_ column: Int, _ place: String) throws -> Float {
    let place = "row \(rows.row), \(place)"
    if rows.isMissing(column) {
      if format.missing == .keep { return .nan }
      let found = rows.text(column).isEmpty ? "an empty cell" : "'\(rows.text(column))'"
      throw FileError(
        path, "\(place): found \(found), expected a number; set data.missing=keep and add the transform 'impute'")
    }
    let text = rows.text(column)
    let other: TableFormat.Decimal = format.decimal == .point ? .comma : .point
    let isOther = rows.number(column, format.decimal) == nil && rows.number(column, other) != nil
    let advice =
      isOther
      ? "; for a decimal \(other.rawValue), set data.decimal=\(other.rawValue)"
      : text.first?.isLetter == true
        ? "; data.drop leaves a column out, and data.label names that of the classes" : ""
    throw FileError(
      path, "\(place): found '\(text.prefix(40))' between \(rows.separatorName), expected a number\(advice)")
  }

  private func labelText(_ column: Int) throws -> String {
    let text = rows.text(column)
    guard !text.isEmpty else {
      throw FileError(path, "row \(rows.row), column \(column + 1): found no label, expected the sample's class")
    }
    return text
  }

  // MARK: Columns

  private func refuseDuplicates(_ names: [String], _ noun: String) throws {
    var places: [String: Int] = [:]
    for (place, name) in names.enumerated() {
      if let other = places.updateValue(place, forKey: name) {
        throw FileError(
          path, "row \(firstRow): \(noun) \(other + 1) and \(place + 1) are both named '\(name)'; rename one of them")
      }
    }
  }

  private func labelPlace(_ names: [String]) throws -> Int? {
    if format.label == .name("none") { return nil }
    let place =
      format.label.map { $0.place(in: names) }
      ?? names.firstIndex { TableFormat.Column.usualForLabels.contains($0.lowercased()) }
    guard let place else { throw missingLabel("column", count: width) }
    return place
  }

  private func missingLabel(_ noun: String, count: Int) -> FileError {
    let wanted =
      switch format.label {
      case .name(let name): "\(noun) '\(name)'"
      case .number(let number): "\(noun) \(number) among \(count)"
      case nil: "\(noun) called \(TableFormat.Column.usualForLabels.joined(separator: ", "))"
      }
    return FileError(
      path, "found no \(wanted) for the labels; name one by data.label, by its number say, or set data.label=none")
  }
}
