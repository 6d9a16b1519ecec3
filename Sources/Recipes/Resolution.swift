import Foundation
import LatentKit

/// Turns recipes into models: fills in what a recipe leaves open, builds its parts, and checks that they fit.
public struct Composer: Sendable {
  /// The parts that recipes may name.
  public let catalog: Catalog
  /// Shared by all models that this composer and its copies build.
  let memory = BuildMemory()
  /// Opens finished runs for parts that build on them.
  let openRun: (@Sendable (String) throws -> TrainedModel)?
  /// Loads trained parts straight from finished runs.
  let loadPart: (@Sendable (Slot, String) throws -> LoadedPart)?

  /// Creates a composer.
  ///
  /// - Parameters:
  ///   - openRun: Opens a finished run by the path of its folder, for parts that build on one; nil where none can.
  ///   - loadPart: Loads the part of a slot from the folder of a finished run; nil where none can be.
  public init(
    _ catalog: Catalog, openingRuns openRun: (@Sendable (String) throws -> TrainedModel)? = nil,
    loadingParts loadPart: (@Sendable (Slot, String) throws -> LoadedPart)? = nil
  ) {
    (self.catalog, self.openRun, self.loadPart) = (catalog, openRun, loadPart)
  }

  /// Returns the recipe with every part and every setting.
  ///
  /// Parts that the recipe leaves out come from the companions of its parts, of whatever slot, and of the parts that those
  /// bring: the prior's first, then those of the encoder, the decoder, the sampler and the other parts; what none of them
  /// says, from here: prior `standard-normal`, decoder `mlp`, sampler `prior`, loss `mse`, optimiser `adam`, schedule
  /// `constant`, 10 epochs, batches of 128; what such a prior or decoder brings comes after what the others do. Metrics are
  /// those of all parts together. `none` keeps a slot empty. A step that
  /// does not say what it trains trains the encoder, the decoder, the classifier, and the prior if that learns in steps.
  /// A part may bring steps, and losses and projections that join the step of another; a step that is `complete` takes none.
  /// Settings of the data come from companions too; the rest are the data set's own.
  ///
  /// A part `from` a folder takes its name and settings from there, and the folder's checksum is written down. What is frozen
  /// is trained only where a step says so, which is refused. Of a foreign part the manifest and its checksum are written down.
  ///
  /// Resolving a resolved recipe changes nothing.
  ///
  /// - Parameter choices: Losses, optimiser and schedule in place of the recipe's; their companions count as well.
  /// - Throws: `ConfigError` with the path of a name or a setting that is unknown or of the wrong kind, and for parts whose
  ///   companions contradict each other. `RecipeError` for a choice that fits no step.
  public func resolve(_ recipe: Recipe, choosing choices: TrainingChoices = TrainingChoices()) throws -> Recipe {
    let written = try recipe.checked().takingParts(catalog)
    try written.requireForeign(in: catalog)
    guard written[.encoder] != nil else {
      let known = catalog.descriptions(of: .encoder).map(\.name).joined(separator: ", ")
      throw ConfigError(path: "encoder", "found nothing, expected an encoder; choose one of: \(known)")
    }
    // What is brought may bring more: the recipe as written is filled in from the parts of the last round until nothing changes.
    var resolution = Resolution(catalog: catalog, written: written, choices: choices)
    // With its text: a setting that is not a number is equal to itself there.
    var rounds = [(recipe: written, text: written.yaml())]
    while true {
      let last = rounds[rounds.count - 1]
      resolution.brought = try Brought(by: last.recipe, fallback: resolution.fallbackSlots, catalog)
      let next = try resolution.resolved()
      let text = next.yaml()
      if text == last.text { return next }
      let start = rounds.firstIndex { $0.text == text } ?? (rounds.count > 100 ? rounds.count - 2 : nil)
      if let start { throw circle(rounds[start...].map(\.recipe)) }
      rounds.append((next, text))
    }
  }

  /// - Parameter recipes: Those that come in turn.
  private func circle(_ recipes: [Recipe]) -> ConfigError {
    func names(_ slot: Slot) -> [String] { unique(recipes.map { "'\($0[slot]?.use ?? "none")'" }) }
    guard let slot = RecipeKey.slots.first(where: { $0.isSingle && names($0).count > 1 }) else {
      return ConfigError(
        path: "stages",
        "the parts bring each other in a circle: losses that bring others in their place; name the losses")
    }
    return ConfigError(
      path: slot.key,
      "the parts bring each other in a circle, through \(slot.name) \(names(slot).joined(separator: " and ")) in turn; "
        + "choose one of them")
  }
}

/// The losses, optimiser and schedule that replace those of a recipe, as flags of a command do.
public struct TrainingChoices: Sendable {
  /// Losses, each with the slot that its step trains; nil for the only step of the recipe. The loss `none` leaves out what
  /// parts bring to that step.
  public var losses: [(part: String?, loss: PartChoice)]
  /// The optimiser of every step; nil for the recipe's.
  public var optimizer: String?
  /// The schedule of every step; nil for the recipe's.
  public var schedule: String?

  /// Creates choices; nil and empty leave the recipe as it is.
  public init(losses: [(part: String?, loss: PartChoice)] = [], optimizer: String? = nil, schedule: String? = nil) {
    (self.losses, self.optimizer, self.schedule) = (losses, optimizer, schedule)
  }
}

/// One round: the recipe as written, filled in from what some parts bring.
struct Resolution {
  let catalog: Catalog
  let written: Recipe
  let choices: TrainingChoices
  var brought = Brought()
  private let learning = Learning()
  private static let fallback: [Slot: PartChoice] = [.prior: "standard-normal", .decoder: "mlp", .sampler: "prior"]

  /// Slots that neither the recipe nor what parts bring fills.
  var fallbackSlots: Set<Slot> {
    get throws { try Set(Self.fallback.keys.filter { try written[$0] == nil && brought.part(for: $0) == nil }) }
  }

  /// Whether priors learn in steps, by name and settings: making one may take long.
  private final class Learning { var known: [(slot: Slot, choice: PartChoice, learns: Bool?)] = [] }

  init(catalog: Catalog, written: Recipe, choices: TrainingChoices) {
    (self.catalog, self.written, self.choices) = (catalog, written, choices)
  }

  func resolved() throws -> Recipe {
    var recipe = written
    for slot in RecipeKey.slots where slot.isSingle {
      recipe[slot] = try recipe[slot] ?? brought.part(for: slot) ?? Self.fallback[slot]
    }
    recipe[all: .metric] = recipe[all: .metric] ?? brought.metrics
    if recipe[all: .transform] == nil, let transform = try brought.part(for: .transform) {
      recipe[all: .transform] = [transform]
    }
    try brought.addSettings(to: &recipe) { slot, choice in
      // A catalog without data is one of parts alone: it says nothing about them.
      let isKnown = slot != .data || !catalog.descriptions(of: .data).isEmpty
      return isKnown ? try catalog.description(slot, choice, at: slot.key).settings.map(\.name) : nil
    }
    // What data are set to is written down when they are loaded: until then only what is wrong is refused.
    if let choice = recipe[.data], !catalog.descriptions(of: .data).isEmpty {
      recipe[.data]?.foreign = try completed(choice, .data, at: Slot.data.key).foreign
    }
    for slot in RecipeKey.slots where slot != .data {
      if let choice = recipe[slot], choice.use != "none" || slot.place != .optional {
        recipe[slot] = try completed(choice, slot, at: slot.key)
      }
      recipe[all: slot] = try recipe[all: slot]?.enumerated().map {
        try completed($1, slot, at: "\(slot.key)[\($0)]")
      }
    }
    if recipe.watch == nil, recipe.has(.discriminator), recipe.has(.decoder) { recipe.watch = true }
    recipe.stages = try stages(of: recipe)
    return recipe
  }

  // MARK: Stages

  private func stages(of recipe: Recipe) throws -> [Recipe.Stage] {
    var stages =
      try recipe.stages
      ?? [Recipe.Stage(epochs: brought.epochs() ?? 10, batch: brought.batch() ?? 128)]
    for (index, stage) in stages.enumerated() {
      let path = "stages[\(index)]"
      let steps = stage.steps.isEmpty ? [Recipe.Step(train: [], losses: [])] : stage.steps
      stages[index].steps = try steps.enumerated().map { try resolved($1, of: recipe, at: "\(path).steps[\($0)]") }
      stages[index].then = try completed(stage.then, at: "\(path).then")
    }
    try replaceLosses(of: nil, in: &stages)
    for part in brought.parts { try join(part, to: &stages, of: recipe) }
    for part in unique(choices.losses.compactMap(\.part)) { try replaceLosses(of: part, in: &stages) }
    return stages
  }

  func resolved(_ step: Recipe.Step, of recipe: Recipe, at path: String) throws -> Recipe.Step {
    var step = step
    if step.isGroup {
      step.steps = try step.steps.enumerated().map { try resolved($1, of: recipe, at: "\(path).steps[\($0)]") }
      return step
    }
    if step.train.isEmpty { step.train = trainedByDefault(recipe) }
    if step.losses.isEmpty { step.losses = try brought.losses() ?? [PartChoice("mse")] }
    step.losses = try completed(step.losses, of: step, at: "\(path).losses")
    step.after = try completed(step.after, at: "\(path).after")
    let own = try Brought(by: step, catalog, at: path)
    var optimizer = try step.optimizer ?? brought.part(for: .optimizer, else: own) ?? PartChoice("adam")
    if let chosen = choices.optimizer, optimizer.use != chosen { optimizer = PartChoice(chosen) }
    step.optimizer = try completed(optimizer, .optimizer, at: "\(path).optimizer")
    // The optimiser may bring its schedule.
    let all = try Brought(by: step, catalog, at: path)
    var schedule = try step.schedule ?? brought.part(for: .schedule, else: all) ?? PartChoice("constant")
    if let chosen = choices.schedule, schedule.use != chosen { schedule = PartChoice(chosen) }
    step.schedule = try completed(schedule, .schedule, at: "\(path).schedule")
    return step
  }

  private func trainedByDefault(_ recipe: Recipe) -> [String] {
    func isFrozen(_ slot: Slot) -> Bool { recipe[slot]?.origin?.isFrozen ?? false }
    var slots = ([Slot.encoder] + [Slot.decoder].filter(recipe.has)).filter { !isFrozen($0) }.map(\.name)
    if let classifier = recipe[.classifier], recipe.has(.classifier), !isFrozen(.classifier),
      learns(classifier, .classifier) ?? true
    {
      slots.append("classifier")
    }
    if let prior = recipe[.prior], !isFrozen(.prior), learns(prior, .prior) ?? false { slots.append("prior") }
    return slots
  }

  /// Whether a part has weights or updates itself, determined by making one for arbitrary sizes; nil where that fails.
  private func learns<Role>(_ choice: PartChoice, _ key: SlotKey<Role>) -> Bool? {
    if let known = learning.known.first(where: { $0.slot == key.slot && $0.choice == choice }) { return known.learns }
    let store = ParameterStore()
    guard let scope = try? Scope(path: key.slot.name, store: store), let entry = try? catalog[key][choice.use] else {
      return nil
    }
    let context = BuildContext(
      inputShape: [1, 32, 32], inputRange: 0...1, classCount: 10, latentSize: 16, scope: scope)
    let part = try? entry.make(choice.with, at: "\(key.slot.key).with", in: context)
    let learns = part.map { $0 is any OnlineUpdate || store.parameters.contains { $0.role == .weight } }
    learning.known.append((key.slot, choice, learns))
    return learns
  }

  // MARK: Settings

  /// Completes the losses of a step, after what the model's parts and the losses themselves bring for each other: sums beside a
  /// divergence in nats.
  func completed(_ losses: [PartChoice], of step: Recipe.Step, at path: String) throws -> [PartChoice] {
    var step = step
    step.losses = losses
    let own = try Brought(by: step, catalog, at: path)
    return try losses.enumerated().map { index, loss in
      let path = "\(path)[\(index)]"
      var loss = loss
      let known = try catalog.description(.loss, loss, at: path).settings.map(\.name)
      // Its weight is no setting, and is mistaken for one.
      if let stray = loss.with.keys.sorted().first(where: { !known.contains($0) }) {
        let unknown = UnknownName(stray, among: known + RecipeKey.ofLoss, of: "setting")
        throw ConfigError(path: "\(path).with.\(stray)", unknown.description)
      }
      for name in known where loss.with[name] == nil { loss.with[name] = try brought.setting(name, of: .loss, in: own) }
      return try completed(loss, .loss, at: path)
    }
  }

  func completed(_ actions: [Recipe.Action], at path: String) throws -> [Action] {
    try actions.enumerated().map { number, action in
      guard case .project(let constraint, let parameters, let biases) = action else { return action }
      let choice = try completed(constraint, .constraint, at: "\(path)[\(number)].project")
      return .project(choice, parameters: parameters, biases: biases)
    }
  }

  func completed(_ choice: PartChoice, _ slot: Slot, at path: String) throws -> PartChoice {
    var choice = choice
    let description = try catalog.description(slot, choice, at: path)
    choice.with = try description.resolved(choice.with, at: "\(path).with")
    choice.foreign = description.foreign
    return choice
  }
}

extension Catalog {
  /// - Throws: `ConfigError` for an unknown name.
  func description(_ slot: Slot, _ choice: PartChoice, at path: String) throws -> PartDescription {
    do { return try description(of: slot, choice.use) } catch let unknown as UnknownName {
      let folder = "./\(choice.use)"
      let files = [SharedPart.description, "recipe.yaml"]
      let isShared =
        !choice.use.isEmpty && slot.isTrainable
        && files.contains { FileManager.default.fileExists(atPath: "\(folder)/\($0)") }
      throw ConfigError(
        path: path, unknown.description + (isShared ? " For the part in the folder of that name, write \(folder)." : "")
      )
    }
  }
}
