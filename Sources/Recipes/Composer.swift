import LatentKit

extension Composer {
  /// Builds the model of a recipe for data of some shape. The same recipe and seed give the same bits.
  ///
  /// Each part creates its parameters under its slot's name (`encoder.conv1.weight`), each loss under
  /// `losses.STAGE.STEP.NAME`, so that one loss in two steps has its own. A recipe that is not resolved is resolved
  /// first.
  ///
  /// - Throws: `ConfigError` for settings, `RecipeError` for parts that cannot work with the data or with each other.
  public func compose(_ recipe: Recipe, for data: DataShape, device: Device = .cpu) throws -> Composition {
    var assembly = Assembly(
      catalog: catalog, recipe: try resolve(recipe), data: data, device: device, memory: memory)
    return try assembly.composition()
  }
}

extension Composer {
  /// The recipe's transforms in order, not yet fitted, with what messages call them: what the data go through before
  /// the model is composed.
  /// - Throws: `ConfigError` for a name or a setting, `RecipeError` for data that are no rows of numbers.
  public func transforms(of recipe: Recipe, for data: DataShape) throws -> [(name: String, transform: any Transform)] {
    guard let choices = recipe.transforms, !choices.isEmpty else { return [] }
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
        (choice.use, try catalog.transforms[choice.use].make(choice.with, at: "transforms[\(index)].with", in: context))
      }
    }
  }
}

/// Runs `body`; what libtorch refuses in it is reported under a name that a recipe knows.
func naming<Result>(_ title: String, _ body: () throws -> Result) throws -> Result {
  do { return try body() } catch let error as TensorError { throw RecipeError("\(title): \(error)") }
}

private struct Assembly {
  let catalog: Catalog
  let recipe: Recipe
  let data: DataShape
  let device: Device
  let memory: BuildMemory
  let store = ParameterStore()
  var modes: [String: Mode] = [:]
  var latentSize = 0

  mutating func composition() throws -> Composition {
    let encoder = try required(catalog.encoders, recipe.encoder)
    guard encoder.latentSize > 0 else {
      throw RecipeError(
        """
        encoder '\(recipe.encoder?.use ?? "")' makes latents of \(encoder.latentSize) values, expected 1 or more; \
        set encoder.latent
        """
      )
    }
    latentSize = encoder.latentSize
    // The order in which parts are built is part of what `Component` promises.
    var model = Model(encoder: encoder, prior: try required(catalog.priors, recipe.prior))
    model.decoder = try optional(catalog.decoders, recipe.decoder)
    model.classifier = try optional(catalog.classifiers, recipe.classifier)
    model.discriminator = try optional(catalog.discriminators, recipe.discriminator)
    model.noise = try optional(catalog.noises, recipe.noise)
    let parts = store.parameters.filter { $0.role == .weight }
    let sampler = try required(catalog.samplers, recipe.sampler, isTrained: false)
    let metrics = try (recipe.metrics ?? []).enumerated().map {
      try make(catalog.metrics, $1, at: "metrics[\($0)]", isTrained: false)
    }
    let stages = try (recipe.stages ?? []).enumerated().map { try stage($1, at: "stages[\($0)]", weights: parts) }
    return Composition(
      recipe: recipe, model: model, sampler: sampler, metrics: metrics, stages: stages, store: store, modes: modes)
  }

  // MARK: Parts

  private mutating func required<Part>(
    _ table: Table<Part>, _ choice: PartChoice?, isTrained: Bool = true
  ) throws -> Part {
    let slot = table.slot.rawValue
    guard let choice else {
      throw RecipeError.missing("a part in slot '\(slot)'", for: "a model", fix: "add '\(slot): NAME'")
    }
    return try make(table, choice, at: slot, isTrained: isTrained)
  }

  private mutating func optional<Part>(_ table: Table<Part>, _ choice: PartChoice?) throws -> Part? {
    guard let choice, choice.use != "none" else { return nil }
    return try make(table, choice, at: table.slot.rawValue)
  }

  /// - Parameters:
  ///   - path: Where the part stands in the recipe.
  ///   - scope: Where its parameters go; the slot's name unless said.
  ///   - isTrained: Whether its parameters belong to the model.
  private mutating func make<Part>(
    _ table: Table<Part>, _ choice: PartChoice, at path: String, scope name: String? = nil, isTrained: Bool = true
  ) throws -> Part {
    let title = "\(table.slot.rawValue) '\(choice.use)'"
    let scope = try Scope(
      path: name ?? path, store: isTrained ? store : ParameterStore(), seed: UInt64(max(recipe.seed, 0)), device: device
    )
    if isTrained { modes[scope.path] = scope.mode }
    let context = BuildContext(
      inputShape: data.inputShape, inputRange: data.inputRange, classCount: data.classCount, latentSize: latentSize,
      scope: scope, title: title, memory: memory)
    return try naming(title) { try table[choice.use].make(choice.with, at: "\(path).with", in: context) }
  }

  // MARK: Stages

  private mutating func stage(_ stage: Recipe.Stage, at path: String, weights: [Parameter]) throws -> ComposedStage {
    var steps: [ComposedStep] = []
    for (number, step) in stage.steps.enumerated() {
      steps.append(try self.step(step, number, of: stage, at: "\(path).steps[\(number)]"))
    }
    let actions = try stage.then.enumerated().map {
      try action($1, of: stage, at: "\(path).then[\($0)]", weights: weights)
    }
    return ComposedStage(recipe: stage, steps: steps, actions: actions)
  }

  private mutating func step(
    _ step: Recipe.Step, _ number: Int, of stage: Recipe.Stage, at path: String
  ) throws -> ComposedStep {
    var parameters: [Parameter] = []
    for slot in step.train { parameters += try weights(of: slot, in: stage) }
    var losses: [WeightedLoss] = []
    for (index, choice) in step.losses.enumerated() {
      let name = unused(choice.use, among: losses.map(\.name))
      let scope = "losses.\(stage.name).\(number).\(name)"
      let loss = try make(catalog.losses, choice, at: "\(path).losses[\(index)]", scope: scope)
      losses.append(WeightedLoss(name: name, weight: choice.weight, loss: loss))
      parameters += store.parameters(under: scope).filter { $0.role == .weight }
    }
    let optimizer = try make(
      catalog.optimizers, step.optimizer ?? PartChoice("adam"), at: "\(path).optimizer", isTrained: false)
    let schedule = try make(
      catalog.schedules, step.schedule ?? PartChoice("constant"), at: "\(path).schedule", isTrained: false)
    return ComposedStep(recipe: step, losses: losses, parameters: parameters, optimizer: optimizer, schedule: schedule)
  }

  /// A loss that a step has twice gets a number the second time.
  private func unused(_ name: String, among taken: [String]) -> String {
    guard taken.contains(name) else { return name }
    var number = 2
    while taken.contains("\(name)-\(number)") { number += 1 }
    return "\(name)-\(number)"
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
    let weights = store.parameters(under: slot).filter { $0.role == .weight }
    guard !weights.isEmpty else {
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
    case .project(let choice, let prefixes):
      let constraint = try make(catalog.constraints, choice, at: "\(path).project", isTrained: false)
      // Biases and slopes are not what papers project.
      let eligible = weights.filter { $0.tensor.rank >= 2 }
      for prefix in prefixes where !eligible.contains(where: { $0.name.hasPrefix(prefix) }) {
        let known = recipe.filledSlots.filter { slot in eligible.contains { $0.name.hasPrefix("\(slot).") } }
        let unknown = UnknownName(prefix, among: known, of: "weight of two or more axes below")
        throw RecipeError("stage '\(stage.name)' projects weights: \(unknown)")
      }
      return .project(
        constraint, eligible.filter { weight in prefixes.isEmpty || prefixes.contains { weight.name.hasPrefix($0) } })
    }
  }
}

extension Recipe {
  /// The part in a slot of the model.
  func part(in slot: String) -> PartChoice? {
    switch slot {
    case "data": data
    case "encoder": encoder
    case "decoder": decoder
    case "classifier": classifier
    case "discriminator": discriminator
    case "prior": prior
    case "noise": noise
    case "sampler": sampler
    default: nil
    }
  }

  fileprivate var filledSlots: [String] { RecipeKey.slots.filter { part(in: $0).isPresent } }
}
