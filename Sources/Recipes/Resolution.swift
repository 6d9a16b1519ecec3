import LatentKit

/// Turns recipes into models: fills in what a recipe leaves open, builds its parts, and checks that they fit.
public struct Composer: Sendable {
  public let catalog: Catalog
  /// Shared by all models that this composer and its copies build.
  let memory = BuildMemory()

  public init(_ catalog: Catalog) { self.catalog = catalog }

  /// The recipe with every part and every setting.
  ///
  /// What the recipe leaves out comes from what its parts declare as their companions: the prior first, then the
  /// encoder, the decoder and the sampler; what none of them says, from here: prior `standard-normal`, decoder `mlp`,
  /// sampler `prior`, loss `mse`, optimiser `adam`, schedule `constant`, 10 epochs, batches of 128, no metrics. `none`
  /// keeps a slot empty. A step that does not say what it trains trains the encoder, the decoder, the classifier, and
  /// the prior if that has weights. Settings of the data come from companions too; the rest are the data set's own.
  ///
  /// Resolving a resolved recipe changes nothing.
  ///
  /// - Throws: `ConfigError` with the path of a name or a setting that is unknown or of the wrong kind.
  public func resolve(_ recipe: Recipe) throws -> Recipe {
    var recipe = try recipe.checked()
    guard recipe.encoder != nil else {
      let known = catalog.encoders.entries.map(\.name).joined(separator: ", ")
      throw ConfigError(path: "encoder", "found nothing, expected an encoder; choose one of: \(known)")
    }
    recipe.prior = try recipe.prior ?? suggestion(\.prior, recipe) ?? PartChoice("standard-normal")
    recipe.decoder = try recipe.decoder ?? suggestion(\.decoder, recipe) ?? PartChoice("mlp")
    recipe.sampler = try recipe.sampler ?? suggestion(\.sampler, recipe) ?? PartChoice("prior")
    recipe.noise = try recipe.noise ?? suggestion(\.noise, recipe)
    recipe.classifier = try recipe.classifier ?? suggestion(\.classifier, recipe)
    recipe.discriminator = try recipe.discriminator ?? suggestion(\.discriminator, recipe)
    recipe.metrics = try recipe.metrics ?? suggestion(\.metrics, recipe) ?? []
    for companions in try companions(of: recipe) {
      recipe.data?.with.merge(companions.data) { own, _ in own }
      let known = try recipe.encoder.map { try description(.encoder, $0, at: "encoder").settings.map(\.name) } ?? []
      recipe.encoder?.with.merge(companions.encoder.filter { known.contains($0.key) }) { own, _ in own }
    }
    recipe.transforms = try recipe.transforms?.enumerated().map {
      try completed($1, .transform, at: "transforms[\($0)]")
    }
    try complete(&recipe.encoder, .encoder)
    try complete(&recipe.prior, .prior)
    try complete(&recipe.decoder, .decoder)
    try complete(&recipe.classifier, .classifier)
    try complete(&recipe.discriminator, .discriminator)
    try complete(&recipe.noise, .noise)
    try complete(&recipe.sampler, .sampler)
    recipe.metrics = try recipe.metrics?.enumerated().map { try completed($1, .metric, at: "metrics[\($0)]") }
    recipe.stages = try stages(of: recipe)
    return recipe
  }

  private func stages(of recipe: Recipe) throws -> [Recipe.Stage] {
    var stages =
      try recipe.stages
      ?? [Recipe.Stage(epochs: suggestion(\.epochs, recipe) ?? 10, batch: suggestion(\.batch, recipe) ?? 128)]
    for (index, stage) in stages.enumerated() {
      let path = "stages[\(index)]"
      let steps = stage.steps.isEmpty ? [Recipe.Step(train: [], losses: [])] : stage.steps
      stages[index].steps = try steps.enumerated().map { try resolve($1, of: recipe, at: "\(path).steps[\($0)]") }
      stages[index].then = try stage.then.enumerated().map { number, action in
        guard case .project(let constraint, let parameters) = action else { return action }
        let path = "\(path).then[\(number)].project"
        return .project(try completed(constraint, .constraint, at: path), parameters: parameters)
      }
    }
    return stages
  }

  private func resolve(_ step: Recipe.Step, of recipe: Recipe, at path: String) throws -> Recipe.Step {
    var step = step
    if step.train.isEmpty { step.train = trainedByDefault(recipe) }
    if step.losses.isEmpty { step.losses = try suggestion(\.losses, recipe) ?? [PartChoice("mse")] }
    step.losses = try step.losses.enumerated().map { try completed($1, .loss, at: "\(path).losses[\($0)]") }
    let optimizer = try step.optimizer ?? suggestion(\.optimizer, recipe) ?? PartChoice("adam")
    step.optimizer = try completed(optimizer, .optimizer, at: "\(path).optimizer")
    let schedule = try step.schedule ?? suggestion(\.schedule, recipe) ?? PartChoice("constant")
    step.schedule = try completed(schedule, .schedule, at: "\(path).schedule")
    return step
  }

  private func trainedByDefault(_ recipe: Recipe) -> [String] {
    var slots = ["encoder"]
    if recipe.decoder.isPresent { slots.append("decoder") }
    if recipe.classifier.isPresent { slots.append("classifier") }
    if let prior = recipe.prior, hasWeights(prior) { slots.append("prior") }
    return slots
  }

  /// Whether a prior has something to train, seen by building one for made-up sizes.
  private func hasWeights(_ prior: PartChoice) -> Bool {
    let store = ParameterStore()
    guard let scope = try? Scope(path: "prior", store: store), let entry = try? catalog.priors[prior.use] else {
      return false
    }
    let context = BuildContext(
      inputShape: [1, 32, 32], inputRange: 0...1, classCount: 10, latentSize: 16, scope: scope)
    _ = try? entry.make(prior.with, at: "prior.with", in: context)
    return store.parameters.contains { $0.role == .weight }
  }

  // MARK: Companions

  /// The companions of the chosen parts, those that weigh most first.
  private func companions(of recipe: Recipe) throws -> [Companions] {
    let parts: [(Slot, PartChoice?)] = [
      (.prior, recipe.prior), (.encoder, recipe.encoder), (.decoder, recipe.decoder), (.sampler, recipe.sampler),
    ]
    return try parts.compactMap { slot, choice in
      guard let choice, choice.use != "none" else { return nil }
      return try description(slot, choice, at: slot.rawValue).companions
    }
  }

  private func suggestion<Part>(_ part: KeyPath<Companions, Part?>, _ recipe: Recipe) throws -> Part? {
    try companions(of: recipe).lazy.compactMap { $0[keyPath: part] }.first
  }

  // MARK: Settings

  private func complete(_ choice: inout PartChoice?, _ slot: Slot) throws {
    guard let part = choice, part.use != "none" || !RecipeKey.optionalSlots.contains(slot.rawValue) else { return }
    choice = try completed(part, slot, at: slot.rawValue)
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

extension PartChoice? {
  /// Whether a part was chosen, and not `none`.
  var isPresent: Bool { self.map { $0.use != "none" } ?? false }
}
