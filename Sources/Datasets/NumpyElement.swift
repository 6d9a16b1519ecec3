import Files
import Foundation

/// The kind of number that a stored one can be read as, without a detour through a type that would round it.
protocol NumpyValue {
  init(_ number: Int64)
  init(_ number: UInt64)
  init(_ number: Float)
  init(_ number: Double)
}

extension Float: NumpyValue {}

/// A class by its number: `3` for 3 and for 3.0, and every digit of a large one.
struct NumpyClassName: NumpyValue {
  let text: String

  init(_ number: Int64) { text = "\(number)" }
  init(_ number: UInt64) { text = "\(number)" }
  init(_ number: Float) { text = Int(exactly: number).map(String.init) ?? "\(number)" }
  init(_ number: Double) { text = Int(exactly: number).map(String.init) ?? "\(number)" }
}

/// The type of an array's elements: `<f4`, `>i8`, `|b1`, `<U7`.
struct NumpyElement {
  private let kind: Character
  /// Bytes of a value.
  let size: Int
  private let isBigEndian: Bool

  var isText: Bool { kind == "S" || kind == "U" }
  var isTruth: Bool { kind == "b" }
  var holdsFractions: Bool { kind == "f" }
  /// Whether it is an unsigned byte or a truth value.
  var isByte: Bool { isTruth || kind == "u" && size == 1 }

  /// - Throws: `FileError` for a type that is no number, truth value or text.
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

  /// - Throws: `FileError` for a truth value that is neither 0 nor 1.
  func check(_ data: Data, path: String) throws {
    guard kind == "b" else { return }
    try data.withUnsafeBytes { bytes in
      guard let position = bytes.firstIndex(where: { $0 > 1 }) else { return }
      throw FileError(
        path, "found byte \(bytes[position]) for truth value \(position), expected 0 or 1; save it again")
    }
  }

  /// Reads the numbers at some places of `data`.
  func numbers<Value: NumpyValue>(_ data: Data, at places: some Collection<Int>) -> [Value] {
    data.withUnsafeBytes { bytes in
      func read<Stored: FixedWidthInteger>(_ type: Stored.Type, _ convert: (Stored) -> Value) -> [Value] {
        places.map {
          let raw = bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Stored>.size, as: Stored.self)
          return convert(isBigEndian ? raw.bigEndian : raw.littleEndian)
        }
      }
      return switch (kind, size) {
      case ("f", 4): read(UInt32.self) { Value(Float(bitPattern: $0)) }
      case ("f", _): read(UInt64.self) { Value(Double(bitPattern: $0)) }
      case ("i", 1): read(Int8.self) { Value(Int64($0)) }
      case ("i", 2): read(Int16.self) { Value(Int64($0)) }
      case ("i", 4): read(Int32.self) { Value(Int64($0)) }
      case ("i", _): read(Int64.self) { Value($0) }
      case ("u", 2): read(UInt16.self) { Value(UInt64($0)) }
      case ("u", 4): read(UInt32.self) { Value(UInt64($0)) }
      case ("u", 8): read(UInt64.self) { Value($0) }
      default: read(UInt8.self) { Value(UInt64($0)) }
      }
    }
  }

  /// Reads fixed-width text, padded with zeros: bytes, or UTF-32.
  func texts(_ data: Data, at places: some Collection<Int>) -> [String] {
    places.map { place in
      let raw = data.dropFirst(place * size).prefix(size)
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
