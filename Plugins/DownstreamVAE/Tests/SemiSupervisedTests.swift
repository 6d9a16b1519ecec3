import DownstreamVAE
import Foundation
import LatentKit
import TestSupport
import Testing

private func model(_ store: ParameterStore = ParameterStore()) throws -> Model {
  let encoder = try ClassConditionalEncoder(
    .init(["latent": 2, "hidden": [6]], at: "with"), in: context(shape: [4], store: store))
  var generator = try Generator(seed: 2)
  let decoder = LinearSigmoid(matrix: try generator.normal([5, 4], dtype: .float64))
  return Model(encoder: encoder, decoder: decoder, prior: Normal())
}

/// A decoder of one linear layer before a sigmoid.
private struct LinearSigmoid: ActivatedDecoder {
  let matrix: Tensor
  let output = OutputFunction.sigmoid
  func preactivations(_ request: LatentBatch) throws -> Tensor { try request.latents.matmul(matrix) }
}

private func inputs() throws -> Tensor {
  var generator = try Generator(seed: 3)
  return try generator.uniform([4, 4], dtype: .float64)
}

private func loss(_ model: Model) throws -> SemiSupervisedBound {
  try SemiSupervisedBound(.init(), in: context(shape: [4], title: "loss 'm2'", encoder: model.encoder))
}

/// The bound of each example, codes being their means.
private func bounds(_ model: Model, labels: [Int64]?, labelled: [Int64]? = nil) throws -> [Double] {
  let batch = Batch(
    inputs: try inputs(), labels: try labels.map { try Tensor($0) },
    labelled: try labelled.map { try Tensor($0) .== 1 })
  return try loss(model).terms(forward(batch, model, training: false), under: Normal())[0].values().doubles()
}

/// Eq. 7 from eq. 6 by a loop: what is known of each class is what the loss says where that is the label.
@Test func withoutLabelsTheBoundIsTheMixtureOfThoseOfTheClasses() throws {
  let model = try model()
  let ofClasses = try (0..<3).map { label in try bounds(model, labels: Array(repeating: Int64(label), count: 4)) }
  let shares = try rows(model.encode(Batch(inputs: inputs(), labels: nil)).mean).map { $0.prefix(3) }
  let hidden = try bounds(model, labels: [0, 1, 2, 0], labelled: [1, 0, 1, 0])
  let unlabelled = try bounds(model, labels: nil)
  for (index, shares) in shares.enumerated() {
    #expect(abs(shares.reduce(0, +) - 1) < 1e-12)
    let expected = shares.enumerated().reduce(0.0) { $0 + $1.1 * (ofClasses[$1.0][index] + log($1.1)) }
    #expect(abs(unlabelled[index] - expected) < 1e-9)
    #expect(abs(hidden[index] - (index % 2 == 0 ? ofClasses[[0, 1, 2, 0][index]][index] : expected)) < 1e-9)
  }
}

@Test func labelledExamplesAreDecodedForTheirClassAlone() throws {
  final class Counting: Decoder {
    var rows = 0
    func decode(_ request: LatentBatch) throws -> Tensor {
      rows += try request.latents.size(0)
      return try request.latents.slice(0..<4, axis: 1).sigmoid()
    }
  }
  func rows(labels: [Int64]?, labelled: [Int64]? = nil) throws -> Int {
    let counting = Counting()
    let counted = Model(encoder: try model().encoder, decoder: counting, prior: Normal())
    _ = try bounds(counted, labels: labels, labelled: labelled)
    return counting.rows
  }
  #expect(try rows(labels: nil) == 12 && rows(labels: [0, 1, 2, 0]) == 4)
  #expect(try rows(labels: [0, 1, 2, 0], labelled: [1, 0, 1, 0]) == 8)
  #expect(try rows(labels: [0, 1, 2, 0], labelled: [0, 0, 0, 0]) == 12)
  #expect(try rows(labels: [0, 1, 2, 0], labelled: [1, 1, 1, 1]) == 4)
}

@Test func theDecoderComputesInThePrecisionOfThePass() throws {
  final class Noting: Decoder {
    var dtypes: [DType] = []
    func decode(_ request: LatentBatch) throws -> Tensor {
      let ones = try Tensor.ones([2, 2])
      dtypes.append(try ones.linear(ones, bias: nil).dtype)
      return try request.latents.slice(0..<4, axis: 1).sigmoid()
    }
  }
  let noting = Noting()
  let noted = Model(encoder: try model().encoder, decoder: noting, prior: Normal())
  let pass = Forward(
    Batch(inputs: try inputs(), labels: nil), through: noted, training: true,
    drawing: RandomSource(try Generator(seed: 1)), precision: .bf16)
  _ = try loss(noted).terms(pass, under: Normal())[0].values()
  #expect(noting.dtypes == [.bfloat16, .bfloat16, .bfloat16])
}

/// Eq. 6 with an encoder whose weights are zero: `z` is standard normal whatever the input, and its mean 0.
@Test func withLabelsTheBoundIsALoopOverPixels() throws {
  let store = ParameterStore()
  let model = try model(store)
  for parameter in store.parameters { try parameter.tensor.fillInPlace(0) }
  let found = try bounds(model, labels: [2, 0, 1, 1])
  let matrix = try rows((model.decoder as! LinearSigmoid).matrix)
  for (index, x) in try rows(inputs()).enumerated() {
    let logits = matrix[[2, 0, 1, 1][index]]
    let reconstruction = zip(x, logits).reduce(0.0) { sum, pair in
      let p = 1 / (1 + exp(-pair.1))
      return sum - pair.0 * log(p) - (1 - pair.0) * log(1 - p)
    }
    #expect(abs(found[index] - reconstruction - log(3)) < 1e-9)
  }
}

@Test func theClassIsTheEncodersOwn() throws {
  let model = try model()
  let classifier = try LatentClasses(NoConfig(), in: context(latent: 5))
  let mean = try model.encode(Batch(inputs: inputs(), labels: nil)).mean
  let scores = try classifier.scores(LatentBatch(mean))
  #expect(scores.shape == [4, 3] && mean.shape == [4, 5] && model.encoder.latentSize == 5)
  let own = try SemiSupervisedClassification(NoConfig(), in: context(encoder: model.encoder))
  let labels = try Tensor([0, 1, 2, 0] as [Int64])
  let found = try own.terms(forward(Batch(inputs: inputs(), labels: labels), model), under: Normal())[0].values()
  for (value, other) in try zip(found.doubles(), scores.crossEntropy(labels, .none).doubles()) {
    #expect(abs(value - other) < 1e-9)
  }
}

@Test func gradientsOfTheBoundAgreeWithDifferences() throws {
  let store = ParameterStore()
  let model = try model(store)
  let batch = Batch(
    inputs: try inputs(), labels: try Tensor([0, 1, 2, 0] as [Int64]),
    labelled: try Tensor([1, 0, 1, 0] as [Int64]) .== 1)
  let bound = try loss(model)
  let parameter = store.parameters[0].tensor
  let start = try parameter.detached().clone()
  let error = try gradientError(
    of: { place in
      // The weights are moved, and their gradient is what is asked for.
      try withoutGradients { try parameter.copyInPlace(place) }
      let value = try bound.terms(forward(batch, model), under: Normal())[0].values().sum()
      return place.requiresGradient ? try value.withSlope(of: parameter, at: place) : value
    }, at: start)
  #expect(error < 1e-6)
}

extension Tensor {
  /// The same number, as a function of `place` whose gradient there is that by `parameter`.
  fileprivate func withSlope(of parameter: Tensor, at place: Tensor) throws -> Tensor {
    guard let slope = try gradients(by: [parameter])[0] else { return self }
    return try (place * slope.detached()).sum() + (detached() - (place.detached() * slope).sum())
  }
}

@Test func otherEncodersAndPriorsAreRefused() throws {
  /// Twice as wide as it should be.
  struct Wide: AnalyticPrior {
    func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor {
      try Normal().logDensity(latents / 2, labels: labels)
    }
    func divergence(mean: Tensor, logVariance: Tensor, labels: Tensor?) throws -> Tensor {
      try Normal().divergence(mean: mean / 2, logVariance: logVariance - 2 * log(2), labels: labels)
    }
  }
  let own = try model().encoder
  func bound(_ prior: any Prior) throws {
    var place = try context(latent: 5, shape: [4], title: "loss 'm2'", encoder: own)
    place.model = Model(encoder: own, prior: prior)
    _ = try SemiSupervisedBound(.init(), in: place)
  }
  try bound(Normal())
  #expect(
    message { try bound(Wide()) }
      == "loss 'm2' has a standard normal prior of z, and the recipe's is another; choose prior standard-normal")
  let encoder = FixedEncoder(code: .point(try .zeros([1, 4])))
  #expect(
    message { _ = try SemiSupervisedBound(.init(), in: context(title: "loss 'm2'", encoder: encoder)) }
      == "loss 'm2' is about the classes of encoder 'm2', and the encoder is another; choose encoder m2")
  #expect(
    message { _ = try LatentClasses(NoConfig(), in: context(latent: 2, title: "classifier 'm2'")) }
      == "classifier 'm2' reads the class from a latent of 2 values, expected 3 or more; choose encoder m2")
}
