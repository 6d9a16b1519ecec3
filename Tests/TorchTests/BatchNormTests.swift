import Testing
import Torch

/// One way to run batch normalisation: what it is given, and how that lies in memory.
private struct Case: CustomStringConvertible {
  let shape: [Int]
  let layout: Layout
  let hasResidual: Bool
  let relu: Bool

  var description: String { "\(shape) \(layout)\(hasResidual ? " residual" : "")\(relu ? " relu" : "")" }

  /// Odd and even channel counts around the width of vector registers, small batches, images and vectors.
  static let all = [1, 3, 17, 64].flatMap { channels in
    (1...5).flatMap { batch in
      [[batch, channels, 3, 2], [batch, channels]].flatMap { shape in
        Layout.allCases.flatMap { layout in
          [(false, false), (false, true), (true, false), (true, true)].map {
            Case(shape: shape, layout: layout, hasResidual: $0.0, relu: $0.1)
          }
        }
      }
    }
  }

  /// With a single value per channel there is no variance to train with.
  var canTrain: Bool { shape.reduce(1, *) > shape[1] }

  func layer(_ dtype: DType = .float64, training: Bool) throws -> BatchNorm {
    let scope = try Scope(path: "norm", dtype: dtype)
    scope.mode.isTraining = training
    let layer = try BatchNorm(shape[1], relu: relu, momentum: 0.3, epsilon: 1e-3, in: scope)
    try layer.weight.copyInPlace(draws([shape[1]], seed: 1))
    try layer.bias.copyInPlace(draws([shape[1]], seed: 2))
    try layer.runningMean.copyInPlace(draws([shape[1]], seed: 3))
    try layer.runningVariance.copyInPlace(draws([shape[1]], seed: 4).abs() + 0.1)
    return layer
  }

  func input(_ dtype: DType = .float64) throws -> Tensor {
    try layout.apply((draws(shape, seed: 5) * 2 + 3).to(dtype))
  }

  func residual(_ dtype: DType = .float64) throws -> Tensor? {
    hasResidual ? try layout.apply(draws(shape, seed: 6).to(dtype)) : nil
  }
}

/// A matrix `[batch, channels]` as images of one pixel.
private func images(_ tensor: Tensor) throws -> Plain {
  var plain = try Plain(tensor)
  if plain.shape.count == 2 { plain.shape += [1, 1] }
  return plain
}

private func expectation(_ run: Case, _ layer: BatchNorm, _ input: Tensor, training: Bool) throws -> [Double] {
  let x = try images(input)
  let moments = x.channelMoments()
  return try x.normalised(
    means: training ? moments.means : layer.runningMean.doubles(),
    variances: training ? moments.variances : layer.runningVariance.doubles(), weight: layer.weight.doubles(),
    bias: layer.bias.doubles(), epsilon: 1e-3, residual: run.residual().map(images), relu: run.relu
  ).values
}

@Test func trainingNormalisesByTheBatch() throws {
  for run in Case.all where run.canTrain {
    let (layer, input) = try (run.layer(training: true), run.input())
    let output = try layer(input, adding: run.residual())
    #expect(output.shape == run.shape, "\(run)")
    let difference = try maximumDifference(output.doubles(), expectation(run, layer, input, training: true))
    #expect(difference < 1e-10, "\(run)")
  }
}

@Test func evaluationNormalisesByTheRunningStatistics() throws {
  for run in Case.all {
    let (layer, input) = try (run.layer(training: false), run.input())
    let before = try (layer.runningMean.doubles(), layer.runningVariance.doubles())
    let output = try layer(input, adding: run.residual())
    let difference = try maximumDifference(output.doubles(), expectation(run, layer, input, training: false))
    #expect(difference < 1e-10, "\(run)")
    #expect(try layer.runningMean.doubles() == before.0 && layer.runningVariance.doubles() == before.1, "\(run)")
  }
}

@Test func float32AgreesToItsPrecision() throws {
  for run in Case.all where run.canTrain {
    for training in [true, false] {
      let (layer, input) = try (run.layer(.float32, training: training), run.input(.float32))
      let expected = try expectation(run, layer, input, training: training)
      let difference = try maximumDifference(layer(input, adding: run.residual(.float32)).doubles(), expected)
      // A variance of a few nearly equal values costs digits: values of size 10 keep four of Float32's seven.
      #expect(difference < 2e-3, "\(run) training \(training)")
    }
  }
}

@Test func trainingMovesTheRunningStatistics() throws {
  for run in Case.all where run.canTrain {
    let (layer, input) = try (run.layer(training: true), run.input())
    let (mean, variance) = try (layer.runningMean.doubles(), layer.runningVariance.doubles())
    _ = try layer(input, adding: run.residual())
    let moments = try images(input).channelMoments()
    let count = Double(run.shape.reduce(1, *) / run.shape[1])
    // The running variance takes the unbiased estimate, as PyTorch's does.
    let expectedMean = zip(mean, moments.means).map { $0 * 0.7 + $1 * 0.3 }
    let expectedVariance = zip(variance, moments.variances).map { $0 * 0.7 + $1 * 0.3 * count / (count - 1) }
    #expect(try maximumDifference(layer.runningMean.doubles(), expectedMean) < 1e-12, "\(run)")
    #expect(try maximumDifference(layer.runningVariance.doubles(), expectedVariance) < 1e-10, "\(run)")
  }
}

/// How far the gradients of one case by input, weight, bias and residual are from finite differences.
private func gradientError(_ run: Case, training: Bool, directions: Int?) throws -> Double {
  let (layer, input, residual) = try (run.layer(training: training), run.input(), run.residual())
  let leaves = [input, layer.weight, layer.bias] + (residual.map { [$0] } ?? [])
  return try gradientError(leaves, directions: directions, step: 1e-6) { try layer(input, adding: residual) }
}

@Test(arguments: [true, false]) func batchNormGradientsAgreeAlongRandomDirections(training: Bool) throws {
  for run in Case.all where run.canTrain || !training {
    #expect(try gradientError(run, training: training, directions: 2) < 1e-5, "\(run)")
  }
}

@Test(arguments: [true, false]) func batchNormGradientsAgreeInEveryCoordinate(training: Bool) throws {
  for run in Case.all where run.shape[0] == 3 && run.shape[1] <= 17 {
    #expect(try gradientError(run, training: training, directions: nil) < 1e-5, "\(run)")
  }
}

@Test func gradientsOfOneInputNeedNoOther() throws {
  let run = Case(shape: [3, 5, 2, 2], layout: .channelsLast, hasResidual: true, relu: true)
  for training in [true, false] {
    let layer = try run.layer(training: training)
    let (input, residual) = try (run.input(), #require(try run.residual()))
    try residual.requiringGradient()
    let only = try #require(try layer(input, adding: residual).sum().gradients(by: [residual])[0])
    let mask = try (layer(input, adding: residual) .> 0).to(.float64)
    #expect(try only.doubles() == mask.doubles())
  }
}

@Test func largeBatchesOfManyRowsAgreeToo() throws {
  // Enough positions that sums run in several blocks and on several threads.
  for (shape, layout) in [
    ([8, 17, 41, 37], Layout.channelsLast), ([8, 3, 64, 64], .contiguous), ([3000, 40], .contiguous),
  ] {
    let run = Case(shape: shape, layout: layout, hasResidual: true, relu: true)
    let (layer, input, residual) = try (run.layer(training: true), run.input(), run.residual())
    let difference = try maximumDifference(
      layer(input, adding: residual).doubles(), expectation(run, layer, input, training: true))
    #expect(difference < 1e-10, "\(run)")
    let leaves = try [input, layer.weight, layer.bias, #require(residual)]
    let error = try gradientError(leaves, directions: 1, step: 1e-7) { try layer(input, adding: residual) }
    // Some of the many values cross the kink of the ReLU within a step.
    #expect(error < 1e-3, "\(run)")
  }
}

@Test func valuesFarFromZeroKeepTheirVariance() throws {
  let run = Case(shape: [64, 3, 8, 8], layout: .channelsLast, hasResidual: false, relu: false)
  let layer = try run.layer(.float32, training: true)
  let input = try (draws(run.shape, seed: 5) + 1000).to(.float32).channelsLast()
  let expected = try expectation(run, layer, input, training: true)
  #expect(try maximumDifference(layer(input).doubles(), expected) < 1e-3)
}

@Test func theSameBatchGivesTheSameBits() throws {
  let run = Case(shape: [16, 17, 21, 13], layout: .channelsLast, hasResidual: true, relu: true)
  func once() throws -> [[Double]] {
    let (layer, input, residual) = try (run.layer(training: true), run.input(.float64), run.residual())
    try input.requiringGradient()
    let output = try layer(input, adding: residual)
    let gradients = try output.square().sum().gradients(by: [input, layer.weight, layer.bias])
    return try [output, layer.runningMean, layer.runningVariance].map { try $0.doubles() }
      + gradients.map { try #require($0).doubles() }
  }
  let first = try once()
  for _ in 0..<3 { #expect(try once() == first) }
}

@Test func whatIsNotFiniteStaysVisible() throws {
  for bad in [Double.nan, .infinity] {
    for relu in [false, true] {
      let run = Case(shape: [4, 3, 2, 2], layout: .channelsLast, hasResidual: false, relu: relu)
      let values = try run.input().doubles().enumerated().map { $0.offset == 13 ? bad : $0.element }
      let output = try run.layer(training: true)(Tensor(values, shape: run.shape).channelsLast())
      // Place 13 lies in channel 0 of the second image; the other channels know nothing of it.
      #expect(try !output.select(0, axis: 1).isFinite().all(), "\(bad) relu \(relu)")
      #expect(try output.slice(1..<3, axis: 1).isFinite().all())
    }
  }
}

@Test func batchNormRefusesWhatDoesNotFit() throws {
  let layer = try Case(shape: [2, 3, 4, 4], layout: .contiguous, hasResidual: false, relu: true).layer(training: true)
  let wrong = #expect(throws: TensorError.self) { try layer(draws([2, 5, 4, 4], seed: 1)) }
  #expect(wrong?.operation == "batch normalisation")
  #expect(wrong?.shapes.contains([2, 5, 4, 4]) == true && wrong?.shapes.contains([3]) == true)
  let input = try draws([2, 3, 4, 4], seed: 1)
  let residual = #expect(throws: TensorError.self) { try layer(input, adding: draws([2, 3, 4, 5], seed: 1)) }
  #expect(residual?.shapes.contains([2, 3, 4, 5]) == true)
  // Nothing to estimate a variance from.
  #expect(throws: TensorError.self) { try layer(draws([1, 3], seed: 1)) }
  #expect(throws: TensorError.self) { try layer(draws([1, 3, 1, 1], seed: 1)) }
  #expect(throws: TensorError.self) { try layer(draws([3], seed: 1)) }
}

/// The maximum of each cell, taken by the layer, against the plain layers one after another.
@Test(arguments: [true, false], Layout.allCases)
func maximaOfCellsAreThoseOfTheLayersApart(training: Bool, layout: Layout) throws {
  for (channels, height, width) in [(1, 4, 4), (3, 5, 4), (16, 6, 7), (32, 3, 3), (17, 2, 2)] {
    for hasResidual in [false, true] {
      let run = Case(shape: [3, channels, height, width], layout: layout, hasResidual: hasResidual, relu: true)
      func results(isFused: Bool) throws -> [Tensor] {
        let scope = try Scope(path: "norm", dtype: .float64)
        scope.mode.isTraining = training
        let layer = try BatchNorm(channels, relu: true, pool: isFused ? 2 : 1, epsilon: 1e-3, in: scope)
        try layer.weight.copyInPlace(draws([channels], seed: 1))  // of both signs: a small value may be the largest
        try layer.bias.copyInPlace(draws([channels], seed: 2))
        // Ties are among them: few different values.
        let input = try layout.apply((draws(run.shape, seed: 5) * 2).floor())
        let leaves = [input, layer.weight, layer.bias]
        for leaf in leaves { try leaf.requiringGradient() }
        let output = try layer(input, adding: run.residual())
        let pooled = try isFused ? output : output.maxPooled(2)
        let gradients = try (pooled * draws(pooled.shape, seed: 7)).sum().gradients(by: leaves)
        return try [pooled, layer.runningMean, layer.runningVariance] + gradients.map { try #require($0) }
      }
      for (fused, plain) in try zip(results(isFused: true), results(isFused: false)) {
        #expect(fused.shape == plain.shape, "\(run)")
        #expect(try maximumDifference(fused.doubles(), plain.doubles()) < 1e-12, "\(run)")
      }
    }
  }
}

@Test func maximaKeepWhatIsNotFinite() throws {
  let scope = try Scope(path: "norm")
  scope.mode.isTraining = false
  let layer = try BatchNorm(1, relu: true, pool: 2, in: scope)
  for place in 0..<4 {
    var values: [Float] = [-1, -2, -3, 1]
    values[place] = .nan
    #expect(try layer(Tensor(values, shape: [1, 1, 2, 2]).channelsLast()).doubles()[0].isNaN)
  }
}
