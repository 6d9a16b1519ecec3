import Foundation
import Testing
import Torch

/// Values in an interval, away from its ends.
private func between(_ low: Double, _ high: Double, _ shape: [Int], seed: UInt64) throws -> Tensor {
  var generator = try Generator(seed: seed)
  return try generator.uniform(shape, dtype: .float64) * ((high - low) * 0.98) + (low + (high - low) * 0.01)
}

@Test func elementwiseFunctionsHaveTheirDerivatives() throws {
  let functions: [(String, Double, Double, (Tensor) throws -> Tensor)] = [
    ("abs", 0.1, 2, { try $0.abs() }), ("exp", -2, 2, { try $0.exp() }), ("log", 0.1, 3, { try $0.log() }),
    ("log1p", -0.5, 3, { try $0.log1p() }), ("sqrt", 0.1, 3, { try $0.sqrt() }), ("rsqrt", 0.3, 3, { try $0.rsqrt() }),
    ("square", -2, 2, { try $0.square() }), ("reciprocal", 0.5, 3, { try $0.reciprocal() }),
    ("erf", -2, 2, { try $0.erf() }), ("sin", -3, 3, { try $0.sin() }), ("cos", -3, 3, { try $0.cos() }),
    ("acos", -0.8, 0.8, { try $0.acos() }), ("sigmoid", -3, 3, { try $0.sigmoid() }),
    ("tanh", -2, 2, { try $0.tanh() }), ("relu", 0.1, 2, { try $0.relu() }), ("relu", -2, -0.1, { try $0.relu() }),
    ("softplus", -3, 3, { try $0.softplus() }), ("pow", 0.3, 2, { try $0.pow(2.5) }),
    ("leakyReLU", -2, -0.1, { try $0.leakyReLU(slope: 0.3) }), ("clamped", 0.3, 0.6, { try $0.clamped(0, 1) }),
    ("clamped", 1.1, 2, { try $0.clamped(0, 1) + $0 }), ("softmax", -2, 2, { try $0.softmax() }),
    ("logSoftmax", -2, 2, { try $0.logSoftmax(axis: 0) }), ("cumulativeSum", -2, 2, { try $0.cumulativeSum(axis: 1) }),
    ("logSumExp", -2, 2, { try $0.logSumExp(axis: 1) }), ("variance", -2, 2, { try $0.variance(axes: [1]) }),
    ("max", -2, 2, { try $0.max(axis: 1) }), ("min", -2, 2, { try $0.min(axis: 0) }),
    ("mean", -2, 2, { try $0.mean(axes: [0], keep: true) * $0 }), ("sorted", -2, 2, { try $0.sorted().values }),
    ("2 - x", -2, 2, { try 2 - $0 }), ("2 / x", 0.5, 2, { try 2 / $0 }), ("-x", -2, 2, { try -$0 }),
  ]
  for (index, (name, low, high, function)) in functions.enumerated() {
    let x = try between(low, high, [3, 4], seed: UInt64(index))
    #expect(try gradientError([x]) { try function(x) } < 1e-6, "\(name)")
  }
}

@Test func functionsOfTwoTensorsHaveTheirDerivatives() throws {
  let functions: [(String, (Tensor, Tensor) throws -> Tensor)] = [
    ("+", { try $0 + $1 }), ("-", { try $0 - $1 }), ("*", { try $0 * $1 }), ("/", { try $0 / $1 }),
    ("pow", { try $0.pow($1) }), ("maximum", { try $0.maximum($1) }), ("minimum", { try $0.minimum($1) }),
    ("matmul", { try $0.matmul($1.transposed()) }), ("distances", { try $0.distances(to: $1) }),
    ("choose", { try ($0 .> $1).choose($0 * 2, $1 * 3) }), ("concatenate", { try .concatenate([$0, $1.square()]) }),
    ("stack", { try .stack([$0, $1.square()], axis: 1) }),
  ]
  for (name, function) in functions {
    let (x, y) = try (between(0.5, 2, [3, 4], seed: 1), between(0.5, 2, [3, 4], seed: 2))
    #expect(try gradientError([x, y]) { try function(x, y) } < 1e-6, "\(name)")
    let row = try between(0.5, 2, [1, 4], seed: 3)
    if !["concatenate", "stack"].contains(name) {
      #expect(try gradientError([x, row]) { try function(x, row) } < 1e-6, "\(name), broadcast")
    }
  }
}

@Test func choicesOfElementsPassGradientsToThem() throws {
  let labels = try Tensor([2, 0, 2].map(Int64.init))
  let functions: [(String, (Tensor) throws -> Tensor)] = [
    ("rows", { try $0.rows(labels).square() }), ("gathered", { try $0.gathered(labels.unsqueezed(1), axis: 1) }),
    ("slice", { try $0.slice(1..<3, axis: 1).square() }), ("select", { try $0.select(1).square() }),
    ("padded", { try $0.padded(1).square() }), ("flipped", { try $0.flipped(axis: 1).square() }),
    ("permuted", { try $0.permuted([1, 0]).square() }), ("reshaped", { try $0.reshaped([2, -1]).square() }),
    ("expanded", { try $0.unsqueezed(0).expanded([2, 3, 4]).square() }), ("diagonal", { try $0.diagonal().square() }),
    ("lowerTriangle", { try $0.lowerTriangle().square() }), ("addingRows", { try $0.addingRows(labels, $0.square()) }),
    ("filled", { try $0.filled(with: 3, where: $0 .> 0).square() }),
    ("channelsLast", { try $0.reshaped([1, 3, 2, 2]).channelsLast().square() }),
  ]
  for (index, (name, function)) in functions.enumerated() {
    let x = try between(-2, 2, [3, 4], seed: UInt64(index))
    #expect(try gradientError([x]) { try function(x) } < 1e-6, "\(name)")
  }
}

@Test(arguments: Layout.allCases) func layersOfImagesHaveTheirDerivatives(layout: Layout) throws {
  let layers: [(String, [Int]?, (Tensor, Tensor) throws -> Tensor)] = [
    ("convolution", [4, 3, 3, 3], { try $0.convolved($1, stride: 2, padding: 1) }),
    ("1x1 convolution to one channel", [1, 3, 1, 1], { try $0.convolved($1) }),
    ("convolution from strided weights", [2, 3, 1, 1], { try $0.convolved($1, padding: 1) }),
    ("transposed convolution", [3, 4, 2, 2], { try $0.convolvedTransposed($1, stride: 2) }),
    (
      "transposed convolution with more output", [3, 2, 3, 3],
      { try $0.convolvedTransposed($1, stride: 2, padding: 1, outputPadding: 1) }
    ),
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
    #expect(try gradientError(leaves) { try layer(x, weight) } < 1e-6, "\(name) \(layout)")
  }
}

@Test func linearHasItsDerivatives() throws {
  let (x, weight, bias) = try (draws([4, 5], seed: 1), draws([3, 5], seed: 2), draws([3], seed: 3))
  #expect(try gradientError([x, weight, bias]) { try x.linear(weight, bias: bias) } < 1e-6)
  #expect(try gradientError([x, weight, bias]) { try x.linear(weight, bias: bias, relu: true) } < 1e-6)
  #expect(try gradientError([x, weight]) { try x.linear(weight, relu: true) } < 1e-6)
}

/// In one pass, with and without gradients, and differentiated twice: what separate operations make.
@Test func linearWithReLUIsTheTwoOfThem() throws {
  let leaves = try [draws([4, 5], seed: 1), draws([3, 5], seed: 2), draws([3], seed: 3)].map {
    try $0.requiringGradient()
  }
  let apart = try (leaves[0].matmul(leaves[1].transposed()) + leaves[2]).relu()
  let whole = try leaves[0].linear(leaves[1], bias: leaves[2], relu: true)
  #expect(try (whole .== 0).any() && (whole .> 0).any())
  #expect(try maximumDifference(whole.doubles(), apart.doubles()) < 1e-12)
  let measured = try withoutGradients { try leaves[0].linear(leaves[1], bias: leaves[2], relu: true) }
  #expect(try measured.doubles() == whole.doubles())
  func twice(_ output: Tensor) throws -> [Tensor?] {
    let first = try output.square().sum().gradients(by: leaves, createGraph: true).compactMap { $0 }
    #expect(first.count == 3)
    return try (first[0].square().sum() + first[1].square().sum() + first[2].square().sum()).gradients(by: leaves)
  }
  for (found, expected) in zip(try twice(whole), try twice(apart)) {
    #expect(try maximumDifference(#require(found).doubles(), #require(expected).doubles()) < 1e-9)
  }
}

@Test func lossesAreTheirFormulas() throws {
  let (x, y) = try (draws([4, 5], seed: 1), draws([4, 5], seed: 2))
  let (a, b) = try (x.doubles(), y.doubles())
  let squares = zip(a, b).map { ($0 - $1) * ($0 - $1) }
  #expect(try maximumDifference(x.squaredError(y, .none).doubles(), squares) < 1e-12)
  #expect(try maximumDifference([x.squaredError(y).item()], [squares.reduce(0, +) / 20]) < 1e-12)
  #expect(try maximumDifference([x.squaredError(y, .sum).item()], [squares.reduce(0, +)]) < 1e-12)

  let huber = zip(a, b).map { x, y -> Double in
    let distance = abs(x - y)
    return distance < 0.7 ? 0.5 * distance * distance : 0.7 * (distance - 0.35)
  }
  #expect(huber.contains { $0 > 0.7 * 0.7 / 2 } && huber.contains { $0 < 0.7 * 0.7 / 2 })
  #expect(try maximumDifference(x.huberError(y, delta: 0.7, .none).doubles(), huber) < 1e-12)

  let (p, t) = try (between(0, 1, [4, 5], seed: 3), between(0, 1, [4, 5], seed: 4))
  let bernoulli = try zip(p.doubles(), t.doubles()).map { p, t -> Double in
    -t * log(p) - (1 - t) * log(1 - p)
  }
  #expect(try maximumDifference(p.binaryCrossEntropy(t, .none).doubles(), bernoulli) < 1e-12)
  let logits = try p.log() - (1 - p).log()
  #expect(try maximumDifference(logits.binaryCrossEntropyOfLogits(t, .none).doubles(), bernoulli) < 1e-10)

  let labels = [3, 0, 4, 3]
  let crossEntropies = (0..<4).map { row -> Double in
    let scores = a[(row * 5)..<(row * 5 + 5)]
    return log(scores.map { exp($0) }.reduce(0, +)) - a[row * 5 + labels[row]]
  }
  let tensor = try Tensor(labels.map(Int64.init))
  #expect(try maximumDifference(x.crossEntropy(tensor, .none).doubles(), crossEntropies) < 1e-12)
  #expect(try maximumDifference([x.crossEntropy(tensor).item()], [crossEntropies.reduce(0, +) / 4]) < 1e-12)
}

@Test func lossesHaveTheirDerivatives() throws {
  let labels = try Tensor([3, 0, 4, 3].map(Int64.init))
  for reduction in [Reduction.none, .mean, .sum] {
    let (x, y) = try (draws([4, 5], seed: 1), draws([4, 5], seed: 2))
    let (p, t) = try (between(0.1, 0.9, [4, 5], seed: 3), between(0.1, 0.9, [4, 5], seed: 4))
    #expect(try gradientError([x, y]) { try x.squaredError(y, reduction) } < 1e-6)
    #expect(try gradientError([x, y]) { try x.huberError(y, delta: 0.7, reduction) } < 1e-6)
    #expect(try gradientError([p]) { try p.binaryCrossEntropy(t.detached(), reduction) } < 1e-6)
    #expect(try gradientError([x]) { try x.binaryCrossEntropyOfLogits(t.detached(), reduction) } < 1e-6)
    #expect(try gradientError([x]) { try x.crossEntropy(labels, reduction) } < 1e-6)
  }
}

@Test func linearAlgebraHasItsDerivatives() throws {
  func positive(_ x: Tensor) throws -> Tensor { try x.matmul(x.transposed()) + .identity(4, dtype: .float64) }
  let (x, b) = try (draws([4, 4], seed: 1), draws([4, 2], seed: 2))
  #expect(try gradientError([x]) { try positive(x).cholesky() } < 1e-5)
  #expect(try gradientError([x]) { try positive(x).inverse() } < 1e-5)
  #expect(try gradientError([x]) { try positive(x).symmetricEigen().values } < 1e-5)
  let lower = try x.lowerTriangle().detached() + Tensor.identity(4, dtype: .float64) * 3
  #expect(try gradientError([lower, b]) { try lower.lowerTriangle().solveTriangular(b) } < 1e-5)
}

// MARK: Autograd itself

@Test func inputsWithoutAPartHaveNoGradient() throws {
  let (x, y) = try (Tensor([1.0, 2]).requiringGradient(), Tensor([3.0, 4]).requiringGradient())
  let gradients = try x.square().sum().gradients(by: [y, x])
  #expect(gradients[0] == nil)
  #expect(try gradients[1]?.doubles() == [2, 4])
}

@Test func gradientsCanBeDifferentiatedAgain() throws {
  let x = try Tensor([2.0]).requiringGradient()
  let first = try #require(try x.pow(3).sum().gradients(by: [x], createGraph: true)[0])
  #expect(try first.doubles() == [12])
  #expect(try first.sum().gradients(by: [x])[0]?.doubles() == [12])
}

@Test func gradientsAreRecordedOnlyWhereAsked() throws {
  let x = try Tensor([1.0]).requiringGradient()
  func isRecorded() throws -> Bool { try (x * 2).requiresGradient }
  var found = [try isRecorded()]
  try withoutGradients {
    found.append(try isRecorded())
    try withGradients {
      found.append(try isRecorded())
      try withoutGradients { found.append(try isRecorded()) }
      found.append(try isRecorded())
    }
    found.append(try isRecorded())
  }
  #expect(try found + [isRecorded()] == [true, false, true, false, true, false, true])
}

@Test func aThrowRestoresRecording() throws {
  struct Stop: Error {}
  let x = try Tensor([1.0]).requiringGradient()
  #expect(throws: Stop.self) { try withoutGradients { throw Stop() } }
  #expect(try (x * 2).requiresGradient)
  let inside = try withoutGradients {
    #expect(throws: Stop.self) { try withGradients { throw Stop() } }
    return try (x * 2).requiresGradient
  }
  #expect(!inside)
}

@Test func detachedTensorsAreCutOff() throws {
  let x = try Tensor([1.0, 2]).requiringGradient()
  #expect(try !(x * 2).detached().requiresGradient)
  #expect(try (x * x.detached()).sum().gradients(by: [x])[0]?.doubles() == [1, 2])
}

@Test func changesInPlaceKeepIdentityAndAreNotRecorded() throws {
  let x = try Tensor([1.0, 2]).requiringGradient()
  try x.copyInPlace(Tensor([Float(5), 6]))
  try x.addInPlace(Tensor([1.0, 1]), times: 2)
  try x.multiplyInPlace(Tensor([2.0, 3]))
  try x.multiplyInPlace(0.5)
  #expect(try x.doubles() == [7, 12])
  #expect(x.requiresGradient)
  #expect(try x.sum().gradients(by: [x])[0]?.doubles() == [1, 1])
  try x.fillInPlace(3)
  #expect(try x.doubles() == [3, 3])
}

@Test func whatCannotBeDifferentiatedIsRefused() throws {
  let x = try Tensor([1.0, 2]).requiringGradient()
  #expect(throws: TensorError.self) { try (x * 2).gradients(by: [x]) }  // no scalar
  #expect(throws: TensorError.self) { try Tensor.scalar(1).gradients(by: [x]) }  // no graph
  #expect(throws: TensorError.self) { try Tensor([Int64(1)]).requiringGradient() }
  let sum = try x.square().sum()
  _ = try sum.gradients(by: [x])
  #expect(throws: TensorError.self) { try sum.gradients(by: [x]) }  // the graph is gone
}

/// Values whose gradients somebody else has computed.
@Suite struct GivenGradients {
  @Test func theyAreTakenAsTheyAreGiven() throws {
    let input = try Tensor([1.0, 2, 3, 4, 5, 6], shape: [3, 2]).requiringGradient()
    let slopes = try Tensor([10.0, 20, 30, 40, 50, 60], shape: [3, 2])
    let values = try Tensor([7.0, 8, 9]).withGradients(slopes, by: input)
    #expect(try values.doubles() == [7, 8, 9])
    let found = try (values * Tensor([1.0, 0, -2])).sum().gradients(by: [input])[0]
    #expect(try found?.doubles() == [10, 20, 0, 0, -100, -120])
    #expect(values.recordsGradients && !withoutGradients { values.recordsGradients })
  }

  @Test func gradientsOfWhatTheInputWasMadeOfGoThroughThem() throws {
    let leaf = try Tensor([1.0, 2], shape: [2, 1]).requiringGradient()
    let slopes = try Tensor([3.0, 4], shape: [2, 1])
    let value = try Tensor([0.0, 0]).withGradients(slopes, by: leaf.square()).sum()
    #expect(try value.gradients(by: [leaf])[0]?.doubles() == [6, 16])
  }

  @Test func secondDerivativesThroughThemAreRefusedAndOthersAreNot() throws {
    let leaf = try Tensor([1.0, 2]).requiringGradient()
    let given = try Tensor([0.0, 0]).withGradients(Tensor([3.0, 4]), by: leaf)
    let first = try #require(try (given + leaf.square()).sum().gradients(by: [leaf], createGraph: true)[0])
    #expect(try first.doubles() == [5, 8])
    #expect(throws: TensorError.self) { try first.sum().gradients(by: [leaf]) }
    let other = try #require(try leaf.square().sum().gradients(by: [leaf], createGraph: true)[0])
    #expect(try other.sum().gradients(by: [leaf])[0]?.doubles() == [2, 2])
  }

  @Test func shapesThatDoNotFitAreRefused() throws {
    let input = try Tensor.zeros([3, 2])
    for (values, slopes) in [([2], [3, 2]), ([3], [3]), ([3, 1], [3, 2])] {
      #expect(throws: TensorError.self) { try Tensor.zeros(values).withGradients(.zeros(slopes), by: input) }
    }
  }
}

// MARK: Kernels in Float32

/// Logits from −120 to 120, beyond where an exponential is a Float's smallest number, with grey targets; more than a block and no whole
/// number of vectors.
private func logitsAndTargets() throws -> (logits: Tensor, targets: Tensor) {
  let count = 9_001
  let logits = (0..<count).map { Float(-120 + 240 * Double($0) / Double(count - 1)) }
  let targets = (0..<count).map { Float($0 * 7 % 11) / 10 }
  return (try Tensor(logits, shape: [1, count]), try Tensor(targets, shape: [1, count]))
}

@Test(arguments: [Reduction.none, .mean, .sum])
func binaryCrossEntropyOfFloatsIsThatOfDoubles(reduction: Reduction) throws {
  let (logits, targets) = try logitsAndTargets()
  let x = try logits.requiringGradient()
  let value = try x.binaryCrossEntropyOfLogits(targets, reduction)
  let exactInput = try logits.to(.float64).requiringGradient()
  let exact = try exactInput.binaryCrossEntropyOfLogits(targets.to(.float64), reduction)
  for (found, expected) in try zip(value.doubles(), exact.doubles()) {
    #expect(abs(found - expected) <= 1e-6 * max(abs(expected), 1e-3), "\(found) \(expected)")
  }
  // Slopes of an outer factor that differs from value to value.
  let factor = reduction == .none ? try logits.sin().detached() : try Tensor([Float(3)]).squeezed(0)
  let slopes = try #require(try (value * factor).sum().gradients(by: [x])[0]).doubles()
  let exactSlopes = try #require(
    try (exact * factor.to(.float64)).sum().gradients(by: [exactInput])[0]
  ).doubles()
  #expect(maximumDifference(slopes, exactSlopes) <= (reduction == .mean ? 1e-10 : 4e-7))
}

@Test func binaryCrossEntropyDoesNotDependOnThreadsAndKeepsWhatIsNotANumber() throws {
  let (logits, targets) = try logitsAndTargets()
  let threads = Torch.threadCount
  defer { Torch.threadCount = threads }
  let sums = try [1, 2, 3].map { count -> Double in
    Torch.threadCount = count
    return try logits.binaryCrossEntropyOfLogits(targets, .sum).item()
  }
  #expect(Set(sums).count == 1)
  let broken = try Tensor([Float.nan, 1, -Float.infinity], shape: [3])
  let found = try broken.binaryCrossEntropyOfLogits(Tensor([Float(0), 0, 1], shape: [3]), .none).doubles()
  #expect(found[0].isNaN && abs(found[1] - log(1 + exp(1))) < 1e-6 && found[2] == .infinity)
}

/// Without it, products of small numbers stay above zero down to 1e-45.
@Test func subnormalNumbersAreFlushedOnAllThreads() throws {
  Torch.flushSubnormals()
  let small = try Tensor(Array(repeating: Float(1e-30), count: 200_000))
  #expect(try (small * 1e-10).max().item() as Double == 0)
  #expect(try (small * 1e-7).min().item() as Double > 0)
}

/// The bias has its gradient from a sum of its own.
@Test(arguments: Layout.allCases)
func transposedConvolutionsWithABiasHaveTheirDerivatives(layout: Layout) throws {
  let x = try layout.apply(draws([3, 4, 3, 3], seed: 1))
  let (weight, bias) = try (draws([4, 2, 2, 2], seed: 2), draws([2], seed: 3))
  #expect(try gradientError([x, weight, bias]) { try x.convolvedTransposed(weight, bias: bias, stride: 2) } < 1e-6)
}
