import Files
import Foundation

/// Returns the rows of a file of comma-separated cells (RFC 4180), as texts.
///
/// - Throws: `FileError` if the file cannot be read, is no text, or has a cell that is quoted wrongly.
package func delimitedTexts(in url: URL) throws -> [[String]] {
  let path = url.relativePath
  let data: Data
  do { data = try Data(contentsOf: url) } catch let error as CocoaError {
    throw FileError(path, "cannot be read: \(error.localizedDescription)")
  }
  return try data.withUnsafeBytes { bytes in
    var format = TableFormat()
    format.separator = .comma
    var rows = try DelimitedRows(bytes.bindMemory(to: UInt8.self), format, path: path)
    var texts: [[String]] = []
    while try rows.next() { texts.append(rows.cells.indices.map { [rows] in rows.text($0) }) }
    return texts
  }
}
