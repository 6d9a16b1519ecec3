import Foundation

/// A value of a recipe: what YAML and JSON can say.
public indirect enum Value: Sendable, Equatable {
  case null
  case bool(Bool)
  case int(Int)
  case double(Double)
  case string(String)
  case array([Value])
  case object([String: Value])

  /// What kind of value this is, for messages.
  public var kind: String {
    switch self {
    case .null: "nothing"
    case .bool: "true or false"
    case .int: "a whole number"
    case .double: "a number"
    case .string: "text"
    case .array(let values):
      switch values.first {
      case .int: "a list of whole numbers"
      case .double: "a list of numbers"
      default: "a list"
      }
    case .object: "a mapping"
    }
  }

  /// The value as it would stand in a recipe on one line.
  public var text: String {
    switch self {
    case .null: "null"
    case .bool(let value): "\(value)"
    case .int(let value): "\(value)"
    case .double(let value): "\(value)"
    case .string(let value): "'\(value)'"
    case .array(let values): "[" + values.map(\.text).joined(separator: ", ") + "]"
    case .object(let values):
      "{" + values.sorted { $0.key < $1.key }.map { "\($0): \($1.text)" }.joined(separator: ", ") + "}"
    }
  }
}

extension Value: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByStringLiteral,
  ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
  public init(integerLiteral value: Int) { self = .int(value) }
  public init(floatLiteral value: Double) { self = .double(value) }
  public init(stringLiteral value: String) { self = .string(value) }
  public init(booleanLiteral value: Bool) { self = .bool(value) }
  public init(arrayLiteral elements: Value...) { self = .array(elements) }
  public init(dictionaryLiteral elements: (String, Value)...) {
    self = .object(Dictionary(elements) { _, last in last })
  }
}

extension Value: Codable {
  public init(from decoder: any Swift.Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let value = try? container.decode(Bool.self) {
      self = .bool(value)
    } else if let value = try? container.decode(Int.self) {
      self = .int(value)
    } else if let value = try? container.decode(Double.self) {
      self = .double(value)
    } else if let value = try? container.decode(String.self) {
      self = .string(value)
    } else if let value = try? container.decode([Value].self) {
      self = .array(value)
    } else {
      self = .object(try container.decode([String: Value].self))
    }
  }

  public func encode(to encoder: any Swift.Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .null: try container.encodeNil()
    case .bool(let value): try container.encode(value)
    case .int(let value): try container.encode(value)
    case .double(let value): try container.encode(value)
    case .string(let value): try container.encode(value)
    case .array(let value): try container.encode(value)
    case .object(let value): try container.encode(value)
    }
  }
}

extension ComponentConfig {
  /// The configuration with some settings replaced.
  ///
  /// - Parameter path: Where the settings stand in the recipe, for messages: `encoder.with`.
  /// - Throws: `ConfigError` naming the setting, what was found and what was expected.
  public init(_ settings: [String: Value], at path: String) throws {
    let known = Self.help.map(\.key)
    for name in settings.keys.sorted() where !known.contains(name) {
      throw ConfigError(path: "\(path).\(name)", UnknownName(name, among: known, of: "setting").description)
    }
    let defaults = try Self().values
    let values = defaults.merging(settings) { _, new in new }
    do { self = try Self(values) } catch let error as DecodingError {
      // Some decoders say of a fraction where a whole number belongs only that something is wrong somewhere.
      if case .dataCorrupted(let context) = error, context.codingPath.isEmpty {
        for name in settings.keys.sorted()
        where (try? Self(values.merging([name: defaults[name] ?? .null]) { $1 })) != nil {
          let kind = defaults[name].map(\.kind) ?? "another value"
          throw ConfigError(path: "\(path).\(name)", "found \(settings[name]?.text ?? ""), expected \(kind)")
        }
      }
      throw ConfigError(decoding: error, of: settings, at: path)
    } catch is EncodingError {
      throw ConfigError(path: path, "found a number that is not finite, expected a finite one")
    }
  }

  private init(_ values: [String: Value]) throws {
    let data = try JSONEncoder.recipe.encode(Value.object(values.filter { $0.value != .null }))
    self = try JSONDecoder.recipe.decode(Self.self, from: data)
  }

  /// Every setting by name; one that is nil is `null`.
  public var values: [String: Value] {
    get throws {
      let data = try JSONEncoder.recipe.encode(self)
      guard case .object(var values) = try JSONDecoder.recipe.decode(Value.self, from: data) else { return [:] }
      for (name, _) in Self.help where values[name] == nil { values[name] = .null }
      return values
    }
  }
}

/// A setting of a recipe that cannot be used.
public struct ConfigError: Error, CustomStringConvertible, Equatable {
  public let path: String
  public let reason: String

  public init(path: String, _ reason: String) {
    self.path = path
    self.reason = reason
  }

  public var description: String { "\(path): \(reason)" }

  init(decoding error: DecodingError, of settings: [String: Value], at path: String) {
    func place(_ context: DecodingError.Context) -> String {
      ([path] + context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }).joined(separator: ".")
    }
    func found(_ context: DecodingError.Context) -> String {
      var value = Value.object(settings)
      for key in context.codingPath {
        switch value {
        case .object(let values): value = values[key.stringValue] ?? .null
        case .array(let values): value = key.intValue.map { values[$0] } ?? .null
        default: break
        }
      }
      return value.text
    }
    switch error {
    case .typeMismatch(let type, let context):
      self.init(path: place(context), "found \(found(context)), expected \(describe(type))")
    case .valueNotFound(let type, let context):
      self.init(path: place(context), "found nothing, expected \(describe(type))")
    case .dataCorrupted(let context):
      self.init(path: place(context), "found \(found(context)), but \(context.debugDescription)")
    case .keyNotFound(let key, let context):
      self.init(path: place(context), "the setting '\(key.stringValue)' is missing")
    @unknown default: self.init(path: path, "\(error)")
    }
  }
}

private func describe(_ type: Any.Type) -> String {
  switch type {
  case is Int.Type: "a whole number"
  case is Double.Type, is Float.Type: "a number"
  case is Bool.Type: "true or false"
  case is String.Type: "text"
  default: "\(type)".hasPrefix("Array") ? "a list" : "\(type)"
  }
}

/// A name that nobody knows, with the known ones and the nearest.
public struct UnknownName: Error, CustomStringConvertible, Equatable {
  public let name: String
  public let known: [String]
  public let kind: String

  public init(_ name: String, among known: [String], of kind: String) {
    self.name = name
    self.known = known
    self.kind = kind
  }

  /// The known name with the fewest changes, where they are few enough to be a slip.
  public var nearest: String? {
    let scored = known.map { ($0, editDistance(name.lowercased(), $0.lowercased())) }
    guard let best = scored.min(by: { $0.1 < $1.1 }), best.1 <= max(2, name.count / 3) else { return nil }
    return best.0
  }

  public var description: String {
    let advice = nearest.map { " Did you mean '\($0)'?" } ?? ""
    let list = known.isEmpty ? "there are none" : "known: \(known.joined(separator: ", "))"
    return "there is no \(kind) '\(name)'; \(list).\(advice)"
  }
}

/// Insertions, deletions, replacements and swaps of neighbours that turn one word into the other.
func editDistance(_ a: String, _ b: String) -> Int {
  let (a, b) = (Array(a), Array(b))
  var rows = [Array(0...b.count)]
  for i in 0..<a.count {
    var row = [i + 1]
    for j in 0..<b.count {
      var best = min(rows[i][j] + (a[i] == b[j] ? 0 : 1), rows[i][j + 1] + 1, row[j] + 1)
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, rows[i - 1][j - 1] + 1) }
      row.append(best)
    }
    rows.append(row)
  }
  return rows[a.count][b.count]
}

extension JSONEncoder {
  static var recipe: JSONEncoder { JSONEncoder() }
}

extension JSONDecoder {
  static var recipe: JSONDecoder { JSONDecoder() }
}
