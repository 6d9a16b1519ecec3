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
  /// Whether the first column has the samples' names (features', for samples in columns): R's `write.table` leaves its name out of
  /// the header, and pandas leaves it empty.
  let hasRowNames: Bool
  /// The number of cells of every row.
  let width: Int
  let firstRow: Int
  /// The row below the first one; nil where there is none.
  private let second: RowBelow?
  /// Whether the first row has been read and is data.
  var isPending: Bool

  private struct RowBelow {
    let row: Int
    /// Its first cell.
    let name: String
    /// Of each of its cells, whether that is a number.
    let isNumber: [Bool]
    let numbers: [Double]
  }

  init(_ bytes: UnsafeBufferPointer<UInt8>, _ format: TableFormat, path: String) throws {
    (self.format, self.path) = (format, path)
    rows = try DelimitedRows(bytes, format, path: path)
    guard try rows.next() else { throw FileError(path, "is empty, expected a table") }
    firstRow = rows.row
    let texts = rows.cells.indices.map { [rows] in rows.text($0) }
    let hasNumber = rows.cells.indices.contains { [rows] in rows.number($0, format.decimal) != nil }
    let hasHeader = format.header ?? !hasNumber
    second = DelimitedTableReader.row(after: rows, format)
    let isNamed = second.map { !$0.isNumber[0] && !["", "NA"].contains($0.name) } ?? false
    // Rows that R numbers begin with 1.
    let isOfR = hasHeader && second?.isNumber.count == texts.count + 1 && (isNamed || second?.name == "1")
    header = hasHeader ? (isOfR ? [""] : []) + texts : nil
    hasRowNames = isOfR || hasHeader && isNamed && texts[0].isEmpty
    width = texts.count + (isOfR ? 1 : 0)
    isPending = header == nil
  }

  /// Looks at the next row.
  private static func row(after rows: DelimitedRows, _ format: TableFormat) -> RowBelow? {
    var rows = rows
    // What is wrong with it is said when it is read.
    guard (try? rows.next()) == true else { return nil }
    return RowBelow(
      row: rows.row, name: rows.text(0),
      isNumber: rows.cells.indices.map { [rows] in rows.number($0, format.decimal) != nil },
      numbers: rows.cells.indices.compactMap { [rows] in rows.number($0, format.decimal) })
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
        "row \(rows.row): found \(rows.cells.count) cells, expected \(width) as in row \(firstRow); \(adviceOnWidth)"
      )
    }
    return true
  }

  private var adviceOnWidth: String {
    let mayBeOfR = header == nil && format.header == nil && rows.cells.count == width + 1 && rows.row == second?.row
    return mayBeOfR
      ? "if row \(firstRow) has the names of columns, set data.header=true" : "check its separators"
  }

  /// Refuses a first row that is read as data, and looks like names: its numbers rise from cell to cell, as those of masses or of
  /// samples do, and those of the next row do not.
  private func refuseNamesOfNumbers() throws {
    guard header == nil, format.header == nil, let second else { return }
    func rises(_ values: [Double]) -> Bool { values.count >= 8 && zip(values, values.dropFirst()).allSatisfy(<) }
    let first = rows.cells.indices.compactMap { rows.number($0, format.decimal) }
    guard rises(first), !rises(second.numbers) else { return }
    throw FileError(
      path,
      "row \(firstRow): its numbers rise from \(first[0]) to \(first[first.count - 1]), as names of columns do; set data.header=true, or "
        + "data.header=false if it is data")
  }

  // MARK: Samples in rows

  mutating func samplesInRows() throws -> DataTable {
    let names = (0..<width).map { column in
      guard let name = header?[column], !name.isEmpty else { return "column \(column + 1)" }
      return name
    }
    try refuseNamesOfNumbers()
    try refuseDuplicates(names, "columns")
    let label = try labelPlace(names)
    let wanted = format.features.map(Set.init)
    let dropped = try format.droppedPlaces(names, path: path)
    func mayBeFeature(_ column: Int) -> Bool {
      column != label && !dropped.contains(column) && wanted?.contains(names[column]) ?? true
    }
    guard try next() else { throw FileError(path, "has a header and no rows below it, expected samples") }
    var idColumn = try idPlace(names, label)
    // Texts in the first column are ids until one is there twice: they are what they are then, no numbers.
    let first = (0..<width).first { $0 != label && !dropped.contains($0) }
    let supposed = idColumn == nil && format.id == nil ? first.flatMap(texts) : nil
    idColumn = idColumn ?? supposed?.column
    let features = (0..<width).filter { $0 != idColumn && mayBeFeature($0) }
    guard !features.isEmpty || wanted != nil else {
      throw supposed?.error ?? FileError(path, "has no column of numbers beside the labels")
    }
    var values: [Float] = []
    var labels: [String] = []
    var ids: [String] = []
    repeat {
      for column in features {
        if let number = rows.number(column, format.decimal).map(Float.init), number.isFinite {
          values.append(number)
        } else {
          values.append(try valueOfNoNumber(column, "column '\(names[column])' (\(column + 1))"))
        }
      }
      if let label { labels.append(try labelText(label)) }
      if let idColumn { ids.append(rows.text(idColumn)) }
    } while try next()
    if let supposed, Set(ids).count < ids.count, wanted == nil { throw supposed.error }
    let count = features.isEmpty ? 0 : values.count / features.count
    var table = DataTable(
      inputs: try Tensor(values, shape: [count, features.count]), featureNames: features.map { names[$0] },
      labels: label == nil ? nil : labels, ids: idColumn == nil ? nil : ids)
    table.idColumn = idColumn.map { names[$0] }
    let taken = supposed.map {
      "column '\(names[$0.column])' has a text of its own in each row, and is taken for the names of the samples (data.id); if "
        + "samples are columns, set data.samples=columns"
    }
    let remarks = wanted == nil ? [taken, likelyIDs(values, features)].compactMap { $0 } : []
    table.remark = remarks.isEmpty ? nil : "\(path): \(remarks.joined(separator: "; "))"
    return table
  }

  /// The column of ids: that which the format names, or a first one without a name.
  private func idPlace(_ names: [String], _ label: Int?) throws -> Int? {
    switch format.id {
    case nil, .name("none"): return hasRowNames && label != 0 ? 0 : nil
    case let id?:
      guard let place = id.place(in: names) else {
        if format.features != nil { return nil }
        switch id {
        case .name(let name): throw FileError(path, UnknownName(name, among: names, of: "column of ids").description)
        case .number(let number): throw FileError(path, "found no column \(number) among \(width) for the ids")
        }
      }
      return place
    }
  }

  /// A column whose cell in this row is text, with the error that it is no number; nil for numbers and missing values.
  private func texts(_ column: Int) -> (column: Int, error: any Error)? {
    // A number with the other decimal separator is a number that is read wrongly.
    let isNumber = [TableFormat.Decimal.point, .comma].contains { rows.number(column, $0) != nil }
    guard !isNumber, !rows.isMissing(column) else { return nil }
    do {
      _ = try valueOfNoNumber(column, "column \(header.map { "'\($0[column])' " } ?? "")(\(column + 1))")
      return nil
    } catch { return (column, error) }
  }

  /// A sentence on columns of whole numbers that all differ: most often these are no features. Nil where there are none.
  private func likelyIDs(_ values: [Float], _ features: [Int]) -> String? {
    let count = values.count / features.count
    var found: [(column: Int, counts: Bool)] = []
    for (place, column) in features.enumerated() {
      var seen: Set<Float> = []
      var (least, greatest) = (Float.infinity, -Float.infinity)
      let differ = (0..<count).allSatisfy { row in
        let value = values[row * features.count + place]
        (least, greatest) = (min(least, value), max(greatest, value))
        return value == value.rounded() && seen.insert(value).inserted
      }
      let counts = greatest - least == Float(count - 1)
      // Few numbers may differ by chance.
      guard differ, count >= 10 || counts && header?[column] == "" else { continue }
      found.append((column, counts))
    }
    // Where many columns are such, their numbers are large, and what counts the rows alone is odd.
    if found.count > max(1, features.count / 10) { found.removeAll { !$0.counts } }
    guard let first = found.first else { return nil }
    let title = header.map { $0[first.column].isEmpty ? "without a name" : "'\($0[first.column])'" } ?? ""
    let what = first.counts ? "counts the samples" : "has a whole number of its own in each row"
    let others = found.count > 1 ? ", as do \(found.count - 1) more" : ""
    return
      "column \(first.column + 1) \(title) \(what)\(others), and is read as a feature; if it names the samples, set "
      + "data.id=\(first.column + 1)"
  }

  // MARK: Samples in columns

  /// Reads samples in columns. The first cell of each row is the feature's name; the header, where there is one, has the samples' names.
  mutating func samplesInColumns() throws -> DataTable {
    guard width > 1 else {
      throw FileError(path, "row \(firstRow): found one cell, expected a name and the samples' values")
    }
    try refuseNamesOfNumbers()
    var names: [String] = []
    var places: [String: Int] = [:]
    var values: [Float] = []
    var labels: [String]?
    var ids = header.map { Array($0[1...]) }
    let (labelRow, idRow) = (try row(of: format.label), try row(of: format.id))
    let wanted = format.features.map(Set.init)
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
      if format.id == .name(name) || idRow == rows.row {
        ids = (1..<width).map { [rows] in rows.text($0) }
        continue
      }
      if !drops.isEmpty || wanted?.contains(name) == false { continue }
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
    if labels == nil, format.label != .name("none"), wanted == nil { throw missingLabel("row", count: rows.row) }
    if let first = unseen.min() {
      throw TableFormat.nothingToDrop(format.drop[first], "row", names, count: rows.row, path: path)
    }
    guard !names.isEmpty || wanted != nil else { throw FileError(path, "has no row of numbers beside the labels") }
    let byFeature = try Tensor(values, shape: [names.count, width - 1])
    return DataTable(
      inputs: try byFeature.transposed().contiguous(), featureNames: names, labels: labels,
      ids: ids?.contains("") == true ? nil : ids)
  }

  private func isLabelRow(_ name: String, _ labelRow: Int?) -> Bool {
    switch format.label {
    case .name(let label): label == name && label != "none"
    case .number: labelRow == rows.row
    case nil: TableFormat.usualForLabels.contains(name.lowercased())
    }
  }

  /// Returns the row of a number: from 1 as they stand in the file, or below 0 from the last one that is not empty.
  private func row(of column: NameOrNumber?) throws -> Int? {
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
    if rows.number(column, format.decimal) != nil {
      throw FileError(
        path,
        "\(place): found \(text.prefix(40)), expected a number within the range of Float32, ±3.4e38; rescale the column"
      )
    }
    let other: TableFormat.Decimal = format.decimal == .point ? .comma : .point
    let isOther = rows.number(column, other) != nil
    let advice =
      isOther
      ? "; for a decimal \(other.rawValue), set data.decimal=\(other.rawValue)"
      : column == 0 && isOfNames
        ? "; name a column of names of samples by data.id=1, and if these are features, set data.samples=columns"
        : text.first?.isLetter == true
          ? "; data.drop leaves a column out, and data.label names that of the classes" : ""
    throw FileError(
      path, "\(place): found '\(text.prefix(40))' between \(rows.separatorName), expected a number\(advice)")
  }

  /// Whether the first cells of the first rows of data are text and others are numbers.
  private var isOfNames: Bool {
    guard format.samples == .rows, let second, !second.isNumber[0], header != nil else { return false }
    return rows.row == second.row && second.isNumber.contains(true)
  }

  private func labelText(_ column: Int) throws -> String {
    let text = rows.text(column)
    // New rows may lack some labels, or all.
    if format.features != nil, rows.isMissing(column), !format.classes.contains(text) { return "" }
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
      ?? names.firstIndex { TableFormat.usualForLabels.contains($0.lowercased()) }
    if place == nil, format.features == nil { throw missingLabel("column", count: width) }
    return place
  }

  private func missingLabel(_ noun: String, count: Int) -> FileError {
    let wanted =
      switch format.label {
      case .name(let name): "\(noun) '\(name)'"
      case .number(let number): "\(noun) \(number) among \(count)"
      case nil: "\(noun) called \(TableFormat.usualForLabels.joined(separator: ", "))"
      }
    let named = "name one by data.label, by its number say, a file of labels by data.labelFile, or set data.label=none"
    return FileError(path, "found no \(wanted) for the labels\(otherReading() ?? "\(whatIsThere()); \(named)")")
  }

  /// How the file has to be read for the labels to be found, where that can be seen.
  private func otherReading() -> String? {
    if width == 1, header?[0].contains(" ") == true {
      return ", and one column alone; for spaces between cells set data.separator=space"
    }
    let wanted: [String]
    switch format.label {
    case .name(let name): wanted = [name.lowercased()]
    case .number: return nil
    case nil: wanted = TableFormat.usualForLabels
    }
    if format.samples == .columns {
      let column = header?.first { wanted.contains($0.lowercased()) }
      return column.map { ", and a column '\($0)'; if samples are rows, leave data.samples out" }
    }
    // Labels that are a row stand near the top.
    var ahead = rows
    for _ in 0..<100 {
      guard (try? ahead.next()) == true else { return nil }
      if wanted.contains(ahead.text(0).lowercased()) {
        return ", and row \(ahead.row) is called '\(ahead.text(0))'; if samples are columns, set data.samples=columns"
      }
    }
    return nil
  }

  /// The names of columns, for samples in rows: that which a misspelt one is nearest to, or the first and the last.
  private func whatIsThere() -> String {
    guard format.samples == .rows, let names = header?.filter({ !$0.isEmpty }), !names.isEmpty else { return "" }
    if case .name(let name) = format.label, let nearest = UnknownName(name, among: names, of: "column").nearest {
      return "; did you mean '\(nearest)'"
    }
    let ends = names.count > 8 ? names.prefix(4) + ["…"] + names.suffix(3) : names[...]
    let isFirstText = second.map {
      !$0.isNumber[0] && $0.isNumber.count > 1 && !$0.isNumber.dropFirst().contains(false)
    }
    return " among \(ends.joined(separator: ", ").shortened(to: 300))"
      + (isFirstText == true ? "; if samples are columns, set data.samples=columns" : "")
  }
}
