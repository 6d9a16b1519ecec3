import CForeign
import LatentKit

/// A C type of numbers.
enum CNumber: String, CaseIterable, Sendable {
  case int8 = "int8_t"
  case uint8 = "uint8_t"
  case int16 = "int16_t"
  case uint16 = "uint16_t"
  case int32 = "int32_t"
  case uint32 = "uint32_t"
  case int64 = "int64_t"
  case uint64 = "uint64_t"
  case float
  case double

  var isReal: Bool { self == .float || self == .double }

  /// The bytes of one number.
  var size: Int {
    switch self {
    case .int8, .uint8: 1
    case .int16, .uint16: 2
    case .int32, .uint32, .float: 4
    case .int64, .uint64, .double: 8
    }
  }

  var code: cf_type {
    switch self {
    case .int8: CF_INT8
    case .uint8: CF_UINT8
    case .int16: CF_INT16
    case .uint16: CF_UINT16
    case .int32: CF_INT32
    case .uint32: CF_UINT32
    case .int64: CF_INT64
    case .uint64: CF_UINT64
    case .float: CF_FLOAT
    case .double: CF_DOUBLE
    }
  }

  /// Writes a whole number at a place.
  ///
  /// - Returns: Whether the type can hold it.
  func store(_ value: Int, at place: UnsafeMutableRawPointer) -> Bool {
    func put<Number: FixedWidthInteger>(_ type: Number.Type) -> Bool {
      guard let number = Number(exactly: value) else { return false }
      place.storeBytes(of: number, as: type)
      return true
    }
    switch self {
    case .int8: return put(Int8.self)
    case .uint8: return put(UInt8.self)
    case .int16: return put(Int16.self)
    case .uint16: return put(UInt16.self)
    case .int32: return put(Int32.self)
    case .uint32: return put(UInt32.self)
    case .int64: return put(Int64.self)
    case .uint64: return put(UInt64.self)
    case .float, .double:
      store(Double(value), at: place)
      return true
    }
  }

  /// Writes a number at a place, of a type for such.
  func store(_ value: Double, at place: UnsafeMutableRawPointer) {
    if self == .float {
      place.storeBytes(of: Float(value), as: Float.self)
    } else {
      place.storeBytes(of: value, as: Double.self)
    }
  }

  /// The number at a place.
  func real(at place: UnsafeRawPointer) -> Double {
    switch self {
    case .float: Double(place.loadUnaligned(as: Float.self))
    case .double: place.loadUnaligned(as: Double.self)
    default: Double(whole(at: place) ?? 0)
    }
  }

  /// The whole number at a place; nil for one that no `Int` holds.
  func whole(at place: UnsafeRawPointer) -> Int? {
    switch self {
    case .int8: Int(place.loadUnaligned(as: Int8.self))
    case .uint8: Int(place.loadUnaligned(as: UInt8.self))
    case .int16: Int(place.loadUnaligned(as: Int16.self))
    case .uint16: Int(place.loadUnaligned(as: UInt16.self))
    case .int32: Int(place.loadUnaligned(as: Int32.self))
    case .uint32: Int(place.loadUnaligned(as: UInt32.self))
    case .int64: Int(place.loadUnaligned(as: Int64.self))
    case .uint64: Int(exactly: place.loadUnaligned(as: UInt64.self))
    case .float, .double: Int(exactly: real(at: place))
    }
  }
}

/// A type of what a function takes or returns.
enum CType: Equatable, Sendable, CustomStringConvertible {
  case void
  case number(CNumber)
  /// Numbers in a row.
  case array(CNumber)
  /// `char*`, ended by a 0.
  case text
  /// `void*`, which the library hands back as it is.
  case context

  /// Reads a type as C writes it: `const double *`. Nil for one that is none of these.
  init?(_ text: String) {
    let words = text.replacing("*", with: " * ").split(separator: " ").map(String.init).filter { $0 != "const" }
    let stars = words.count { $0 == "*" }
    let name = words.filter { $0 != "*" }.joined(separator: " ")
    guard stars < 2, stars == 0 || words.last == "*" else { return nil }
    switch (name, stars) {
    case ("void", 0): self = .void
    case ("void", 1): self = .context
    case ("char", 1): self = .text
    default:
      guard let number = CNumber(rawValue: name) ?? CType.known[name] else { return nil }
      self = stars == 0 ? .number(number) : .array(number)
    }
  }

  /// Types whose size the machine decides.
  private static let known: [String: CNumber] = [
    "bool": .uint8, "_Bool": .uint8, "int": .int32, "unsigned": .uint32, "unsigned int": .uint32,
    "long": MemoryLayout<CLong>.size == 8 ? .int64 : .int32,
    "unsigned long": MemoryLayout<CLong>.size == 8 ? .uint64 : .uint32, "long long": .int64,
    "unsigned long long": .uint64, "size_t": MemoryLayout<Int>.size == 8 ? .uint64 : .uint32,
    "ptrdiff_t": MemoryLayout<Int>.size == 8 ? .int64 : .int32,
  ]

  /// The names that manifests may write, for messages.
  static var names: [String] {
    CNumber.allCases.map(\.rawValue) + known.keys.sorted() + ["void", "void*", "char*"]
      + CNumber.allCases.map { "\($0.rawValue)*" }
  }

  var code: cf_type {
    switch self {
    case .void: CF_VOID
    case .number(let number): number.code
    case .array, .text, .context: CF_POINTER
    }
  }

  var description: String {
    switch self {
    case .void: "void"
    case .number(let number): number.rawValue
    case .array(let number): "\(number.rawValue)*"
    case .text: "char*"
    case .context: "void*"
    }
  }
}
