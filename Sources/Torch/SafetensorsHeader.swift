import Foundation

/// The header of a safetensors file, read strictly: names once, shapes and offsets as whole numbers of 0 or more, text as
/// text. Its time is linear in its length.
struct SafetensorsHeader {
  /// What the header says about one tensor.
  struct Entry {
    var dtype: String
    var shape: [Int]
    var first: Int
    var last: Int
  }

  /// Why a header cannot be used.
  struct Problem: Error {
    let reason: String
  }

  private(set) var entries: [(name: String, entry: Entry)] = []
  private(set) var metadata: [String: String] = [:]

  /// - Throws: `Problem`.
  init(_ json: Data) throws {
    var scanner = Scanner(bytes: [UInt8](json))
    var names: Set<String> = []
    try scanner.object { scanner, name in
      guard names.insert(name).inserted else { throw Problem(reason: "'\(name)' is there twice") }
      if name == "__metadata__" {
        var texts: [String: String] = [:]
        try scanner.object { scanner, key in
          guard texts.updateValue(try scanner.string(), forKey: key) == nil else {
            throw Problem(reason: "the metadata '\(key)' are there twice")
          }
        }
        metadata = texts
      } else {
        entries.append((name, try SafetensorsHeader.entry(name, &scanner)))
      }
    }
    scanner.skipSpace()
    guard scanner.isAtEnd else { throw Problem(reason: "its header goes on after its end") }
  }

  /// Runs `body` and puts the name of a field before its problems.
  private static func naming<Result>(_ field: String, _ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let problem as Problem { throw Problem(reason: "\(field): \(problem.reason)") }
  }

  private static func entry(_ name: String, _ scanner: inout Scanner) throws -> Entry {
    var (dtype, shape, offsets): (String?, [Int]?, [Int]?)
    do {
      try scanner.object { scanner, key in
        switch key {
        case "dtype" where dtype == nil: dtype = try naming(key) { try scanner.string() }
        case "shape" where shape == nil: shape = try naming(key) { try scanner.counts() }
        case "data_offsets" where offsets == nil: offsets = try naming(key) { try scanner.counts() }
        default: throw Problem(reason: "it has an unknown or repeated '\(key)'")
        }
      }
    } catch let problem as Problem { throw Problem(reason: "tensor '\(name)': \(problem.reason)") }
    guard let dtype, let shape, let offsets, offsets.count == 2 else {
      throw Problem(reason: "tensor '\(name)' has no dtype, shape and data_offsets")
    }
    return Entry(dtype: dtype, shape: shape, first: offsets[0], last: offsets[1])
  }

  /// The part of JSON that headers are written in.
  private struct Scanner {
    let bytes: [UInt8]
    var place = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { place == bytes.count }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0a || byte == 0x0d }

    mutating func skipSpace() { while place < bytes.count, Scanner.isSpace(bytes[place]) { place += 1 } }

    private mutating func take(_ character: Character) -> Bool {
      skipSpace()
      guard place < bytes.count, bytes[place] == character.asciiValue else { return false }
      place += 1
      return true
    }

    private mutating func expect(_ character: Character) throws {
      guard take(character) else {
        throw Problem(reason: "its header is not JSON: expected '\(character)' at byte \(place)")
      }
    }

    /// Expects the start of a value of a kind; one of another kind is named.
    private mutating func expect(_ character: Character, of kind: String) throws {
      if take(character) { return }
      let found: String? =
        switch place < bytes.count ? bytes[place] : 0 {
        case UInt8(ascii: "{"): "an object"
        case UInt8(ascii: "["): "a list"
        case UInt8(ascii: "\""): "text"
        case UInt8(ascii: "t"), UInt8(ascii: "f"): "true or false"
        case UInt8(ascii: "n"): "null"
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): "a number"
        default: nil
        }
      guard let found else { return try expect(character) }
      throw Problem(reason: "found \(found) at byte \(place) of its header, expected \(kind)")
    }

    /// Calls `body` at the value of each key.
    mutating func object(_ body: (inout Scanner, String) throws -> Void) throws {
      try expect("{", of: "an object")
      if take("}") { return }
      repeat {
        let key = try string()
        try expect(":")
        try body(&self, key)
      } while take(",")
      try expect("}")
    }

    mutating func string() throws -> String {
      try expect("\"", of: "text")
      let start = place
      var isPlain = true
      while place < bytes.count, bytes[place] != 0x22, bytes[place] >= 0x20 {
        if bytes[place] == 0x5c {
          isPlain = false
          place += 1
        }
        place += 1
      }
      guard place < bytes.count, bytes[place] == 0x22 else {
        throw Problem(reason: "its header is not JSON: a text does not end")
      }
      defer { place += 1 }
      let text =
        isPlain
        ? String(validating: bytes[start..<place], as: UTF8.self)
        : try? JSONDecoder().decode(String.self, from: Data(bytes[(start - 1)...place]))
      guard let text else { throw Problem(reason: "its header is not JSON: the bytes from \(start) on are no text") }
      return text
    }

    /// A list of whole numbers of 0 or more.
    mutating func counts() throws -> [Int] {
      try expect("[", of: "a list of whole numbers")
      var numbers: [Int] = []
      if take("]") { return numbers }
      repeat {
        skipSpace()
        let start = place
        while place < bytes.count, place - start < 24, bytes[place] != 0x2c, bytes[place] != 0x5d,
          !Scanner.isSpace(bytes[place])
        {
          place += 1
        }
        let text = String(decoding: bytes[start..<place], as: UTF8.self)
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text) else {
          throw Problem(reason: "found '\(text)', expected a whole number of 0 or more")
        }
        numbers.append(number)
      } while take(",")
      try expect("]")
      return numbers
    }
  }
}
