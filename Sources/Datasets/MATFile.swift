import CReaders
import CZlib
import Files
import Foundation

/// The matrices of a MATLAB file of version 5 (`save -v6`, `-v7`), read by libmatio.
///
/// The list of what the file holds is read here: libmatio takes hours over some damaged cells and structures, so it is
/// handed single matrices of numbers, whose sizes have been compared with the file's.
package struct MATFile {
  /// A matrix of numbers `[rows, columns]`.
  package struct Matrix {
    package let rows: Int
    package let columns: Int
    /// Column by column, as MATLAB stores them: the value at row `r` and column `c` is `values[c * rows + r]`.
    package let values: [Float]

    /// The rows one after the other.
    var byRow: [Float] {
      [Float](unsafeUninitializedCapacity: values.count) { target, count in
        values.withUnsafeBufferPointer { source in
          for row in 0..<rows {
            for column in 0..<columns { target[row * columns + column] = source[column * rows + row] }
          }
        }
        count = values.count
      }
    }
  }

  fileprivate struct Variable {
    let name: String
    /// MATLAB's number of the class: 6 double, 7 single, 8 to 15 integers of 8 to 64 bits.
    let kind: UInt8
    let isComplex: Bool
    let dimensions: [Int]
    /// Where it lies in the file, with its tag.
    let range: Range<Int>
    let isPacked: Bool
  }

  let path: String
  private let data: Data
  fileprivate let variables: [Variable]
  private let limit: UnpackLimit

  /// The names of everything that the file holds.
  package var names: [String] { variables.map(\.name) }

  /// - Throws: `FileError` for a file that is not of this version, truncated or corrupted.
  init(contentsOf url: URL, limit: UnpackLimit) throws {
    try self.init(ByteReader(url).readAll(within: limit), limit: limit, path: url.path)
  }

  /// - Throws: `FileError` for a file that is not of this version, truncated, corrupted, or larger than usual.
  package init(contentsOf url: URL) throws { try self.init(contentsOf: url, limit: .usual) }

  /// Reads a file's list of variables.
  init(_ data: Data, limit: UnpackLimit = .usual, path: String) throws {
    (self.path, self.data, self.limit) = (path, Data(data), limit)
    variables = try self.data.withUnsafeBytes { try MATFile.variables(in: $0, path: path) }
  }

  // MARK: The list

  private static func variables(in bytes: UnsafeRawBufferPointer, path: String) throws -> [Variable] {
    if bytes.starts(with: "MATLAB 7.3".utf8) || bytes.starts(with: [0x89, 0x48, 0x44, 0x46]) {
      throw FileError(path, "is a MAT file of version 7.3; save it again by save(file, …, '-v7')")
    }
    guard bytes.count >= 128, let isSwapped = [0x4d49: false, 0x494d: true][UInt16(at: 126, in: bytes, false)],
      UInt16(at: 124, in: bytes, isSwapped) == 0x0100
    else { throw FileError(path, "is not a MAT file of version 5; save it by save(file, …, '-v7')") }
    var variables: [Variable] = []
    var position = 128
    while position < bytes.count {
      guard bytes.count - position >= 8 else { throw truncated(path) }
      let type = UInt32(at: position, in: bytes, isSwapped)
      let length = Int(UInt32(at: position + 4, in: bytes, isSwapped))
      guard type == 14 || type == 15 else {
        throw FileError(path, "is corrupted: found an element of type \(type) at byte \(position), expected a matrix")
      }
      guard length <= bytes.count - position - 8 else { throw truncated(path) }
      let content = UnsafeRawBufferPointer(rebasing: bytes[(position + 8)..<(position + 8 + length)])
      let range = position..<(position + 8 + length)
      position = range.upperBound
      // Packed, the beginning is enough to see what it is; MATLAB's names have at most 63 characters.
      let isPacked = type == 15
      let start = isPacked ? try inflated(content, upTo: 1024, path: path) : [UInt8](content.prefix(1016))
      let variable = start.withUnsafeBytes { Variable($0, isSwapped, isPacked: isPacked, in: range) }
      if let variable { variables.append(variable) }
    }
    return variables
  }

  private static func truncated(_ path: String) -> FileError {
    FileError(path, "is truncated: it stops inside a variable; get the file again")
  }

  /// The first bytes of some that zlib packed.
  private static func inflated(_ bytes: UnsafeRawBufferPointer, upTo count: Int, path: String) throws -> [UInt8] {
    var stream = z_stream()
    guard inflateInit_(&stream, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      throw FileError(path, "cannot be inflated: zlib has no memory")
    }
    defer { inflateEnd(&stream) }
    var result = [UInt8](repeating: 0, count: count)
    let status = result.withUnsafeMutableBytes { target in
      stream.next_in = UnsafeMutablePointer(mutating: bytes.bindMemory(to: UInt8.self).baseAddress)
      stream.avail_in = UInt32(bytes.count)
      stream.next_out = target.bindMemory(to: UInt8.self).baseAddress
      stream.avail_out = UInt32(count)
      return inflate(&stream, Z_SYNC_FLUSH)
    }
    guard status == Z_OK || status == Z_STREAM_END else {
      throw FileError(path, "is corrupted: a variable cannot be unpacked; get the file again")
    }
    // Past the tag of the matrix itself.
    return Array(result.prefix(count - Int(stream.avail_out)).dropFirst(8))
  }

  // MARK: One matrix

  /// A matrix by its name.
  /// - Throws: `FileError` where it is absent, no matrix of real numbers, larger than the limit, or damaged.
  package func matrix(_ name: String) throws -> Matrix {
    guard let variable = variables.first(where: { $0.name == name }) else {
      throw FileError(path, "holds \(names.joined(separator: ", ")), expected a matrix called '\(name)'")
    }
    let place = "\(path), matrix '\(name)'"
    let sizes: [UInt8: Int] = [6: 8, 7: 4, 8: 1, 9: 1, 10: 2, 11: 2, 12: 4, 13: 4]
    guard let size = sizes[variable.kind], !variable.isComplex, variable.dimensions.count == 2 else {
      throw FileError(place, "is not a matrix of real numbers with two axes")
    }
    let (rows, columns) = (variable.dimensions[0], variable.dimensions[1])
    let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
    guard rows > 0, columns > 0 else { throw FileError(place, "is empty: found \(rows) x \(columns)") }
    guard !overflow, count <= Int.max / 8 else { throw FileError(place, "is corrupted: found \(rows) x \(columns)") }
    try limit.check(count * size, of: place)
    // Values may be stored in one byte each, and deflate shrinks at most 1032 times.
    guard count / (variable.isPacked ? 1032 : 1) <= variable.range.count else {
      throw FileError(
        place, "is corrupted: \(grouped(variable.range.count)) bytes cannot hold \(rows) x \(columns) values")
    }
    return try read(variable, rows: rows, columns: columns, place: place)
  }

  private func read(_ variable: Variable, rows: Int, columns: Int, place: String) throws -> Matrix {
    let single = FileManager.default.temporaryDirectory.appendingPathComponent("latentkit-\(UUID().uuidString).mat")
    do { try (data.prefix(128) + data[variable.range]).write(to: single) } catch {
      throw FileError(single.path, "cannot be written: \(systemReason(of: error))")
    }
    defer { try? FileManager.default.removeItem(at: single) }
    var (matrix, text) = (cr_matrix(), [CChar](repeating: 0, count: CR_MESSAGE_LENGTH))
    let status = cr_read_mat(single.path, variable.name, Int64(limit.byteCount), &matrix, &text)
    guard status == CR_OK, matrix.rows == rows, matrix.columns == columns, let values = matrix.values else {
      if status == CR_OK { cr_free_matrix(&matrix) }
      let reason = message(text)
      throw FileError(place, "is corrupted\(reason.isEmpty ? "" : ": \(reason)"); get the file again")
    }
    defer { cr_free_matrix(&matrix) }
    let bytes = UnsafeRawBufferPointer(start: values, count: rows * columns * Int(matrix.size))
    let numbers: [Float] =
      switch (UInt8(bitPattern: matrix.kind), matrix.size) {
      case (UInt8(ascii: "f"), 8): bytes.bindMemory(to: Double.self).map(Float.init)
      case (UInt8(ascii: "f"), _): Array(bytes.bindMemory(to: Float.self))
      case (UInt8(ascii: "u"), 1): bytes.map(Float.init)
      case (UInt8(ascii: "u"), 2): bytes.bindMemory(to: UInt16.self).map(Float.init)
      case (UInt8(ascii: "u"), _): bytes.bindMemory(to: UInt32.self).map(Float.init)
      case (_, 1): bytes.bindMemory(to: Int8.self).map(Float.init)
      case (_, 2): bytes.bindMemory(to: Int16.self).map(Float.init)
      default: bytes.bindMemory(to: Int32.self).map(Float.init)
      }
    return Matrix(rows: rows, columns: columns, values: numbers)
  }
}

/// The text of a message that a C function wrote.
func message(_ text: [CChar]) -> String {
  String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

extension MATFile.Variable {
  /// Reads the beginning of a matrix: its flags, dimensions and name; nil for something else.
  fileprivate init?(_ bytes: UnsafeRawBufferPointer, _ isSwapped: Bool, isPacked: Bool, in range: Range<Int>) {
    var position = 0
    /// The next part of a matrix: a tag, then its bytes, filled up to a multiple of eight.
    func part() -> (type: UInt32, bytes: Range<Int>)? {
      guard bytes.count - position >= 8 else { return nil }
      let first = UInt32(at: position, in: bytes, isSwapped)
      // Four bytes or fewer stand in the tag itself.
      if first >> 16 != 0 {
        defer { position += 8 }
        return first >> 16 <= 4 ? (first & 0xffff, (position + 4)..<(position + 4 + Int(first >> 16))) : nil
      }
      let length = Int(UInt32(at: position + 4, in: bytes, isSwapped))
      guard length <= bytes.count - position - 8 else { return nil }
      defer { position += 8 + (length + 7) / 8 * 8 }
      return (first, (position + 8)..<(position + 8 + length))
    }
    guard let flags = part(), flags.type == 6, flags.bytes.count == 8 else { return nil }
    let word = UInt32(at: flags.bytes.lowerBound, in: bytes, isSwapped)
    guard let lengths = part(), lengths.type == 5, lengths.bytes.count % 4 == 0 else { return nil }
    let dimensions = stride(from: lengths.bytes.lowerBound, to: lengths.bytes.upperBound, by: 4).map {
      Int(Int32(bitPattern: UInt32(at: $0, in: bytes, isSwapped)))
    }
    guard dimensions.allSatisfy({ $0 >= 0 }), let name = part(), name.type == 1 else { return nil }
    self.init(
      name: String(decoding: bytes[name.bytes], as: UTF8.self), kind: UInt8(word & 0xff),
      isComplex: word & 0x800 != 0, dimensions: dimensions, range: range, isPacked: isPacked)
  }
}

extension FixedWidthInteger {
  /// A number at any place among some bytes.
  fileprivate init(at position: Int, in bytes: UnsafeRawBufferPointer, _ isSwapped: Bool) {
    let raw = bytes.loadUnaligned(fromByteOffset: position, as: Self.self)
    self = isSwapped ? Self(bigEndian: raw) : Self(littleEndian: raw)
  }
}
