import Files

/// The header of an `.npy` file: the text of a Python dictionary with type, order and shape, each once.
///
///     {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
struct NumpyHeader {
  let type: String
  let isColumnMajor: Bool
  let shape: [Int]

  /// The longest header that is read, in bytes; as in NumPy.
  static let maximumLength = 10_000
  /// The most axes that an array may have; as in NumPy 2.
  static let maximumRank = 64

  /// Reads a header once from its beginning to its end.
  /// - Throws: `FileError` for anything but those three, structured types among it.
  init(_ bytes: some Collection<UInt8>, path: String) throws {
    let text = String(decoding: bytes.prefix(80), as: UTF8.self)
    let unexpected = FileError(path, "has a header that says '\(text)', expected one type, an order and a shape")
    guard bytes.count <= NumpyHeader.maximumLength else {
      throw FileError(
        path,
        "has a header of \(grouped(bytes.count)) bytes, expected at most \(grouped(NumpyHeader.maximumLength)); write it "
          + "again with numpy.save")
    }
    var scanner = Scanner(bytes: Array(bytes))
    var (type, isColumnMajor, shape): (String?, Bool?, [Int]?)
    guard scanner.take("{") else { throw unexpected }
    while !scanner.take("}") {
      guard let key = scanner.quoted(), scanner.take(":") else { throw unexpected }
      switch key {
      case "descr" where type == nil: type = scanner.quoted()
      case "fortran_order" where isColumnMajor == nil: isColumnMajor = scanner.truth()
      case "shape" where shape == nil: shape = scanner.shape()
      case "descr", "fortran_order", "shape":
        throw FileError(path, "has a header that says '\(key)' twice; write it again with numpy.save")
      default: throw unexpected
      }
      // The last value may go without a comma.
      guard scanner.take(",") || scanner.isBefore("}") else { throw unexpected }
    }
    guard let type, let isColumnMajor, let shape, scanner.isAtEnd else { throw unexpected }
    guard shape.count <= NumpyHeader.maximumRank else {
      throw FileError(path, "has \(shape.count) axes, expected at most \(NumpyHeader.maximumRank)")
    }
    (self.type, self.isColumnMajor, self.shape) = (type, isColumnMajor, shape)
  }
}

/// Words of a Python literal, with spaces between them.
private struct Scanner {
  let bytes: [UInt8]
  private var position = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  private mutating func skipSpaces() {
    while position < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[position]) { position += 1 }
  }

  mutating func isBefore(_ character: Unicode.Scalar) -> Bool {
    skipSpaces()
    return position < bytes.count && UInt32(bytes[position]) == character.value
  }

  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard isBefore(character) else { return false }
    position += 1
    return true
  }

  var isAtEnd: Bool {
    mutating get {
      skipSpaces()
      return position == bytes.count
    }
  }

  /// Reads a text in single quotes, without escapes.
  mutating func quoted() -> String? {
    guard take("'"), let end = bytes[position...].firstIndex(of: 0x27) else { return nil }
    defer { position = end + 1 }
    return String(decoding: bytes[position..<end], as: UTF8.self)
  }

  mutating func truth() -> Bool? {
    skipSpaces()
    for (word, value) in [("True", true), ("False", false)] where bytes[position...].starts(with: word.utf8) {
      position += word.utf8.count
      return value
    }
    return nil
  }

  /// Reads `(2, 3)`, `(2,)` or `()`; a length beyond Int is its maximum.
  mutating func shape() -> [Int]? {
    guard take("(") else { return nil }
    var lengths: [Int] = []
    while !take(")") {
      skipSpaces()
      let digits = bytes[position...].prefix { $0 &- 0x30 <= 9 }
      guard !digits.isEmpty else { return nil }
      position += digits.count
      lengths.append(Int(String(decoding: digits, as: UTF8.self)) ?? .max)
      guard take(",") || isBefore(")") else { return nil }
    }
    return lengths
  }
}
