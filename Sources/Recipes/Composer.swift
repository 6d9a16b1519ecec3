import LatentKit

extension Composer {
  /// Builds the model of a recipe for data of some shape. The same recipe and seed give the same bits.
  ///
  /// Each part creates its parameters under its slot's name (`encoder.conv1.weight`), each loss under
  /// `losses.STAGE.STEP.NAME`, so that one loss in two steps has its own. A recipe that is not resolved is resolved
  /// first.
  ///
  /// - Parameters:
  ///   - loadsParts: Whether parts that come from folders take their weights; false where a checkpoint has them.
  ///   - announce: Told, in a sentence, what will take long or much memory, before it begins.
  /// - Throws: `ConfigError` for settings, `RecipeError` for parts that cannot work with the data or with each other.
  public func compose(
    _ recipe: Recipe, for data: DataShape, device: Device = .cpu, loadsParts: Bool = true,
    announcing announce: @escaping (String) -> Void = { _ in }
  ) throws -> Composition {
    let recipe = try resolve(recipe)
    if let batch = recipe.stages?.map(\.batch).max(), let estimate = data.estimate(batch: batch) { announce(estimate) }
    var assembly = Assembly(
      catalog: catalog, recipe: recipe, data: data, device: device, memory: memory, openRun: openRun,
      loadPart: loadPart, loadsParts: loadsParts, announce: announce)
    return try assembly.composition()
  }
}

extension Composer {
  /// Takes out of a recipe the metrics that cannot be made any more: of a plugin that is gone, or with a setting that it has lost.
  ///
  /// - Returns: Why each of them cannot.
  package func removeObsoleteMetrics(of recipe: inout Recipe) -> [ConfigError] {
    let resolution = Resolution(catalog: catalog, written: recipe, choices: TrainingChoices())
    var reasons: [ConfigError] = []
    recipe[all: .metric] = recipe[all: .metric]?.enumerated().filter { index, choice in
      do { _ = try resolution.completed(choice, .metric, at: "metrics[\(index)]") } catch let reason as ConfigError {
        reasons.append(reason)
        return false
      } catch {}
      return true
    }.map(\.element)
    return reasons
  }
}

extension Composer {
  /// Returns the recipe's transforms in order, unfitted, with their names in messages: they are applied to the data before
  /// the model is composed.
  /// - Throws: `ConfigError` for a name or a setting, `RecipeError` for data that are no rows of numbers.
  public func transforms(of recipe: Recipe, for data: DataShape) throws -> [(name: String, transform: any Transform)] {
    guard let choices = recipe[all: .transform], !choices.isEmpty else { return [] }
    guard data.inputShape.count == 1 else {
      throw RecipeError(
        "transforms are for tables, and \(data.title) has inputs of shape \(data.inputShape); take them out, images are "
          + "scaled by data.range")
    }
    return try choices.enumerated().map { index, choice in
      let title = "transform '\(choice.use)'"
      let scope = try Scope(path: "transforms.\(index)", store: ParameterStore(), seed: recipe.randomSeed)
      let context = BuildContext(
        inputShape: data.inputShape, classCount: data.classCount, scope: scope, title: title)
      return try naming(title) {
        (
          choice.use,
          try catalog[.transform][choice.use].make(choice.with, at: "transforms[\(index)].with", in: context)
        )
      }
    }
  }
}

/// Runs `body` and reports the errors of libtorch under the name of a part.
func naming<Result>(_ title: String, _ body: () throws -> Result) throws -> Result {
  do { return try body() } catch let error as TensorError { throw RecipeError("\(title): \(error)") }
}

private struct Assembly {
  let catalog: Catalog
  var recipe: Recipe
  let data: DataShape
  let device: Device
  let memory: BuildMemory
  let openRun: (@Sendable (String) throws -> TrainedModel)?
  let loadPart: (@Sendable (Slot, String) throws -> LoadedPart)?
  let loadsParts: Bool
  let announce: (String) -> Void
  let store = ParameterStore()
  var modes: [String: Mode] = [:]
  var encoder: (any Encoder)?
  var model: Model?

  mutating func composition() throws -> Composition {
    let encoder = try required(.encoder)
    guard encoder.latentSize > 0 else {
      throw RecipeError(
        """
        encoder '\(recipe[.encoder]?.use ?? "")' makes latents of \(encoder.latentSize) values, expected 1 or more; \
        set encoder.latent
        """
      )
    }
    self.encoder = encoder
    defer { store.willMake = nil }
    // The order in which parts are made is part of what `Component` promises.
    var model = Model(encoder: encoder, prior: try required(.prior))
    try add(.decoder, to: &model)
    try add(.classifier, to: &model)
    try add(.discriminator, to: &model)
    try add(.noise, to: &model)
    let parts = store.parameters.filter { parameter in
      parameter.role == .weight && !recipe.frozenSlots.contains { parameter.name.hasPrefix("\($0.name).") }
    }
    let sampler = try required(.sampler, isTrained: false)
    var metrics: [NamedMetric] = []
    for (index, choice) in (recipe[all: .metric] ?? []).enumerated() {
      let metric = try make(.metric, choice, at: "metrics[\(index)]", isTrained: false)
      if metric.sources.contains(.samples), model.decoder == nil {
        throw RecipeError.missing(
          "a decoder", for: "metric '\(choice.use)', which measures samples,", fix: "add one, or take the metric out")
      }
      metrics.append(NamedMetric(name: unused(choice.use, among: metrics.map(\.name)), metric: metric))
    }
    let stages = try (recipe.stages ?? []).enumerated().map { try stage($1, at: "stages[\($0)]", weights: parts) }
    let losses = stages.reversed().lazy.flatMap(\.steps).flatMap(\.losses)
    model.likelihood = losses.compactMap { $0.loss as? any Likelihood }.first
    if let estimate = store.estimate { announce(estimate) }
    return Composition(
      recipe: recipe, data: data, model: model, sampler: sampler, metrics: metrics, stages: stages, store: store,
      modes: modes)
  }

  // MARK: Parts

  private mutating func required<Role>(_ key: SlotKey<Role>, isTrained: Bool = true) throws -> Role {
    let name = key.slot.name
    guard let choice = recipe[key.slot] else {
      throw RecipeError.missing("a part in slot '\(name)'", for: "a model", fix: "add '\(name): NAME'")
    }
    return try make(key, choice, at: name, isTrained: isTrained)
  }

  /// Makes the part of an optional slot, and shows it to those after it.
  private mutating func add<Role>(_ key: SlotKey<Role>, to model: inout Model) throws {
    self.model = model
    if recipe.has(key.slot), let choice = recipe[key.slot] { model[key] = try make(key, choice, at: key.slot.name) }
    self.model = model
  }

  /// - Parameters:
  ///   - path: Where the part stands in the recipe.
  ///   - scope: Where its parameters go; the slot's name unless given.
  ///   - isTrained: Whether its parameters belong to the model.
  private mutating func make<Role>(
    _ key: SlotKey<Role>, _ choice: PartChoice, at path: String, scope name: String? = nil, isTrained: Bool = true
  ) throws -> Role {
    let title = "\(key.slot.name) '\(choice.use)'"
    let store = isTrained ? store : ParameterStore()
    store.willMake = { [announce] name, shape in
      if let estimate = estimate(ofParameter: name, shape) { announce("\(title): \(estimate)") }
    }
    let scope = try Scope(path: name ?? path, store: store, seed: recipe.randomSeed, device: device)
    if isTrained { modes[scope.path] = scope.mode }
    var context = BuildContext(
      inputShape: data.inputShape, inputRange: data.inputRange, padding: data.padding, classCount: data.classCount,
      latentSize: encoder?.latentSize ?? 0, scope: scope, title: title, memory: memory, encoder: encoder, model: model,
      trainingCount: data.trainingCount, announce: announce)
    (context.inputUnits, context.classNames, context.openRun) = (data.inputUnits, data.classNames, openRun)
    let shared = try loadsParts ? choice.origin.map { try loaded(key.slot, $0) } : nil
    try shared?.part.requireFit(key.slot, choice, context)
    let part = try naming(title) { try catalog[key][choice.use].make(choice.with, at: "\(path).with", in: context) }
    try check((part as? any Part)?.needs ?? [], of: title)
    if let shared {
      try naming(title) { try shared.load(into: part, context) }
      recipe[key.slot]?.origin?.checksum = shared.checksum
    }
    if choice.origin?.isFrozen == true {
      for parameter in store.parameters(under: scope.path) where parameter.role == .weight {
        try parameter.tensor.requiringGradient(false)
      }
    }
    return part
  }

  /// Loads a trained part, from a folder of its own or from that of a run.
  private func loaded(_ slot: Slot, _ origin: PartOrigin) throws -> LoadedPart {
    guard origin.isRun else { return try LoadedPart(origin) }
    guard let loadPart else {
      throw RecipeError("\(slot.name) from the run in \(origin.folder): there is no way to open runs here")
    }
    let found = try loadPart(slot, origin.folder)
    if let expected = origin.checksum, expected != found.checksum {
      throw RecipeError(
        "the run in \(origin.folder) has changed: found the checksum \(found.checksum.prefix(12)), expected \(expected.prefix(12)) as in "
          + "the recipe; put the old one back, or leave 'checksum' out of the recipe to take the new one")
    }
    return found
  }

  private func check(_ needs: DataNeeds, of title: String) throws {
    if needs.contains(.labels), data.classCount == nil { throw RecipeError.needsLabels(title) }
    if needs.contains(.everyLabel), data.isPartlyLabelled {
      throw RecipeError(
        "\(title) needs a label of every example, and data.labelled hides some; leave it out, or choose another part")
    }
    if needs.contains(.images), data.inputShape.count != 3 {
      throw RecipeError.needsImages(title, found: data.inputShape)
    }
  }

  // MARK: Stages

  private mutating func stage(_ stage: Recipe.Stage, at path: String, weights: [Parameter]) throws -> ComposedStage {
    var steps: [ComposedStep] = []
    let turns = try self.turns(stage.steps, of: stage, at: "\(path).steps", into: &steps)
    let actions = try stage.then.enumerated().map {
      try action($1, of: stage, at: "\(path).then[\($0)]", weights: weights)
    }
    return ComposedStage(recipe: stage, steps: steps, turns: turns, actions: actions)
  }

  /// Makes steps and those inside groups, and returns the order in which they run.
  private mutating func turns(
    _ steps: [Recipe.Step], of stage: Recipe.Stage, at path: String, into made: inout [ComposedStep]
  ) throws -> [Turn] {
    var turns: [Turn] = []
    for (index, step) in steps.enumerated() {
      let path = "\(path)[\(index)]"
      if step.isGroup {
        turns.append(
          .group(repeat: step.repeat, try self.turns(step.steps, of: stage, at: "\(path).steps", into: &made)))
      } else {
        turns.append(.step(made.count))
        made.append(try self.step(step, made.count, of: stage, at: path))
      }
    }
    return turns
  }

  private mutating func step(
    _ step: Recipe.Step, _ number: Int, of stage: Recipe.Stage, at path: String
  ) throws -> ComposedStep {
    var parameters: [Parameter] = []
    for slot in step.train { parameters += try weights(of: slot, in: stage) }
    let ofParts = parameters
    var losses: [WeightedLoss] = []
    for (index, choice) in step.losses.enumerated() {
      let name = unused(choice.use, among: losses.map(\.name))
      let scope = "losses.\(stage.name).\(number).\(name)"
      let loss = try make(.loss, choice, at: "\(path).losses[\(index)]", scope: scope)
      losses.append(WeightedLoss(name: name, weight: choice.weight, loss: loss))
      parameters += store.parameters(under: scope).filter { $0.role == .weight }
    }
    let optimizer = try make(
      .optimizer, step.optimizer ?? PartChoice("adam"), at: "\(path).optimizer", isTrained: false)
    let schedule = try make(
      .schedule, step.schedule ?? PartChoice("constant"), at: "\(path).schedule", isTrained: false)
    let after = try step.after.enumerated().map {
      try action($1, of: stage, at: "\(path).after[\($0)]", weights: ofParts)
    }
    return ComposedStep(
      recipe: step, losses: losses, parameters: parameters, optimizer: optimizer, schedule: schedule, after: after)
  }

  private func weights(of slot: String, in stage: Recipe.Stage) throws -> [Parameter] {
    guard let choice = recipe.part(in: slot), choice.use != "none" else {
      throw RecipeError(
        """
        stage '\(stage.name)' trains \(slot), which this recipe does not have; add '\(slot): NAME', \
        or take it out of train
        """
      )
    }
    guard choice.origin?.isFrozen != true else {
      throw RecipeError(
        "stage '\(stage.name)' trains \(slot), which is frozen; take it out of train, or set \(slot).frozen to false")
    }
    let weights = store.parameters(under: slot).filter { $0.role == .weight }
    let isOnline = slot == Slot.prior.name && model?.prior is any OnlineUpdate
    guard !weights.isEmpty || isOnline else {
      throw RecipeError(
        "stage '\(stage.name)' trains \(slot), but \(slot) '\(choice.use)' has no weights; take it out of train")
    }
    return weights
  }

  private mutating func action(
    _ action: Recipe.Action, of stage: Recipe.Stage, at path: String, weights: [Parameter]
  ) throws -> ComposedAction {
    switch action {
    case .mask: return .mask
    case .rewind: return .rewind
    case .project(let choice, let prefixes, let biases):
      let constraint = try make(.constraint, choice, at: "\(path).project", isTrained: false)
      // Biases and slopes are projected only where a recipe sets `biases`.
      let eligible = weights.filter { biases || $0.tensor.rank >= 2 }
      for prefix in prefixes where !eligible.contains(where: { $0.name.hasPrefix(prefix) }) {
        let known = recipe.filledSlots.filter { slot in eligible.contains { $0.name.hasPrefix("\(slot).") } }
        let kind = biases ? "weight below" : "weight of two or more axes below"
        throw RecipeError("stage '\(stage.name)' projects weights: \(UnknownName(prefix, among: known, of: kind))")
      }
      return .project(
        constraint, eligible.filter { weight in prefixes.isEmpty || prefixes.contains { weight.name.hasPrefix($0) } })
    }
  }
}

extension Recipe {
  /// Returns the part in a slot of the model, by the slot's name.
  func part(in slot: String) -> PartChoice? { RecipeKey.slots.first { $0.name == slot }.flatMap { self[$0] } }

  /// The slots of parts whose weights stay as they are.
  fileprivate var frozenSlots: [Slot] { RecipeKey.slots.filter { $0.isSingle && self[$0]?.origin?.isFrozen == true } }

  fileprivate var filledSlots: [String] { RecipeKey.slots.filter(has).map(\.name) }
}
