import Foundation
import Testing
import Torch

private func newScope(_ dtype: DType = .float64, training: Bool = false) throws -> Scope {
  let scope = try Scope(path: "", seed: 5, dtype: dtype)
  scope.mode.isTraining = training
  return scope
}

@Test func linearIsASumOfProducts() throws {
  let layer = try Linear(5, 3, in: newScope())
  let input = try draws([4, 5], seed: 1)
  let (x, w, b) = (try input.doubles(), try layer.weight.doubles(), try #require(layer.bias).doubles())
  var expected: [Double] = []
  for (row, output) in (0..<12).map({ ($0 / 3, $0 % 3) }) {
    expected.append((0..<5).reduce(b[output]) { sum, input in sum + x[row * 5 + input] * w[output * 5 + input] })
  }
  #expect(try maximumDifference(layer(input).doubles(), expected) < 1e-12)
}

@Test(arguments: [(1, 1, 0), (3, 1, 1), (3, 2, 1), (3, 1, 0), (4, 2, 1), (5, 3, 2)], Layout.allCases)
func convolutionMatchesItsLoop(sizes: (size: Int, stride: Int, padding: Int), layout: Layout) throws {
  for (channels, outputs) in [(1, 4), (3, 1), (3, 5)] {
    for hasBias in [true, false] {
      let layer = try Convolution(
        channels, outputs, size: sizes.size, stride: sizes.stride, padding: sizes.padding, bias: hasBias, in: newScope()
      )
      let input = try layout.apply(draws([2, channels, 7, 6], seed: 2))
      let expected = try Plain(input).convolved(
        Plain(layer.weight), bias: layer.bias?.doubles(), stride: sizes.stride, padding: sizes.padding)
      #expect(try maximumDifference(layer(input), expected) < 1e-12)
    }
  }
}

@Test(arguments: [(2, 2, 0), (3, 1, 1), (4, 2, 1), (3, 2, 0), (1, 1, 0)], Layout.allCases)
func transposedConvolutionMatchesItsLoop(sizes: (size: Int, stride: Int, padding: Int), layout: Layout) throws {
  for (channels, outputs) in [(1, 4), (3, 1), (3, 5)] {
    for hasBias in [true, false] {
      let layer = try TransposedConvolution(
        channels, outputs, size: sizes.size, stride: sizes.stride, padding: sizes.padding, bias: hasBias, in: newScope()
      )
      let input = try layout.apply(draws([2, channels, 4, 5], seed: 3))
      let expected = try Plain(input).convolvedTransposed(
        Plain(layer.weight), bias: layer.bias?.doubles(), stride: sizes.stride, padding: sizes.padding)
      #expect(try maximumDifference(layer(input), expected) < 1e-12)
    }
  }
}

@Test func convolutionKeepsTheSizeUnlessAskedOtherwise() throws {
  let input = try draws([1, 2, 9, 8], seed: 1)
  for size in [1, 3, 5] {
    #expect(try Convolution(2, 4, size: size, in: newScope())(input).shape == [1, 4, 9, 8])
  }
}

@Test func convolutionsStayChannelsLast() throws {
  let scope = try newScope(.float32)
  let input = try draws([2, 3, 8, 8], seed: 1, dtype: .float32).channelsLast()
  let wide = try Convolution(3, 16, size: 3, in: scope("a"))
  #expect(wide.weight.isChannelsLast)
  #expect(try wide(input).isChannelsLast)
  let norm = try BatchNorm(16, relu: true, in: scope("b"))
  #expect(try norm(wide(input)).isChannelsLast)
  #expect(try TransposedConvolution(3, 8, size: 2, stride: 2, in: scope("c"))(input).isChannelsLast)
}

@Test(arguments: Layout.allCases) func poolingTakesTheGreatestOrTheMean(layout: Layout) throws {
  let input = try layout.apply(draws([2, 3, 6, 5], seed: 4))
  let plain = try Plain(input)
  for size in [2, 3] {
    var (greatest, mean) = (Plain([2, 3, 6 / size, 5 / size]), Plain([2, 3, 6 / size, 5 / size]))
    Plain.forEach(mean.shape) { n, c, y, x in
      let window = (0..<(size * size)).map { plain[n, c, y * size + $0 / size, x * size + $0 % size] }
      greatest[n, c, y, x] = window.max() ?? 0
      mean[n, c, y, x] = window.reduce(0, +) / Double(size * size)
    }
    #expect(try maximumDifference(MaxPool(size)(input), greatest) == 0)
    #expect(try maximumDifference(AveragePool(size)(input), mean) < 1e-12)
  }
  var overlapping = Plain([2, 3, 4, 3])
  Plain.forEach(overlapping.shape) { n, c, y, x in
    overlapping[n, c, y, x] = (0..<9).map { plain[n, c, y + $0 / 3, x + $0 % 3] }.max() ?? 0
  }
  #expect(try maximumDifference(input.maxPooled(3, stride: 1), overlapping) == 0)
}

@Test func adaptivePoolingTakesTheMeansOfCells() throws {
  let input = try draws([2, 3, 6, 4], seed: 4)
  let plain = try Plain(input)
  var expected = Plain([2, 3, 3, 2])
  Plain.forEach(input.shape) { n, c, y, x in expected[n, c, y / 2, x / 2] += plain[n, c, y, x] / 4 }
  #expect(try maximumDifference(input.averagePooled(to: 3, 2), expected) < 1e-12)
}

@Test(arguments: Layout.allCases) func nearestUpsamplingRepeatsPixels(layout: Layout) throws {
  let input = try layout.apply(draws([2, 3, 4, 3], seed: 5))
  let plain = try Plain(input)
  var expected = Plain([2, 3, 12, 9])
  Plain.forEach(expected.shape) { n, c, y, x in expected[n, c, y, x] = plain[n, c, y / 3, x / 3] }
  #expect(try maximumDifference(Upsample(3)(input), expected) == 0)
}

@Test(arguments: Layout.allCases) func bilinearUpsamplingMixesTheFourNearestPixels(layout: Layout) throws {
  let input = try layout.apply(draws([2, 3, 4, 3], seed: 6))
  let plain = try Plain(input)
  var expected = Plain([2, 3, 8, 6])
  Plain.forEach(expected.shape) { n, c, y, x in
    // A pixel is a square: its centre lies at a half, and the border repeats.
    func source(_ place: Int, _ length: Int) -> (Int, Int, Double) {
      let center = max((Double(place) + 0.5) / 2 - 0.5, 0)
      let low = min(Int(center), length - 1)
      return (low, min(low + 1, length - 1), center - Double(low))
    }
    let ((top, bottom, down), (left, right, across)) = (source(y, 4), source(x, 3))
    expected[n, c, y, x] =
      (1 - down) * ((1 - across) * plain[n, c, top, left] + across * plain[n, c, top, right])
      + down * ((1 - across) * plain[n, c, bottom, left] + across * plain[n, c, bottom, right])
  }
  #expect(try maximumDifference(Upsample(2, .bilinear)(input), expected) < 1e-12)
}

@Test func dropoutKeepsTheMeanAndScalesWhatItKeeps() throws {
  let layer = try Dropout(0.3, in: newScope(.float32, training: true))
  let values = try layer(.ones([200_000])).floats()
  #expect(Set(values) == [0, 1 / 0.7])
  // The mean of n draws has deviation sqrt(0.3 / 0.7 / n) = 0.0015; five of them are allowed.
  #expect(abs(values.reduce(0) { $0 + Double($1) } / 200_000 - 1) < 0.0075)
}

@Test func dropoutIsOffInEvaluation() throws {
  let input = try draws([50], seed: 1)
  #expect(try Dropout(0.9, in: newScope())(input).doubles() == input.doubles())
  #expect(try Dropout(0, in: newScope(training: true))(input).doubles() == input.doubles())
}

@Test func dropoutDropsTheGradientsOfWhatItDrops() throws {
  let layer = try Dropout(0.5, in: newScope(training: true))
  let input = try Tensor.ones([64], dtype: .float64).requiringGradient()
  let output = try layer(input)
  let gradient = try #require(try output.sum().gradients(by: [input])[0])
  #expect(try gradient.doubles() == output.doubles())
}

@Test func dropoutRefusesRatesThatLeaveNothing() throws {
  for rate in [-0.1, 1, 1.5, .nan] {
    #expect(throws: TensorError.self) { try Dropout(rate, in: newScope()) }
  }
}

@Test(arguments: Layout.allCases) func preluHasASlopePerChannel(layout: Layout) throws {
  let scope = try newScope()
  let layer = try Activation.prelu.layer(channels: 3, in: scope)
  let slope = try #require(scope.store.parameters.first).tensor
  #expect(try slope.doubles() == [0.25, 0.25, 0.25])
  try slope.copyInPlace(Tensor([0.1, -0.2, 0.7]))
  let input = try layout.apply(draws([2, 3, 4, 5], seed: 7))
  var expected = try Plain(input)
  let slopes = [0.1, -0.2, 0.7]
  Plain.forEach(expected.shape) { n, c, y, x in
    if expected[n, c, y, x] < 0 { expected[n, c, y, x] *= slopes[c] }
  }
  #expect(try maximumDifference(layer(input), expected) < 1e-12)
}

@Test func activationsAreTheirFormulas() throws {
  let input = try draws([3, 4], seed: 8)
  let x = try input.doubles()
  let sums = (0..<3).map { row in (0..<4).reduce(0) { $0 + exp(x[row * 4 + $1]) } }
  let expected: [(Activation, [Double])] = [
    (.none, x), (.relu, x.map { max($0, 0) }), (.leakyReLU, x.map { $0 < 0 ? 0.01 * $0 : $0 }),
    (.prelu, x.map { $0 < 0 ? 0.25 * $0 : $0 }), (.sigmoid, x.map { 1 / (1 + exp(-$0)) }),
    (.tanh, x.map { (exp($0) - exp(-$0)) / (exp($0) + exp(-$0)) }), (.softplus, x.map { log(1 + exp($0)) }),
    (.softmax, x.indices.map { exp(x[$0]) / sums[$0 / 4] }),
  ]
  #expect(Set(expected.map(\.0)) == Set(Activation.allCases))
  for (activation, values) in expected {
    let layer = try activation.layer(channels: 4, in: newScope())
    #expect(try maximumDifference(layer(input).doubles(), values) < 1e-12, "\(activation)")
  }
}

@Test func aSequentialRunsItsLayersInOrder() throws {
  let scope = try newScope()
  let (first, second) = try (Linear(4, 6, in: scope("a")), Linear(6, 2, in: scope("b")))
  let input = try draws([3, 4], seed: 9)
  let expected = try second(first(input).tanh())
  let sequential = try Sequential(first, Activation.tanh.layer(channels: 6, in: scope), second)
  #expect(try sequential(input).doubles() == expected.doubles())
  #expect(try Sequential([])(input).doubles() == input.doubles())
}

@Test func flattenAndUnflattenUndoEachOther() throws {
  let images = try draws([2, 3, 4, 5], seed: 10)
  let flat = try Flatten()(images)
  #expect(flat.shape == [2, 60])
  let back = try Unflatten([3, 4, 5])(flat)
  #expect(back.isChannelsLast)
  #expect(try back.doubles() == images.doubles())
  #expect(try Flatten()(back).doubles() == flat.doubles())
}

@Test(arguments: [(3, 3, 1), (3, 5, 1), (3, 5, 2), (4, 4, 2)], [false, true])
func aResidualBlockIsItsFormula(sizes: (channels: Int, outputs: Int, stride: Int), training: Bool) throws {
  let scope = try newScope(training: training)
  let block = try ResidualBlock(sizes.channels, sizes.outputs, stride: sizes.stride, in: scope("block"))
  // Away from the start values, where a mistaken weight or running statistic would not show.
  for (index, parameter) in scope.store.parameters.enumerated() where parameter.name.contains("norm") {
    try parameter.tensor.copyInPlace(draws(parameter.tensor.shape, seed: UInt64(20 + index)).abs() + 0.5)
  }
  let tensors = Dictionary(uniqueKeysWithValues: scope.store.parameters.map { ($0.name, $0.tensor) })
  func norm(_ x: Plain, _ name: String, residual: Plain? = nil, relu: Bool) throws -> Plain {
    func values(_ key: String) throws -> [Double] { try #require(tensors["block.\(name).\(key)"]).doubles() }
    let moments = x.channelMoments()
    return try x.normalised(
      means: training ? moments.means : values("runningMean"),
      variances: training ? moments.variances : values("runningVariance"), weight: values("weight"),
      bias: values("bias"), epsilon: 1e-5, residual: residual, relu: relu)
  }
  func weight(_ name: String) throws -> Plain { try Plain(#require(tensors["block.\(name).weight"])) }

  let input = try draws([3, sizes.channels, 6, 4], seed: 11).channelsLast()
  let x = try Plain(input)
  let hidden = try norm(x.convolved(weight("conv1"), stride: sizes.stride, padding: 1), "norm1", relu: true)
  let hasShortcut = sizes.channels != sizes.outputs || sizes.stride != 1
  #expect(tensors.keys.contains { $0.contains("shortcut") } == hasShortcut)
  let shortcut =
    hasShortcut
    ? try norm(x.convolved(weight("shortcut.conv"), stride: sizes.stride, padding: 0), "shortcut.norm", relu: false) : x
  let expected = try norm(
    hidden.convolved(weight("conv2"), stride: 1, padding: 1), "norm2", residual: shortcut, relu: true)
  #expect(try maximumDifference(block(input), expected) < 1e-10)
}
