import Foundation

/// Returns the rows of a file of delimited cells (RFC 4180), as texts.
///
/// - Throws: `FileError` if the file cannot be read, is no text, or has a cell that is quoted wrongly.
package func delimitedTexts(in url: URL, separator: TableFormat.Separator = .comma) throws -> [[String]] {
  var format = TableFormat()
  format.separator = separator
  return try ByteReader(url).readAll(within: format.limit).withUnsafeBytes { bytes in
    var rows = try DelimitedRows(bytes.bindMemory(to: UInt8.self), format, path: url.relativePath)
    var texts: [[String]] = []
    while try rows.next() { texts.append(rows.cells.indices.map { [rows] in rows.text($0) }) }
    return texts
  }
}
