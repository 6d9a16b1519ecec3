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

extension BatchSource {
  /// All examples in their order, in pieces.
  func ranges(of size: Int) -> [Range<Int>] {
    stride(from: 0, to: count, by: size).map { $0..<min($0 + size, count) }
  }
}

/// Measures a model, in evaluation mode: no noise, no draws, running statistics.
public struct Evaluator {
  public let composition: Composition
  public let batchSize: Int

  public init(_ composition: Composition, batchSize: Int = 500) {
    self.composition = composition
    self.batchSize = batchSize
  }

  /// Latents (centers) of every example, in the data's order.
  public func encode(_ data: BatchSource) throws -> LatentSet {
    try quietly {
      var latents: [Tensor] = []
      var labels: [Tensor] = []
      for range in data.ranges(of: batchSize) {
        let batch = try data.batch(range)
        latents.append(try composition.model.encoder.encode(batch.inputs).center)
        if let found = batch.labels { labels.append(found) }
      }
      return LatentSet(
        latents: try .concatenate(latents), labels: labels.isEmpty ? nil : try .concatenate(labels))
    }
  }

  /// Loss terms of one stage's steps and the recipe's metrics.
  ///
  /// - Parameter training: The training part, for metrics that learn from it.
  public func evaluate(_ data: BatchSource, stage: Int, training: BatchSource) throws -> EvaluationResult {
    try quietly {
      var sums: [String: Double] = [:]
      var latents: [Tensor] = []
      var labels: [Tensor] = []
      var scores: [Tensor] = []
      // Nothing is drawn in evaluation mode; a loss that draws all the same gets the same numbers each time.
      var generator = try Generator(seed: 0, for: "evaluation", device: data.device)
      for range in data.ranges(of: batchSize) {
        let forward = Forward(try data.batch(range), through: composition.model, training: false, using: &generator)
        for (name, value) in try composition.stages[stage].terms(forward, under: composition.model.prior) {
          sums[name, default: 0] += value * Double(range.count)
        }
        latents.append(try forward.code.center)
        if let found = forward.batch.labels { labels.append(found) }
        if composition.model.classifier != nil { scores.append(try forward.scores) }
      }
      let set = LatentSet(
        latents: try .concatenate(latents), labels: labels.isEmpty ? nil : try .concatenate(labels))
      let evaluation = Evaluation(
        measured: set, scores: scores.isEmpty ? nil : try .concatenate(scores), classCount: data.classCount,
        prior: composition.model.prior, training: { try encode(training) })
      return EvaluationResult(
        losses: sums.mapValues { $0 / Double(data.count) },
        measurements: try composition.metrics.flatMap { try $0.measure(evaluation) }, latents: set)
    }
  }

  /// Inputs and their reconstructions.
  public func reconstruct(_ batch: Batch) throws -> Tensor {
    try quietly {
      try composition.model.decode(composition.model.encoder.encode(batch.inputs).center, labels: batch.labels)
    }
  }

  /// Decodes latents in pieces.
  public func decode(_ latents: Tensor, labels: Tensor?) throws -> Tensor {
    try quietly {
      let count = try latents.size(0)
      let pieces = try stride(from: 0, to: count, by: batchSize).map { start in
        let range = start..<min(start + batchSize, count)
        return try composition.model.decode(latents.slice(range), labels: labels?.slice(range))
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

  /// Values of every step's terms and their weighted sums, without gradients.
  func terms(_ forward: Forward, under prior: any Prior) throws -> [(String, Double)] {
    var result: [(String, Double)] = []
    for (index, step) in steps.enumerated() {
      var total = 0.0
      for weighted in step.losses {
        for term in try weighted.loss.terms(forward, under: prior) {
          let value = try term.value.item()
          total += weighted.weight * value
          result.append((label(term.name, step: index), value))
        }
      }
      result.append((label("total", step: index), total))
    }
    return result
  }
}
