import Datasets
import LatentKit
import Recipes

/// The results of a pass over a part of the data.
public struct EvaluationResult {
  /// Means over the examples of each loss term, and their weighted sum as `total`.
  public var losses: [String: Double]
  /// The results of the metrics, in the recipe's order.
  public var measurements: [Measured]
  /// The means of codes, with labels, in the data's order.
  public var latents: LatentSet
  /// The classifier's scores `[count, classes]`; nil without one.
  public var scores: Tensor?
  /// The measurements of each metric, by its name in the recipe.
  var byMetric: [(metric: String, found: [Measured])]
}

/// Latents and labels of a pass, batch by batch.
private struct Collected {
  private var latents: [Tensor] = []
  private var labels: [Tensor] = []
  private var labelled: [Tensor] = []

  mutating func add(_ latents: Tensor, of batch: Batch) {
    self.latents.append(latents)
    if let found = batch.labels { labels.append(found) }
    if let found = batch.labelled { labelled.append(found) }
  }

  func latentSet() throws -> LatentSet {
    LatentSet(
      latents: try .concatenate(latents), labels: labels.isEmpty ? nil : try .concatenate(labels),
      labelled: labelled.isEmpty ? nil : try .concatenate(labelled))
  }
}

extension BatchSource {
  /// All examples in their order, in pieces.
  /// - Throws: `RecipeError` for a size below 1.
  func ranges(of size: Int) throws -> [Range<Int>] { try pieces(of: size, from: count) }
}

/// The numbers below a count, in pieces.
/// - Throws: `RecipeError` for a size below 1.
private func pieces(of size: Int, from count: Int) throws -> [Range<Int>] {
  guard size > 0 else { throw RecipeError("found a batch size of \(size) for measuring, expected 1 or more") }
  return stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
}

/// Measures a model, in evaluation mode: no noise, no draws, running statistics.
///
/// Draws come from streams that start anew at each evaluation: one for codes, one for losses, one for
/// each metric. So the same model gets the same numbers each time, and a metric more changes no other number.
public struct Evaluator {
  /// The composed model.
  public let composition: Composition
  /// Examples per batch of a pass, 1 or more.
  public let batchSize: Int

  /// Creates an evaluator of a model.
  public init(_ composition: Composition, batchSize: Int = 500) {
    self.composition = composition
    self.batchSize = batchSize
  }

  /// Returns the latents (means of codes) of every example, in the data's order.
  public func encode(_ data: BatchSource) throws -> LatentSet {
    try quietly {
      var found = Collected()
      for range in try data.ranges(of: batchSize) {
        let batch = try data.batch(range)
        try found.add(composition.model.encode(batch).mean, of: batch)
      }
      return try found.latentSet()
    }
  }

  /// Measures the loss terms of one stage's steps and the recipe's metrics, in one pass.
  ///
  /// - Parameters:
  ///   - training: The training part, for metrics that learn from it.
  ///   - unseen: Examples of held-out classes, for metrics of open sets.
  ///   - atEnd: Whether to measure what is measured on trained models only, too.
  public func evaluate(
    _ data: BatchSource, stage: Int, training: BatchSource, unseen: BatchSource? = nil, atEnd: Bool = true
  ) throws -> EvaluationResult {
    try quietly {
      var losses = LossSums()
      var found = Collected()
      var scores: [Tensor] = []
      let codes = try stream("evaluation", on: data.device)
      // Not that of codes, which a metric may be the first to draw.
      let lent = try stream("losses of evaluation", on: data.device)
      var metrics = try composition.metrics.filter { atEnd || $0.metric.timing == .everyEpoch }.map {
        (name: $0.name, metric: $0.metric, random: try stream("metric \($0.name) of evaluation", on: data.device))
      }
      for range in try data.ranges(of: batchSize) {
        let forward = Forward(try data.batch(range), through: composition.model, training: false, drawing: codes)
        try forward.lending(lent) {
          try losses.add(composition.stages[stage], forward, under: composition.model.prior)
        }
        try found.add(forward.code.mean, of: forward.batch)
        if composition.model.classifier != nil { scores.append(try forward.scores) }
        for index in metrics.indices {
          try forward.lending(metrics[index].random) { try metrics[index].metric.update(forward) }
        }
      }
      let set = try found.latentSet()
      let reference = self.reference(training, unseen: unseen)
      let allScores = scores.isEmpty ? nil : try Tensor.concatenate(scores)
      let byMetric = try metrics.map { metric in
        let measured = try metric.metric.finish(
          Evaluation(
            measured: set, scores: allScores, model: composition.model, classCount: data.classCount,
            classNames: composition.data.classNames, random: metric.random, training: reference,
            sources: metric.metric.sources, of: "metric '\(metric.name)'", measuresTraining: data === training,
            trained: slotsTrained(until: stage)))
        return (metric: metric.name, found: measured)
      }
      return EvaluationResult(
        losses: losses.means, measurements: byMetric.flatMap(\.found), latents: set, scores: allScores,
        byMetric: byMetric)
    }
  }

  /// The slots that a stage, or one before it, trains.
  private func slotsTrained(until stage: Int) -> Set<Slot> {
    let names = composition.stages.prefix(stage + 1).flatMap(\.steps).flatMap(\.recipe.train)
    return Set(Slot.all.filter { names.contains($0.name) })
  }

  /// What metrics may ask for beside the pass.
  private func reference(_ training: BatchSource, unseen: BatchSource?) -> Evaluation.TrainingReference {
    Evaluation.TrainingReference(
      { try encode(training) },
      batches: { body in
        for range in try training.ranges(of: batchSize) { try body(training.batch(range)) }
      },
      samples: { request, latents in
        let kind = request.areOfClasses ? "of classes" : "of any class"
        var stream = try Generator(
          seed: 0, for: "\(request.count) samples \(kind) of evaluation", device: training.device)
        return try composition.samples(request, reference: latents, using: &stream, batchSize: batchSize)
      }, unseen: unseen.map { data in { try encode(data) } })
  }

  private func stream(_ name: String, on device: Device) throws -> RandomSource {
    RandomSource(try Generator(seed: 0, for: name, device: device))
  }

  /// Returns the reconstructions of inputs, of the same shape.
  public func reconstruct(_ batch: Batch) throws -> Tensor {
    try quietly {
      let latents = try composition.model.encode(batch).mean
      return try composition.model.decode(LatentBatch(latents, labels: batch.labels, labelled: batch.labelled))
    }
  }

  /// Decodes latents in pieces.
  public func decode(_ latents: Tensor, labels: Tensor?) throws -> Tensor {
    try quietly {
      let count = try latents.size(0)
      let pieces = try pieces(of: batchSize, from: count).map { range in
        try composition.model.decode(LatentBatch(latents.slice(range), labels: labels?.slice(range)))
      }
      return try .concatenate(pieces)
    }
  }

  /// Returns the classifier's scores of latents, `[count, classes]`; nil without a classifier.
  public func scores(of latents: Tensor) throws -> Tensor? {
    guard let classifier = composition.model.classifier else { return nil }
    return try quietly {
      try .concatenate(
        pieces(of: batchSize, from: latents.size(0)).map { try classifier.scores(LatentBatch(latents.slice($0))) })
    }
  }

  /// Runs `body` in evaluation mode, without gradients, and gives every part back its mode.
  private func quietly<Result>(_ body: () throws -> Result) throws -> Result {
    Torch.flushSubnormals()
    let modes = Array(composition.modes.values)
    let before = modes.map(\.isTraining)
    for mode in modes { mode.isTraining = false }
    defer { for (mode, was) in zip(modes, before) { mode.isTraining = was } }
    return try withoutGradients(body)
  }
}

/// Means of loss terms over the batches of a pass, and their weighted sums as `total`.
private struct LossSums {
  private var sums: [String: Double] = [:]
  private var shares: [String: Double] = [:]
  /// The terms that each total is made of, with their weights.
  private var parts: [String: [(term: String, weight: Double)]] = [:]
  private var isWeighted = false

  mutating func add(_ stage: ComposedStage, _ forward: Forward, under prior: any Prior) throws {
    let count = try Double(forward.inputs.size(0))
    for (index, step) in stage.steps.enumerated() {
      let name = stage.label("total", step: index)
      var total = 0.0
      parts[name] = []
      for term in try step.terms(forward, under: prior, at: "stage '\(stage.recipe.name)', measuring") {
        let label = stage.label(term.name, step: index)
        let (value, share) = (try term.value.item(), try term.share?.item())
        isWeighted = isWeighted || share != nil
        sums[label, default: 0] += value * (share ?? count)
        shares[label, default: 0] += share ?? count
        parts[name]?.append((label, term.weight))
        total += term.weight * value
      }
      sums[name, default: 0] += total * count
      shares[name, default: 0] += count
    }
  }

  /// An average over nothing, no labelled example say, is 0.
  var means: [String: Double] {
    var means = sums.merging(shares) { sum, share in share > 0 ? sum / share : 0 }
    if isWeighted {
      for (name, terms) in parts { means[name] = terms.reduce(0) { $0 + $1.weight * (means[$1.term] ?? 0) } }
    }
    return means
  }
}
