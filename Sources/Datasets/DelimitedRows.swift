import Files
import Foundation

/// The rows of a delimited text (RFC 4180), one after the other, without a copy of its bytes.
///
/// Rows end with LF, CR LF or CR; empty ones are skipped. A cell in double quotes may hold separators, line ends and
/// doubled quotes. Text is UTF-8, with or without a byte order mark; a cell that is not valid UTF-8 is Latin-1.
///
/// Time is linear in the size of the text. A row has at most a million cells, and a cell at most a MiB.
struct DelimitedRows {
  /// The place of a cell in the bytes, without its quotes.
  struct Cell {
    var range: Range<Int>
    /// Whether it holds doubled quotes.
    var hasDoubled = false
  }

  let path: String
  private let bytes: UnsafeBufferPointer<UInt8>
  private var position: Int
  let separator: UInt8
  /// The number of the row read last, from 1; empty rows count.
  private(set) var row = 0
  private(set) var cells: [Cell] = []

  /// The most cells of a row: a larger one costs far more memory than its text.
  static let maximumCells = 1_000_000
  /// The most bytes of a cell; more are, most often, quotes that were not closed.
  static let maximumCellLength = 1 << 20

  private static let (quote, carriageReturn, lineFeed): (UInt8, UInt8, UInt8) = (0x22, 0x0d, 0x0a)

  /// - Throws: `FileError` for bytes that are not text of one byte per ASCII character.
  init(_ bytes: UnsafeBufferPointer<UInt8>, _ format: TableFormat, path: String) throws {
    self.bytes = bytes
    self.path = path
    position = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
    guard !bytes.prefix(4096).contains(0), !bytes.starts(with: [0xff, 0xfe]), !bytes.starts(with: [0xfe, 0xff]) else {
      throw FileError(path, "is not text in UTF-8 or Latin-1; save it as UTF-8")
    }
    self.separator =
      switch format.separator {
      case .comma: 0x2c
      case .semicolon: 0x3b
      case .tab: 0x09
      case .space: 0x20
      case .auto:
        DelimitedRows.likeliestSeparator(
          UnsafeBufferPointer(rebasing: bytes[position...]), besides: format.decimal)
      }
  }

  /// Returns the one of `,`, `;` and tab that is most frequent in the first row, outside quotes; a decimal comma is none. At
  /// most a MiB is looked at.
  private static func likeliestSeparator(
    _ bytes: UnsafeBufferPointer<UInt8>, besides decimal: TableFormat.Decimal
  ) -> UInt8 {
    let (comma, semicolon, tab): (UInt8, UInt8, UInt8) = (0x2c, 0x3b, 0x09)
    var start = 0
    while start < bytes.count, bytes[start] == carriageReturn || bytes[start] == lineFeed { start += 1 }
    let end = start + min(maximumCellLength, bytes.count - start)
    var (commas, semicolons, tabs) = (0, 0, 0)
    var isQuoted = false
    var index = start
    while index < end {
      let byte = bytes[index]
      index += 1
      if byte == quote { isQuoted.toggle() }
      if isQuoted { continue }
      if byte == comma {
        commas += 1
      } else if byte == semicolon {
        semicolons += 1
      } else if byte == tab {
        tabs += 1
      } else if byte == carriageReturn || byte == lineFeed, (decimal == .comma ? 0 : commas) + semicolons + tabs > 0 {
        break
      }
    }
    if decimal == .comma { return tabs > semicolons ? tab : semicolon }
    return tabs > max(commas, semicolons) ? tab : semicolons > commas ? semicolon : comma
  }

  /// The character between cells, in words: `commas`.
  var separatorName: String {
    switch separator {
    case 0x2c: "commas"
    case 0x3b: "semicolons"
    case 0x20: "spaces"
    default: "tabs"
    }
  }

  /// Reads the next row into `cells`; false at the end.
  /// - Throws: `FileError` for a quoted cell that does not end, or goes on after its quotes.
  mutating func next() throws -> Bool {
    repeat {
      guard position < bytes.count else { return false }
      row += 1
      cells.removeAll(keepingCapacity: true)
      while try readCell() {
        guard cells.count < DelimitedRows.maximumCells else {
          throw FileError(
            path,
            "row \(row): found more than \(grouped(DelimitedRows.maximumCells)) cells; check its line ends and "
              + "separators, or save it as .npy")
        }
      }
      // A row of one empty cell is an empty line.
    } while cells.count == 1 && cells[0].range.isEmpty
    return true
  }

  /// Reads one cell and what ends it; false where that ends the row.
  private mutating func readCell() throws -> Bool {
    if position < bytes.count, bytes[position] == DelimitedRows.quote {
      try readQuoted()
    } else {
      let start = position
      var end = start
      let limit = min(bytes.count, start + DelimitedRows.maximumCellLength + 1)
      while end < limit {
        let byte = bytes[end]
        if byte == separator || byte == DelimitedRows.lineFeed || byte == DelimitedRows.carriageReturn { break }
        end += 1
      }
      try append(Cell(range: start..<end))
      position = end
    }
    guard position < bytes.count else { return false }
    let byte = bytes[position]
    position += 1
    if byte == separator { return true }
    if byte == DelimitedRows.carriageReturn, position < bytes.count, bytes[position] == DelimitedRows.lineFeed {
      position += 1
    }
    return false
  }

  private mutating func append(_ cell: Cell) throws {
    guard cell.range.count <= DelimitedRows.maximumCellLength else { throw longCell() }
    cells.append(cell)
  }

  private func longCell() -> FileError {
    FileError(
      path,
      "row \(row), column \(cells.count + 1): found a cell of more than \(grouped(DelimitedRows.maximumCellLength)) bytes, "
        + "the most that one may have; check its separators and quotes")
  }

  private mutating func readQuoted() throws {
    let start = position + 1
    var hasDoubled = false
    position = start
    while true {
      guard position < bytes.count else {
        throw FileError(
          path, "row \(row), column \(cells.count + 1): the quotes are never closed; add the missing '\"'")
      }
      if bytes[position] == DelimitedRows.quote {
        guard position + 1 < bytes.count, bytes[position + 1] == DelimitedRows.quote else { break }
        hasDoubled = true
        position += 1
      }
      position += 1
      guard position - start <= DelimitedRows.maximumCellLength else { throw longCell() }
    }
    try append(Cell(range: start..<position, hasDoubled: hasDoubled))
    position += 1
    guard position < bytes.count else { return }
    let byte = bytes[position]
    guard byte == separator || byte == DelimitedRows.lineFeed || byte == DelimitedRows.carriageReturn else {
      let advice =
        byte == 0x20 && row == 1
        ? "for spaces between cells set data.separator=space" : "double the quotes inside a cell"
      throw FileError(
        path,
        "row \(row), column \(cells.count): found text after the closing quotes, expected the next cell; \(advice)")
    }
  }

  // MARK: Cells of the row

  /// Returns the bytes of a cell, without spaces around them.
  private func trimmed(_ index: Int) -> UnsafeBufferPointer<UInt8> {
    var range = cells[index].range
    while let first = range.first, bytes[first] == 0x20 { range = first + 1..<range.upperBound }
    while let last = range.last, bytes[last] == 0x20 { range = range.lowerBound..<last }
    return UnsafeBufferPointer(rebasing: bytes[range])
  }

  func text(_ index: Int) -> String {
    let raw = trimmed(index)
    let text =
      String(validating: raw, as: UTF8.self)
      ?? String(String.UnicodeScalarView(raw.map { Unicode.Scalar($0) }))
    return cells[index].hasDoubled ? text.replacing("\"\"", with: "\"") : text
  }

  /// Returns the number in a cell; nil where it is none.
  func number(_ index: Int, _ decimal: TableFormat.Decimal) -> Double? {
    DecimalNumber.parse(trimmed(index), point: decimal == .point ? 0x2e : 0x2c)
  }

  /// Whether a cell stands for no value.
  func isMissing(_ index: Int) -> Bool { trimmed(index).count <= 4 && isWordForMissing(text(index)) }
}

/// Whether a text stands for a missing value.
func isWordForMissing(_ text: String) -> Bool { ["", "na", "n/a", "nan", "null", "?"].contains(text.lowercased()) }

/// Numbers as tables write them: `-12.5`, `+.5`, `1e-3`.
enum DecimalNumber {
  private static let powers: [Double] = (0...22).map { Double("1e\($0)") ?? .nan }

  /// Returns the nearest Double; nil for anything else, infinities and thousands separators among it.
  static func parse(_ bytes: UnsafeBufferPointer<UInt8>, point: UInt8) -> Double? {
    var index = 0
    var isNegative = false
    if let first = bytes.first, first == 0x2d || first == 0x2b {
      isNegative = first == 0x2d
      index = 1
    }
    var mantissa: UInt64 = 0
    var (digits, exponent) = (0, 0)
    var hasPoint = false
    var hasDigit = false
    while index < bytes.count {
      let byte = bytes[index]
      if byte &- 0x30 <= 9 {
        hasDigit = true
        if digits < 19 {
          mantissa = mantissa * 10 + UInt64(byte &- 0x30)
          if mantissa > 0 { digits += 1 }
        } else {
          digits += 1
          exponent += 1
        }
        if hasPoint { exponent -= 1 }
      } else if byte == point, !hasPoint {
        hasPoint = true
      } else {
        break
      }
      index += 1
    }
    guard hasDigit else { return nil }
    if index < bytes.count {
      guard bytes[index] | 0x20 == 0x65, let written = wholeNumber(bytes[(index + 1)...]) else { return nil }
      exponent += written
    }
    // Both factors are exact, so one rounding gives the nearest (Clinger 1990); the rest is rare.
    if digits <= 19, mantissa < 1 << 53, abs(exponent) <= 22 {
      let value =
        exponent < 0 ? Double(mantissa) / powers[-exponent] : Double(mantissa) * powers[exponent]
      return isNegative ? -value : value
    }
    let text = String(decoding: bytes.map { $0 == point ? 0x2e : $0 }, as: UTF8.self)
    return Double(text).flatMap { $0.isFinite ? $0 : nil }
  }

  private static func wholeNumber(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> Int? {
    guard (1...6).contains(bytes.count) else { return nil }
    return Int(String(decoding: bytes, as: UTF8.self))
  }
}
