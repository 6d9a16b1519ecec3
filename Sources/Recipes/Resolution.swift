import LatentKit

/// Turns recipes into models: fills in what a recipe leaves open, builds its parts, and checks that they fit.
public struct Composer: Sendable {
  /// The parts that recipes may name.
  public let catalog: Catalog
  /// Shared by all models that this composer and its copies build.
  let memory = BuildMemory()
  /// Opens finished runs for parts that build on them.
  let openRun: (@Sendable (String) throws -> TrainedModel)?

  /// Creates a composer.
  ///
  /// - Parameter openRun: Opens a finished run by the path of its folder, for parts that build on one; nil where none can.
  public init(_ catalog: Catalog, openingRuns openRun: (@Sendable (String) throws -> TrainedModel)? = nil) {
    self.catalog = catalog
    self.openRun = openRun
  }

  /// Returns the recipe with every part and every setting.
  ///
  /// Parts that the recipe leaves out come from those that its parts declare as their companions: the prior first, then the
  /// encoder, the decoder and the sampler; what none of them says, from here: prior `standard-normal`, decoder `mlp`,
  /// sampler `prior`, loss `mse`, optimiser `adam`, schedule `constant`, 10 epochs, batches of 128. Metrics are
  /// those of all parts together. `none` keeps a slot empty. A step that does not say what it trains trains the encoder, the
  /// decoder, the classifier, and the prior if that learns in steps. A part may bring steps that train it, and losses that
  /// join the step of another; they are added unless the recipe trains the part already. Settings of the data come from
  /// companions too; the rest are the data set's own.
  ///
  /// Resolving a resolved recipe changes nothing.
  ///
  /// - Throws: `ConfigError` with the path of a name or a setting that is unknown or of the wrong kind.
  public func resolve(_ recipe: Recipe) throws -> Recipe {
    var recipe = try recipe.checked()
    guard recipe[.encoder] != nil else {
      let known = catalog.descriptions(of: .encoder).map(\.name).joined(separator: ", ")
      throw ConfigError(path: "encoder", "found nothing, expected an encoder; choose one of: \(known)")
    }
    let fallback: [Slot: PartChoice] = [.prior: "standard-normal", .decoder: "mlp", .sampler: "prior"]
    for slot in [.prior, .decoder, .sampler] + RecipeKey.slots where slot.isSingle {
      recipe[slot] = try recipe[slot] ?? suggestion(slot, recipe) ?? fallback[slot]
    }
    recipe[all: .metric] = try recipe[all: .metric] ?? metrics(of: recipe)
    for companions in try companions(of: recipe) {
      for (slot, settings) in companions.settings {
        guard let choice = recipe[slot], choice.use != "none" else { continue }
        // A catalog without data is one of parts alone: it says nothing about them.
        let isKnown = slot != .data || !catalog.descriptions(of: .data).isEmpty
        let known = isKnown ? try description(slot, choice, at: slot.key).settings.map(\.name) : nil
        recipe[slot]?.with.merge(settings.filter { known?.contains($0.key) ?? true }) { own, _ in own }
      }
    }
    // What data are set to is written down when they are loaded: until then only what is wrong is refused.
    if let choice = recipe[.data], !catalog.descriptions(of: .data).isEmpty {
      _ = try completed(choice, .data, at: Slot.data.key)
    }
    for slot in RecipeKey.slots where slot != .data {
      if let choice = recipe[slot], choice.use != "none" || slot.place != .optional {
        recipe[slot] = try completed(choice, slot, at: slot.key)
      }
      recipe[all: slot] = try recipe[all: slot]?.enumerated().map {
        try completed($1, slot, at: "\(slot.key)[\($0)]")
      }
    }
    recipe.stages = try stages(of: recipe)
    return recipe
  }

  /// The metrics that the recipe's parts suggest, each once.
  private func metrics(of recipe: Recipe) throws -> [PartChoice] {
    try companions(of: recipe).flatMap(\.metrics).reduce(into: []) { all, metric in
      if !all.contains(where: { $0.use == metric.use }) { all.append(metric) }
    }
  }

  private func stages(of recipe: Recipe) throws -> [Recipe.Stage] {
    var stages =
      try recipe.stages
      ?? [Recipe.Stage(epochs: first(\.epochs, recipe) ?? 10, batch: first(\.batch, recipe) ?? 128)]
    for (index, stage) in stages.enumerated() {
      let path = "stages[\(index)]"
      let steps = stage.steps.isEmpty ? [Recipe.Step(train: [], losses: [])] : stage.steps
      stages[index].steps = try steps.enumerated().map { try resolve($1, of: recipe, at: "\(path).steps[\($0)]") }
      stages[index].then = try completed(stage.then, at: "\(path).then")
    }
    try join(recipe, &stages)
    return stages
  }

  private func resolve(_ step: Recipe.Step, of recipe: Recipe, at path: String) throws -> Recipe.Step {
    var step = step
    if step.train.isEmpty { step.train = trainedByDefault(recipe) }
    if step.losses.isEmpty { step.losses = try first(\.losses, recipe) ?? [PartChoice("mse")] }
    step.losses = try step.losses.enumerated().map { try completed($1, .loss, at: "\(path).losses[\($0)]") }
    let optimizer = try step.optimizer ?? suggestion(.optimizer, recipe) ?? PartChoice("adam")
    step.optimizer = try completed(optimizer, .optimizer, at: "\(path).optimizer")
    let schedule = try step.schedule ?? suggestion(.schedule, recipe) ?? PartChoice("constant")
    step.schedule = try completed(schedule, .schedule, at: "\(path).schedule")
    step.after = try completed(step.after, at: "\(path).after")
    return step
  }

  /// Adds the steps that parts bring for themselves, a critic's say, and the losses that join other steps with them.
  private func join(_ recipe: Recipe, _ stages: inout [Recipe.Stage]) throws {
    for slot in RecipeKey.slots {
      guard recipe.has(slot), let choice = recipe[slot], slot != .data else { continue }
      let companions = try description(slot, choice, at: slot.key).companions
      guard !companions.steps.isEmpty,
        !stages.contains(where: { $0.steps.contains { $0.train.contains(slot.name) } })
      else { continue }
      let others = companions.joining.isEmpty ? [Slot.decoder.name] : companions.joining.keys.map(\.name)
      for index in stages.indices
      where stages[index].steps.contains(where: { !$0.train.filter(others.contains).isEmpty }) {
        // In the order of slots: the order of losses is part of a run's bits.
        for target in Slot.all {
          guard let losses = companions.joining[target],
            let number = stages[index].steps.firstIndex(where: { $0.train.contains(target.name) })
          else { continue }
          let path = "stages[\(index)].steps[\(number)]"
          let known = stages[index].steps[number].losses.map(\.use)
          stages[index].steps[number].losses += try losses.filter { !known.contains($0.use) }.enumerated().map {
            try completed($1, .loss, at: "\(path).losses[\(known.count + $0)]")
          }
        }
        let own = try companions.steps.enumerated().map {
          try resolve($1, of: recipe, at: "stages[\(index)].steps[\($0)]")
        }
        stages[index].steps.insert(contentsOf: own, at: 0)
      }
    }
  }

  /// Returns the recipe with another part in a slot, as `Recipe.apply(choice:_:)` has it; the steps that the old part brought for
  /// itself, and the losses that joined others with them, go with it.
  ///
  /// - Throws: `RecipeError` for a slot that cannot be `none`, `ConfigError` for an unknown part.
  public func replacing(_ slot: Slot, by name: String, in recipe: Recipe) throws -> Recipe {
    var changed = recipe
    try changed.apply(choice: slot, name)
    guard let old = recipe[slot], old.use != name, recipe.has(slot) else { return changed }
    let companions = try description(slot, old, at: slot.key).companions
    guard !companions.steps.isEmpty else { return changed }
    for index in (changed.stages ?? []).indices {
      let others = changed.stages?[index].steps.filter { $0.train != [slot.name] } ?? []
      // A stage of that step alone is the recipe's own.
      guard !others.isEmpty else { continue }
      changed.stages?[index].steps = others
      for number in (changed.stages?[index].steps ?? []).indices {
        for (target, losses) in companions.joining
        where changed.stages?[index].steps[number].train.contains(target.name) ?? false {
          changed.stages?[index].steps[number].losses.removeAll { loss in losses.contains { $0.use == loss.use } }
        }
      }
    }
    return changed
  }

  private func trainedByDefault(_ recipe: Recipe) -> [String] {
    var slots = ["encoder"] + [Slot.decoder, .classifier].filter(recipe.has).map(\.name)
    if let prior = recipe[.prior], learns(prior) { slots.append("prior") }
    return slots
  }

  /// Whether a prior has something to train or updates itself, seen by making one for made-up sizes.
  private func learns(_ choice: PartChoice) -> Bool {
    let store = ParameterStore()
    guard let scope = try? Scope(path: "prior", store: store), let entry = try? catalog[.prior][choice.use] else {
      return false
    }
    let context = BuildContext(
      inputShape: [1, 32, 32], inputRange: 0...1, classCount: 10, latentSize: 16, scope: scope)
    let prior = try? entry.make(choice.with, at: "prior.with", in: context)
    return prior is any OnlineUpdate || store.parameters.contains { $0.role == .weight }
  }

  // MARK: Companions

  /// The companions of the chosen parts, those that weigh most first.
  private func companions(of recipe: Recipe) throws -> [Companions] {
    let first: [Slot] = [.prior, .encoder, .decoder, .sampler]
    let slots = first + RecipeKey.slots.filter { $0.isSingle && $0 != .data && !first.contains($0) }
    return try slots.filter(recipe.has).compactMap { slot in
      try recipe[slot].map { try description(slot, $0, at: slot.key).companions }
    }
  }

  private func suggestion(_ slot: Slot, _ recipe: Recipe) throws -> PartChoice? {
    try companions(of: recipe).lazy.compactMap { $0.parts[slot] }.first
  }

  private func first<Suggested>(_ path: KeyPath<Companions, Suggested?>, _ recipe: Recipe) throws -> Suggested? {
    try companions(of: recipe).lazy.compactMap { $0[keyPath: path] }.first
  }

  // MARK: Settings

  private func completed(_ actions: [Action], at path: String) throws -> [Action] {
    try actions.enumerated().map { number, action in
      guard case .project(let constraint, let parameters, let biases) = action else { return action }
      let choice = try completed(constraint, .constraint, at: "\(path)[\(number)].project")
      return .project(choice, parameters: parameters, biases: biases)
    }
  }

  private func completed(_ choice: PartChoice, _ slot: Slot, at path: String) throws -> PartChoice {
    var choice = choice
    choice.with = try description(slot, choice, at: path).resolved(choice.with, at: "\(path).with")
    return choice
  }

  private func description(_ slot: Slot, _ choice: PartChoice, at path: String) throws -> PartDescription {
    do { return try catalog.description(of: slot, choice.use) } catch let unknown as UnknownName {
      throw ConfigError(path: path, unknown.description)
    }
  }
}
