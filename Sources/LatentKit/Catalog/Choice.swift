/// A setting with a few named values. A value that is none of them is refused with the list and the nearest one.
///
///     enum Output: String, Choice { case none, sigmoid, tanh }
public protocol Choice: RawRepresentable, CaseIterable, Codable, Equatable, Sendable where RawValue == String {}

extension Choice {
  /// The names of all values.
  static var names: [String] { allCases.map(\.rawValue) }

  public init(from decoder: any Swift.Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard let value = Self(rawValue: text) else {
      let unknown = UnknownName(text, among: Self.allCases.map(\.rawValue), of: "value")
      throw DecodingError.dataCorruptedError(in: container, debugDescription: unknown.description)
    }
    self = value
  }

  public func encode(to encoder: any Swift.Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(rawValue)
  }
}

extension Activation: Choice {}
