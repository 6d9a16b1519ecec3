import LatentKit

/// The companions of the parts that a recipe names, those that weigh most first.
struct Brought {
  /// A part with its companions.
  struct Part {
    let slot: Slot
    let name: String
    let companions: Companions
    /// Whether neither the recipe nor another part named it: it brings only what no other part does.
    var isFallback = false

    var title: String { "\(slot.name) '\(name)'" }
  }

  private(set) var parts: [Part] = []

  init() {}

  /// Every part of every slot: first those of slots that have one, the prior's, encoder's, decoder's and sampler's ahead of
  /// the others'; then losses, transforms, metrics and what else stands in steps.
  ///
  /// - Parameter fallback: Slots whose parts neither the recipe nor another part named.
  /// - Throws: `ConfigError` for an unknown name.
  init(by recipe: Recipe, fallback: Set<Slot> = [], _ catalog: Catalog) throws {
    let first: [Slot] = [.prior, .encoder, .decoder, .sampler]
    for slot in first + RecipeKey.slots.filter({ $0.isSingle && $0 != .data && !first.contains($0) }) {
      guard recipe.has(slot), let choice = recipe[slot] else { continue }
      try add(slot, choice, isFallback: fallback.contains(slot), catalog, at: slot.key)
    }
    if let data = recipe[.data], !catalog.descriptions(of: .data).isEmpty {
      try add(.data, data, catalog, at: Slot.data.key)
    }
    let stages = recipe.stages ?? []
    for (index, stage) in stages.enumerated() {
      try add(stage.steps, catalog, at: "stages[\(index)].steps") { try $0.addLosses(of: $1, catalog, at: $2) }
    }
    for slot in RecipeKey.slots where slot.place == .list {
      for (index, choice) in (recipe[all: slot] ?? []).enumerated() {
        try add(slot, choice, catalog, at: "\(slot.key)[\(index)]")
      }
    }
    for (index, stage) in stages.enumerated() {
      try add(stage.steps, catalog, at: "stages[\(index)].steps") { try $0.addOthers(of: $1, catalog, at: $2) }
      try add(stage.then, catalog, at: "stages[\(index)].then")
    }
  }

  /// The parts of one step.
  /// - Throws: `ConfigError` for an unknown name.
  init(by step: Recipe.Step, _ catalog: Catalog, at path: String) throws {
    try addLosses(of: step, catalog, at: path)
    try addOthers(of: step, catalog, at: path)
  }

  private mutating func add(
    _ slot: Slot, _ choice: PartChoice, isFallback: Bool = false, _ catalog: Catalog, at path: String
  ) throws {
    guard !parts.contains(where: { $0.slot == slot && $0.name == choice.use }) else { return }
    let companions = try catalog.description(slot, choice, at: path).companions
    parts.append(Part(slot: slot, name: choice.use, companions: companions, isFallback: isFallback))
  }

  private mutating func add(
    _ steps: [Recipe.Step], _ catalog: Catalog, at path: String,
    _ body: (inout Brought, Recipe.Step, String) throws -> Void
  ) throws {
    for (index, step) in steps.enumerated() {
      let path = "\(path)[\(index)]"
      try step.isGroup ? add(step.steps, catalog, at: "\(path).steps", body) : body(&self, step, path)
    }
  }

  private mutating func addLosses(of step: Recipe.Step, _ catalog: Catalog, at path: String) throws {
    for (index, loss) in step.losses.enumerated() { try add(.loss, loss, catalog, at: "\(path).losses[\(index)]") }
  }

  private mutating func addOthers(of step: Recipe.Step, _ catalog: Catalog, at path: String) throws {
    if let optimizer = step.optimizer { try add(.optimizer, optimizer, catalog, at: "\(path).optimizer") }
    if let schedule = step.schedule { try add(.schedule, schedule, catalog, at: "\(path).schedule") }
    try add(step.after, catalog, at: "\(path).after")
  }

  private mutating func add(_ actions: [Recipe.Action], _ catalog: Catalog, at path: String) throws {
    for (index, action) in actions.enumerated() {
      if case .project(let constraint, _, _) = action {
        try add(.constraint, constraint, catalog, at: "\(path)[\(index)].project")
      }
    }
  }

  // MARK: Suggestions

  /// The suggestion that weighs most. Parts of slots that have one come in their order, fallbacks last; the others have to agree.
  /// - Throws: `ConfigError` where they do not.
  private func first<Suggested: Equatable>(
    _ key: String, among parts: [Part]? = nil, _ suggestion: (Companions) -> Suggested?
  ) throws -> Suggested? {
    let offered = (parts ?? self.parts).compactMap { part in suggestion(part.companions).map { (part, $0) } }
    let named = offered.filter { !$0.0.isFallback }
    let found = named.isEmpty ? offered : named
    guard let best = found.first, !best.0.slot.isSingle else { return found.first?.1 }
    if let other = found.first(where: { $0.1 != best.1 }) { throw Brought.conflict(key, best.0, other.0) }
    return best.1
  }

  private static func conflict(_ key: String, _ one: Part, _ other: Part) -> ConfigError {
    ConfigError(path: key, "\(one.title) and \(other.title) bring different ones; choose in the recipe")
  }

  /// - Parameter step: The parts of the step that wants one; those of other steps do not count then.
  func part(for slot: Slot, else step: Brought? = nil) throws -> PartChoice? {
    let counted = step.map { step in parts.filter { $0.slot.place != .step } + step.parts }
    return try first(slot.key, among: counted) { $0.parts[slot] }
  }

  /// The value of a setting of parts that stand in a step.
  func setting(_ name: String, of slot: Slot, in step: Brought) throws -> Value? {
    let counted = parts.filter { $0.slot.place != .step } + step.parts
    return try first("\(slot.key).\(name)", among: counted) { $0.settings[slot]?[name] }
  }

  func losses() throws -> [PartChoice]? { try first("losses") { $0.losses } }
  func epochs() throws -> Int? { try first("epochs") { $0.epochs } }
  func batch() throws -> Int? { try first("batch") { $0.batch } }

  /// The metrics of all parts, each once.
  var metrics: [PartChoice] {
    parts.flatMap { $0.companions.metrics + [$0.companions.parts[.metric]].compactMap { $0 } }.reduce(into: []) {
      all, metric in
      if !all.contains(where: { $0.use == metric.use }) { all.append(metric) }
    }
  }

  /// Sets what parts bring for the settings of others, where the recipe does not say it.
  ///
  /// - Parameter known: Returns the settings of a part; nil for any.
  /// - Throws: `ConfigError` for losses, metrics and others that disagree.
  func addSettings(to recipe: inout Recipe, known: (Slot, PartChoice) throws -> [String]?) throws {
    for slot in Slot.all {
      guard let choice = recipe[slot], choice.use != "none" else { continue }
      let names = try known(slot, choice)
      let offered = parts.flatMap { $0.companions.settings[slot].map { Array($0.keys) } ?? [] }
      for name in unique(offered.sorted()) where choice.with[name] == nil && names?.contains(name) ?? true {
        recipe[slot]?.with[name] = try first("\(slot.key).\(name)") { $0.settings[slot]?[name] }
      }
    }
  }
}
