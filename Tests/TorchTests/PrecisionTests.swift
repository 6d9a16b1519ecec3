import Testing
import Torch

/// Rounded to BFloat16, so that nothing is lost where it is taken as such.
private func rounded(_ tensor: Tensor) throws -> Tensor { try tensor.to(.bfloat16).to(.float32) }

private func values(_ shape: [Int], seed: UInt64) throws -> Tensor {
  try rounded(draws(shape, seed: seed, dtype: .float32))
}

/// Half a unit in the last place of 8 bits, for numbers up to `largest`, and what sums lose.
private func expectNear(_ found: Tensor, _ expected: Tensor, _ what: String) throws {
  let (found, expected) = (try found.to(.float64), try expected.to(.float64))
  let slack = try expected.abs().max().item() * 0.02 + 1e-3
  #expect(try (found - expected).abs().max().item() < slack, "\(what)")
}

@Suite struct HalfPrecision {
  private typealias Operation = @Sendable ([Tensor]) throws -> Tensor

  private static let operations: [(name: String, shapes: [[Int]], run: Operation)] = [
    ("linear", [[6, 20], [7, 20], [7]], { try $0[0].linear($0[1], bias: $0[2]) }),
    (
      "convolution", [[3, 4, 9, 8], [6, 4, 3, 3], [6]],
      {
        try $0[0].channelsLast().convolved($0[1], bias: $0[2], stride: 2, padding: 1)
      }
    ),
    (
      "1x1 convolution", [[3, 8, 5, 5], [1, 8, 1, 1], [1]],
      {
        try $0[0].channelsLast().convolved($0[1], bias: $0[2], stride: 1, padding: 0)
      }
    ),
    (
      "transposed convolution", [[3, 5, 4, 4], [5, 6, 2, 2], [6]],
      {
        try $0[0].channelsLast().convolvedTransposed($0[1], bias: $0[2], stride: 2, padding: 0)
      }
    ),
  ]

  @Test(arguments: [Precision.bf16, .float16])
  func layersComputeInHalfPrecisionAndGradientsAreFloat32(precision half: Precision) throws {
    for (name, shapes, run) in Self.operations {
      let given = try shapes.enumerated().map {
        try values($1, seed: UInt64($0 + 1)).requiringGradient(true)
      }
      func pass(_ precision: Precision) throws -> (output: Tensor, gradients: [Tensor?]) {
        let output = try precision.computing { try run(given) }
        #expect(output.dtype == [.bf16: .bfloat16, .float16: .float16][precision, default: .float32], "\(name)")
        let sum = try (output.to(.float32) * values(output.shape, seed: 9)).sum()
        return (output, try sum.gradients(by: given))
      }
      let (half, full) = (try pass(half), try pass(.float32))
      try expectNear(half.output, full.output, name)
      #expect(try half.output.to(.float32).bytes() != full.output.bytes(), "\(name)")
      for (place, (half, full)) in zip(half.gradients, full.gradients).enumerated() {
        let (half, full) = (try #require(half), try #require(full))
        #expect(half.dtype == .float32)
        try expectNear(half, full, "\(name), gradient \(place)")
      }
    }
  }

  @Test(arguments: [Precision.bf16, .float16]) func factorsAreRounded(precision half: Precision) throws {
    let dtype = half == .bf16 ? DType.bfloat16 : .float16
    for (name, shapes, run) in Self.operations {
      let given = try shapes.enumerated().map { try draws($1, seed: UInt64($0 + 1), dtype: .float32) }
      let rounded = try given.map { try $0.to(dtype).to(.float32) }
      let (output, expected) = try half.computing { (try run(given), try run(rounded)) }
      #expect(try output.to(.float32).bytes() == expected.to(.float32).bytes(), "\(name)")
      let exact = try run(rounded)
      // The result is rounded once, to 8 bits or 11.
      let slack = half == .bf16 ? 0.004 : 0.0005
      let error = try (output.to(.float64) - exact.to(.float64)).abs() - exact.to(.float64).abs() * slack
      #expect(try error.max().item() < 1e-5, "\(name)")
    }
  }

  @Test func whatHalfPrecisionIsTooCoarseForIsFloat32() throws {
    let half = try values([4, 6], seed: 1).to(.bfloat16)
    for value in [
      try half.exp(), try half.softmax(axis: 1), try half.mean(), try half.sum(axis: 1), try half.square(),
      try half.squaredError(half + 1, .mean), try half.variance(axes: [0], unbiased: false),
    ] { #expect(value.dtype == .float32) }
    #expect(try half.relu().dtype == .bfloat16 && half.sigmoid().dtype == .bfloat16)
    #expect(try half.mean().item() == half.to(.float32).mean().item())
  }

  /// Parameters stay Float32, also those that no layer narrows.
  @Test func slopesOfNegativeValuesAreTakenInTheirPrecision() throws {
    let half = try values([3, 4, 5], seed: 1).to(.bfloat16).requiringGradient(true)
    let slope = try Tensor([0.25, 0.5, 1, 2] as [Float]).requiringGradient(true)
    let found = try half.prelu(slope: slope)
    #expect(found.dtype == .bfloat16)
    let gradients = try found.to(.float32).sum().gradients(by: [half, slope]).map { try #require($0) }
    #expect(gradients.map(\.dtype) == [.bfloat16, .float32])
    let wide = try half.to(.float32).prelu(slope: slope)
    // These slopes are powers of two, so that nothing is rounded.
    #expect(try found.to(.float32).bytes() == wide.bytes())
  }

  @Test func dropoutZeroesTheSameValuesInHalfPrecision() throws {
    func dropped(_ dtype: DType) throws -> Tensor {
      let scope = try Scope(path: "dropout")
      scope.mode.isTraining = true
      return try Dropout(0.1, in: scope)(Tensor.ones([20_000], dtype: .float32).to(dtype)).to(.float32)
    }
    let (half, full) = (try dropped(.bfloat16), try dropped(.float32))
    #expect(try half.bytes() == full.to(.bfloat16).to(.float32).bytes())
  }

  @Test func thePrecisionEndsWithItsBlock() throws {
    struct Stop: Error {}
    let (x, weight) = (try values([2, 3], seed: 1), try values([4, 3], seed: 2))
    func made() throws -> DType {
      let output = try x.linear(weight, bias: nil)
      return output.dtype
    }
    let inside = try Precision.bf16.computing {
      [try made(), try Precision.bf16.computing { try made() }, try made()]
    }
    #expect(inside == [.bfloat16, .bfloat16, .bfloat16])
    #expect(try made() == .float32)
    func stop() throws { throw Stop() }
    #expect(throws: Stop.self) { try Precision.bf16.computing { try stop() } }
    #expect(try made() == .float32)
  }

  /// Whether a residual is added, a ReLU and maxima follow, and the layer trains.
  struct Norm: CustomStringConvertible, Sendable {
    let shape: [Int], residual: Bool, relu: Bool, pool: Int, training: Bool
    var description: String { "\(shape) residual \(residual), relu \(relu), pool \(pool), training \(training)" }

    static let all = [[5, 16, 6, 6], [4, 3, 5, 7], [7, 33]].flatMap { shape in
      [(false, false, 1), (false, true, 1), (true, true, 1), (true, false, 1), (false, true, 2)].filter {
        $0.2 == 1 || shape.count == 4
      }.flatMap { kind in
        [true, false].map {
          Norm(shape: shape, residual: kind.0, relu: kind.1, pool: kind.2, training: $0)
        }
      }
    }
  }

  @Test(arguments: Norm.all) func batchNormalisationTakesHalfPrecision(norm: Norm) throws {
    func layer() throws -> BatchNorm {
      let scope = try Scope(path: "norm")
      scope.mode.isTraining = norm.training
      let layer = try BatchNorm(norm.shape[1], relu: norm.relu, pool: norm.pool, in: scope)
      try layer.weight.copyInPlace(draws([norm.shape[1]], seed: 1, dtype: .float32).abs() + 0.5)
      try layer.bias.copyInPlace(draws([norm.shape[1]], seed: 2, dtype: .float32))
      return layer
    }
    let isImage = norm.shape.count == 4
    func pass(_ dtype: DType) throws -> (output: Tensor, gradients: [Tensor], layer: BatchNorm) {
      let layer = try layer()
      func given(_ seed: UInt64) throws -> Tensor {
        let values = try values(norm.shape, seed: seed).to(dtype)
        return try (isImage ? values.channelsLast() : values).requiringGradient(true)
      }
      let (x, residual) = (try given(5), norm.residual ? try given(6) : nil)
      let output = try layer(x, adding: residual)
      #expect(output.dtype == dtype)
      let sum = try (output.to(.float32) * values(output.shape, seed: 7)).sum()
      let places = [x, layer.weight, layer.bias] + [residual].compactMap { $0 }
      return (output, try sum.gradients(by: places).map { try #require($0) }, layer)
    }
    let (half, full) = (try pass(.bfloat16), try pass(.float32))
    // The same inputs, computed in Float32: only the results are rounded, to 8 bits.
    func expectRounded(_ half: Tensor, _ full: Tensor, _ what: String) throws {
      let difference = try (half.to(.float64) - full.to(.float64)).abs() - full.to(.float64).abs() / 200
      #expect(try difference.max().item() < 1e-5, "\(what)")
    }
    try expectRounded(half.output, full.output, "outputs")
    #expect(half.gradients[0].dtype == .bfloat16 && half.gradients[1].dtype == .float32)
    for (place, (half, full)) in zip(half.gradients, full.gradients).enumerated() {
      // Where a sum is at the edge of the ReLU, its rounding may fall on either side; sums over the batch see few of these.
      if place == 0 || place == 3 {
        try expectRounded(half, full, "gradient \(place)")
      } else {
        try expectNear(half, full, "gradient \(place)")
      }
    }
    #expect(try half.layer.runningMean.bytes() == full.layer.runningMean.bytes())
    #expect(try half.layer.runningVariance.bytes() == full.layer.runningVariance.bytes())
  }

  @Test func notANumberStaysOne() throws {
    let layer = try BatchNorm(2, relu: true, in: Scope(path: "norm"))
    let x = try Tensor([1, .nan, 2, 3] as [Float], shape: [2, 2]).to(.bfloat16)
    #expect(try layer(x).to(.float32).isNaN().any())
  }
}

/// Switches of the whole process, which no operation on a CPU reads.
@Suite(.serialized) struct TF32 {
  @Test func itIsAllowedForwardAndBackwardAndNowhereElse() throws {
    #expect(!Torch.allowsTF32)
    let seen = Precision.tf32.computing {
      (Torch.allowsTF32, Precision.tf32.differentiating { Torch.allowsTF32 }, Torch.allowsTF32)
    }
    #expect(seen == (true, true, true) && !Torch.allowsTF32)
    #expect(Precision.tf32.differentiating { Torch.allowsTF32 } && !Torch.allowsTF32)
    for precision in Precision.allCases where precision != .tf32 {
      #expect(!precision.computing { Torch.allowsTF32 } && !precision.differentiating { Torch.allowsTF32 })
    }
  }

  @Test func devicesHaveWhatIsFastOnThem() {
    let cpu = Precision.allCases.filter { $0.isAvailable(on: .cpu) }
    #expect(cpu == [.float32, .bf16] && Precision.allCases.allSatisfy { $0.isAvailable(on: .cuda) })
    #expect(Precision.allCases.filter { $0.isAvailable(on: .mps) } == [.float32])
    // Measured where processors differ.
    #expect(Precision.float32.gain(on: .cpu) == 1 && Precision.bf16.gain(on: .cuda) == 1)
    let gain = Precision.bf16.gain(on: .cpu)
    #expect(gain > 0 && gain.isFinite)
  }
}
