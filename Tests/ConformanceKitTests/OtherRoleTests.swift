import ConformanceKit
import LatentKit
import Testing

/// Decoders, classifiers and discriminators go through the checks of encoders; what they are given is their own.
@Suite struct NetworkChecks {
  private struct LinearDecoder: LatentKit.Decoder {
    let layer: Linear
    let shape: [Int]
    let labelFactor: Double
    let asksForLabels: Bool
    var needs: DataNeeds { asksForLabels ? .labels : [] }
    func decode(_ request: LatentBatch) throws -> Tensor {
      var values = try layer(request.latents)
      if asksForLabels {
        values = try values + request.requireLabels(for: "part").to(values.dtype).unsqueezed(1) * labelFactor
      }
      return try values.reshaped([request.latents.size(0)] + shape)
    }
  }

  private func decoder(_ shape: @escaping @Sendable ([Int]) -> [Int], asksForLabels: Bool = false) throws -> [String:
    Finding]
  {
    try findings(.decoder) { _, context in
      let shape = shape(context.inputShape)
      let layer = try Linear(context.latentSize, shape.reduce(1, *), in: context.scope)
      return LinearDecoder(layer: layer, shape: shape, labelFactor: 0.1, asksForLabels: asksForLabels)
    }
  }

  @Test func decodersMakeWhatTheDataAre() throws {
    expectConforming(try decoder { $0 })
    expectConforming(try decoder({ $0 }, asksForLabels: true))
    expectFault(try decoder { $0.reversed() + [] + ($0.count == 1 ? [1] : []) }, in: "shapes")
  }

  @Test func classifiersScoreEachClass() throws {
    struct Scores: Classifier {
      let layer: Linear
      func scores(_ request: LatentBatch) throws -> Tensor { try layer(request.latents) }
    }
    expectConforming(
      try findings(.classifier) { Scores(layer: try Linear($1.latentSize, $1.requireClasses(), in: $1.scope)) })
    expectFault(
      try finding("shapes", .classifier) { Scores(layer: try Linear($1.latentSize, 4, in: $1.scope)) }, in: "shapes",
      "[1, 3]")
  }

  @Test func discriminatorsGiveOneScore() throws {
    struct Critic: Discriminator {
      let layer: Linear
      func score(_ batch: Batch) throws -> Tensor { try layer(batch.inputs.contiguous().flattened()) }
    }
    expectConforming(try findings(.discriminator) { Critic(layer: try Linear($1.inputSize, 1, in: $1.scope)) })
    expectFault(
      try finding("shapes", .discriminator) { Critic(layer: try Linear($1.inputSize, 2, in: $1.scope)) }, in: "shapes")
  }
}

@Suite struct NoiseAndScheduleChecks {
  private struct Noise: LatentNoise {
    let perturb: @Sendable (Tensor, inout Generator) throws -> Tensor
    func perturb(_ request: LatentBatch, using generator: inout Generator) throws -> Tensor {
      try perturb(request.latents, &generator)
    }
  }

  private func noise(_ perturb: @escaping @Sendable (Tensor, inout Generator) throws -> Tensor) throws -> [String:
    Finding]
  {
    try findings(.noise) { _, _ in Noise(perturb: perturb) }
  }

  @Test func noiseFollowsTheLentGenerator() throws {
    expectConforming(try noise { try $0 + $1.normal($0.shape, dtype: $0.dtype) * 0.1 })
    let stray = Stray()
    expectFault(
      try noise { latents, _ in try latents + stray.normal(latents.shape, like: latents) }, in: "noise",
      "same generator")
    expectFault(try noise { try $0.detached() + $1.normal($0.shape, dtype: $0.dtype) }, in: "noise", "gradient")
    expectFault(
      try noise { try $0 + $1.normal($0.shape).to(.float32) * 0.1 + Tensor.zeros([1], dtype: .float64) }, in: "noise",
      "float64")
    expectFault(
      try noise { try $0.sum(axis: 0, keep: true) + $1.normal([1, 4], dtype: $0.dtype) }, in: "noise", "become")
  }

  private struct Curve: LearningRateSchedule {
    let value: @Sendable (Int, Int) -> Double
    func factor(step: Int, stepsPerEpoch: Int, epochs: Int) -> Double { value(step, stepsPerEpoch * epochs) }
  }

  @Test func schedulesAreFunctionsOfTheStep() throws {
    expectConforming(try findings(.schedule) { _, _ in Curve { 1 - Double($0) / Double($1 + 1) } })
    expectFault(
      try findings(.schedule) { _, _ in Curve { 1 - 2 * Double($0) / Double($1) } }, in: "factors", "0 or more")
    expectFault(try findings(.schedule) { _, _ in Curve { Double($0) / Double($1 - 1) } }, in: "factors", "nan")
    expectFault(try findings(.schedule) { _, _ in Curve { _, _ in 0 } }, in: "factors", "nothing is trained")
    final class Count: @unchecked Sendable { var calls = 0.0 }
    let count = Count()
    let counting = Curve { _, _ in
      count.calls += 1
      return 1 / count.calls
    }
    expectFault(try findings(.schedule) { _, _ in counting }, in: "factors", "another order")
  }
}

@Suite struct MetricChecks {
  private final class Kept: @unchecked Sendable { var count = 0.0 }

  private struct Custom: Metric {
    let result: @Sendable (Evaluation) throws -> [Measured]
    func finish(_ evaluation: Evaluation) throws -> [Measured] { try result(evaluation) }
  }

  private func metric(_ result: @escaping @Sendable (Evaluation) throws -> [Measured]) throws -> [String: Finding] {
    try findings(.metric) { _, _ in Custom(result: result) }
  }

  private static func norm(_ set: LatentSet) throws -> Double { try set.withLabels().latents.square().sum().item() }

  @Test func resultsAreNamedRepeatableAndComplete() throws {
    expectConforming(try metric { [Measured("norm", try Self.norm($0.measured))] })
    expectFault(try metric { _ in [] }, in: "results", "no results")
    expectFault(try metric { _ in [Measured("a", 1), Measured("a", 2)] }, in: "results", "share a name")
    expectFault(try metric { _ in [Measured("a", missing: "")] }, in: "results", "no reason")
    let kept = Kept()
    expectFault(
      try metric { _ in
        kept.count += 1
        return [Measured("a", kept.count)]
      }, in: "same-seed", "second evaluation")
    expectFault(
      try metric { evaluation in
        // Measuring is no reason to train: a running statistic that moves, say.
        let encoder = evaluation.model.encoder
        for child in Mirror(reflecting: encoder).children {
          if let layers = child.value as? [Linear] { try layers[0].weight.detached().multiplyInPlace(2) }
        }
        return [Measured("a", 1)]
      }, in: "evaluation")
    expectFault(
      try metric { evaluation in
        let count = try evaluation.measured.latents(of: 1).size(0)
        return count == 0 ? [] : [Measured("a", 1)]
      }, in: "classes")
    expectFault(
      try metric { [Measured("a", try $0.measured.labels?.to(.float32).sum().item() ?? 0)] }, in: "hidden-labels")
  }
}

@Suite struct TransformChecks {
  private struct Custom: Transform, FittedTransform {
    var parameters: [String: Tensor] = [:]
    var outputRange: ClosedRange<Double>?
    var fitting: (@Sendable (Tensor) throws -> Void)?
    var forwards: @Sendable (Tensor) throws -> Tensor = { try $0 * 2 }
    var backwards: @Sendable (Tensor) throws -> Tensor = { try $0 / 2 }
    func fit(_ inputs: Tensor) throws -> any FittedTransform {
      try fitting?(inputs)
      return self
    }
    func apply(_ inputs: Tensor) throws -> Tensor { try forwards(inputs) }
    func invert(_ outputs: Tensor) throws -> Tensor { try backwards(outputs) }
  }

  private func transform(_ custom: Custom) throws -> [String: Finding] { try findings(.transform) { _, _ in custom } }

  @Test func transformsKeepRowsApart() throws {
    expectConforming(try transform(Custom()))
    expectFault(try transform(Custom(forwards: { try $0 - $0.mean(axis: 0) })), in: "rows", "learns")
    expectFault(try transform(Custom(forwards: { try $0.slice(0..<5, axis: 1) })), in: "shapes", "become")
    expectFault(try transform(Custom(forwards: { try $0.to(.float64) })), in: "shapes", "float64")
    expectFault(try transform(Custom(fitting: { try $0.multiplyInPlace(2) })), in: "shapes", "a fit changes")
    expectFault(
      try transform(
        Custom(forwards: {
          try $0.multiplyInPlace(2)
          return $0
        })), in: "shapes", "changes the rows")
    expectFault(try transform(Custom(parameters: ["a": try Tensor.ones([3])])), in: "shapes", "'a'")
    expectFault(try transform(Custom(outputRange: 0...1)), in: "range")
    expectFault(try transform(Custom(backwards: { try $0.log() })), in: "inverse", "not finite")
    #expect(try transform(Custom(backwards: { $0 }))["inverse"]?.outcome == .warning)
    expectFault(try transform(Custom(forwards: { try $0 * ($0.isNaN().any() ? .infinity : 2) })), in: "missing")
  }
}

@Suite struct ConstraintChecks {
  private struct Custom: Constraint {
    let move: @Sendable (Tensor) throws -> Tensor
    func project(_ weights: Tensor) throws { try weights.copyInPlace(move(weights)) }
  }

  private struct Nearest: NearestPointConstraint {
    let move: @Sendable (Tensor) throws -> Tensor
    func project(_ weights: Tensor) throws { try weights.copyInPlace(move(weights)) }
  }

  @Test func projectionsStayWhereTheyAre() throws {
    expectConforming(try findings(.constraint) { _, _ in Custom { try $0.clamped(-0.5, 0.5) } })
    expectFault(try findings(.constraint) { _, _ in Custom { try $0 * 0.9 } }, in: "inside", "again")
    expectFault(
      try findings(.constraint) { _, _ in Custom { try $0 / $0.square().sum().sqrt() } }, in: "inside", "zeros")
  }

  @Test func onlyTheNearestPointIsTheNearest() throws {
    expectConforming(try findings(.constraint) { _, _ in Nearest { try $0.clamped(-0.5, 0.5) } })
    // Scaled into the box, which is inside but not the nearest point.
    let scaled: @Sendable (Tensor) throws -> Tensor = { weights in
      let size = try weights.abs().max().item()
      return size > 0.5 ? try weights * (0.5 / size) : weights
    }
    expectFault(try findings(.constraint) { _, _ in Nearest(move: scaled) }, in: "nearest")
    expectConforming(try findings(.constraint) { _, _ in Custom(move: scaled) })
  }
}

@Suite struct OptimizerChecks {
  private enum Flaw { case climbs, hides, divides, moves }

  private final class Momentum: Optimizer {
    let parameters: [Parameter]
    let flaw: Flaw?
    private let velocities: [Tensor]
    private var steps = 0.0
    init(_ parameters: [Parameter], _ flaw: Flaw?) throws {
      (self.parameters, self.flaw) = (parameters, flaw)
      velocities = try parameters.map { try .zeros($0.tensor.shape) }
    }
    var state: [(name: String, tensor: Tensor)] {
      flaw == .hides ? [] : zip(parameters, velocities).map { ($0.name, $1) }
    }
    func step(_ gradients: [Tensor?], learningRate: Double) throws {
      for (index, gradient) in gradients.enumerated() {
        guard var gradient else {
          if flaw == .moves { try parameters[index].tensor.multiplyInPlace(0.99) }
          continue
        }
        if flaw == .divides { gradient = try gradient / gradient.abs().max() }
        try velocities[index].multiplyInPlace(0.5)
        try velocities[index].addInPlace(gradient)
        try parameters[index].tensor.addInPlace(
          velocities[index], times: flaw == .climbs ? learningRate : -learningRate)
      }
    }
  }

  private struct Rule: OptimizerRule {
    let flaw: Flaw?
    var learningRate = 0.05
    func optimizer(for parameters: [Parameter]) throws -> any Optimizer { try Momentum(parameters, flaw) }
  }

  @Test func optimisersMinimiseAndResume() throws {
    expectConforming(try findings(.optimizer) { _, _ in Rule(flaw: nil) })
    expectFault(try findings(.optimizer) { _, _ in Rule(flaw: .climbs) }, in: "minimises")
    expectFault(try findings(.optimizer) { _, _ in Rule(flaw: .moves) }, in: "minimises", "without a gradient")
    expectFault(try findings(.optimizer) { _, _ in Rule(flaw: nil, learningRate: 0) }, in: "minimises", "learning rate")
    expectFault(try findings(.optimizer) { _, _ in Rule(flaw: .hides) }, in: "resumed")
    expectFault(try findings(.optimizer) { _, _ in Rule(flaw: .divides) }, in: "gradients")
  }
}
