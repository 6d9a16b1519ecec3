import Files
import Foundation

/// The settings of a component: given under `with:` in a recipe. Each property is declared with `@Setting`.
public protocol ComponentConfig: Codable, Equatable, Sendable {
  /// Creates the defaults, those of the paper.
  init()
}

/// The configuration of components without settings.
public struct NoConfig: ComponentConfig {
  public init() {}
}

extension ComponentConfig {
  /// Creates the configuration with some settings replaced.
  ///
  /// - Parameter path: Where the settings stand in the recipe, for messages: `encoder.with`.
  /// - Throws: `ConfigError` naming the setting, what was found and what was expected.
  public init(_ settings: [String: Value], at path: String) throws {
    let described = Self.settings
    for name in settings.keys.sorted() {
      guard let setting = described.first(where: { $0.name == name }) else {
        let unknown = UnknownName(name, among: described.map(\.name), of: "setting")
        throw ConfigError(path: "\(path).\(name)", unknown.description)
      }
      try setting.check(settings[name] ?? .null, at: path)
    }
    let defaults = try Self().values
    let values = defaults.merging(settings) { _, new in new }
    do { self = try Self(values) } catch let error as DecodingError {
      // Some decoders report a fraction in place of a whole number without its path.
      if case .dataCorrupted(let context) = error, context.codingPath.isEmpty {
        for name in settings.keys.sorted()
        where (try? Self(values.merging([name: defaults[name] ?? .null]) { $1 })) != nil {
          let kind = defaults[name].map(\.kind) ?? "another value"
          throw ConfigError(path: "\(path).\(name)", "found \(settings[name]?.shortText ?? ""), expected \(kind)")
        }
      }
      throw ConfigError(decoding: error, of: settings, at: path)
    } catch is EncodingError {
      throw ConfigError(path: path, "found a number that is not finite, expected a finite one")
    }
  }

  private init(_ values: [String: Value]) throws {
    let data = try JSONEncoder.recipe.encode(Value.object(values))
    self = try JSONDecoder.recipe.decode(Self.self, from: data)
  }

  /// The settings in the order of their declaration.
  public static var settings: [SettingDescription] {
    let defaults = (try? Self().values) ?? [:]
    return described.compactMap { name, setting in
      setting.map { .init(name, default: defaults[name] ?? .null, of: $0) }
    }
  }

  /// The properties by name; those that are no settings have nil.
  static var described: [(name: String, setting: (any DescribedSetting)?)] {
    Mirror(reflecting: Self()).children.map { child in
      let name = child.label ?? ""
      return (name.hasPrefix("_") ? String(name.dropFirst()) : name, child.value as? any DescribedSetting)
    }
  }

  /// Every setting by name; one that is nil is `null`.
  public var values: [String: Value] {
    get throws {
      let data = try JSONEncoder.recipe.encode(self)
      guard case .object(let values) = try JSONDecoder.recipe.decode(Value.self, from: data) else { return [:] }
      return values
    }
  }
}

/// A setting of a recipe that cannot be used.
public struct ConfigError: Error, CustomStringConvertible, Equatable {
  /// The setting's place in the recipe: `encoder.with.latent`.
  public let path: String
  /// The reason: found, expected.
  public let reason: String

  /// Creates an error about a setting.
  public init(path: String, _ reason: String) {
    self.path = path
    self.reason = reason
  }

  /// The place and the reason, in at most some 2000 characters.
  public var description: String { "\(path.shortened(to: 200)): \(reason.shortened(to: 1500))" }

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
      return value.shortText
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

extension JSONEncoder {
  static var recipe: JSONEncoder { JSONEncoder() }
}

extension JSONDecoder {
  static var recipe: JSONDecoder { JSONDecoder() }
}
