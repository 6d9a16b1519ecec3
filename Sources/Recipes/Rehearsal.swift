import Files
import LatentKit

extension DryRun {
  /// Rehearses all that comes after training, in evaluation mode, on enough random examples for a few of each class.
  ///
  /// - Returns: Why the sampler cannot draw every class, where the data lack training examples of some; nil where it can, or
  ///   refuses random latents anyway. And what each metric measures, by its name.
  func rehearse() throws -> (refusal: RecipeError?, measurements: [(metric: NamedMetric, names: [String])]) {
    // Few of large inputs, which would take the memory of a whole batch.
    let most = 8_000_000 / max(data.inputShape.reduce(1, *), 1)
    let count = max(DryRun.count, min(max(8 * (data.classCount ?? 2), 16), 128, most))
    let batch = try DryRun.batch(of: count, for: data, on: device)
    let forward = pass(batch, training: false)
    let encoder = title(.encoder)
    let latents = try naming("\(encoder), in evaluation mode") { try forward.code.mean }
    try check(shape: latents, count: count, [latentSize], "\(encoder), in evaluation mode,", "codes", "its latent size")
    guard try latents.isFinite().all() else { throw notFinite("\(encoder), in evaluation mode,") }
    if model.decoder != nil {
      let made = try naming("\(title(.decoder)), in evaluation mode") { try forward.reconstruction }
      try check(
        shape: made, count: count, data.inputShape, "\(title(.decoder)), in evaluation mode,", "outputs",
        "as in training")
      guard try made.isFinite().all() else { throw notFinite("\(title(.decoder)), in evaluation mode,") }
    }
    let measured = LatentSet(latents: latents, labels: batch.labels)
    let set = LatentSet(latents: latents, labels: try batch.labels.map(ofTraining))
    if let prior = model.prior as? any FittablePrior {
      try naming(title(.prior)) { try prior.fit(set, seed: recipe.randomSeed) }
      try checkDensity(latents.slice(0..<DryRun.count))
    }
    let (drawing, measurements) = try rehearseMetrics(forward, measured, set)
    let refusal = try rehearseDraws(set)
    if let refusal, let metric = drawing.first { throw RecipeError("metric '\(metric)': \(refusal)") }
    return (refusal, measurements)
  }

  /// The classes that training examples have, in order.
  private var trainingClasses: [Int] { (0..<(data.classCount ?? 0)).filter { !data.missingClasses.contains($0) } }

  /// Returns labels as the training part may have them: of its classes alone.
  private func ofTraining(_ labels: Tensor) throws -> Tensor {
    let classes = trainingClasses
    guard !data.missingClasses.isEmpty, !classes.isEmpty else { return labels }
    return try Tensor(labels.ints().map { Int64(classes[$0 % classes.count]) }).to(device)
  }

  /// - Returns: The metrics that the sampler refused to draw for, and what the others measure but for tables.
  private func rehearseMetrics(
    _ forward: Forward, _ measured: LatentSet, _ latents: LatentSet
  ) throws -> (refused: [String], measurements: [(metric: NamedMetric, names: [String])]) {
    var refused: [String] = []
    var measurements: [(metric: NamedMetric, names: [String])] = []
    let scores = model.classifier == nil ? nil : try forward.scores
    var refusal: String?
    let reference = Evaluation.TrainingReference {
      latents
    } batches: {
      try $0(forward.batch)
    } samples: { request, latents in
      let few = SampleRequest(
        count: min(request.count, max(DryRun.count, data.classCount ?? 0)), ofClasses: request.areOfClasses)
      do {
        return try composition.samples(few, reference: latents, using: &random.generator, isRehearsal: true)
      } catch let error as RecipeError {
        guard !error.isDefect else { throw defect(error) }
        refusal = error.description
        throw error
      }
    }
    for named in composition.metrics {
      refusal = nil
      do {
        try namingRefusals("metric '\(named.name)'") {
          var metric = named.metric
          try metric.update(forward)
          let found = try metric.finish(
            Evaluation(
              measured: measured, scores: scores, model: model, classCount: data.classCount,
              classNames: data.classNames, random: random, training: reference, sources: metric.sources,
              of: "metric '\(named.name)'", isRehearsal: true))
          measurements.append((named, found.filter { $0.table == nil || $0.value != nil }.map(\.name)))
        }
      } catch let error as RecipeError {
        // A sampler's refusal to learn from a few random latents is none of what it will be given.
        guard let refusal, error.description.hasSuffix(refusal) else { throw error }
        refused.append(named.name)
      }
    }
    return (refused, measurements)
  }

  /// - Returns: As `rehearse`.
  private func rehearseDraws(_ latents: LatentSet) throws -> RecipeError? {
    let classes = trainingClasses.isEmpty ? [0] : Array(trainingClasses.prefix(2))
    func labels(_ classes: [Int]) throws -> Tensor? {
      guard data.classCount != nil else { return nil }
      return try Tensor((0..<DryRun.count).map { Int64(classes[$0 % classes.count]) }).to(device)
    }
    var request = DrawRequest(
      labels: try labels(classes), count: DryRun.count, latentSize: latentSize, prior: model.prior, reference: latents)
    request.isRehearsal = true
    if let prior = model.prior as? any DirectPrior {
      let draw = try naming("\(title(.prior)), draws") { try prior.draw(request, using: &random.generator) }
      try check(draw, by: title(.prior), like: latents.latents)
    }
    let sampler = title(.sampler)
    let draw: Draw
    do {
      draw = try naming("\(sampler), draws") { try composition.sampler.draw(request, using: &random.generator) }
    } catch let failure as RecipeError where failure.isDefect {
      throw defect(failure)
    } catch let refusal as RecipeError where !refusal.description.hasPrefix("\(sampler), draws: ") {
      // Of a few random latents, which are not what it will be given.
      return nil
    }
    try check(draw, by: sampler, like: latents.latents)
    guard let missing = data.missingClasses.first else { return nil }
    // The same, with a class of which training has no example.
    request.labels = try labels([classes[0], missing])
    do {
      let draw = try composition.sampler.draw(request, using: &random.generator)
      if try draw.latents.isFinite().all() { return nil }
    } catch {}
    return missingClassesRefusal
  }

  /// A defect of the sampler, with its name.
  private func defect(_ error: RecipeError) -> RecipeError {
    error.description.contains(title(.sampler)) ? error : RecipeError("\(title(.sampler)): \(error)", isDefect: true)
  }

  private var missingClassesRefusal: RecipeError {
    let names = data.missingClasses.map { data.classNames?[$0] ?? "\($0)" }
    return RecipeError(
      "\(title(.sampler)) learns each class from training examples with its label, and \(data.title) has none of "
        + "\(names.count == 1 ? "class" : "classes") \(names.listed(atMost: 10)); give it more examples or labels, or choose "
        + "another sampler")
  }

  private func check(_ draw: Draw, by part: String, like latents: Tensor) throws {
    let expected = [DryRun.count, latentSize]
    guard draw.latents.shape == expected else {
      throw RecipeError("\(part) drew latents of shape \(draw.latents.shape), expected \(expected)")
    }
    guard draw.latents.dtype == latents.dtype, draw.latents.device == latents.device else {
      throw RecipeError(
        "\(part) drew latents of type \(draw.latents.dtype) on \(draw.latents.device), expected \(latents.dtype) on "
          + "\(latents.device), as those of the encoder")
    }
    guard try draw.latents.isFinite().all() else { throw RecipeError("\(part) drew numbers that are not finite") }
  }
}
