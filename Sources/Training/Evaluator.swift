import Datasets
import LatentKit
import Recipes

/// What a pass over a part of the data came to.
public struct EvaluationResult {
  /// Means over the examples of each loss term, and their weighted sum as `total`.
  public var losses: [String: Double]
  public var measurements: [Measured]
  public var latents: LatentSet
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

/// Means of loss terms over all examples of a pass, from those of its batches.
private struct Means {
  private var sums: [String: (sum: Double, norm: Double)] = [:]
  /// The totals whose terms do not all count every example alike: what they are made of.
  private var weighted: [String: [(name: String, weight: Double)]] = [:]

  /// - Parameter label: What a term of the step is called in logs.
  mutating func add(_ terms: [ComposedStep.TermValue], count: Int, label: (String) -> String) throws {
    var total = 0.0
    for term in terms {
      let value = try term.value.item()
      total += term.weight * value
      add(value, over: try term.norm?.item() ?? Double(count), to: label(term.name))
    }
    add(total, over: Double(count), to: label("total"))
    if terms.contains(where: { $0.norm != nil }) {
      weighted[label("total")] = terms.map { (label($0.name), $0.weight) }
    }
  }

  private mutating func add(_ value: Double, over norm: Double, to name: String) {
    let old = sums[name] ?? (0, 0)
    sums[name] = (old.sum + value * norm, old.norm + norm)
  }

  /// The means by name; 0 for a term that no example counts in.
  var values: [String: Double] {
    var means = sums.mapValues { $0.norm == 0 ? 0 : $0.sum / $0.norm }
    for (total, parts) in weighted { means[total] = parts.reduce(0) { $0 + $1.weight * (means[$1.name] ?? 0) } }
    return means
  }
}

extension BatchSource {
  /// All examples in their order, in pieces.
  func ranges(of size: Int) -> [Range<Int>] {
    stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
  }
}

/// Measures a model, in evaluation mode: no noise, no draws, running statistics.
///
/// What is drawn all the same comes from streams that start anew at each evaluation: one for codes, one for losses, one for
/// each metric. So the same model gets the same numbers each time, and a metric more changes no other number.
public struct Evaluator {
  public let composition: Composition
  public let batchSize: Int

  public init(_ composition: Composition, batchSize: Int = 500) {
    self.composition = composition
    self.batchSize = batchSize
  }

  /// Latents (means of codes) of every example, in the data's order.
  public func encode(_ data: BatchSource) throws -> LatentSet {
    try quietly {
      var found = Collected()
      for range in data.ranges(of: batchSize) {
        let batch = try data.batch(range)
        try found.add(composition.model.encode(batch).mean, of: batch)
      }
      return try found.latentSet()
    }
  }

  /// Loss terms of one stage's steps and the recipe's metrics, in one pass.
  ///
  /// - Parameters:
  ///   - training: The training part, for metrics that learn from it.
  ///   - atEnd: Whether to measure what is measured on trained models only, too.
  public func evaluate(
    _ data: BatchSource, stage: Int, training: BatchSource, atEnd: Bool = true
  ) throws -> EvaluationResult {
    try quietly {
      var means = Means()
      var found = Collected()
      var scores: [Tensor] = []
      let codes = try stream("evaluation", on: data.device)
      // Not that of codes, which a metric may be the first to draw.
      let lent = try stream("losses of evaluation", on: data.device)
      var metrics = try composition.metrics.filter { atEnd || $0.metric.timing == .everyEpoch }.enumerated().map {
        (name: $1.name, metric: $1.metric, random: try stream("evaluation of \($0) \($1.name)", on: data.device))
      }
      for range in data.ranges(of: batchSize) {
        let forward = Forward(try data.batch(range), through: composition.model, training: false, drawing: codes)
        try forward.lending(lent) {
          for (number, step) in composition.stages[stage].steps.enumerated() {
            let terms = try step.terms(forward, under: composition.model.prior)
            try means.add(terms, count: range.count) { composition.stages[stage].label($0, step: number) }
          }
        }
        try found.add(forward.code.mean, of: forward.batch)
        if composition.model.classifier != nil { scores.append(try forward.scores) }
        for index in metrics.indices {
          try forward.lending(metrics[index].random) { try metrics[index].metric.update(forward) }
        }
      }
      let set = try found.latentSet()
      let reference = Evaluation.TrainingReference { try encode(training) }
      let allScores = scores.isEmpty ? nil : try Tensor.concatenate(scores)
      return EvaluationResult(
        losses: means.values,
        measurements: try metrics.flatMap { metric in
          try metric.metric.finish(
            Evaluation(
              measured: set, scores: allScores, model: composition.model, classCount: data.classCount,
              classNames: composition.data.classNames, random: metric.random, training: reference))
        }, latents: set)
    }
  }

  private func stream(_ name: String, on device: Device) throws -> RandomSource {
    RandomSource(try Generator(seed: 0, for: name, device: device))
  }

  /// Inputs and their reconstructions.
  public func reconstruct(_ batch: Batch) throws -> Tensor {
    try quietly {
      try composition.model.decode(LatentBatch(composition.model.encode(batch).mean, labels: batch.labels))
    }
  }

  /// Decodes latents in pieces.
  public func decode(_ latents: Tensor, labels: Tensor?) throws -> Tensor {
    try quietly {
      let count = try latents.size(0)
      let pieces = try stride(from: 0, to: count, by: batchSize).map { start in
        let range = start..<min(start + batchSize, count)
        return try composition.model.decode(LatentBatch(latents.slice(range), labels: labels?.slice(range)))
      }
      return try .concatenate(pieces)
    }
  }

  /// Runs `body` in evaluation mode, without gradients, and gives every part back its mode.
  private func quietly<Result>(_ body: () throws -> Result) throws -> Result {
    let modes = Array(composition.modes.values)
    let before = modes.map(\.isTraining)
    for mode in modes { mode.isTraining = false }
    defer { for (mode, was) in zip(modes, before) { mode.isTraining = was } }
    return try withoutGradients(body)
  }
}

extension ComposedStage {
  /// How the terms of a step are called in logs: by their own names, with the step's number where two steps share one.
  func label(_ term: String, step: Int) -> String { steps.count == 1 ? term : "\(step + 1).\(term)" }
}
