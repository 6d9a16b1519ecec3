import Foundation
import LatentKit

enum OptimizerChecks {
  static let all = [minimises, resumed, gradients, settings]

  private static func parameters(_ seed: UInt64, _ device: Device) throws -> [Parameter] {
    let scope = try Scope(path: "weights", seed: seed, device: device)
    _ = try scope.parameter("matrix", [3, 4], .normal(deviation: 1))
    _ = try scope.parameter("vector", [5], .normal(deviation: 1))
    return scope.store.parameters
  }

  /// Some steps towards 0 on half the sum of squares, whose gradient is the weights.
  private static func run(_ optimizer: any Optimizer, steps: Int, learningRate: Double) throws {
    for _ in 0..<steps {
      try optimizer.step(optimizer.parameters.map { try $0.tensor.detached().clone() }, learningRate: learningRate)
    }
  }

  private static func square(_ parameters: [Parameter]) throws -> Double {
    try parameters.reduce(0) { try $0 + $1.tensor.detached().square().sum().item() }
  }

  private static var minimises: Check {
    Check(
      .optimizer, "minimises", "At its own learning rate, or a smaller one, some hundred steps lower a sum of squares."
    ) { part in
      let rule = try Subject(SlotKey.optimizer, part).make(in: .rows).part
      try require(
        rule.learningRate > 0 && rule.learningRate.isFinite,
        "its learning rate is \(rule.learningRate), expected above 0")
      let parameters = try parameters(part.seed, part.device)
      let before = try square(parameters)
      let optimizer = try rule.optimizer(for: parameters)
      try require(
        optimizer.parameters.map(\.name) == parameters.map(\.name),
        "its optimiser changes other parameters than it was given")
      try run(optimizer, steps: 200, learningRate: rule.learningRate)
      try require(try areFinite(snapshot(parameters)), "after 200 steps a weight is not finite")
      let after = try square(parameters)
      try require(after < before, "200 steps take the sum of squares from \(short(before)) to \(short(after))")
      let still = try snapshot(parameters)
      try optimizer.step(parameters.map { _ in nil }, learningRate: rule.learningRate)
      try require(try sameBits(still, snapshot(parameters)), "weights without a gradient change")
      return .passed
    }
  }

  private static var resumed: Check {
    Check(
      .optimizer, "resumed", "Written back into a fresh optimiser, weights and state give the same bits afterwards."
    ) { part in
      let subject = try Subject(SlotKey.optimizer, part)
      let rule = try subject.make(in: .rows).part
      let (one, other) = (try parameters(part.seed, part.device), try parameters(part.seed + 1, part.device))
      let first = try rule.optimizer(for: one)
      try run(first, steps: 5, learningRate: rule.learningRate)
      let second = try subject.make(in: .rows).part.optimizer(for: other)
      for (to, from) in zip(other, one) { try to.tensor.copyInPlace(from.tensor) }
      try require(
        first.state.map(\.name) == second.state.map(\.name),
        "the names of its state change from one optimiser to the next")
      try require(Set(first.state.map(\.name)).count == first.state.count, "two tensors of its state share a name")
      for (to, from) in zip(second.state, first.state) { try to.tensor.copyInPlace(from.tensor) }
      if let problem = try second.problem { throw Fault("it finds its own state impossible: \(problem)") }
      try run(first, steps: 5, learningRate: rule.learningRate)
      try run(second, steps: 5, learningRate: rule.learningRate)
      try require(
        try sameBits(snapshot(one), snapshot(other)), "after writing back weights and state, training goes on otherwise"
      )
      return .passed
    }
  }

  private static var gradients: Check {
    Check(.optimizer, "gradients", "Gradients of 0, very small and large ones leave weights finite.") { part in
      let rule = try Subject(SlotKey.optimizer, part).make(in: .rows).part
      for size in [0, 1e-20, 1e6] {
        let parameters = try parameters(part.seed, part.device)
        let optimizer = try rule.optimizer(for: parameters)
        for _ in 0..<3 {
          try optimizer.step(
            parameters.map { try $0.tensor.detached().filled(with: size) }, learningRate: rule.learningRate)
        }
        try require(try areFinite(snapshot(parameters)), "gradients of \(size) leave weights that are not finite")
      }
      return .passed
    }
  }

  private static var settings: Check {
    Check(
      .optimizer, "settings",
      "The part works at the ends of each setting's range and with each choice, or refuses by a sentence."
    ) { part in
      let subject = try Subject(SlotKey.optimizer, part)
      var count = 0
      for (setting, value) in subject.trials where !(value.number.map { $0 > 1 } ?? false) {
        try subject.trying(setting, value) {
          let rule = try subject.make(in: .rows, [setting: value]).part
          let parameters = try parameters(part.seed, part.device)
          try run(rule.optimizer(for: parameters), steps: 3, learningRate: min(rule.learningRate, 0.01))
          try require(try areFinite(snapshot(parameters)), "after 3 steps a weight is not finite")
          count += 1
        }
      }
      return count == 0 ? .skipped("no setting has choices or ends to try") : .passed
    }
  }
}

enum ScheduleChecks {
  static let all = [factors, settings]

  private static func check(_ schedule: any LearningRateSchedule) throws {
    for (stepsPerEpoch, epochs) in [(1, 1), (7, 3), (100, 1), (3, 200)] {
      var factors: [Double] = []
      for step in 0...(stepsPerEpoch * epochs) {
        let factor = schedule.factor(step: step, stepsPerEpoch: stepsPerEpoch, epochs: epochs)
        try require(
          factor.isFinite && factor >= 0,
          "the factor of step \(step) of \(stepsPerEpoch) an epoch for \(epochs) epochs is \(factor), expected 0 or more"
        )
        factors.append(factor)
      }
      let again = factors.indices.reversed().map {
        schedule.factor(step: $0, stepsPerEpoch: stepsPerEpoch, epochs: epochs)
      }
      try require(
        Array(again.reversed()) == factors,
        "asked in another order, the factors are others: a resumed run would train otherwise")
      try require(
        stepsPerEpoch * epochs == 1 || factors.dropLast().contains { $0 > 0 },
        "all factors of \(epochs) epochs are 0: nothing is trained")
    }
  }

  private static let factors = Check(
    .schedule, "factors",
    "Factors are finite, 0 or more, not all 0, and depend on the step alone, for one step and for many epochs."
  ) { part in
    try check(Subject(SlotKey.schedule, part).make(in: .rows).part)
    return .passed
  }

  private static let settings = Check(
    .schedule, "settings",
    "The part works at the ends of each setting's range and with each choice, or refuses by a sentence."
  ) { part in
    let subject = try Subject(SlotKey.schedule, part)
    var count = 0
    for (setting, value) in subject.trials {
      try subject.trying(setting, value) {
        let schedule = try subject.make(in: .rows, [setting: value]).part
        let factor = schedule.factor(step: 3, stepsPerEpoch: 7, epochs: 3)
        try require(factor.isFinite && factor >= 0, "the factor of step 3 is \(factor)")
        count += 1
      }
    }
    return count == 0 ? .skipped("no setting has choices or ends to try") : .passed
  }
}

extension Value {
  /// The value as a number; nil where it is none.
  var number: Double? {
    switch self {
    case .int(let value): Double(value)
    case .double(let value): value
    default: nil
    }
  }
}
