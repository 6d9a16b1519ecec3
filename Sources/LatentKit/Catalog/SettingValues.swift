/// The settings of a part that is made by a closure, checked against their descriptions.
///
/// Each accessor throws a `ConfigError` for a setting that the part does not declare, declares as another type, or that is
/// unset: `double("beta")` where `beta` is a text, say. The dry run makes every part, so that such a mistake of the part's
/// author ends the run before training.
public struct SettingValues: Sendable, Equatable {
  /// Every setting by name; `null` for one that is unset.
  public let values: [String: Value]
  private let settings: [SettingDescription]
  private let path: String

  /// Checks values against the settings that a part declares; the others are at their defaults.
  ///
  /// - Parameter path: The settings' place in the recipe, for messages.
  /// - Throws: `ConfigError` for a setting that is unknown, of the wrong kind or out of range.
  public init(_ given: [String: Value], of settings: [SettingDescription], at path: String) throws {
    var values = Dictionary(settings.map { ($0.name, $0.fallback) }) { first, _ in first }
    for (name, value) in given.sorted(by: { $0.key < $1.key }) {
      guard let setting = settings.first(where: { $0.name == name }) else {
        let unknown = UnknownName(name, among: settings.map(\.name), of: "setting")
        throw ConfigError(path: "\(path).\(name)", unknown.description)
      }
      if let choices = setting.choices, case .string(let word) = value, !choices.contains(word) {
        let unknown = UnknownName(word, among: choices, of: "value")
        throw ConfigError(path: "\(path).\(name)", "found \(value.shortText), but \(unknown.description)")
      }
      guard let fitting = setting.fitting(value) else {
        throw ConfigError(
          path: "\(path).\(name)", "found \(value.shortText), expected \(setting.type?.text ?? setting.fallback.kind)")
      }
      try setting.check(fitting, at: path)
      values[name] = fitting
    }
    (self.values, self.settings, self.path) = (values, settings, path)
  }

  /// The value of a setting; `null` for one that is unset.
  /// - Throws: `ConfigError` for a setting that is not declared.
  public subscript(_ name: String) -> Value {
    get throws {
      guard let value = values[name] else {
        let unknown = UnknownName(name, among: settings.map(\.name), of: "setting")
        throw ConfigError(path: "\(path).\(name)", "the part reads a setting that it does not declare: \(unknown)")
      }
      return value
    }
  }

  /// Returns whether a setting has a value: false where its default is `null` and the recipe does not set it.
  /// - Throws: `ConfigError` for a setting that is not declared.
  public func isSet(_ name: String) throws -> Bool { try self[name] != .null }

  /// Returns a number, whole or not.
  public func double(_ name: String) throws -> Double {
    switch try self[name] {
    case .double(let value): value
    case .int(let value): Double(value)
    default: throw mismatch(name, .double)
    }
  }

  /// Returns an integer.
  public func int(_ name: String) throws -> Int {
    guard case .int(let value) = try self[name] else { throw mismatch(name, .int) }
    return value
  }

  /// Returns whether a setting is true.
  public func bool(_ name: String) throws -> Bool {
    guard case .bool(let value) = try self[name] else { throw mismatch(name, .bool) }
    return value
  }

  /// Returns a text.
  public func string(_ name: String) throws -> String {
    guard case .string(let value) = try self[name] else { throw mismatch(name, .string) }
    return value
  }

  /// Returns a list of integers.
  public func ints(_ name: String) throws -> [Int] {
    try items(name, .ints) { if case .int(let value) = $0 { value } else { nil } }
  }

  /// Returns a list of numbers, whole or not.
  public func doubles(_ name: String) throws -> [Double] {
    try items(name, .doubles) { item in
      switch item {
      case .double(let value): value
      case .int(let value): Double(value)
      default: nil
      }
    }
  }

  /// Returns a list of texts.
  public func strings(_ name: String) throws -> [String] {
    try items(name, .strings) { if case .string(let value) = $0 { value } else { nil } }
  }

  private func items<Item>(_ name: String, _ type: SettingType, _ item: (Value) -> Item?) throws -> [Item] {
    guard case .array(let values) = try self[name] else { throw mismatch(name, type) }
    return try values.map { value in
      guard let item = item(value) else { throw mismatch(name, type) }
      return item
    }
  }

  /// The error for a value that is not of the type that the part asks for.
  private func mismatch(_ name: String, _ type: SettingType) -> ConfigError {
    let found = values[name] ?? .null
    return ConfigError(
      path: "\(path).\(name)",
      found == .null
        ? "is unset, and the part reads it as \(type.text); the part must ask isSet(\"\(name)\") first"
        : "found \(found.shortText), and the part reads it as \(type.text); its declaration and its closure must agree")
  }

  public static func == (a: SettingValues, b: SettingValues) -> Bool { a.values == b.values }
}

/// The types of values that a setting of a closure's part takes.
public enum SettingType: String, Sendable, Equatable, CaseIterable {
  /// True or false.
  case bool
  /// A whole number.
  case int
  /// A number, whole or not.
  case double
  /// A text.
  case string
  /// A list of whole numbers.
  case ints
  /// A list of numbers.
  case doubles
  /// A list of texts.
  case strings
  /// A list of anything.
  case list
  /// Values by name.
  case mapping

  /// The type in words: `a whole number`.
  public var text: String {
    switch self {
    case .bool: "true or false"
    case .int: "a whole number"
    case .double: "a number"
    case .string: "text"
    case .ints: "a list of whole numbers"
    case .doubles: "a list of numbers"
    case .strings: "a list of texts"
    case .list: "a list"
    case .mapping: "a mapping"
    }
  }

  /// Creates the type of a default; nil for `null`. An empty list is a list of anything.
  init?(of fallback: Value) {
    switch fallback {
    case .null: return nil
    case .bool: self = .bool
    case .int: self = .int
    case .double: self = .double
    case .string: self = .string
    case .object: self = .mapping
    case .array(let items):
      self = items.isEmpty ? .list : [.ints, .doubles, .strings].first { $0.fitting(fallback) != nil } ?? .list
    }
  }

  /// The value as one of this type; nil where it is of another. Whole numbers are numbers.
  func fitting(_ value: Value) -> Value? {
    switch (self, value) {
    case (.double, .int(let number)): .double(Double(number))
    case (.bool, .bool), (.int, .int), (.double, .double), (.string, .string), (.list, .array), (.mapping, .object):
      value
    case (.ints, .array(let items)): SettingType.int.fitting(items)
    case (.doubles, .array(let items)): SettingType.double.fitting(items)
    case (.strings, .array(let items)): SettingType.string.fitting(items)
    default: nil
    }
  }

  private func fitting(_ items: [Value]) -> Value? {
    let fitted = items.compactMap(fitting(_:))
    return fitted.count == items.count ? .array(fitted) : nil
  }
}

extension SettingDescription {
  /// The value as one of this setting's type; nil where it is of another. A setting that is unset by default takes `null`.
  fileprivate func fitting(_ value: Value) -> Value? {
    if value == .null { return fallback == .null ? value : nil }
    guard let type else { return value }
    return type.fitting(value)
  }
}
