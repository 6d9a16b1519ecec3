import Foundation
import Testing
import Torch

private let rates = [0.1, 0.05, 0.2, 0.2, 0.01]

/// A parameter store with two parameters, and gradients for some steps.
private func parameters(_ dtype: DType = .float64) throws -> [Parameter] {
  let scope = try Scope(path: "p", dtype: dtype)
  _ = try scope.parameter("a", [3, 2], .normal(deviation: 1))
  _ = try scope.parameter("b", [4, 3, 2, 2], .normal(deviation: 1))
  return scope.store.parameters
}

private func gradients(_ parameters: [Parameter], step: Int) throws -> [Tensor] {
  try parameters.enumerated().map { index, parameter in
    let values = try draws(parameter.tensor.shape, seed: UInt64(100 * step + index)).to(parameter.tensor.dtype)
    return parameter.tensor.isChannelsLast ? try values.channelsLast() : values
  }
}

/// Steps an optimiser, and `update` for each number by itself: it gets the weight, the gradient, three numbers of state
/// that start at 0, the rate and the count of steps. Returns the largest difference afterwards.
private func difference(
  _ make: ([Parameter]) throws -> any Optimizer,
  _ update: (inout Double, Double, inout (Double, Double), Double, Int) -> Void
) throws -> Double {
  let parameters = try parameters()
  let optimizer = try make(parameters)
  var weights = try parameters.map { try $0.tensor.doubles() }
  var states = weights.map { [(Double, Double)](repeating: (0, 0), count: $0.count) }
  for (step, rate) in rates.enumerated() {
    let slopes = try gradients(parameters, step: step)
    try optimizer.step(slopes, learningRate: rate)
    for (index, slope) in slopes.enumerated() {
      for (place, value) in try slope.doubles().enumerated() {
        update(&weights[index][place], value, &states[index][place], rate, step + 1)
      }
    }
  }
  return try zip(parameters, weights).map { try maximumDifference($0.tensor.doubles(), $1) }.max() ?? .infinity
}

@Test(arguments: [(0.0, 0.0, false), (0, 0.01, false), (0.9, 0, false), (0.9, 0.01, false), (0.9, 0.01, true)])
func sgdIsItsFormula(settings: (momentum: Double, decay: Double, nesterov: Bool)) throws {
  let (momentum, decay, nesterov) = settings
  let error = try difference({ try SGD($0, momentum: momentum, weightDecay: decay, nesterov: nesterov) }) {
    weight, slope, state, rate, _ in
    let gradient = slope + decay * weight
    state.0 = momentum * state.0 + gradient
    weight -= rate * (nesterov ? gradient + momentum * state.0 : state.0)
  }
  #expect(error < 1e-12)
}

@Test(arguments: [(0.0, false), (0.01, false), (0.01, true)])
func adamIsItsFormula(settings: (decay: Double, decoupled: Bool)) throws {
  let (beta1, beta2, epsilon) = (0.8, 0.95, 1e-6)
  let error = try difference(
    {
      try Adam($0, betas: (beta1, beta2), epsilon: epsilon, weightDecay: settings.decay, decoupled: settings.decoupled)
    }
  ) { weight, slope, state, rate, step in
    var gradient = slope
    if settings.decoupled { weight -= rate * settings.decay * weight } else { gradient += settings.decay * weight }
    state.0 = beta1 * state.0 + (1 - beta1) * gradient
    state.1 = beta2 * state.1 + (1 - beta2) * gradient * gradient
    let mean = state.0 / (1 - pow(beta1, Double(step)))
    let square = state.1 / (1 - pow(beta2, Double(step)))
    weight -= rate * mean / (square.squareRoot() + epsilon)
  }
  #expect(error < 1e-12)
}

private let optimizers: [(String, @Sendable ([Parameter]) throws -> any Optimizer)] = [
  ("sgd", { try SGD($0) }), ("momentum", { try SGD($0, momentum: 0.9, weightDecay: 0.1) }),
  ("adam", { try Adam($0, weightDecay: 0.1) }), ("adamw", { try Adam($0, weightDecay: 0.1, decoupled: true) }),
]

@Test func parametersWithoutGradientAndTheirStateStay() throws {
  for (name, make) in optimizers {
    let parameters = try parameters()
    let optimizer = try make(parameters)
    try optimizer.step(gradients(parameters, step: 0), learningRate: 0.1)
    func kept() throws -> [[Double]] {
      try [parameters[0].tensor.doubles()]
        + optimizer.state.filter { $0.name.hasPrefix("p.a.") }.map { try $0.tensor.doubles() }
    }
    let (before, moving) = try (kept(), parameters[1].tensor.doubles())
    for step in 1..<3 { try optimizer.step([nil, gradients(parameters, step: step)[1]], learningRate: 0.1) }
    #expect(try kept() == before, "\(name)")
    #expect(try parameters[1].tensor.doubles() != moving, "\(name)")
    try optimizer.step([nil, nil], learningRate: 0.1)
    #expect(try kept() == before, "\(name)")
  }
}

@Test func aWrongNumberOfGradientsIsRefused() throws {
  for (name, make) in optimizers {
    let parameters = try parameters()
    let optimizer = try make(parameters)
    let slopes = try gradients(parameters, step: 0)
    #expect(throws: TensorError.self, "\(name)") { try optimizer.step([slopes[0]], learningRate: 0.1) }
    #expect(throws: TensorError.self, "\(name)") { try optimizer.step(slopes + slopes, learningRate: 0.1) }
  }
}

@Test func gradientsOfAnotherShapeAreRefused() throws {
  for (name, make) in optimizers {
    let parameters = try parameters()
    let optimizer = try make(parameters)
    #expect(throws: TensorError.self, "\(name)") {
      try optimizer.step([.zeros([7], dtype: .float64), nil], learningRate: 0.1)
    }
  }
}

@Test func aRestoredStateGoesOnWithTheSameBits() throws {
  for (name, make) in optimizers {
    let (first, second) = try (parameters(.float32), parameters(.float32))
    let optimizer = try make(first)
    for step in 0..<3 { try optimizer.step(gradients(first, step: step), learningRate: 0.1) }
    let again = try make(second)
    for (old, new) in zip(first, second) { try new.tensor.copyInPlace(old.tensor) }
    #expect(again.state.map(\.name) == optimizer.state.map(\.name))
    #expect(Set(again.state.map(\.name)).count == again.state.count)
    for (old, new) in zip(optimizer.state, again.state) { try new.tensor.copyInPlace(old.tensor) }
    for step in 3..<6 {
      try optimizer.step(gradients(first, step: step), learningRate: 0.1)
      try again.step(gradients(second, step: step), learningRate: 0.1)
    }
    for (old, new) in zip(first, second) {
      #expect(try old.tensor.floats() == new.tensor.floats(), "\(name)")
    }
  }
}

@Test func stepsKeepTheLayoutOfParameters() throws {
  for (name, make) in optimizers {
    let parameters = try parameters(.float32)
    #expect(parameters[1].tensor.isChannelsLast)
    try make(parameters).step(gradients(parameters, step: 0), learningRate: 0.1)
    #expect(parameters[1].tensor.isChannelsLast && parameters[1].tensor.requiresGradient, "\(name)")
  }
}

@Test func gradientsThatRepeatOneValueInMemoryAreTakenWhole() throws {
  for (name, make) in optimizers {
    let (first, second) = try (parameters(), parameters())
    let (one, other) = try (make(first), make(second))
    for _ in 0..<3 {
      // The gradient of a sum is a single 1 that is stretched over the shape.
      try one.step(first.map { try $0.tensor.sum().gradients(by: [$0.tensor])[0] }, learningRate: 0.1)
      try other.step(second.map { try $0.tensor.detached().filled(with: 1) }, learningRate: 0.1)
    }
    for (a, b) in zip(first, second) { #expect(try a.tensor.doubles() == b.tensor.doubles(), "\(name)") }
  }
}

@Test func gradientsOfAnotherLayoutMeanTheSame() throws {
  for (name, make) in optimizers {
    let (first, second) = try (parameters(), parameters())
    let (one, other) = try (make(first), make(second))
    for step in 0..<3 {
      let slopes = try gradients(first, step: step)
      try one.step(slopes, learningRate: 0.1)
      try other.step(slopes.map { try $0.contiguous() }, learningRate: 0.1)
    }
    #expect(try maximumDifference(first[1].tensor, second[1].tensor) < 1e-12, "\(name)")
  }
}

// MARK: Clipping

@Test func clippingScalesToTheLimit() throws {
  let gradients = try [Tensor([3.0, 0]), Tensor([0, 0, -4.0], shape: [3, 1])]
  #expect(try abs(clipGradients(gradients, to: 1).item() - 5) < 1e-12)
  #expect(try maximumDifference(gradients[0].doubles(), [0.6, 0]) < 1e-12)
  #expect(try maximumDifference(gradients[1].doubles(), [0, 0, -0.8]) < 1e-12)
  #expect(try abs(clipGradients(gradients).item() - 1) < 1e-12)
}

@Test func clippingLeavesWhatIsBelowTheLimit() throws {
  let values = try draws([50], seed: 1)
  let gradients = try [values.clone()]
  let norm = try values.square().sum().sqrt().item()
  #expect(try abs(clipGradients(gradients, to: norm * 1.0001).item() - norm) < 1e-12)
  #expect(try abs(clipGradients(gradients, to: .infinity).item() - norm) < 1e-12)
  #expect(try gradients[0].doubles() == values.doubles())
  #expect(try clipGradients([], to: 1).item() == 0)
}

@Test func clippingShowsWhatIsNotFiniteAndChangesNothing() throws {
  let gradients = try [Tensor([1.0, .nan]), Tensor([2.0])]
  #expect(try clipGradients(gradients, to: 0.1).item().isNaN)
  #expect(try gradients[1].doubles() == [2])
  #expect(try clipGradients([Tensor([Double.infinity])], to: 0.1).item() == .infinity)
}

// MARK: Schedules

@Test func constantScheduleIsOne() {
  #expect((0..<20).allSatisfy { Schedule.constant.factor(step: $0, stepsPerEpoch: 5, epochs: 4) == 1 })
}

@Test func stepScheduleFallsAfterItsEpochs() {
  let schedule = Schedule.step(epochs: 2, factor: 0.1)
  let factors = (0..<15).map { schedule.factor(step: $0, stepsPerEpoch: 3, epochs: 5) }
  let expected = (0..<15).map { pow(0.1, Double($0 / 6)) }
  #expect(maximumDifference(factors, expected) < 1e-15)
}

@Test func cosineScheduleFallsToItsFloor() {
  let schedule = Schedule.cosine(floor: 0.2)
  let factors = (0...40).map { schedule.factor(step: $0, stepsPerEpoch: 10, epochs: 4) }
  #expect(factors[0] == 1 && abs(factors[20] - 0.6) < 1e-12 && abs(factors[40] - 0.2) < 1e-12)
  #expect(factors == factors.sorted(by: >))
}

@Test func warmUpRisesLinearlyIntoTheSchedule() {
  for schedule in [Schedule.constant, .cosine(floor: 0), .step(epochs: 9, factor: 0.5)] {
    let factors = (0..<40).map { schedule.factor(step: $0, stepsPerEpoch: 10, epochs: 4, warmUp: 1.5) }
    let rises = (1..<15).map { factors[$0] - factors[$0 - 1] }
    #expect(rises.allSatisfy { abs($0 - 1.0 / 16) < 1e-12 } && factors[0] > 0)
    #expect(factors[15] == 1)
  }
}

@Test func schedulesTakeStagesOfNoLength() {
  for schedule in [Schedule.constant, .cosine(floor: 0.1), .step(epochs: 0, factor: 0.5)] {
    #expect(schedule.factor(step: 0, stepsPerEpoch: 0, epochs: 0).isFinite)
  }
}
