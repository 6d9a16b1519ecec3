import CReaders
import Files
import Foundation

/// The arrays, attributes and groups of an HDF5 file, read by libhdf5.
///
/// Names are paths inside the file: `obs/_index`.
struct HDF5File {
  enum Kind { case absent, group, array }

  /// The type and shape of an array or of an attribute.
  struct Facts {
    /// `f` float, `i` or `u` integer, `e` truth values, `s` text, `o` anything else.
    let kind: Character
    /// Bytes of a value.
    let size: Int
    let shape: [Int]

    var isNumeric: Bool { "fiue".contains(kind) }
    /// What the values are, in a word.
    var noun: String { isNumeric ? "numbers" : kind == "s" ? "text" : "values of another type" }
  }

  static let magic = Data([0x89] + Array("HDF\r\n".utf8) + [0x1a, 0x0a])

  let path: String
  private let handle: cr_h5
  private let byteCount: Int
  private let limit: UnpackLimit

  // libhdf5 is built without locks of its own on some systems.
  private static let lock = NSLock()

  /// Whether a file begins as those of HDF5 do.
  static func isOne(_ url: URL) -> Bool {
    guard let file = try? FileHandle(forReadingFrom: url) else { return false }
    defer { try? file.close() }
    return (try? file.read(upToCount: magic.count)) == magic
  }

  /// Opens a file for as long as `body` runs.
  /// - Throws: `FileError` for a file that is truncated or corrupted.
  static func read<Result>(_ url: URL, within limit: UnpackLimit, _ body: (HDF5File) throws -> Result) throws -> Result
  {
    try exclusively {
      let size = (try? FileManager.default.attributesOfItem(atPath: url.path)[.size] as? Int) ?? 0
      let isSound = try Data(contentsOf: url, options: .mappedIfSafe).withUnsafeBytes { bytes in
        bytes.isEmpty || cr_h5_is_sound(bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count) == 1
      }
      guard isSound else { throw damaged(url.path, "its texts cannot be told apart") }
      var (handle, text) = (cr_h5(0), [CChar](repeating: 0, count: CR_MESSAGE_LENGTH))
      guard cr_h5_open(url.path, &handle, &text) == CR_OK else { throw damaged(url.path, message(text)) }
      defer { cr_h5_close(handle) }
      return try body(HDF5File(path: url.path, handle: handle, byteCount: size, limit: limit))
    }
  }

  /// Runs what calls libhdf5 while nothing else does.
  static func exclusively<Result>(_ body: () throws -> Result) rethrows -> Result {
    lock.lock()
    defer { lock.unlock() }
    return try body()
  }

  private static func damaged(_ place: String, _ reason: String) -> FileError {
    FileError(place, "is truncated or corrupted\(reason.isEmpty ? "" : ": \(reason)"); get the file again")
  }

  // MARK: What is there

  func kind(_ name: String) -> Kind {
    switch cr_h5_kind(handle, name) {
    case Int32(CR_H5_GROUP): .group
    case Int32(CR_H5_ARRAY): .array
    default: .absent
    }
  }

  /// The names of what a group holds, sorted.
  func names(in group: String) throws -> [String] {
    try collect(group) { cr_h5_names(handle, group, $0, append, &$1) }
  }

  /// The type and shape of an array or an attribute; nil for an attribute that is not there.
  func facts(_ name: String, _ attribute: String? = nil) throws -> Facts? {
    var (array, text) = (cr_h5_array(), [CChar](repeating: 0, count: CR_MESSAGE_LENGTH))
    switch cr_h5_describe(handle, name, attribute, &array, &text) {
    case Int32(CR_OK): break
    case Int32(CR_ABSENT): return nil
    case Int32(CR_UNSUPPORTED):
      throw FileError(place(name), "has \(array.rank) axes, expected \(CR_H5_MAX_RANK) or fewer")
    default: throw HDF5File.damaged(place(name), message(text))
    }
    let shape = withUnsafeBytes(of: array.shape) { $0.bindMemory(to: Int64.self).prefix(Int(array.rank)).map(Int.init) }
    return Facts(
      kind: Character(Unicode.Scalar(UInt8(bitPattern: array.kind))), size: Int(array.size), shape: shape)
  }

  // MARK: Values

  func floats(_ name: String) throws -> [Float] { try numbers(name, nil, "f", zero: Float(0)) }

  func doubles(_ name: String) throws -> [Double] { try numbers(name, nil, "d", zero: Double(0)) }

  /// Whole numbers; truth values as 0 and 1.
  func integers(_ name: String, _ attribute: String? = nil) throws -> [Int] {
    try numbers(name, attribute, "i", zero: Int64(0)).map(Int.init)
  }

  /// The texts of an array or an attribute; nil for an attribute that is not there or is no text.
  func texts(_ name: String, _ attribute: String) throws -> [String]? {
    guard try facts(name, attribute)?.kind == "s" else { return nil }
    return try collect(name) { cr_h5_read_texts(handle, name, attribute, $0, append, &$1) }
  }

  func texts(_ name: String) throws -> [String] {
    guard let facts = try facts(name), facts.kind == "s" else {
      throw FileError(place(name), "holds \(try facts(name)?.noun ?? "nothing"), expected text")
    }
    // Beside its characters a text takes 16 bytes.
    _ = try count(facts, bytes: max(16, facts.size), at: name)
    return try collect(name) { cr_h5_read_texts(handle, name, nil, $0, append, &$1) }
  }

  private func numbers<Value>(_ name: String, _ attribute: String?, _ kind: Character, zero: Value) throws
    -> [Value]
  {
    guard let facts = try facts(name, attribute), facts.isNumeric else {
      throw FileError(place(name), "holds \(try facts(name, attribute)?.noun ?? "nothing"), expected numbers")
    }
    var values = [Value](repeating: zero, count: try count(facts, bytes: MemoryLayout<Value>.size, at: name))
    if values.isEmpty { return values }
    var text = [CChar](repeating: 0, count: CR_MESSAGE_LENGTH)
    let letter = CChar(kind.asciiValue ?? 0)
    let status = values.withUnsafeMutableBytes {
      cr_h5_read(handle, name, attribute, letter, $0.baseAddress, &text)
    }
    guard status == CR_OK else { throw HDF5File.damaged(place(name), message(text)) }
    return values
  }

  /// The number of values, which is bounded by the file's size, or by the limit for packed ones.
  private func count(_ facts: Facts, bytes: Int, at name: String) throws -> Int {
    var count = 1
    for length in facts.shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: length)
      guard !overflow, product < Int.max / 32 else {
        throw HDF5File.damaged(place(name), "found the shape \(facts.shape)")
      }
      count = product
    }
    if count * max(facts.size, 1) > byteCount { try limit.check(count * bytes, of: place(name)) }
    return count
  }

  private func collect(
    _ name: String, _ read: (UnsafeMutableRawPointer, inout [CChar]) -> Int32
  ) throws -> [String] {
    var texts: [String] = []
    var text = [CChar](repeating: 0, count: CR_MESSAGE_LENGTH)
    let status = withUnsafeMutablePointer(to: &texts) { read(UnsafeMutableRawPointer($0), &text) }
    guard status == CR_OK else { throw HDF5File.damaged(place(name), message(text)) }
    return texts
  }

  func place(_ name: String) -> String { "\(path), '\(name)'" }
}

/// Adds a text to the list that `context` points to.
private let append: cr_h5_text = { context, text, length in
  let text = String(decoding: UnsafeRawBufferPointer(start: text, count: length), as: UTF8.self)
  context?.assumingMemoryBound(to: [String].self).pointee.append(text)
}
