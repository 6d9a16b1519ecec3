import Files
import Foundation
import LatentKit

extension DataTable {
  /// Reads a table, with its labels from a file of their own where the format names one, and returns the MD5 of what was read.
  static func labelled(contentsOf url: URL, _ format: TableFormat) throws -> (table: DataTable, digest: String) {
    guard let file = format.labelFile else { return try withDigest(contentsOf: url, format) }
    var unlabelled = format
    (unlabelled.label, unlabelled.labelFile) = (.name("none"), nil)
    let (table, digest) = try withDigest(contentsOf: url, unlabelled)
    let found = try LabelFile(contentsOf: file, label: format.label).labels(
      of: table.ids, count: table.inputs.shape[0], table: url.lastPathComponent, ofAll: format.features == nil)
    var result = DataTable(
      inputs: table.inputs, featureNames: table.featureNames, labels: found.labels, ids: table.ids)
    let remarks = [table.remark, found.remark].compactMap { $0 }
    result.idColumn = table.idColumn
    result.remark = remarks.isEmpty ? nil : remarks.joined(separator: "; ")
    let both = digest + (try Checksum(.md5, of: file).digits)
    return (result, try Checksum(.md5, of: Data(both.utf8)).digits)
  }
}

/// A delimited text with the labels of samples: a column of their names and one of the labels, or labels alone.
private struct LabelFile {
  let path: String
  let label: NameOrNumber?
  /// The cells, all rows of one length.
  let rows: [[String]]
  /// The number of each row in the file, from 1.
  let numbers: [Int]

  init(contentsOf url: URL, label: NameOrNumber?) throws {
    (path, self.label) = (url.path, label)
    guard !HDF5File.isOne(url) else {
      throw FileError(path, "is an HDF5 file, expected labels as delimited text")
    }
    let format = TableFormat()
    var (rows, numbers): ([[String]], [Int]) = ([], [])
    try ByteReader(url).readAll(within: format.limit).withUnsafeBytes { bytes in
      var reader = try DelimitedRows(bytes.bindMemory(to: UInt8.self), format, path: url.path)
      while try reader.next() {
        rows.append(reader.cells.indices.map { [reader] in reader.text($0) })
        numbers.append(reader.row)
      }
    }
    guard !rows.isEmpty else { throw FileError(path, "is empty, expected labels") }
    // R's write.table leaves out the name of the first column.
    if rows.count > 1, rows[1].count == rows[0].count + 1 { rows[0].insert("", at: 0) }
    let width = rows[0].count
    if let odd = rows.firstIndex(where: { $0.count != width }) {
      throw FileError(
        path,
        "row \(numbers[odd]): found \(rows[odd].count) cells, expected \(width) as in row \(numbers[0]); check its "
          + "separators")
    }
    (self.rows, self.numbers) = (rows, numbers)
  }

  /// Returns the label of each sample.
  ///
  /// - Parameters:
  ///   - ids: The names of the samples; nil: rows are in the samples' order.
  ///   - table: The samples' file in messages.
  ///   - all: Whether each must have one; an empty text stands for a missing one otherwise.
  func labels(of ids: [String]?, count: Int, table: String, ofAll all: Bool) throws -> (
    labels: [String], remark: String?
  ) {
    guard let ids, rows[0].count > 1 else { return try inOrder(count: count, table: table) }
    let wanted = Set(ids)
    let hasHeader = !rows[0].contains(where: wanted.contains)
    let column = try labelColumn(hasHeader: hasHeader)
    let body = rows.indices.dropFirst(hasHeader ? 1 : 0)
    // The column that has the samples' names is known by them.
    let matches = rows[0].indices.map { place in
      place == column ? -1 : body.count { wanted.contains(rows[$0][place]) }
    }
    let most = matches.max() ?? 0
    guard most > 0, let key = matches.firstIndex(of: most) else {
      throw FileError(
        path,
        "has none of the names of the samples of \(table), such as '\(ids[0])', in any column but that of the labels; write "
          + "them as \(table) does")
    }
    var (found, places): ([String: String], [String: Int]) = ([:], [:])
    for row in body {
      let (id, label) = (rows[row][key], rows[row][column])
      if let other = places[id], found[id] != label, wanted.contains(id) {
        throw FileError(
          path,
          "rows \(numbers[other]) and \(numbers[row]) give '\(id)' the labels '\(found[id] ?? "")' and '\(label)'; keep one of "
            + "them")
      }
      (found[id], places[id]) = (label, row)
    }
    let missing = ids.filter { (found[$0] ?? "").isEmpty }
    if all, let first = missing.first {
      throw FileError(
        path,
        "has no label for \(grouped(missing.count)) of the \(grouped(count)) samples of \(table), the first '\(first)'; add "
          + "them, or leave these samples out of the table")
    }
    let others = body.map { rows[$0][key] }.filter { !wanted.contains($0) }
    let remark = others.first.map {
      "\(path): \(grouped(others.count)) of its \(grouped(body.count)) rows are of no sample of \(table), the first '\($0)'"
    }
    return (ids.map { found[$0] ?? "" }, remark)
  }

  private func inOrder(count: Int, table: String) throws -> (labels: [String], remark: String?) {
    guard rows.count == count || rows.count == count + 1 else {
      throw FileError(
        path,
        "has \(grouped(rows.count)) rows, and \(table) \(grouped(count)) samples, which are joined by their order as there "
          + "are no names of samples in both; expected a label for each, with or without a header")
    }
    let hasHeader = rows.count == count + 1
    let column = try labelColumn(hasHeader: hasHeader)
    let body = rows.indices.dropFirst(hasHeader ? 1 : 0)
    if !hasHeader, !body.dropFirst().contains(where: { rows[$0][column] == rows[0][column] }) {
      throw FileError(
        path,
        "row \(numbers[0]): found '\(rows[0][column])' and no other label like it, where the \(grouped(count)) rows are as "
          + "many as the samples of \(table); if it is a header, a label is missing, else add a header")
    }
    if let empty = body.first(where: { rows[$0][column].isEmpty }) {
      throw FileError(path, "row \(numbers[empty]): found no label, expected the sample's class")
    }
    let remark =
      rows[0].count > 1
      ? "\(path): its labels were taken in the order of the rows, as \(table) has no names of samples" : nil
    return (body.map { rows[$0][column] }, remark)
  }

  private func labelColumn(hasHeader: Bool) throws -> Int {
    let width = rows[0].count
    let names = hasHeader ? rows[0] : (1...width).map { "column \($0)" }
    if let label {
      if let place = label.place(in: names) { return place }
      switch label {
      case .name(let name): throw FileError(path, UnknownName(name, among: names, of: "column of labels").description)
      case .number(let number): throw FileError(path, "found no column \(number) among \(width) for the labels")
      }
    }
    if let usual = names.firstIndex(where: { TableFormat.usualForLabels.contains($0.lowercased()) }) {
      return usual
    }
    guard width <= 2 else {
      throw FileError(path, "has the columns \(names.listed(atMost: 20)); name that of the labels by data.label")
    }
    return width - 1
  }
}
