import Foundation
import LatentKit

extension Composer {
  /// Runs one tiny batch of random inputs through every part and every loss of a throwaway model, with gradients and in
  /// evaluation mode, and rehearses what happens after training: metrics, draws from the prior, the sampler. So that a
  /// mismatch, or a mistake of a part's author, shows before training.
  ///
  /// A sampler's refusal is no fault here, as the few random latents may be the cause, unless it is a defect of the sampler.
  ///
  /// - Parameters:
  ///   - isTrained: Whether the model is one that has been trained: warnings about its training are left out, those about its sampler
  ///     stay.
  ///   - announce: Told, in a sentence, what will take long or much memory, before it begins.
  ///   - refuse: Told why the sampler cannot draw every class, where the data lack training examples of some.
  /// - Returns: Warnings about settings that are legal and probably a mistake.
  /// - Throws: `RecipeError` that names the parts that do not fit, what each makes or takes, and what to change.
  @discardableResult
  public func dryRun(
    _ recipe: Recipe, for data: DataShape, device: Device = .cpu, isTrained: Bool = false,
    announcing announce: @escaping (String) -> Void = { _ in }, refusingDraws refuse: (RecipeError) -> Void = { _ in }
  ) throws -> [String] {
    let composition = try compose(
      recipe, for: data, device: device, loadsParts: !isTrained, announcing: announce)
    for mode in composition.modes.values { mode.isTraining = true }
    let precision = recipe.precision
    guard isTrained || precision.isAvailable(on: device) else {
      let known = Precision.allCases.filter { $0.isAvailable(on: device) }.map(\.rawValue).joined(separator: ", ")
      throw ConfigError(
        path: "precision",
        "found \(precision.rawValue), which device \(device) does not have, expected one of: \(known)")
    }
    var run = try DryRun(composition, data: data, catalog: catalog, device: device)
    if !isTrained, let slower = DryRun.warning(about: precision, gain: precision.gain(on: device)) {
      run.warnings.append(slower)
    }
    if !isTrained, data.classCount == 1 {
      run.warnings.append(
        "all labels of \(data.title) are of one class, \(data.classNames?.first.map { "'\($0)'" } ?? "0"), so every accuracy is 100 %; check where the labels come from"
      )
    }
    try withoutGradients { try run.checkParts() }
    for stage in composition.stages {
      run.lookAtKeptEpochs(of: stage.recipe)
      for number in stage.steps.indices { try run.check(step: number, of: stage) }
      for action in stage.actions + stage.steps.flatMap(\.after) {
        try withoutGradients { try run.check(action, of: stage) }
      }
    }
    for mode in composition.modes.values { mode.isTraining = false }
    let rehearsal = try withoutGradients { try run.rehearse() }
    if let refusal = rehearsal.refusal { refuse(refusal) }
    if !isTrained { try run.checkStops(rehearsal.measurements) }
    return try
      (isTrained
      ? composition.doubts(aboutPartsIn: [.sampler], catalog) : composition.doubts(catalog) + withoutPlace(recipe))
      + run.warnings
  }
}

struct DryRun {
  let composition: Composition
  let data: DataShape
  let catalog: Catalog
  let device: Device
  let batch: Batch
  let random: RandomSource
  var warnings: [String] = []
  static let count = 4

  var model: Model { composition.model }
  var recipe: Recipe { composition.recipe }
  var latentSize: Int { model.encoder.latentSize }

  init(_ composition: Composition, data: DataShape, catalog: Catalog, device: Device) throws {
    (self.composition, self.data, self.catalog, self.device) = (composition, data, catalog, device)
    batch = try DryRun.batch(of: DryRun.count, for: data, on: device)
    random = RandomSource(try Generator(seed: 0, for: "draws of the dry run", device: device))
  }

  static func batch(of count: Int, for data: DataShape, on device: Device) throws -> Batch {
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
      // The last class beside the first ones, as an index that is one too high is out of range for it alone.
      try Tensor((0..<count).map { Int64($0 == count - 1 && classes > count ? classes - 1 : $0 % max(classes, 1)) })
        .to(device)
    }
    return Batch(inputs: try inputs.to(device), labels: labels)
  }

  /// The batch as the training part gives it: some labels hidden, examples weighted, where the data say so.
  private func asTrained(_ batch: Batch) throws -> Batch {
    var batch = batch
    if data.isWeighted { batch.weights = try Tensor.ones([batch.inputs.size(0)], device: device) }
    guard data.isPartlyLabelled, let labels = batch.labels else { return batch }
    let known = try Tensor((0..<labels.count).map { Int64($0 % 2) }).to(device) .== 1
    batch.labels = try labels * known.to(.int64)
    batch.labelled = known
    return batch
  }

  /// Returns what to say of a precision with a gain below 1; nil where the measured difference may be chance.
  static func warning(about precision: Precision, gain: Double) -> String? {
    guard gain < 0.95 else { return nil }
    let factor = String(format: "%.1f", 1 / gain)
    return
      "precision is \(precision.rawValue), and a convolution on this processor takes \(factor) times as long in it as in "
      + "float32; leave precision out for speed"
  }

  /// Returns a part's name in messages, `encoder 'mlp'`.
  func title(_ slot: Slot) -> String { "\(slot.name) '\(recipe[slot]?.use ?? "")'" }

  func pass(_ batch: Batch, training: Bool) -> Forward {
    // Whether gradients are in the range of Float16 depends on the factor of losses, which only training finds.
    let isAsTrained = training && !recipe.precision.scalesLosses
    return Forward(
      batch, through: model, training: training, drawing: random, precision: isAsTrained ? recipe.precision : .float32)
  }

  // MARK: Parts

  func checkParts() throws {
    let encoder = title(.encoder)
    let inputs = "inputs \(data.inputShape) of \(data.title)"
    let forward = pass(batch, training: true)
    let code = try naming("\(encoder) cannot read \(inputs)") { try forward.code }
    try check(code.mean, [latentSize], encoder, "codes", "its latent size")
    if case .gaussian(_, let logVariance) = code {
      try check(logVariance, [latentSize], encoder, "log variances", "its latent size")
    }
    let latents = try naming(encoder) { try forward.latents }
    // A prior that is fitted is undefined before the end of the first stage.
    if !(model.prior is any FittablePrior) { try checkDensity(latents) }
    if model.noise != nil {
      let noise = title(.noise)
      let noisy = try naming("\(noise) cannot perturb latents [\(latentSize)] of \(encoder)") {
        try forward.decoderInput
      }
      try check(noisy, [latentSize], noise, "latents", "the latent size of \(encoder)")
    }
    if model.decoder != nil { try checkDecoder(forward) }
    if model.classifier != nil {
      let classifier = title(.classifier)
      let scores = try naming("\(classifier) cannot read latents [\(latentSize)] of \(encoder)") { try forward.scores }
      try check(
        scores, [data.classCount ?? scores.shape.last ?? 0], classifier, "scores", "the classes of \(data.title)")
    }
    if model[.discriminator] != nil {
      let discriminator = title(.discriminator)
      let score = try naming("\(discriminator) cannot read \(inputs)") { try forward.score(batch.inputs) }
      try check(score, [1], discriminator, "scores", "one for each input")
    }
    if let sampler = composition.sampler as? any SelectiveSampler { try sampler.check(model.prior) }
  }

  func checkDensity(_ latents: Tensor) throws {
    let prior = title(.prior)
    let density = try naming("\(prior) cannot read latents [\(latentSize)] of \(title(.encoder))") {
      try model.prior.logDensity(latents, labels: batch.labels?.slice(0..<latents.size(0)))
    }
    try check(shape: density, count: latents.size(0), [], prior, "log densities", "one for each latent")
    guard try !density.isNaN().any() else { throw notFinite(prior) }
  }

  private func checkDecoder(_ forward: Forward) throws {
    let (decoder, encoder) = (title(.decoder), title(.encoder))
    let made = try naming("\(decoder) cannot read latents [\(latentSize)] of \(encoder)") { try forward.reconstruction }
    guard made.shape == forward.inputs.shape else {
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

  /// Returns advice on making inputs and reconstructions agree.
  private func advice(for made: [Int]) -> String {
    var options: [String] = []
    if made.count == 4, data.inputShape.count == 3, made[1] == data.inputShape[0] {
      let (high, wide) = (made[2] - data.inputShape[1], made[3] - data.inputShape[2])
      if high == wide, high % 2 == 0, data.padding + high / 2 >= 0 {
        options.append("set data.pad=\(data.padding + high / 2)")
      }
    }
    let hasOther = catalog[.decoder].entries.contains { $0.name == "mlp" } && recipe[.decoder]?.use != "mlp"
    options.append("choose \(hasOther ? "decoder 'mlp'" : "another decoder")")
    return options.joined(separator: " or ")
  }

  func check(_ tensor: Tensor, _ shape: [Int], _ part: String, _ noun: String, _ reason: String) throws {
    try check(shape: tensor, shape, part, noun, reason)
    guard try tensor.isFinite().all() else { throw notFinite(part) }
  }

  func check(
    shape tensor: Tensor, count: Int = DryRun.count, _ shape: [Int], _ part: String, _ noun: String, _ reason: String
  ) throws {
    let expected = [count] + shape
    guard tensor.shape == expected else {
      throw RecipeError(
        "\(part) makes \(noun) of shape \(tensor.shape) for a batch of \(count), expected \(expected), \(reason)")
    }
  }

  func notFinite(_ part: String) -> RecipeError {
    RecipeError(
      "\(part) makes numbers that are not finite for random inputs; check its settings, and the range of \(data.title)")
  }

  // MARK: Stages

  /// Runs `body`, and puts a part's title before its errors. Errors about missing parts do not name the part that needs them.
  func namingRefusals<Result>(_ title: String, _ body: () throws -> Result) throws -> Result {
    do { return try naming(title, body) } catch let error as RecipeError {
      throw error.description.contains(title) ? error : RecipeError("\(title): \(error)")
    }
  }

  /// Warns about checkpoints that are to be kept after epochs that the stage does not have.
  mutating func lookAtKeptEpochs(of stage: Recipe.Stage) {
    let late = stage.keepEpochs.filter { $0 > stage.epochs }
    guard !late.isEmpty else { return }
    warnings.append(
      "stage '\(stage.name)' has \(stage.epochs) epochs, so keepEpochs keeps no checkpoint of "
        + late.map(String.init).joined(separator: ", "))
  }

  mutating func check(step number: Int, of stage: ComposedStage) throws {
    let step = stage.steps[number]
    let place = "stage '\(stage.recipe.name)'" + (stage.steps.count == 1 ? "" : ", steps[\(number)]")
    let batch = try asTrained(self.batch)
    let forward = pass(batch, training: true)
    let terms = try step.losses.flatMap { try self.terms(of: $0, forward, place) }
    // A step may only let its prior update itself.
    guard !step.parameters.isEmpty, !terms.isEmpty else { return try update(step, after: forward, place) }
    let total = try naming("\(place), losses") {
      try terms.dropFirst().reduce(terms[0].weighted) { try $0 + $1.weighted }
    }
    let gradients: [Tensor?] =
      if total.requiresGradient {
        try naming("\(place), gradients") { try total.gradients(by: step.parameters.map(\.tensor)) }
      } else {
        step.parameters.map { _ in nil }
      }
    try check(gradients, of: step, place)
    try lookAtTerms(step, place)
    try lookAtEach(step, place)
    try update(step, after: forward, place)
    try checkMoved(step, place)
  }

  /// The losses once more with moved weights, which are put back with what the pass changes besides: what is refused only after a
  /// step, the outputs of a decoder that starts inside the range and leaves it, is refused here.
  private func checkMoved(_ step: ComposedStep, _ place: String) throws {
    let all = composition.store.parameters
    let before = try all.map { try $0.tensor.detached().clone() }
    defer { for (parameter, values) in zip(all, before) { try? parameter.tensor.copyInPlace(values) } }
    var draws = try Generator(seed: 0, for: "moves of the dry run")
    for parameter in step.parameters {
      let tensor = parameter.tensor
      try tensor.addInPlace(draws.normal(tensor.shape).to(tensor.dtype, tensor.device), times: 0.1)
    }
    let forward = pass(try asTrained(batch), training: true)
    for weighted in step.losses {
      _ = try naming("\(place), loss '\(weighted.name)'") { try forward.reduced(weighted.loss, under: model.prior) }
    }
  }

  private struct DryTerm {
    let name: String
    let weighted: Tensor
  }

  private func terms(of weighted: WeightedLoss, _ forward: Forward, _ place: String) throws -> [DryTerm] {
    let title = "\(place), loss '\(weighted.name)'"
    let terms: [(name: String, value: Tensor, share: Tensor?)]
    do { terms = try naming(title) { try forward.reduced(weighted.loss, under: model.prior) } } catch let error
      as RecipeError
    {
      // Errors about missing parts do not name the loss that needs them.
      let isNamed = error.description.contains("'\(weighted.name)'")
      throw isNamed ? error : RecipeError("\(title): \(error)")
    }
    guard !terms.isEmpty else { throw RecipeError("\(title) has no terms; it needs one or more") }
    return try terms.map { term in
      guard term.value.rank == 0 else {
        throw RecipeError(
          "\(title): term '\(term.name)' has the shape \(term.value.shape), expected one number; take its mean, or give "
            + "one value for each example")
      }
      guard try term.value.isFinite().all() else {
        throw RecipeError(
          "\(title): term '\(term.name)' is \(try term.value.item()) for random inputs, expected a finite number")
      }
      return DryTerm(name: term.name, weighted: try naming(title) { try term.value * weighted.weight })
    }
  }

  func check(_ gradients: [Tensor?], of step: ComposedStep, _ place: String) throws {
    let names = step.losses.map(\.name).joined(separator: ", ")
    for slot in step.recipe.train {
      let own = zip(step.parameters, gradients).filter { $0.0.name.hasPrefix("\(slot).") }
      guard own.isEmpty || own.contains(where: { $0.1 != nil }) else {
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
      let loss = try step.losses.first { try !hasFiniteGradient($0, by: parameter, place) }
      let culprit = loss.map { "loss '\($0.name)'" } ?? names
      throw RecipeError("\(place): the gradient of \(parameter.name) under \(culprit) is not finite for random inputs")
    }
  }

  private func hasFiniteGradient(_ loss: WeightedLoss, by parameter: Parameter, _ place: String) throws -> Bool {
    for term in try terms(of: loss, pass(asTrained(batch), training: true), place)
    where term.weighted.requiresGradient {
      if let gradient = try term.weighted.gradients(by: [parameter.tensor])[0], try !gradient.isFinite().all() {
        return false
      }
    }
    return true
  }

  /// Checks that terms given per example have one value for each, and warns about those that weights cannot change.
  private mutating func lookAtTerms(_ step: ComposedStep, _ place: String) throws {
    for weighted in step.losses {
      let title = "\(place), loss '\(weighted.name)'"
      let forward = pass(try asTrained(batch), training: true)
      for term in try namingRefusals(title, { try weighted.loss.terms(forward, under: model.prior) }) {
        if term.isPerExample {
          let values = try namingRefusals(title) { try term.values() }
          guard values.shape == [DryRun.count] else {
            throw RecipeError(
              "\(title): term '\(term.name)' has \(values.count) values for a batch of \(DryRun.count), expected one for "
                + "each example")
          }
        } else if data.isWeighted {
          warnings.append(
            "\(title): term '\(term.name)' is no mean or sum over examples, so data.classWeights does not change it")
        }
      }
    }
  }

  /// Warns about terms that reach no weight beside others that do.
  private mutating func lookAtEach(_ step: ComposedStep, _ place: String) throws {
    var reaching: [String] = []
    var idle: [(loss: String, term: String)] = []
    for weighted in step.losses {
      let count = try terms(of: weighted, pass(asTrained(batch), training: true), place).count
      for index in 0..<count {
        // A fresh pass each: a gradient uses up the graph that it goes through.
        let term = try terms(of: weighted, pass(asTrained(batch), training: true), place)[index]
        let gradients =
          term.weighted.requiresGradient ? try term.weighted.gradients(by: step.parameters.map(\.tensor)) : []
        if gradients.contains(where: { $0 != nil }) {
          reaching.append(term.name)
        } else {
          idle.append((weighted.name, term.name))
        }
      }
    }
    guard !reaching.isEmpty else { return }
    warnings += idle.map {
      "\(place), loss '\($0.loss)': term '\($0.term)' reaches none of the weights that the step trains, so it changes nothing"
    }
  }

  /// Lets parts update themselves from the batch, once.
  private func update(_ step: ComposedStep, after forward: Forward, _ place: String) throws {
    try withoutGradients {
      for (title, part) in step.online(model.prior) {
        try naming("\(place), \(title)") { try part.update(after: forward) }
      }
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

extension ComposedStep {
  /// Returns the parts that update themselves after this step: its losses, and the prior where the step trains it.
  public func online(_ prior: any Prior) -> [(title: String, part: any OnlineUpdate)] {
    var found: [(String, any OnlineUpdate)] = losses.compactMap { weighted in
      (weighted.loss as? any OnlineUpdate).map { ("loss '\(weighted.name)'", $0) }
    }
    if recipe.train.contains(Slot.prior.name), let prior = prior as? any OnlineUpdate { found.append(("prior", prior)) }
    return found
  }
}
