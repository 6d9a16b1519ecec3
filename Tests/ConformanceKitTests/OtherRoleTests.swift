import ConformanceKit
import Datasets
import LatentKit
import Testing

// MARK: Noise and schedules

private struct Noise: LatentNoise {
  let perturb: @Sendable (Tensor, inout Generator) throws -> Tensor
  func perturb(_ request: LatentBatch, using generator: inout Generator) throws -> Tensor {
    try perturb(request.latents, &generator)
  }
}

private typealias Perturbation = @Sendable (Tensor, inout Generator) throws -> Tensor

private let soundNoise: Perturbation = { try $0 + $1.normal($0.shape, dtype: $0.dtype) * 0.1 }

private struct Curve: LearningRateSchedule {
  let value: @Sendable (Int, Int) -> Double
  func factor(step: Int, stepsPerEpoch: Int, epochs: Int) -> Double { value(step, stepsPerEpoch * epochs) }
}

private final class Count: @unchecked Sendable { var calls = 0.0 }

extension BrokenPart {
  private static func noise(
    _ check: String, _ flaw: String, _ words: String = "", device: Device = .cpu, _ perturb: @escaping Perturbation
  ) -> BrokenPart {
    BrokenPart(.noise, check, flaw, words: words, device: device) { _, _ in Noise(perturb: perturb) }
  }

  static let noises: [BrokenPart] = [
    noise("noise", "draws by itself", "same generator") { latents, _ in
      try latents + Stray().normal(latents.shape, like: latents)
    },
    noise("noise", "ignores the seed", "another seed") { latents, _ in
      var own = try Generator(seed: 1)
      return try latents + own.normal(latents.shape, dtype: latents.dtype)
    },
    noise("noise", "another type", "float64") {
      try $0 + $1.normal($0.shape).to(.float32) * 0.1 + Tensor.zeros([1], dtype: .float64)
    },
    noise("noise", "another shape", "become") { try $0.sum(axis: 0, keep: true) + $1.normal([1, 4], dtype: $0.dtype) },
    noise("noise", "not finite", "finite") { try soundNoise($0, &$1) / 0 },
    noise("noise", "changes what it is given", "changes the latents") {
      try $0.addInPlace($1.normal($0.shape, dtype: $0.dtype))
      return $0
    },
    noise("noise", "forgets the device", "on cpu", device: otherDevice, soundNoise),
    noise("gradients", "detached", "no gradient") { try $0.detached() + $1.normal($0.shape, dtype: $0.dtype) },
    noise("gradients", "a factor held still", "differences") {
      let factor = try $0.square().sum(axis: 1, keep: true).detached()
      return try $0 + $1.normal($0.shape, dtype: $0.dtype) * factor
    },
    BrokenPart(.noise, "settings", "a size of 0", words: "size: 0", settings: [breaking]) { settings, _ in
      let size = Double(try settings.int("size"))
      return Noise { try $0 + $1.normal($0.shape, dtype: $0.dtype) / size }
    },
  ]

  private static func schedule(
    _ flaw: String, _ words: String, _ value: @escaping @Sendable (Int, Int) -> Double
  ) -> BrokenPart {
    BrokenPart(.schedule, "factors", flaw, words: words) { _, _ in Curve(value: value) }
  }

  static let schedules: [BrokenPart] = [
    schedule("negative", "0 or more") { 1 - 2 * Double($0) / Double($1) },
    schedule("not a number", "nan") { Double($0) / Double($1 - 1) },
    schedule("all 0", "nothing is trained") { _, _ in 0 },
    BrokenPart(.schedule, "factors", "counts calls", words: "another order") { _, _ in
      let count = Count()
      return Curve { _, _ in
        count.calls += 1
        return 1 / count.calls
      }
    },
    BrokenPart(.schedule, "settings", "a size of 0", words: "size: 0", settings: [breaking]) { settings, _ in
      let size = Double(try settings.int("size"))
      return Curve { step, _ in 1 / (size * Double(step)) }
    },
  ]
}

@Suite struct NoiseAndScheduleChecks {
  @Test func soundNoiseConforms() throws {
    expectConforming(try findings(.noise) { _, _ in Noise(perturb: soundNoise) })
  }

  @Test func aSoundScheduleConforms() throws {
    expectConforming(try findings(.schedule) { _, _ in Curve { 1 - Double($0) / Double($1 + 1) } })
  }
}

// MARK: Metrics

private struct CustomMetric: Metric {
  let result: @Sendable (Evaluation) throws -> [Measured]
  func finish(_ evaluation: Evaluation) throws -> [Measured] { try result(evaluation) }
}

private func norm(_ set: LatentSet) throws -> Double { try set.withLabels().latents.square().sum().item() }

extension BrokenPart {
  private static func metric(
    _ check: String, _ flaw: String, _ words: String = "",
    _ result: @escaping @Sendable (Evaluation) throws -> [Measured]
  ) -> BrokenPart {
    BrokenPart(.metric, check, flaw, words: words) { _, _ in CustomMetric(result: result) }
  }

  static let metrics: [BrokenPart] = [
    metric("results", "none", "no results") { _ in [] },
    metric("results", "two of one name", "share a name") { _ in [Measured("a", 1), Measured("a", 2)] },
    metric("results", "missing without a reason", "no reason") { _ in [Measured("a", missing: "")] },
    BrokenPart(.metric, "same-seed", "state between evaluations", words: "second evaluation") { _, _ in
      let kept = Count()
      return CustomMetric { _ in
        kept.calls += 1
        return [Measured("a", kept.calls)]
      }
    },
    metric("same-seed", "draws by itself") { evaluation in
      let latents = evaluation.measured.latents
      return [Measured("a", try Stray().normal([1], like: latents).item())]
    },
    metric("evaluation", "trains") { evaluation in
      // Measuring is no reason to train: a running statistic that moves, say.
      for child in Mirror(reflecting: evaluation.model.encoder).children {
        if let layers = child.value as? [Linear] { try layers[0].weight.detached().multiplyInPlace(2) }
      }
      return [Measured("a", 1)]
    },
    metric("classes", "nothing of an absent class") { evaluation in
      let count = try evaluation.measured.latents(of: 1).size(0)
      return count == 0 ? [] : [Measured("a", 1)]
    },
    metric("classes", "the second example", "libtorch refuses") {
      [Measured("a", try $0.measured.latents.select(1).sum().item())]
    },
    metric("hidden-labels", "reads them") {
      [Measured("a", try $0.measured.labels?.to(.float32).sum().item() ?? 0)]
    },
    BrokenPart(.metric, "settings", "a size of 0", words: "size: 0", settings: [breaking]) { settings, _ in
      let size = try settings.int("size")
      return CustomMetric { size == 0 ? [] : [Measured("a", try norm($0.measured))] }
    },
  ]
}

@Suite struct MetricChecks {
  @Test func aSoundMetricConforms() throws {
    expectConforming(
      try findings(.metric) { _, _ in CustomMetric { [Measured("norm", try norm($0.measured))] } })
  }
}

// MARK: Transforms

private struct CustomTransform: Transform, FittedTransform {
  var parameters: [String: Tensor] = [:]
  var outputRange: ClosedRange<Double>?
  var fitting: (@Sendable (Tensor) throws -> Void)?
  var forwards: @Sendable (Tensor) throws -> Tensor = { try $0 * 2 }
  var backwards: @Sendable (Tensor) throws -> Tensor = { try $0 / 2 }
  var restoring: (@Sendable (CustomTransform) -> CustomTransform)?
  func fit(_ inputs: Tensor) throws -> any FittedTransform {
    try fitting?(inputs)
    return self
  }
  func restore(_ parameters: FittedParameters) throws -> any FittedTransform { restoring?(self) ?? self }
  func apply(_ inputs: Tensor) throws -> Tensor { try forwards(inputs) }
  func invert(_ outputs: Tensor) throws -> Tensor { try backwards(outputs) }
}

extension BrokenPart {
  private static func transform(
    _ check: String, _ flaw: String, _ words: String = "", device: Device = .cpu,
    _ custom: @escaping @Sendable () throws -> CustomTransform
  ) -> BrokenPart {
    BrokenPart(.transform, check, flaw, words: words, device: device) { _, _ in try custom() }
  }

  static let transforms: [BrokenPart] = [
    transform("rows", "learns from what it is applied to", "learns") {
      CustomTransform(forwards: { try $0 - $0.mean(axis: 0) })
    },
    transform("shapes", "a column less", "become") { CustomTransform(forwards: { try $0.slice(0..<5, axis: 1) }) },
    transform("shapes", "another type", "float64") { CustomTransform(forwards: { try $0.to(.float64) }) },
    transform("shapes", "a fit in place", "a fit changes") {
      CustomTransform(fitting: { try $0.multiplyInPlace(2) })
    },
    transform("shapes", "in place", "changes the rows") {
      CustomTransform(forwards: {
        try $0.multiplyInPlace(2)
        return $0
      })
    },
    transform("shapes", "a parameter too short", "'a'") { CustomTransform(parameters: ["a": try Tensor.ones([3])]) },
    transform("shapes", "divides by no spread", "not finite") {
      CustomTransform(forwards: { try ($0 - 3) / ($0 - 3).abs() })
    },
    transform("shapes", "forgets the device", "on cpu", device: otherDevice) { CustomTransform() },
    transform("restored", "forgets its factor", "otherwise") {
      CustomTransform(
        restoring: { transform in
          var other = transform
          other.forwards = { try $0 * 3 }
          return other
        })
    },
    transform("range", "beyond its range") { CustomTransform(outputRange: 0...1) },
    transform("inverse", "not finite", "not finite") { CustomTransform(backwards: { try $0.log() }) },
    transform("missing", "spreads it") {
      CustomTransform(forwards: { try $0 * ($0.isNaN().any() ? .infinity : 2) })
    },
    BrokenPart(.transform, "settings", "a size of 0", words: "size: 0", settings: [breaking]) { settings, _ in
      let size = Double(try settings.int("size"))
      return CustomTransform(forwards: { try $0 / size })
    },
  ]
}

@Suite struct TransformChecks {
  @Test func aSoundTransformConforms() throws {
    expectConforming(try findings(.transform) { _, _ in CustomTransform() })
  }

  @Test func aTransformMayLoseInformation() throws {
    let finding = try finding("inverse", .transform) { _, _ in CustomTransform(backwards: { $0 }) }
    #expect(finding.outcome == .warning)
  }
}

// MARK: Constraints

private struct CustomConstraint: Constraint {
  let move: @Sendable (Tensor) throws -> Tensor
  func project(_ weights: Tensor) throws { try weights.copyInPlace(move(weights)) }
}

private struct Nearest: NearestPointConstraint {
  let move: @Sendable (Tensor) throws -> Tensor
  func project(_ weights: Tensor) throws { try weights.copyInPlace(move(weights)) }
}

/// Scaled into the box of half side 0.5, which is inside but not the nearest point.
private let scaled: @Sendable (Tensor) throws -> Tensor = { weights in
  let size = try weights.abs().max().item()
  return size > 0.5 ? try weights * (0.5 / size) : weights
}

extension BrokenPart {
  private static func constraint(
    _ flaw: String, _ words: String, _ move: @escaping @Sendable (Tensor) throws -> Tensor
  ) -> BrokenPart {
    BrokenPart(.constraint, "inside", flaw, words: words) { _, _ in CustomConstraint(move: move) }
  }

  static let constraints: [BrokenPart] = [
    constraint("moves on", "again") { try $0 * 0.9 },
    constraint("divides by no length", "zeros") { try $0 / $0.square().sum().sqrt() },
    constraint("draws", "each time") { weights in
      try weights.sign() * Stray().normal(weights.shape, like: weights).abs()
    },
    constraint("reads weights as they lie", "channels last") {
      try $0.isChannelsLast && $0.rank == 4 ? $0.clamped(-0.4, 0.4) : $0.clamped(-0.5, 0.5)
    },
    BrokenPart(.constraint, "nearest", "inside alone") { _, _ in Nearest(move: scaled) },
    BrokenPart(.constraint, "settings", "a size of 0", words: "size: 0", settings: [breaking]) { settings, _ in
      let size = Double(try settings.int("size"))
      return CustomConstraint { try $0 / size }
    },
  ]
}

@Suite struct ConstraintChecks {
  @Test func soundConstraintsConform() throws {
    expectConforming(try findings(.constraint) { _, _ in CustomConstraint { try $0.clamped(-0.5, 0.5) } })
    expectConforming(try findings(.constraint) { _, _ in Nearest { try $0.clamped(-0.5, 0.5) } })
    // Without the claim it need not be the nearest point.
    expectConforming(try findings(.constraint) { _, _ in CustomConstraint(move: scaled) })
  }
}

// MARK: Optimisers

private enum OptimizerFlaw { case climbs, hides, divides, moves, diverges, draws }

private final class Momentum: Optimizer {
  let parameters: [Parameter]
  let flaw: OptimizerFlaw?
  private let velocities: [Tensor]
  private let stray = Stray()
  private var steps = 0.0
  init(_ parameters: [Parameter], _ flaw: OptimizerFlaw?) throws {
    (self.parameters, self.flaw) = (parameters, flaw)
    velocities = try parameters.map { try .zeros($0.tensor.shape) }
  }
  var state: [(name: String, tensor: Tensor)] {
    flaw == .hides ? [] : zip(parameters, velocities).map { ($0.name, $1) }
  }
  func step(_ gradients: [Tensor?], learningRate: Double) throws {
    steps += 1
    for (index, gradient) in gradients.enumerated() {
      guard var gradient else {
        if flaw == .moves { try parameters[index].tensor.multiplyInPlace(0.99) }
        continue
      }
      if flaw == .divides { gradient = try gradient / gradient.abs().max() }
      if flaw == .draws { gradient = try gradient + stray.normal(gradient.shape, like: gradient) * 0.01 }
      if flaw == .diverges, steps > 100 { gradient = try gradient / 0 }
      try velocities[index].multiplyInPlace(0.5)
      try velocities[index].addInPlace(gradient)
      try parameters[index].tensor.addInPlace(
        velocities[index], times: flaw == .climbs ? learningRate : -learningRate)
    }
  }
}

private struct Rule: OptimizerRule {
  var flaw: OptimizerFlaw?
  var learningRate = 0.05
  func optimizer(for parameters: [Parameter]) throws -> any Optimizer { try Momentum(parameters, flaw) }
}

extension BrokenPart {
  private static func optimizer(
    _ check: String, _ flaw: String, words: String = "", _ rule: Rule
  ) -> BrokenPart {
    BrokenPart(.optimizer, check, flaw, words: words) { _, _ in rule }
  }

  static let optimizers: [BrokenPart] = [
    optimizer("minimises", "climbs", Rule(flaw: .climbs)),
    optimizer("minimises", "moves what has no gradient", words: "without a gradient", Rule(flaw: .moves)),
    optimizer("minimises", "no learning rate", words: "learning rate", Rule(learningRate: 0)),
    optimizer("minimises", "goes bad after 100 steps", words: "not finite", Rule(flaw: .diverges)),
    optimizer("resumed", "hides its state", Rule(flaw: .hides)),
    optimizer("resumed", "draws by itself", Rule(flaw: .draws)),
    optimizer("gradients", "divides by 0", Rule(flaw: .divides)),
    BrokenPart(.optimizer, "settings", "a size of 0", words: "size: 0", settings: [breaking]) { settings, _ in
      Rule(flaw: try settings.int("size") == 0 ? .divides : nil, learningRate: try settings.int("size") == 0 ? .nan : 1)
    },
  ]
}

@Suite struct OptimizerChecks {
  @Test func aSoundOptimiserConforms() throws { expectConforming(try findings(.optimizer) { _, _ in Rule() }) }
}

// MARK: Data

private enum DataFlaw: String, Flaw {
  case infinite = "examples"
  case missing = "examples/missing"
  case labelOutOfRange = "examples/label"
  case strayRows = "examples/stray"
  case strayLabels = "examples/labels"
  case names = "examples/names"
  case empty = "examples/empty"
  case smallestSize = "settings"
}

private struct DataConfig: ComponentConfig {
  @Setting("How many examples each class has.", .within(0...4)) var size = 4
  init() {}
}

private func data(_ flaw: DataFlaw?) -> Contribution {
  .data(
    DatasetEntry("part", "rows of a test", .rows, own: DataConfig.self) { config, request in
      let classes = 3
      let count = flaw == .empty ? 0 : classes * max(config.size, flaw == .smallestSize ? 0 : 1)
      if flaw == .smallestSize, config.size == 0 { _ = try Tensor.zeros([2]).reshaped([3]) }
      var generator = try Generator(seed: flaw == .strayRows ? UInt64.random(in: 0..<1 << 40) : request.seed)
      var inputs = try generator.normal([count, 2])
      if flaw == .infinite { inputs = try inputs / 0 }
      if flaw == .missing { inputs = try inputs.filled(with: .nan, where: inputs .== inputs.max()) }
      var labels = (0..<count).map { Int64($0 % classes) }
      if flaw == .labelOutOfRange { labels[count - 1] = 3 }
      if flaw == .strayLabels { labels.shuffle() }
      return try Dataset(
        name: "part", title: "Rows of a test", train: Examples(inputs: inputs, labels: Tensor(labels)), test: nil,
        classNames: flaw == .names ? ["a", "b"] : nil, classCount: classes, origin: .made("\(count) rows"))
    })
}

extension BrokenPart {
  static let data: [BrokenPart] = DataFlaw.allCases.map { flaw in
    BrokenPart(.data, flaw.check, "\(flaw)") { ConformanceKitTests.data(flaw) }
  }
}

@Suite struct DataChecks {
  @Test func aSoundSetConforms() throws { expectConforming(try findings(data(nil), of: .data)) }

  @Test func oneInputThatIsNotANumberIsFoundWithItsPlace() throws {
    let found = try finding("examples", of: data(.missing), .data)
    #expect(found.outcome == .failed)
    #expect(found.reason.contains("found nan in example "), "\(found)")
  }
}
