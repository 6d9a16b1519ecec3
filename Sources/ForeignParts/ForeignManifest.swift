import Datasets
import Files
import Foundation
import LatentKit
import Recipes

/// What a file says about a shared library: its functions, their types, and the parts that they make.
///
/// Reading it loads nothing.
public struct ForeignManifest: Sendable {
  /// The file, as it was named.
  public let path: String
  /// The library: a path from the manifest's folder, or a name that the system searches for.
  let library: String
  /// Functions without parameters that are called once the library is loaded.
  let setup: [String]
  let parts: [PartDeclaration]
  private let file: ConfigFile

  /// A part of a manifest.
  struct PartDeclaration: Sendable {
    let slot: Slot
    let name: String
    let summary: String
    let settings: [SettingDescription]
    /// By what they are for.
    let functions: [Role: FunctionDeclaration]
    let companions: Companions
    /// Whether the density of a prior integrates to one.
    let isNormalized: Bool
    let path: String
  }

  /// A function of a manifest.
  struct FunctionDeclaration: Sendable {
    let symbol: String
    let signature: Signature
    let path: String
  }

  /// Reads a manifest.
  ///
  /// - Throws: `RecipeFileError` with the place in the file for an unknown key, type or name, a signature that does not fit its
  ///   role, and a setting that no function takes; `FileError` for what is no file.
  public init(_ path: String) throws {
    let url = URL(fileURLWithPath: path)
    try OutputPlace.requireReadable(url)
    self.path = path
    file = try ConfigFile(url, as: "manifest", with: "library")
    let fields = try Node(.object(file.fields), "", file).fields("a manifest", ["library", "setup", "parts"])
    library = try fields.required("library", "the library, as in ./liblaplace.so").text("the library's file")
    setup =
      try fields["setup"]?.items("a list of functions, as in [gsl_set_error_handler_off]").map {
        try $0.text("the name of a function")
      } ?? []
    let list = try fields.required("parts", "a list of parts").items("a list of parts, as in '- prior: laplace'")
    guard !list.isEmpty else { throw file.error("parts", "found no parts, expected one or more") }
    parts = try list.map(PartDeclaration.init)
    for (index, part) in parts.enumerated()
    where parts[..<index].contains(where: { $0.slot == part.slot && $0.name == part.name }) {
      throw file.error(part.path, "\(part.slot.name) '\(part.name)' is there twice; rename one of them")
    }
  }

  /// The names of its parts for a slot.
  public func names(in slot: Slot) -> [String] { parts.filter { $0.slot == slot }.map(\.name) }

  /// Returns an error about a place in the file.
  func error(_ path: String, _ reason: String) -> RecipeFileError { file.error(path, reason) }
}

/// A value of a manifest with its place.
private struct Node {
  let value: Value
  let path: String
  let file: ConfigFile

  init(_ value: Value, _ path: String, _ file: ConfigFile) { (self.value, self.path, self.file) = (value, path, file) }

  func refusal(_ reason: String) -> RecipeFileError { file.error(path, reason) }

  private func refusal(expected: String) -> RecipeFileError {
    refusal("found \(value == .null ? "nothing" : value.shortText), expected \(expected)")
  }

  /// The values of a mapping by key.
  func fields(_ what: String, _ known: [String]? = nil) throws -> Fields {
    guard case .object(let values) = value else { throw refusal(expected: what) }
    let keys = file.keys(of: values, at: path)
    for key in keys where known?.contains(key) == false {
      throw refusal(UnknownName(key, among: known ?? [], of: "key").description)
    }
    let nodes = keys.map { ($0, Node(values[$0] ?? .null, path.isEmpty ? $0 : "\(path).\($0)", file)) }
    return Fields(node: self, items: nodes.filter { $0.1.value != .null })
  }

  /// The items of a list.
  func items(_ what: String) throws -> [Node] {
    guard case .array(let values) = value else { throw refusal(expected: what) }
    return values.enumerated().map { Node($1, "\(path)[\($0)]", file) }
  }

  func text(_ what: String) throws -> String {
    guard case .string(let text) = value, !text.isEmpty else { throw refusal(expected: what) }
    guard !text.unicodeScalars.contains(where: { $0.value < 32 }) else { throw refusal(expected: "text on one line") }
    return text
  }

  func flag() throws -> Bool {
    guard case .bool(let flag) = value else { throw refusal(expected: "true or false") }
    return flag
  }

  func number() throws -> Double {
    switch value {
    case .int(let number): return Double(number)
    case .double(let number) where number.isFinite: return number
    default: throw refusal(expected: "a number")
    }
  }

  /// The only key of a mapping with its value.
  func pair(_ what: String) throws -> (name: String, node: Node) {
    let fields = try fields(what)
    guard fields.items.count == 1, let only = fields.items.first else { throw refusal(expected: what) }
    return only
  }
}

/// The values of a mapping in their order.
private struct Fields {
  let node: Node
  let items: [(String, Node)]

  subscript(_ key: String) -> Node? { items.first { $0.0 == key }?.1 }

  func required(_ key: String, _ what: String) throws -> Node {
    guard let node = self[key] else { throw self.node.refusal("found no '\(key)', expected \(what)") }
    return node
  }
}

extension ForeignManifest.PartDeclaration {
  /// The functions of a slot's parts by their key, and whether a part must have them.
  private static func roles(of slot: Slot) -> [(key: String, role: Role, isRequired: Bool)] {
    switch slot {
    case .prior: [("density", .density, true), ("draw", .priorDraw, false)]
    case .sampler: [("draw", .draw, true)]
    case .loss: [("terms", .terms, true)]
    default: [("size", .size, true), ("read", .read, true)]
    }
  }

  fileprivate init(_ node: Node) throws {
    let slots = Slot.all.filter(\.canBeForeign)
    let all = try node.fields("a part, as in 'prior: laplace'")
    let named = slots.filter { all[$0.name] != nil }
    guard let slot = named.first, named.count == 1 else {
      throw node.refusal(
        "found \(named.isEmpty ? "no slot" : "\(named.count) slots"), expected one of \(slots.map(\.name).listed()), as in 'prior: laplace'"
      )
    }
    let roles = Self.roles(of: slot)
    let known =
      [slot.name, "summary", "settings", "brings"] + roles.map(\.key) + (slot == .prior ? ["normalized"] : [])
    let fields = try node.fields("a part", known)
    (self.slot, path) = (slot, node.path)
    name = try fields.required(slot.name, "a name").text("the name of the part")
    summary = try fields.required("summary", "a line on what the part is").text("a line on what the part is")
    isNormalized = try fields["normalized"]?.flag() ?? true

    let declared = try fields["settings"]?.fields("settings, as in 'scale: {default: 1.0, help: the scale}'")
    let names = declared?.items.map(\.0) ?? []
    if slot == .data,
      let taken = declared?.items.first(where: { name, _ in DataSettings.settings.contains { $0.name == name } })
    {
      throw taken.1.refusal("'\(taken.0)' is a setting that all data have; rename it")
    }
    var functions: [Role: ForeignManifest.FunctionDeclaration] = [:]
    for (key, role, isRequired) in roles {
      guard let node = fields[key] else {
        guard !isRequired else {
          throw node.refusal("found no '\(key)', expected the function of \(slot.name) '\(name)'")
        }
        continue
      }
      functions[role] = try ForeignManifest.FunctionDeclaration(node, role, settings: names)
    }
    self.functions = functions
    let parameters = roles.compactMap { functions[$0.role] }.flatMap(\.signature.parameters)
    settings = try (declared?.items ?? []).map { name, node in
      try SettingDescription(name, node, as: parameters.filter { $0.name == name }.map(\.type))
    }
    companions = try Companions(fields["brings"])
    if let problem = Self.problem(functions) { throw node.refusal(problem) }
  }

  /// What does not fit between the functions of a part; nil for nothing.
  private static func problem(_ functions: [Role: ForeignManifest.FunctionDeclaration]) -> String? {
    if let density = functions[.density]?.signature, let draw = functions[.priorDraw]?.signature, draw.takes("labels"),
      !["labels", "label", "classes"].contains(where: density.takes)
    {
      return "'draw' takes 'labels', and 'density' does not depend on the class"
    }
    guard let size = functions[.size]?.signature, let read = functions[.read]?.signature else { return nil }
    guard size.takes("classes") == read.takes("labels") else {
      return size.takes("classes")
        ? "'size' fills 'classes', and 'read' no 'labels'" : "'read' fills 'labels', and 'size' no 'classes'"
    }
    let isImage = size.takes("channels")
    if let number = read.numbers(of: "inputs"), isImage != (number == .uint8) {
      return "'read' fills 'inputs' of type \(number.rawValue)*, expected "
        + (isImage ? "uint8_t* for images" : "float* or double* for rows of numbers")
    }
    for name in ["features", "channels", "height", "width", "classes"] where read.takes(name) && !size.takes(name) {
      return "'read' takes '\(name)', which 'size' does not fill"
    }
    return nil
  }
}

extension ForeignManifest.FunctionDeclaration {
  fileprivate init(_ node: Node, _ role: Role, settings: [String]) throws {
    let fields = try node.fields(
      "a function, as in {call: NAME, takes: […], returns: {…}}", ["call", "takes", "returns"])
    symbol = try fields.required("call", "the name of a function").text("the name of a function")
    signature = try Signature(fields, role, settings: settings)
    path = node.path
    if let fault = role.fault(of: signature) { throw node.refusal("'\(symbol)' does not fit: \(fault)") }
  }
}

extension Signature {
  fileprivate init(_ fields: Fields, _ role: Role, settings: [String]) throws {
    let list = try fields.required("takes", "a list of parameters").items(
      "a list of parameters in order, as in [latents: double*, rows: int64_t]")
    guard list.count <= 64 else { throw fields.node.refusal("found \(list.count) parameters, expected at most 64") }
    var parameters: [Parameter] = []
    for item in list {
      let (name, node) = try item.pair("a name and a type, as in 'latents: double*'")
      let meaning = role.parameters[name]
      guard meaning != nil || settings.contains(name) else {
        throw item.refusal(
          UnknownName(name, among: role.parameters.keys.sorted() + settings, of: "parameter or setting").description)
      }
      if meaning != nil, settings.contains(name) {
        throw item.refusal("'\(name)' is a setting, and a name that '\(role.rawValue)' has itself; rename the setting")
      }
      guard !parameters.contains(where: { $0.name == name }) else { throw item.refusal("'\(name)' is taken twice") }
      if case .callback? = meaning {
        let fields = try node.fields(
          "the signature of a function, as in {takes: […], returns: {…}}", ["takes", "returns"])
        let inner = try Signature(fields, .callback, settings: [])
        if let fault = Role.callback.fault(of: inner) { throw node.refusal("'\(name)' does not fit: \(fault)") }
        parameters.append(Parameter(name: name, type: .context, callback: CallbackSignature(inner)))
        continue
      }
      let type = try CType(node)
      if let expected = Signature.problem(type, meaning) {
        throw node.refusal("found \(type) for '\(name)', expected \(expected)")
      }
      parameters.append(Parameter(name: name, type: type, callback: nil))
    }
    (self.role, self.parameters) = (role, parameters)
    guard let returns = fields["returns"], returns.value != .string("void") else {
      (result, resultName) = (.void, nil)
      return
    }
    let known = role.results
    let (name, node) = try returns.pair("what it returns with its type, as in {status: int}, or void")
    guard let meaning = known[name] else {
      throw returns.refusal(UnknownName(name, among: known.keys.sorted(), of: "result").description)
    }
    let type = try CType(node)
    if let expected = Signature.problem(type, meaning) {
      throw node.refusal("found \(type) for '\(name)', expected \(expected)")
    }
    (result, resultName) = (type, name)
  }

  /// What a type should have been; nil where it is right. Settings have no meaning: any number or text will do.
  private static func problem(_ type: CType, _ meaning: Role.Meaning?) -> String? {
    let (real, whole) = ("float or double", "a whole number, as int or int64_t")
    switch (meaning, type) {
    case (.reals, .array(let number)), (.filledReals, .array(let number)):
      return number.isReal ? nil : "float* or double*"
    case (.wholes, .array(let number)), (.filledWholes, .array(let number)):
      return number == .int64 || number == .int32 ? nil : "int64_t* or int32_t*"
    case (.filledInputs, .array(let number)):
      return number.isReal || number == .uint8 ? nil : "float*, double* or uint8_t*"
    case (.whole, .number(let number)): return number.isReal ? whole : nil
    case (.real, .number(let number)): return number.isReal ? nil : real
    case (.context, .context), (nil, .number), (nil, .text): return nil
    case (.reals, _), (.filledReals, _): return "float* or double*"
    case (.wholes, _), (.filledWholes, _): return "int64_t* or int32_t*"
    case (.filledInputs, _): return "float*, double* or uint8_t*"
    case (.whole, _): return whole
    case (.real, _): return real
    case (.context, _): return "void*"
    case (nil, _): return "a number or char*, for a setting"
    case (.callback, _): return "a signature"
    }
  }
}

extension CType {
  fileprivate init(_ node: Node) throws {
    let text = try node.text("a type of C, as double or int64_t*")
    guard let type = CType(text) else {
      throw node.refusal(UnknownName(text, among: CType.names, of: "type").description)
    }
    self = type
  }
}

extension SettingDescription {
  /// - Parameter types: Those as which functions take it.
  fileprivate init(_ name: String, _ node: Node, as types: [CType]) throws {
    let fields = try node.fields(
      "a setting, as in {default: 1.0, help: the scale, above: 0}",
      ["default", "help", "atLeast", "above", "atMost", "below", "choices"])
    guard let taken = types.first else {
      throw node.refusal("no function takes the setting '\(name)'; take it, or leave it out")
    }
    let help = try fields.required("help", "a help text").text("a help text")
    let range = try SettingRange(
      atLeast: fields["atLeast"]?.number(), above: fields["above"]?.number(), atMost: fields["atMost"]?.number(),
      below: fields["below"]?.number())
    let choices = try fields["choices"]?.items("a list of names").map { try $0.text("a name") }
    let fallback = fields["default"]?.value ?? .null
    func kind(_ type: CType) -> SettingType {
      switch type {
      case .text: .string
      case .number(let number) where number.isReal: .double
      default: if case .bool = fallback { .bool } else { .int }
      }
    }
    let type = kind(taken)
    guard types.allSatisfy({ kind($0) == type }) else {
      throw node.refusal("functions take '\(name)' as \(types.map(\.description).listed()), expected one kind of value")
    }
    switch (type, fallback) {
    case (.string, .null), (.string, .string), (.double, .double), (.double, .int), (.int, .int), (.bool, .bool): break
    default:
      throw node.refusal(
        "found the default \(fallback == .null ? "nothing" : fallback.shortText), expected \(type.text), as it is passed as \(taken)"
      )
    }
    if type == .string ? range != nil : choices != nil {
      throw node.refusal(type == .string ? "text has no range; leave it out" : "only text has choices; give a range")
    }
    self.init(name, default: fallback, help, range, choices: choices, type: type)
  }
}

extension Companions {
  /// The parts that a part names for other slots: `brings: {sampler: mh}`.
  fileprivate init(_ node: Node?) throws {
    self.init()
    guard let node else { return }
    let known = Slot.all.filter { $0.isSingle && $0 != .data }.map(\.name)
    for (name, item) in try node.fields("parts of other slots, as in {sampler: mh}", known).items {
      guard let slot = Slot.all.first(where: { $0.name == name }) else { continue }
      parts[slot] = PartChoice(try item.text("the name of a part"))
    }
  }
}
