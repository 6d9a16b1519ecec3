import Files
import Foundation
import LatentKit

/// An array as NumPy's `.npy` format holds it (NEP 1): a magic number, a version, a header that says type, order and
/// shape, then the values.
struct NumpyArray {
  static let magic = Data([0x93] + "NUMPY".utf8)

  let shape: [Int]
  /// The values in row-major order, whatever the file's order is.
  let values: Values

  enum Values {
    case numbers([Float])
    case texts([String])
  }

  /// - Throws: `FileError` for an array that is truncated, pickled, or of a type that is no number, truth value or text.
  init(_ data: Data, path: String) throws {
    let data = Data(data)
    guard data.starts(with: NumpyArray.magic), data.count >= 10 else {
      throw FileError(path, "is not a NumPy array, or stops inside its header; write it again with numpy.save")
    }
    // Version 1 has two bytes for the header's length, later ones four.
    let lengthBytes = data[6] == 1 ? 2 : 4
    let length = data.dropFirst(8).prefix(lengthBytes).reversed().reduce(0) { $0 << 8 | Int($1) }
    let start = 8 + lengthBytes + length
    guard start <= data.count else {
      throw FileError(path, "is truncated: it stops inside its header; write it again with numpy.save")
    }
    let header = String(decoding: data[(8 + lengthBytes)..<start], as: UTF8.self)
    let found = header.firstMatch(
      of: /'descr':\s*'([^']*)'.*'fortran_order':\s*(True|False).*'shape':\s*\(([0-9, ]*)\)/.dotMatchesNewlines())
    guard let found else {
      throw FileError(path, "has a header that says '\(header.prefix(80))', expected one type, an order and a shape")
    }
    let shape = found.3.split(whereSeparator: { !$0.isNumber }).map { Int($0) ?? .max }
    let type = try ElementType(String(found.1), path: path)
    var count = 1
    for length in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: length)
      guard !overflow, product <= data.count else {
        throw FileError(
          path, "is truncated: its header says \(shape), more than its \(grouped(data.count)) bytes hold; save it again"
        )
      }
      count = product
    }
    guard data.count - start == count * type.size else {
      throw FileError(
        path,
        "found \(grouped(data.count - start)) bytes of values, expected \(grouped(count * type.size)) for \(shape) of "
          + "'\(found.1)'; save it again")
    }
    let values = type.values(data[start...], count: count)
    (self.shape, self.values) = (shape, found.2 == "True" ? try values.rowMajor(shape) : values)
  }
}

extension NumpyArray.Values {
  /// The same values for a matrix that was stored column by column.
  fileprivate func rowMajor(_ shape: [Int]) throws -> Self {
    guard shape.count > 1 else { return self }
    func reordered<Element>(_ stored: [Element]) -> [Element] {
      var strides = [Int](repeating: 1, count: shape.count)
      for axis in shape.indices.dropFirst() { strides[axis] = strides[axis - 1] * shape[axis - 1] }
      return stored.indices.map { position in
        var (rest, place) = (position, 0)
        for axis in shape.indices.reversed() {
          place += rest % shape[axis] * strides[axis]
          rest /= shape[axis]
        }
        return stored[place]
      }
    }
    return switch self {
    case .numbers(let stored): .numbers(reordered(stored))
    case .texts(let stored): .texts(reordered(stored))
    }
  }
}

/// What an array is made of: `<f4`, `>i8`, `|b1`, `<U7`.
private struct ElementType {
  let kind: Character
  /// Bytes of a value.
  let size: Int
  let isBigEndian: Bool

  init(_ text: String, path: String) throws {
    guard let match = text.wholeMatch(of: /([<>|=]?)([A-Za-z?])([0-9]*)/), let kind = match.2.first else {
      throw FileError(path, "holds values of type '\(text)', expected numbers")
    }
    let width = Int(match.3) ?? 1
    switch (kind, width) {
    case ("O", _):
      throw FileError(
        path,
        "holds pickled Python objects, which could run code when they are read; save it as numbers, as in "
          + "numpy.save(file, array.astype('float32'))")
    case ("f", 4), ("f", 8), ("i", 1), ("i", 2), ("i", 4), ("i", 8), ("u", 1), ("u", 2), ("u", 4), ("u", 8), ("b", 1),
      ("S", 1...1_000_000), ("U", 1...1_000_000):
      self.kind = kind
      size = kind == "U" ? 4 * width : width
      isBigEndian = match.1 == ">"
    default:
      throw FileError(path, "holds values of type '\(text)', expected f4, f8, i1 to i8, u1 to u8, bool or text")
    }
  }

  func values(_ data: Data, count: Int) -> NumpyArray.Values {
    if kind == "S" || kind == "U" { return .texts(texts(data, count)) }
    return data.withUnsafeBytes { bytes in
      func read<Stored: FixedWidthInteger>(_ type: Stored.Type, _ convert: (Stored) -> Float) -> NumpyArray.Values {
        .numbers(
          (0..<count).map {
            let raw = bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Stored>.size, as: Stored.self)
            return convert(isBigEndian ? raw.bigEndian : raw.littleEndian)
          })
      }
      return switch (kind, size) {
      case ("f", 4): read(UInt32.self) { Float(bitPattern: $0) }
      case ("f", _): read(UInt64.self) { Float(Double(bitPattern: $0)) }
      case ("i", 1): read(Int8.self) { Float($0) }
      case ("i", 2): read(Int16.self) { Float($0) }
      case ("i", 4): read(Int32.self) { Float($0) }
      case ("i", _): read(Int64.self) { Float($0) }
      case ("u", 2): read(UInt16.self) { Float($0) }
      case ("u", 4): read(UInt32.self) { Float($0) }
      case ("u", 8): read(UInt64.self) { Float($0) }
      default: read(UInt8.self) { Float($0) }
      }
    }
  }

  /// Fixed-width text, filled up with zeros: bytes, or UTF-32.
  private func texts(_ data: Data, _ count: Int) -> [String] {
    (0..<count).map { index in
      let raw = data.dropFirst(index * size).prefix(size)
      if kind == "S" { return String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self) }
      var scalars = String.UnicodeScalarView()
      for offset in stride(from: 0, to: size, by: 4) {
        let four = raw.dropFirst(offset).prefix(4)
        let code = (isBigEndian ? Array(four) : four.reversed()).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        if code == 0 { break }
        scalars.append(Unicode.Scalar(code) ?? "\u{fffd}")
      }
      return String(scalars)
    }
  }
}
