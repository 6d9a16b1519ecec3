import LatentKit
import Testing

/// Counts how often it runs.
final class Counting: Encoder, LatentKit.Decoder, @unchecked Sendable {
  var encoded = 0
  var decoded = 0
  let code: Code
  init(code: Code) { self.code = code }
  var latentSize: Int { code.mean.shape[1] }
  func encode(_ batch: Batch) -> Code {
    encoded += 1
    return code
  }
  func decode(_ request: LatentBatch) throws -> Tensor {
    decoded += 1
    return try request.latents * 2
  }
}

struct Flat: Prior {
  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor { try latents.sum(axis: 1) * 0 }
}

struct PlusOne: LatentNoise {
  func perturb(_ request: LatentBatch, using generator: inout Generator) throws -> Tensor { try request.latents + 1 }
}

@Suite struct Forwards {
  private func forward(_ part: Counting, training: Bool, noise: (any LatentNoise)? = nil, labels: Tensor? = nil) throws
    -> Forward
  {
    let model = Model(encoder: part, decoder: part, prior: Flat(), noise: noise)
    return Forward(
      Batch(inputs: try .ones([2, 3]), labels: labels), through: model, training: training,
      drawing: RandomSource(try Generator(seed: 1)))
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
    #expect { try pass.score(pass.inputs) } throws: { "\($0)".contains("discriminator") }
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

/// A model that notes the labels it is given.
private final class Watching: FeatureEncoder, LatentKit.Decoder, Discriminator, LatentNoise, Classifier {
  let needs: DataNeeds
  var seen: [String: [Int]?] = [:]
  init(needs: DataNeeds) { self.needs = needs }
  var latentSize: Int { 3 }
  private func note(_ part: String, _ labels: Tensor?) throws { seen[part] = .some(try labels?.ints()) }
  func encode(_ batch: Batch) throws -> Code {
    try note("encoder", batch.labels)
    return .point(batch.inputs)
  }
  func features(_ batch: Batch) throws -> [Tensor] {
    try note("features", batch.labels)
    return [batch.inputs]
  }
  func decode(_ request: LatentBatch) throws -> Tensor {
    try note("decoder", request.labels)
    return request.latents
  }
  func score(_ batch: Batch) throws -> Tensor {
    try note("discriminator", batch.labels)
    return try batch.inputs.sum(axis: 1, keep: true)
  }
  func perturb(_ request: LatentBatch, using generator: inout Generator) throws -> Tensor {
    try note("noise", request.labels)
    return request.latents
  }
  func scores(_ request: LatentBatch) throws -> Tensor {
    try note("classifier", request.labels)
    return request.latents
  }
}

/// A loss from a closure.
private struct Made: Loss {
  let make: (Forward) throws -> [Term]
  init(_ make: @escaping (Forward) throws -> [Term]) { self.make = make }
  func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] { try make(forward) }
}

private func bools(_ values: [Bool]) throws -> Tensor { try Tensor(values.map { $0 ? 1 : 0 as Int64 }) .!= 0 }

@Suite struct LabelsOfParts {
  @Test(arguments: [DataNeeds(), .labels, .everyLabel, .images])
  func partsAreShownLabelsOnlyWhereTheyNeedThem(needs: DataNeeds) throws {
    let part = Watching(needs: needs)
    var model = Model(encoder: part, decoder: part, classifier: part, prior: Flat(), noise: part)
    model[.discriminator] = part
    let batch = Batch(inputs: try .ones([2, 3]), labels: try Tensor([1, 0] as [Int64]))
    let pass = Forward(batch, through: model, training: true, drawing: RandomSource(try Generator(seed: 1)))
    _ = try pass.reconstructionCode
    _ = try pass.features
    _ = try pass.score(pass.inputs)
    _ = try pass.scores
    let expected: [Int]? = needs.contains(.labels) ? [1, 0] : nil
    for name in ["encoder", "features", "decoder", "discriminator", "noise"] {
      #expect(try #require(part.seen[name]) == expected, "\(name)")
    }
    // A classifier that saw labels would have nothing to do.
    #expect(try #require(part.seen["classifier"]) == nil)
    #expect(model.decodesByClass == needs.contains(.labels))
  }

  @Test func partsThatNeedLabelsAreShownWhichAreHidden() throws {
    /// Takes down the masks that it is shown.
    final class Masked: Encoder, LatentKit.Decoder, Discriminator, LatentNoise {
      let latentSize = 3
      let needs = DataNeeds.labels
      var seen: [[Bool]?] = []
      func note(_ mask: Tensor?) throws { seen.append(try mask?.to(.int64).ints().map { $0 == 1 }) }
      func encode(_ batch: Batch) throws -> Code {
        try note(batch.labelled)
        return .point(batch.inputs)
      }
      func decode(_ request: LatentBatch) throws -> Tensor {
        try note(request.labelled)
        return request.latents
      }
      func score(_ batch: Batch) throws -> Tensor {
        try note(batch.labelled)
        return try batch.inputs.sum(axis: 1, keep: true)
      }
      func perturb(_ request: LatentBatch, using generator: inout Generator) throws -> Tensor {
        try note(request.labelled)
        return request.latents
      }
    }
    let part = Masked()
    var model = Model(encoder: part, decoder: part, prior: Flat(), noise: part)
    model[.discriminator] = part
    let batch = Batch(
      inputs: try .ones([2, 3]), labels: try Tensor([0, 4] as [Int64]), labelled: try bools([false, true]))
    let pass = Forward(batch, through: model, training: true, drawing: RandomSource(try Generator(seed: 1)))
    _ = try pass.score(pass.reconstruction)
    // Encoder, noise, decoder, discriminator.
    #expect(part.seen == Array(repeating: [false, true], count: 4))
  }
}

@Suite struct Reductions {
  private let values = [3.0, 5, 7, 11]

  private func reduced(
    _ loss: Made, labelled: [Bool]? = nil, weights: [Float]? = nil
  ) throws -> [Double] {
    let part = Counting(code: .point(try .ones([4, 2])))
    let batch = Batch(
      inputs: try .ones([4, 2]), labels: try Tensor([1, 0, 2, 0] as [Int64]), labelled: try labelled.map(bools),
      weights: try weights.map { try Tensor($0) })
    let pass = Forward(
      batch, through: Model(encoder: part, prior: Flat()), training: true,
      drawing: RandomSource(try Generator(seed: 1)))
    return try pass.reduced(loss, under: Flat()).map { try $0.value.item() }
  }

  @Test func aLossThatReadsLabelsIsOverTheLabelledExamples() throws {
    let values = try Tensor(self.values)
    let reading = Made { forward in
      _ = try forward.labels
      return [.perExample("a", values), .perExample("b", values, .sum), .perExample("c", values, over: .all)]
    }
    #expect(try reduced(reading, labelled: [true, false, true, false]) == [5, 10, 26.0 / 4])
    #expect(try reduced(reading) == [26.0 / 4, 26, 26.0 / 4])
    let blind = Made { _ in [.perExample("a", values), .perExample("c", values, over: .labelled)] }
    #expect(try reduced(blind, labelled: [true, false, true, false]) == [26.0 / 4, 5])
    // Weights go with the mask: (2 · 3 + 0.5 · 7) / 2.5.
    #expect(try reduced(reading, labelled: [true, false, true, false], weights: [2, 9, 0.5, 9])[0] == 9.5 / 2.5)
  }

  @Test func oneLossesReadingOfLabelsDoesNotMarkTheNext() throws {
    let values = try Tensor(self.values)
    let part = Counting(code: .point(try .ones([4, 2])))
    let batch = Batch(
      inputs: try .ones([4, 2]), labels: try Tensor([1, 0, 2, 0] as [Int64]),
      labelled: try bools([true, false, false, false]))
    let pass = Forward(
      batch, through: Model(encoder: part, prior: Flat()), training: true,
      drawing: RandomSource(try Generator(seed: 1)))
    let reading = Made { forward in
      _ = try forward.labels
      return [.perExample("a", values)]
    }
    #expect(try pass.reduced(reading, under: Flat())[0].value.item() == 3)
    #expect(try pass.reduced(Made { _ in [.perExample("b", values)] }, under: Flat())[0].value.item() == 26.0 / 4)
  }

  @Test func aTermOfTheWholeBatchCannotReadLabelsOfWhichSomeAreHidden() throws {
    let scalar = try Tensor.scalar(2)
    let reading = Made { forward in
      _ = try forward.labels
      return [.batch("moments", scalar)]
    }
    #expect { try reduced(reading, labelled: [true, false, true, false]) } throws: {
      $0 is RecipeError && "\($0)".contains("term 'moments'") && "\($0)".contains("data.labelled")
    }
    #expect(try reduced(reading) == [2])
    #expect(try reduced(reading, weights: [1, 2, 3, 4]) == [2])
    #expect(try reduced(Made { _ in [.batch("moments", scalar)] }, labelled: [true, false, true, false]) == [2])
  }
}

@Suite struct Lending {
  private func pass(_ random: RandomSource, training: Bool = true) throws -> Forward {
    let code = Code.gaussian(mean: try .zeros([2, 3]), logVariance: try .zeros([2, 3]))
    let part = Counting(code: code)
    return Forward(
      Batch(inputs: try .ones([2, 3]), labels: nil),
      through: Model(encoder: part, decoder: part, prior: Flat(), noise: PlusOne()), training: training,
      drawing: random)
  }

  /// Two draws of a plain generator: the code's, then the borrower's.
  private func plain() throws -> [[Float]] {
    var generator = try Generator(seed: 8)
    return try (0..<3).map { _ in try generator.normal([2, 3]).floats() }
  }

  @Test func aBorrowerMayReadThePassWhileItDraws() throws {
    let expected = try plain()
    let pass = try pass(RandomSource(Generator(seed: 8)))
    // The shape is read from latents that are drawn for it, from the stream that is being asked.
    let drawn = try pass.random.normal(pass.latents.shape)
    #expect(try pass.latents.floats() == expected[0])
    #expect(try drawn.floats() == expected[1])
    _ = try pass.reconstruction
    #expect(try pass.random.normal([2, 3]).floats() == expected[2])
  }

  @Test func anotherStreamThatIsLentLeavesTheOwnOneAlone() throws {
    let expected = try plain()
    let pass = try pass(RandomSource(Generator(seed: 8)))
    var other = try Generator(seed: 9)
    let lent = RandomSource(other)
    let borrowed = try pass.lending(lent) {
      // Codes keep the pass's own stream.
      (try pass.random.normal([4]).floats(), try pass.latents.floats(), try pass.random.uniform([2]).floats())
    }
    #expect(try borrowed.0 == other.normal([4]).floats())
    #expect(borrowed.1 == expected[0])
    #expect(try borrowed.2 == other.uniform([2]).floats())
    #expect(try pass.random.normal([2, 3]).floats() == expected[1])
    // The own stream is back after an error, too.
    struct Failure: Error {}
    #expect(throws: Failure.self) { try pass.lending(lent) { throw Failure() } }
    #expect(try pass.random.normal([2, 3]).floats() == expected[2])
  }

  @Test func aForkIsAGeneratorOfItsOwnThatFollowsTheStream() throws {
    let (one, two) = (RandomSource(try Generator(seed: 3)), RandomSource(try Generator(seed: 3)))
    var (a, b) = (try one.fork(), try two.fork())
    let first = try a.normal([4]).floats()
    #expect(try b.normal([4]).floats() == first)
    var next = try one.fork()
    #expect(try next.normal([4]).floats() != first)
  }
}

/// Counts its passes, and gives twice and three times its input as features and code.
private final class PassCounter: FeatureEncoder, LatentKit.Decoder {
  var passes: [String] = []
  var latentSize: Int { 3 }
  func encode(_ batch: Batch) throws -> Code {
    passes.append("code")
    return .point(try batch.inputs * 3)
  }
  func features(_ batch: Batch) throws -> [Tensor] {
    passes.append("features")
    return [try batch.inputs * 2]
  }
  func encodeWithFeatures(_ batch: Batch) throws -> (code: Code, features: [Tensor]) {
    passes.append("both")
    return (.point(try batch.inputs * 3), [try batch.inputs * 2])
  }
  func decode(_ request: LatentBatch) throws -> Tensor { try request.latents + 1 }
}

@Suite struct FeaturesOfAPass {
  private func pass(_ encoder: PassCounter) throws -> Forward {
    Forward(
      Batch(inputs: try .ones([2, 3]), labels: nil), through: Model(encoder: encoder, decoder: encoder, prior: Flat()),
      training: true, drawing: RandomSource(try Generator(seed: 1)))
  }

  @Test func featuresAndCodeAreComputedOnceTogether() throws {
    let encoder = PassCounter()
    let pass = try pass(encoder)
    for _ in 0..<2 {
      #expect(try pass.features[0].doubles() == Array(repeating: 2, count: 6))
      #expect(try pass.reconstructionFeatures[0].doubles() == Array(repeating: 8, count: 6))
      #expect(try pass.code.mean.doubles() == Array(repeating: 3, count: 6))
      #expect(try pass.reconstructionCode.mean.doubles() == Array(repeating: 12, count: 6))
    }
    #expect(encoder.passes == ["both", "both"])
  }

  @Test func aCodeThatIsThereIsKept() throws {
    let encoder = PassCounter()
    let pass = try pass(encoder)
    _ = try (pass.code, pass.features, pass.code)
    #expect(encoder.passes == ["code", "features"])
  }
}
