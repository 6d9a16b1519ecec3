/// An entry of a catalog: a part's name, description and way of making it.
public struct Entry<Role>: Sendable {
  /// The name in recipes.
  public let name: String
  /// The purpose and origin of the part, in one line.
  public let summary: String
  /// The parts and settings that go with it by default.
  public let companions: Companions
  /// The settings in order of declaration.
  public let settings: [SettingDescription]
  /// The paper, where that is not the plugin's own paper.
  public let paper: Paper?
  /// The name of the plugin that contributes it.
  public internal(set) var plugin: String = ""
  /// The defect of the declaration; nil for none.
  let defect: String?
  private let build: @Sendable ([String: Value], String, BuildContext) throws -> Role
  private let check: @Sendable ([String: Value], String) throws -> [String: Value]

  /// Creates an entry that makes its parts from a component.
  ///
  /// - Parameter open: Converts the component to the role: `{ $0 }`.
  public init<C: Component>(
    _ name: String, _ type: C.Type, _ summary: String, with companions: Companions = Companions(), paper: Paper? = nil,
    _ open: @escaping @Sendable (C) -> Role
  ) {
    (self.name, self.summary, self.companions, self.paper) = (name, summary, companions, paper)
    settings = C.Config.settings
    let strays = C.Config.described.filter { $0.setting == nil }.map(\.name)
    defect =
      strays.isEmpty
      ? Self.defect(in: C.Config.settings)
      : "its settings \(strays.joined(separator: ", ")) have no help; declare them with @Setting(\"…\")"
    build = { settings, path, context in open(try C(C.Config(settings, at: path), in: context)) }
    check = { settings, path in try C.Config(settings, at: path).values }
  }

  /// Creates an entry that makes its parts with a closure: for parts that are known at run time only.
  ///
  /// - Parameters:
  ///   - settings: What a recipe may set. Settings of wrong kind or out of range are refused before `make` is called.
  ///   - make: Is given every setting's value.
  public init(
    _ name: String, _ summary: String, settings: [SettingDescription] = [], with companions: Companions = Companions(),
    paper: Paper? = nil, make: @escaping @Sendable (SettingValues, BuildContext) throws -> Role
  ) {
    (self.name, self.summary, self.companions, self.paper) = (name, summary, companions, paper)
    self.settings = settings
    defect = Self.defect(in: settings)
    let check: @Sendable ([String: Value], String) throws -> [String: Value] = { values, path in
      try SettingValues(values, of: settings, at: path).values
    }
    self.check = check
    build = { values, path, context in try make(SettingValues(values, of: settings, at: path), context) }
  }

  /// Creates an entry that checks its settings itself.
  ///
  /// - Parameters:
  ///   - settings: What lists show.
  ///   - resolve: Every setting's value with some replaced, given those and their place in the recipe.
  ///   - make: Takes the settings in the recipe, their path, and the context.
  public init(
    _ name: String, _ summary: String, settings: [SettingDescription], with companions: Companions = Companions(),
    paper: Paper? = nil, resolve: @escaping @Sendable ([String: Value], String) throws -> [String: Value],
    make: @escaping @Sendable ([String: Value], String, BuildContext) throws -> Role
  ) {
    (self.name, self.summary, self.companions, self.paper) = (name, summary, companions, paper)
    self.settings = settings
    defect = Self.defect(in: settings)
    (check, build) = (resolve, make)
  }

  private static func defect(in settings: [SettingDescription]) -> String? {
    for (index, setting) in settings.enumerated() {
      if setting.help.isEmpty { return "its setting '\(setting.name)' has no help" }
      if settings[..<index].contains(where: { $0.name == setting.name }) {
        return "its setting '\(setting.name)' is declared twice"
      }
      if let choices = setting.choices, case .string(let word) = setting.fallback, !choices.contains(word) {
        return
          "the default of its setting '\(setting.name)' is '\(word)', none of its values \(choices.joined(separator: ", "))"
      }
      if let range = setting.range, !range.admits(setting.fallback) {
        return
          "the default of its setting '\(setting.name)' is \(setting.fallback.text), outside its range \(range.text)"
      }
    }
    return nil
  }

  /// Makes the part with some settings replaced; `path` names their place in the recipe.
  public func make(_ settings: [String: Value], at path: String, in context: BuildContext) throws -> Role {
    try build(settings, path, context)
  }

  /// Returns every setting's value, with some replaced, as the resolved recipe shows it.
  public func resolved(_ settings: [String: Value], at path: String) throws -> [String: Value] {
    try check(settings, path)
  }
}

/// The settings of a part that is made by a closure, checked against their descriptions.
public struct SettingValues: Sendable, Equatable {
  /// Every setting by name.
  public let values: [String: Value]

  init(_ given: [String: Value], of settings: [SettingDescription], at path: String) throws {
    var values = Dictionary(settings.map { ($0.name, $0.fallback) }) { first, _ in first }
    for (name, value) in given.sorted(by: { $0.key < $1.key }) {
      guard let setting = settings.first(where: { $0.name == name }) else {
        let unknown = UnknownName(name, among: settings.map(\.name), of: "setting")
        throw ConfigError(path: "\(path).\(name)", unknown.description)
      }
      if let choices = setting.choices, case .string(let word) = value, !choices.contains(word) {
        let unknown = UnknownName(word, among: choices, of: "value")
        throw ConfigError(path: "\(path).\(name)", "found \(value.text), but \(unknown.description)")
      }
      guard let fitting = setting.fitting(value) else {
        throw ConfigError(path: "\(path).\(name)", "found \(value.text), expected \(setting.fallback.kind)")
      }
      try setting.check(fitting, at: path)
      values[name] = fitting
    }
    self.values = values
  }

  /// The value of a setting; `null` for one that is unset or unknown.
  public subscript(_ name: String) -> Value { values[name] ?? .null }

  /// Returns a number; 0 where the setting is none.
  public func double(_ name: String) -> Double {
    switch self[name] {
    case .double(let value): value
    case .int(let value): Double(value)
    default: 0
    }
  }

  /// Returns an integer; 0 where the setting is none.
  public func int(_ name: String) -> Int { if case .int(let value) = self[name] { value } else { 0 } }

  /// Returns whether a setting is true.
  public func bool(_ name: String) -> Bool { self[name] == .bool(true) }

  /// Returns a text; empty where the setting is none.
  public func string(_ name: String) -> String { if case .string(let value) = self[name] { value } else { "" } }

  /// Returns a list of integers; empty where the setting is none.
  public func ints(_ name: String) -> [Int] {
    guard case .array(let values) = self[name] else { return [] }
    return values.compactMap { if case .int(let value) = $0 { value } else { nil } }
  }
}

extension SettingDescription {
  /// Returns the value as one of this setting's kind; nil where it is of another.
  fileprivate func fitting(_ value: Value) -> Value? {
    switch (fallback, value) {
    case (.double, .int(let number)): .double(Double(number))
    case (.string, .string), (.bool, .bool), (.int, .int), (.double, .double), (.object, .object), (.null, _): value
    case (.array(let items), .array(let values)):
      switch items.first {
      case .int: values.allSatisfy { if case .int = $0 { true } else { false } } ? value : nil
      case .double:
        values.allSatisfy { $0.kind == Value.double(0).kind || $0.kind == Value.int(0).kind } ? value : nil
      default: value
      }
    default: nil
    }
  }
}
