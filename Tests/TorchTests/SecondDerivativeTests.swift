import Testing
import Torch

/// The largest error of second derivatives, and of the first ones that they are taken from.
///
/// A fixed combination of all first derivatives is moved along random directions of the leaves. The moved ones are taken
/// without a graph, by the fused functions; those that are differentiated again by operations that can be.
private func secondDerivativeError(
  _ leaves: [Tensor], directions: Int = 3, step: Double = 1e-6, _ body: () throws -> Tensor
) throws -> Double {
  for leaf in leaves { try leaf.requiringGradient() }
  func firstDerivatives(createGraph: Bool) throws -> [Tensor?] {
    let result = try body()
    return try (result * draws(result.shape, seed: 99)).sum().gradients(by: leaves, createGraph: createGraph)
  }
  func combination(createGraph: Bool) throws -> Tensor {
    try firstDerivatives(createGraph: createGraph).enumerated().reduce(Tensor.scalar(0, dtype: .float64)) {
      guard let gradient = $1.element else { return $0 }
      return try $0 + (gradient * draws(gradient.shape, seed: UInt64(200 + $1.offset))).sum()
    }
  }
  var worst = 0.0
  func compare(_ found: Double, _ expected: Double, scale: Double = 1) {
    let error = abs(found - expected) / max(1, abs(expected)) * scale
    worst = error.isNaN ? .infinity : max(worst, error)
  }

  // Equal to rounding: a million times as strict as the finite differences below.
  for (fused, plain) in try zip(firstDerivatives(createGraph: false), firstDerivatives(createGraph: true)) {
    #expect((fused == nil) == (plain == nil))
    guard let fused, let plain else { continue }
    let pairs = try zip(fused.doubles(), plain.doubles())
    for (fused, plain) in pairs { compare(plain, fused, scale: 1e6) }
  }

  let second = try combination(createGraph: true).gradients(by: leaves)
  #expect(second.contains { $0 != nil }, "nothing has a second derivative")
  for direction in 0..<directions {
    let changes = try leaves.enumerated().map { try draws($1.shape, seed: UInt64(300 + 10 * direction + $0)) }
    let starts = try leaves.map { try $0.detached().clone() }
    func moved(_ distance: Double) throws -> Double {
      for (index, leaf) in leaves.enumerated() {
        try leaf.copyInPlace(starts[index])
        try leaf.addInPlace(changes[index], times: distance)
      }
      return try combination(createGraph: false).item()
    }
    let slope = try (moved(step) - moved(-step)) / (2 * step)
    for (leaf, start) in zip(leaves, starts) { try leaf.copyInPlace(start) }
    let found = try zip(second, changes).reduce(0.0) { sum, pair in
      guard let gradient = pair.0 else { return sum }
      return try sum + (gradient * pair.1).sum().item()
    }
    compare(found, slope)
  }
  return worst
}

private func newScope(training: Bool) throws -> Scope {
  let scope = try Scope(path: "", seed: 7, dtype: .float64)
  scope.mode.isTraining = training
  return scope
}

/// Gives every weight of a scope draws of its own, so that none starts at the ones and zeros of normalisation.
private func weights(of scope: Scope) throws -> [Tensor] {
  try scope.store.parameters.enumerated().compactMap { index, parameter in
    guard parameter.role == .weight else { return nil }
    try parameter.tensor.copyInPlace(draws(parameter.tensor.shape, seed: UInt64(400 + index)) * 0.5 + 0.3)
    return parameter.tensor
  }
}

@Suite struct SecondDerivativeTests {
  @Test(arguments: [true, false], Layout.allCases)
  func batchNormalisationHasThem(training: Bool, layout: Layout) throws {
    for (shape, pool) in [([3, 4, 3, 2], 1), ([5, 3], 1), ([3, 4, 5, 4], 2)] {
      for (relu, hasResidual) in [(false, false), (true, false), (false, true), (true, true)] {
        let scope = try newScope(training: training)
        let layer = try BatchNorm(shape[1], relu: relu, pool: pool, epsilon: 1e-3, in: scope)
        try layer.runningMean.copyInPlace(draws([shape[1]], seed: 3))
        try layer.runningVariance.copyInPlace(draws([shape[1]], seed: 4).abs() + 0.1)
        let (input, residual) = try (layout.apply(draws(shape, seed: 5)), layout.apply(draws(shape, seed: 6)))
        let leaves = try [input] + weights(of: scope) + (hasResidual ? [residual] : [])
        let error = try secondDerivativeError(leaves) {
          try layer(input, adding: hasResidual ? residual : nil).square()
        }
        #expect(error < 1e-6, "\(shape) relu \(relu) residual \(hasResidual)")
      }
    }
  }

  @Test(arguments: [true, false]) func residualBlocksHaveThem(training: Bool) throws {
    for (outputs, stride) in [(3, 1), (4, 2)] {
      let scope = try newScope(training: training)
      let block = try ResidualBlock(3, outputs, stride: stride, in: scope)
      let input = try draws([3, 3, 4, 4], seed: 1).channelsLast()
      #expect(try secondDerivativeError([input] + weights(of: scope)) { try block(input).square() } < 1e-6)
    }
  }

  @Test(arguments: Layout.allCases) func layersOfImagesHaveThem(layout: Layout) throws {
    let layers: [(String, [Int]?, (Tensor, Tensor) throws -> Tensor)] = [
      ("convolution", [4, 3, 3, 3], { try $0.convolved($1, stride: 2, padding: 1) }),
      ("1x1 convolution to one channel", [1, 3, 1, 1], { try $0.convolved($1) }),
      ("transposed convolution", [3, 4, 2, 2], { try $0.convolvedTransposed($1, stride: 2) }),
      (
        "transposed convolution with a bias", [3, 4, 2, 2],
        { try $0.convolvedTransposed($1, bias: $1.sum(axes: [0, 2, 3]), stride: 2) }
      ),
      ("transposed convolution with padding", [3, 2, 3, 3], { try $0.convolvedTransposed($1, padding: 1) }),
      ("prelu", [3], { try $0.prelu(slope: $1) }), ("max pooling", nil, { x, _ in try x.maxPooled(2) }),
      ("average pooling", nil, { x, _ in try x.averagePooled(2) }),
      ("adaptive pooling", nil, { x, _ in try x.averagePooled(to: 2, 1) }),
      ("nearest upsampling", nil, { x, _ in try x.upsampledNearest(2) }),
      ("bilinear upsampling", nil, { x, _ in try x.upsampledBilinear(2) }),
    ]
    for (name, weightShape, layer) in layers {
      let x = try layout.apply(draws([2, 3, 4, 4], seed: 1))
      let weight = try draws(weightShape ?? [1], seed: 2)
      let leaves = weightShape == nil ? [x] : [x, weight]
      #expect(try secondDerivativeError(leaves) { try layer(x, weight).square() } < 1e-6, "\(name)")
    }
  }

  @Test func functionsAndLossesHaveThem() throws {
    let labels = try Tensor([Int64(2), 0, 1])
    let shares = try draws([3, 4], seed: 3).sigmoid()
    let functions: [(String, (Tensor, Tensor) throws -> Tensor)] = [
      ("linear", { try $0.linear($1).square() }), ("leaky ReLU", { try ($0 * $1).leakyReLU(slope: 0.2).square() }),
      ("relu", { try ($0 * $1).relu().square() }), ("sigmoid", { try ($0 * $1).sigmoid() }),
      ("tanh", { try ($0 * $1).tanh() }), ("softplus", { try ($0 * $1).softplus() }),
      ("softmax", { try ($0 * $1).softmax(axis: 1) }), ("norm", { try ($0 * $1).square().sum(axis: 1).sqrt() }),
      ("logSumExp", { try ($0 * $1).logSumExp(axis: 1) }), ("variance", { try ($0 * $1).variance(axes: [0]) }),
      ("distances", { try $0.distances(to: $1) }), ("squared error", { try $0.squaredError($1.square()) }),
      ("huber error", { try $0.huberError($1.square(), delta: 0.7) }),
      ("binary cross entropy", { try ($0 * $1).sigmoid().binaryCrossEntropy(shares) }),
      ("binary cross entropy of logits", { try ($0 * $1).binaryCrossEntropyOfLogits(shares) }),
      ("cross entropy", { try ($0 * $1).crossEntropy(labels) }),
      ("choices", { try ($0 * $1).rows(labels).gathered(labels.unsqueezed(1), axis: 1) }),
      ("matmul", { try $0.matmul($1.transposed()) }),
    ]
    for (name, function) in functions {
      let (x, y) = try (draws([3, 4], seed: 1), draws([3, 4], seed: 2))
      #expect(try secondDerivativeError([x, y]) { try function(x, y) } < 1e-6, "\(name)")
    }
  }

  /// The penalty of Gulrajani et al. 2017, `mean (‖∇_x D(x)‖ − 1)²` between real and made images.
  @Test(arguments: [true, false]) func aGradientPenaltyTrainsACritic(training: Bool) throws {
    let scope = try newScope(training: training)
    let critic = try Sequential(
      Convolution(2, 4, size: 3, stride: 2, in: scope("conv1")), BatchNorm(4, in: scope("norm1")),
      Activation.leakyReLU.layer(channels: 4, in: scope),
      Convolution(4, 3, size: 3, bias: false, in: scope("conv2")), BatchNorm(3, relu: true, in: scope("norm2")),
      Flatten(), Linear(27, 1, in: scope("score")))
    let weights = try weights(of: scope)
    let (real, made) = try (draws([4, 2, 6, 6], seed: 1), draws([4, 2, 6, 6], seed: 2))
    var generator = try Generator(seed: 3)
    let share = try generator.uniform([4, 1, 1, 1], dtype: .float64)
    func penalty(createGraph: Bool) throws -> Tensor {
      let between = try (share * real + (1 - share) * made).detached().channelsLast().requiringGradient()
      let slopes = try critic(between).sum().gradients(by: [between], createGraph: createGraph)
      let norms = try #require(slopes[0]).flattened().square().sum(axis: 1).sqrt()
      return try (norms - 1).square().mean()
    }
    let gradients = try penalty(createGraph: true).gradients(by: weights)
    // The last bias shifts all scores alike and has no part in the penalty; nor has what only adds before a ReLU.
    #expect(gradients.dropLast().contains { $0 != nil } && gradients.last! == nil)
    for (index, weight) in weights.enumerated() {
      let change = try draws(weight.shape, seed: UInt64(500 + index))
      let start = try weight.detached().clone()
      func moved(_ distance: Double) throws -> Double {
        try weight.copyInPlace(start)
        try weight.addInPlace(change, times: distance)
        return try penalty(createGraph: false).item()
      }
      let slope = try (moved(1e-6) - moved(-1e-6)) / 2e-6
      try weight.copyInPlace(start)
      let found = try gradients[index].map { try ($0 * change).sum().item() } ?? 0
      #expect(abs(found - slope) < 1e-6 * max(1, abs(slope)), "weight \(index)")
    }
  }
}
