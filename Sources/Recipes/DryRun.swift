import LatentKit

extension Composer {
  /// Pushes one tiny batch of random inputs through every part and every loss of a throwaway model, with gradients, so
  /// that a mismatch shows before training. The sampler does not draw, which needs a trained model: it only says whether
  /// it can work with the prior.
  ///
  /// - Throws: `RecipeError` that names the parts that do not fit, what each makes or takes, and what to change.
  public func dryRun(_ recipe: Recipe, for data: DataShape, device: Device = .cpu) throws {
    let composition = try compose(recipe, for: data, device: device)
    for mode in composition.modes.values { mode.isTraining = true }
    var run = try DryRun(composition, data: data, catalog: catalog, device: device)
    try withoutGradients { try run.checkParts() }
    for stage in composition.stages {
      for number in stage.steps.indices { try run.check(step: number, of: stage) }
      try withoutGradients { try run.teachPrior() }
      for action in stage.actions { try withoutGradients { try run.check(action, of: stage) } }
    }
  }
}

private struct DryRun {
  let composition: Composition
  let data: DataShape
  let catalog: Catalog
  let batch: Batch
  var generator: Generator
  private static let count = 4

  private var model: Model { composition.model }
  private var recipe: Recipe { composition.recipe }
  private var latentSize: Int { model.encoder.latentSize }

  init(_ composition: Composition, data: DataShape, catalog: Catalog, device: Device) throws {
    (self.composition, self.data, self.catalog) = (composition, data, catalog)
    let count = DryRun.count
    var draws = try Generator(seed: 0, for: "inputs of the dry run")
    let shape = [count] + data.inputShape
    var inputs =
      if let range = data.inputRange {
        try draws.uniform(shape) * (range.upperBound - range.lowerBound) + range.lowerBound
      } else {
        try draws.normal(shape)
      }
    if shape.count == 4 { inputs = try inputs.channelsLast() }
    let labels = try data.classCount.map { classes in
      try Tensor((0..<count).map { Int64($0 % max(classes, 1)) }).to(device)
    }
    batch = Batch(inputs: try inputs.to(device), labels: labels)
    generator = try Generator(seed: 0, for: "draws of the dry run", device: device)
  }

  /// `encoder 'mlp'`.
  private func title(_ slot: String) -> String { "\(slot) '\(recipe.part(in: slot)?.use ?? "")'" }

  // MARK: Parts

  mutating func checkParts() throws {
    let encoder = title("encoder")
    let inputs = "inputs \(data.inputShape) of \(data.title)"
    let forward = Forward(batch, through: model, training: true, using: &generator)
    let code = try naming("\(encoder) cannot read \(inputs)") { try forward.code }
    try check(code.center, [latentSize], encoder, "codes", "its latent size")
    if case .gaussian(_, let logVariance) = code {
      try check(logVariance, [latentSize], encoder, "log variances", "its latent size")
    }
    let latents = try naming(encoder) { try forward.latents }
    // A prior that learns has nothing to say before the end of the first stage.
    if !(model.prior is any FittablePrior) { try checkDensity(latents) }
    if model.noise != nil {
      let noise = title("noise")
      let noisy = try naming("\(noise) cannot disturb latents [\(latentSize)] of \(encoder)") {
        try forward.decoderInput
      }
      try check(noisy, [latentSize], noise, "latents", "the latent size of \(encoder)")
    }
    if model.decoder != nil { try checkDecoder(forward) }
    if model.classifier != nil {
      let classifier = title("classifier")
      let scores = try naming("\(classifier) cannot read latents [\(latentSize)] of \(encoder)") { try forward.scores }
      try check(
        scores, [data.classCount ?? scores.shape.last ?? 0], classifier, "scores", "the classes of \(data.title)")
    }
    if model.discriminator != nil {
      let discriminator = title("discriminator")
      let verdict = try naming("\(discriminator) cannot read \(inputs)") { try forward.judge(batch.inputs) }
      try check(verdict, [1], discriminator, "verdicts", "one for each input")
    }
    try checkMetrics(LatentSet(latents: code.center, labels: batch.labels), forward)
    if let sampler = composition.sampler as? any SelectiveSampler { try sampler.check(model.prior) }
    generator = forward.generatorAfter
  }

  private func checkDensity(_ latents: Tensor) throws {
    let prior = title("prior")
    let density = try naming("\(prior) cannot read latents [\(latentSize)] of \(title("encoder"))") {
      try model.prior.logDensity(latents, labels: batch.labels)
    }
    try check(shape: density, [], prior, "log densities", "one for each latent")
    guard try !density.isNaN().any() else { throw notFinite(prior) }
  }

  /// What the end of a stage does for a prior that learns, with the latents of the tiny batch.
  mutating func teachPrior() throws {
    guard let prior = model.prior as? any FittablePrior else { return }
    let forward = Forward(batch, through: model, training: true, using: &generator)
    let latents = try forward.code.center
    try naming(title("prior")) { try prior.fit(LatentSet(latents: latents, labels: batch.labels)) }
    try checkDensity(latents)
  }

  /// Metrics run after an epoch or more: what they miss has to show before.
  private func checkMetrics(_ latents: LatentSet, _ forward: Forward) throws {
    let evaluation = Evaluation(
      measured: latents, scores: model.classifier == nil ? nil : try forward.scores, classCount: data.classCount,
      prior: model.prior, training: { latents })
    for (choice, metric) in zip(recipe.metrics ?? [], composition.metrics) {
      _ = try naming("metric '\(choice.use)'") { try metric.measure(evaluation) }
    }
  }

  private func checkDecoder(_ forward: Forward) throws {
    let (decoder, encoder) = (title("decoder"), title("encoder"))
    let made = try naming("\(decoder) cannot read latents [\(latentSize)] of \(encoder)") { try forward.reconstruction }
    guard made.shape == batch.inputs.shape else {
      let noun = made.rank == 4 ? "images" : "outputs"
      throw RecipeError(
        """
        \(decoder) makes \(noun) of \(Array(made.shape.dropFirst())), but \(data.title) has \(data.inputShape), \
        which \(encoder) reads; \(advice(for: made.shape))
        """
      )
    }
    guard try made.isFinite().all() else { throw notFinite(decoder) }
  }

  /// How to make inputs and reconstructions agree.
  private func advice(for made: [Int]) -> String {
    var options: [String] = []
    if made.count == 4, data.inputShape.count == 3, made[1] == data.inputShape[0] {
      let (high, wide) = (made[2] - data.inputShape[1], made[3] - data.inputShape[2])
      var pad = 0
      if case .int(let margin)? = recipe.data?.with["pad"] { pad = margin }
      if high == wide, high % 2 == 0, pad + high / 2 >= 0 { options.append("set data.pad=\(pad + high / 2)") }
    }
    let other = catalog.decoders.entries.map(\.name).contains("mlp") && recipe.decoder?.use != "mlp"
    options.append("choose \(other ? "decoder 'mlp'" : "another decoder")")
    return options.joined(separator: " or ")
  }

  private func check(_ tensor: Tensor, _ shape: [Int], _ part: String, _ noun: String, _ reason: String) throws {
    try check(shape: tensor, shape, part, noun, reason)
    guard try tensor.isFinite().all() else { throw notFinite(part) }
  }

  private func check(shape tensor: Tensor, _ shape: [Int], _ part: String, _ noun: String, _ reason: String) throws {
    let expected = [DryRun.count] + shape
    guard tensor.shape == expected else {
      throw RecipeError(
        "\(part) makes \(noun) of shape \(tensor.shape) for a batch of \(DryRun.count), expected \(expected), \(reason)"
      )
    }
  }

  private func notFinite(_ part: String) -> RecipeError {
    RecipeError(
      "\(part) makes numbers that are not finite for random inputs; check its settings, and the range of \(data.title)")
  }

  // MARK: Stages

  mutating func check(step number: Int, of stage: ComposedStage) throws {
    let step = stage.steps[number]
    let place = "stage '\(stage.recipe.name)'" + (stage.steps.count == 1 ? "" : ", steps[\(number)]")
    let forward = Forward(batch, through: model, training: true, using: &generator)
    var total: Tensor?
    for weighted in step.losses {
      for term in try terms(of: weighted, forward, place) {
        let part = try naming("\(place), loss '\(weighted.name)'") { try term.value * weighted.weight }
        total = try total.map { try $0 + part } ?? part
      }
    }
    generator = forward.generatorAfter
    guard let total, !step.parameters.isEmpty else { return }
    let gradients: [Tensor?] =
      if total.requiresGradient {
        try naming("\(place), gradients") { try total.gradients(by: step.parameters.map(\.tensor)) }
      } else {
        step.parameters.map { _ in nil }
      }
    try check(gradients, of: step, place)
  }

  private func terms(of weighted: WeightedLoss, _ forward: Forward, _ place: String) throws -> [Term] {
    let title = "\(place), loss '\(weighted.name)'"
    let terms: [Term]
    do { terms = try naming(title) { try weighted.loss.terms(forward, under: model.prior) } } catch let error
      as RecipeError
    {
      // Parts that are missing do not know which loss asked for them.
      let isNamed = error.description.contains("'\(weighted.name)'")
      throw isNamed ? error : RecipeError("\(title): \(error)")
    }
    guard !terms.isEmpty else { throw RecipeError("\(title) has no terms; it needs one or more") }
    for term in terms {
      guard term.value.rank == 0 else {
        throw RecipeError(
          "\(title): term '\(term.name)' has the shape \(term.value.shape), expected one number; take its mean")
      }
      guard try term.value.isFinite().all() else {
        throw RecipeError(
          "\(title): term '\(term.name)' is \(try term.value.item()) for random inputs, expected a finite number")
      }
    }
    return terms
  }

  private func check(_ gradients: [Tensor?], of step: ComposedStep, _ place: String) throws {
    let names = step.losses.map(\.name).joined(separator: ", ")
    for slot in step.recipe.train {
      let own = zip(step.parameters, gradients).filter { $0.0.name.hasPrefix("\(slot).") }
      guard own.contains(where: { $0.1 != nil }) else {
        throw RecipeError(
          """
          \(place) trains \(slot), but none of its losses \(names) reaches it; add a loss that does, \
          or take \(slot) out of train
          """
        )
      }
    }
    for (parameter, gradient) in zip(step.parameters, gradients) {
      guard let gradient, try !gradient.isFinite().all() else { continue }
      throw RecipeError("\(place): the gradient of \(parameter.name) under \(names) is not finite for random inputs")
    }
  }

  func check(_ action: ComposedAction, of stage: ComposedStage) throws {
    guard case .project(let constraint, let parameters) = action,
      let smallest = parameters.min(by: { $0.tensor.count < $1.tensor.count })
    else { return }
    let title = "stage '\(stage.recipe.name)', projection of \(smallest.name)"
    let projected = try smallest.tensor.detached().clone()
    try naming(title) { try constraint.project(projected) }
    guard try projected.isFinite().all() else {
      throw RecipeError("\(title): found values that are not finite, expected finite ones; the constraint is wrong")
    }
  }
}
