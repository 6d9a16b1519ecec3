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
  /// The type of the parts, where it is known before one is made.
  let type: Any.Type?
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
    self.type = type
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
  ///   - type: The type of the parts, where it is known: lists show what it claims.
  ///   - make: Is given every setting's value.
  public init(
    _ name: String, _ summary: String, settings: [SettingDescription] = [], with companions: Companions = Companions(),
    paper: Paper? = nil, of type: Any.Type? = nil,
    make: @escaping @Sendable (SettingValues, BuildContext) throws -> Role
  ) {
    (self.name, self.summary, self.companions, self.paper) = (name, summary, companions, paper)
    self.type = type
    self.settings = settings
    defect = Self.defect(in: settings, ofClosure: true)
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
    type = nil
    self.settings = settings
    defect = Self.defect(in: settings)
    (check, build) = (resolve, make)
  }

  private static func defect(in settings: [SettingDescription], ofClosure isOfClosure: Bool = false) -> String? {
    for (index, setting) in settings.enumerated() {
      if setting.help.isEmpty { return "its setting '\(setting.name)' has no help" }
      if settings[..<index].contains(where: { $0.name == setting.name }) {
        return "its setting '\(setting.name)' is declared twice"
      }
      if setting.type == nil, setting.fallback == .null, isOfClosure {
        return "its setting '\(setting.name)' is unset by default and has no type; declare it with type: .int, say"
      }
      if let type = setting.type, setting.fallback != .null, type.fitting(setting.fallback) == nil {
        return "the default of its setting '\(setting.name)' is \(setting.fallback.text), expected \(type.text)"
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
