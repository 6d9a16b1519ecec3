import LatentKit
import Testing

/// Counts how often it runs.
final class Counting: Encoder, Decoder, @unchecked Sendable {
  typealias Config = NoConfig
  var encoded = 0
  var decoded = 0
  let code: Code
  init(_ config: NoConfig, in context: BuildContext) throws { code = .point(try .zeros([1, 1])) }
  init(code: Code) { self.code = code }
  var latentSize: Int { code.center.shape[1] }
  func encode(_ inputs: Tensor) -> Code {
    encoded += 1
    return code
  }
  func decode(_ latents: Tensor) throws -> Tensor {
    decoded += 1
    return try latents * 2
  }
}

struct Flat: Prior {
  typealias Config = NoConfig
  init(_ config: NoConfig = NoConfig(), in context: BuildContext) {}
  init() {}
  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor { try latents.sum(axis: 1) * 0 }
}

struct PlusOne: LatentNoise {
  typealias Config = NoConfig
  init(_ config: NoConfig, in context: BuildContext) {}
  init() {}
  func perturb(_ latents: Tensor, using generator: inout Generator) throws -> Tensor { try latents + 1 }
}

@Suite struct Forwards {
  private func forward(_ part: Counting, training: Bool, noise: (any LatentNoise)? = nil, labels: Tensor? = nil) throws
    -> Forward
  {
    var generator = try Generator(seed: 1)
    let model = Model(encoder: part, decoder: part, prior: Flat(), noise: noise)
    return Forward(
      Batch(inputs: try .ones([2, 3]), labels: labels), through: model, training: training, using: &generator)
  }

  @Test func eachPartRunsOnceAndOnlyWhenAsked() throws {
    let part = Counting(code: .point(try .ones([2, 3])))
    let pass = try forward(part, training: true)
    _ = try pass.latents
    #expect(part.encoded == 1 && part.decoded == 0)
    for _ in 0..<3 { _ = try pass.reconstruction }
    #expect(part.encoded == 1 && part.decoded == 1)
    _ = try pass.reconstructionCode
    #expect(part.encoded == 2)
  }

  @Test func noiseReachesTheDecoderInTrainingOnlyAndNeverTheLatents() throws {
    let part = Counting(code: .point(try .ones([2, 3])))
    let training = try forward(part, training: true, noise: PlusOne())
    #expect(try training.latents.floats().allSatisfy { $0 == 1 })
    #expect(try training.reconstruction.floats().allSatisfy { $0 == 4 })
    #expect(try forward(part, training: false, noise: PlusOne()).reconstruction.floats().allSatisfy { $0 == 2 })
  }

  @Test func aGaussianCodeIsDrawnInTrainingAndCentredElsewhere() throws {
    let mean = try Tensor.full([20_000, 1], 3)
    let code = Code.gaussian(mean: mean, logVariance: try .full([20_000, 1], -1.3862943611198906))  // deviation 0.5
    let part = Counting(code: code)
    let drawn = try forward(part, training: true).latents
    #expect(abs(try drawn.mean().item() - 3) < 0.02)
    #expect(abs(try drawn.variance().item() - 0.25) < 0.01)
    #expect(try forward(part, training: false).latents.floats() == mean.floats())
  }

  @Test func whatAModelLacksIsNamedWithAdvice() throws {
    let part = Counting(code: .point(try .ones([2, 3])))
    let pass = try forward(part, training: true)
    #expect { try pass.scores } throws: { "\($0)".contains("classifier") }
    #expect { try pass.judge(pass.inputs) } throws: { "\($0)".contains("discriminator") }
    #expect { try pass.labels } throws: { "\($0)".contains("labels") }
    #expect { try pass.features } throws: { "\($0)".contains("features") }
  }

  @Test func classMeansAreMeansOfTheirMembers() throws {
    let latents = try Tensor([1, 2, 3, 4, 5, 6] as [Double], shape: [3, 2])
    let set = LatentSet(latents: latents, labels: try Tensor([1, 0, 1] as [Int64]))
    let means = try set.classMeans(3).doubles()
    #expect(Array(means.prefix(4)) == [3, 4, 3, 4])
    #expect(means[4].isNaN && means[5].isNaN)
    #expect(try set.latents(of: 1).doubles() == [1, 2, 5, 6])
  }
}
