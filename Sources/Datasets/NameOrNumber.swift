/// A class or a column as settings write it: by its name, or by its number.
public enum NameOrNumber: Codable, Equatable, Sendable, CustomStringConvertible {
  case name(String)
  case number(Int)

  /// The name, or the number.
  public var description: String {
    switch self {
    case .name(let name): name
    case .number(let number): "\(number)"
    }
  }

  public init(from decoder: any Swift.Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let number = try? container.decode(Int.self) {
      self = .number(number)
    } else if let name = try? container.decode(String.self) {
      self = .name(name)
    } else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "expected a name or a number")
    }
  }

  public func encode(to encoder: any Swift.Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .name(let name): try container.encode(name)
    case .number(let number): try container.encode(number)
    }
  }
}
