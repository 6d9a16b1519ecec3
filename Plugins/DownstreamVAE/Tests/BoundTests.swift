import DownstreamVAE
import Foundation
import LatentKit
import TestSupport
import Testing

/// `z ~ N(0, I)`, `x = z W + b + ε` with `ε ~ N(0, σ² I)`, and the rows of `W` orthogonal of length `s`: the posterior is
/// `N((x − b) Wᵀ / (σ² + s²), σ² / (σ² + s²) I)`, and `x ~ N(b, WᵀW + σ² I)`.
private struct LinearGaussian {
  static let (variance, length) = (0.3, 1.7)
  let matrix: Tensor
  let offset: Tensor
  let inputs: Tensor

  init(count: Int) throws {
    let (a, s) = (0.6, LinearGaussian.length)
    let directions: [Double] = [a, 0, (1 - a * a).squareRoot(), 0, 0, 0, 1, 0, 0, 0]
    matrix = try Tensor(directions.map { $0 * s }, shape: [2, 5])
    offset = try Tensor([0.5, -1, 0, 2, 0.25], shape: [5])
    var generator = try Generator(seed: 1)
    let noise = try generator.normal([count, 5], dtype: .float64) * LinearGaussian.variance.squareRoot()
    inputs = try generator.normal([count, 2], dtype: .float64).matmul(matrix) + offset + noise
  }

  /// - Parameter widening: Added to the log variance of the exact posterior.
  func model(widening: Double = 0) throws -> Model {
    let (v, s2) = (LinearGaussian.variance, LinearGaussian.length * LinearGaussian.length)
    let back = try matrix.transposed() / (v + s2)
    var model = Model(
      encoder: LinearEncoder(
        matrix: back, offset: try offset.unsqueezed(0).matmul(back) * -1, logVariance: log(v / (v + s2)) + widening),
      decoder: LinearDecoder(matrix: matrix, offset: offset), prior: Normal())
    model.likelihood = try GaussianLikelihood(
      .init(["variance": .double(v), "learned": false], at: "with"), in: context())
    return model
  }

  /// `log p(x)` of each input, by loops.
  func exact() throws -> [Double] {
    let (v, s2) = (LinearGaussian.variance, LinearGaussian.length * LinearGaussian.length)
    let (w, b) = (try rows(matrix), try offset.doubles())
    let logDeterminant = 3 * log(v) + 2 * log(v + s2)
    return try rows(inputs).map { x in
      let d = zip(x, b).map { $0 - $1 }
      var (squares, along) = (0.0, 0.0)
      for value in d { squares += value * value }
      for row in w {
        let product = zip(row, d).map { $0 * $1 }.reduce(0, +)
        along += product * product
      }
      let exponent = squares / v - along / (v * (v + s2))
      return -0.5 * (exponent + logDeterminant + 5 * log(2 * Double.pi))
    }
  }
}

private func measured(_ metric: any Metric, _ inputs: [Tensor], _ model: Model) throws -> [String: Double] {
  var metric = metric
  let random = RandomSource(try Generator(seed: 3))
  for batch in inputs {
    try metric.update(Forward(Batch(inputs: batch, labels: nil), through: model, training: false, drawing: random))
  }
  let latents = LatentSet(latents: try .zeros([1, 2]), labels: nil)
  let found = try metric.finish(
    Evaluation(
      measured: latents, scores: nil, model: model, classCount: nil, random: random,
      training: Evaluation.TrainingReference({ latents })))
  return Dictionary(uniqueKeysWithValues: found.map { ($0.name, $0.value ?? .nan) })
}

private func logLikelihood(_ settings: [String: Value]) throws -> LogLikelihood {
  LogLikelihood(try .init(settings, at: "with"), in: try context(shape: [5], title: "metric 'log-likelihood'"))
}

@Test func underTheExactPosteriorEverySampleHasTheLikelihood() throws {
  let world = try LinearGaussian(count: 7)
  let metric = try logLikelihood(["samples": 3])
  let found = try measured(metric, [world.inputs.slice(0..<4), world.inputs.slice(4..<7)], world.model())
  let exact = try world.exact()
  #expect(abs(try #require(found["log-likelihood"]) - exact.reduce(0, +) / 7) < 1e-9)
  #expect(abs(try #require(found["effective importance samples"]) - 3) < 1e-9)
  #expect(abs(try #require(found["lower bound of the same examples"]) - exact.reduce(0, +) / 7) < 1e-9)
  let mean = exact.reduce(0, +) / 7
  let error = (exact.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 6 / 7).squareRoot()
  #expect(abs(try #require(found["log-likelihood error"]) - error) < 1e-9)
}

/// The border of a picture is the same for all, and says nothing of a model.
@Test func paddingDoesNotCount() throws {
  var place = try context(shape: [1, 4, 4])
  place.padding = 1
  var generator = try Generator(seed: 5)
  let (inner, decoded) = (
    try generator.uniform([3, 1, 2, 2], dtype: .float64), try generator.uniform([3, 1, 4, 4], dtype: .float64)
  )
  let code = Code.gaussian(
    mean: try .zeros([3, 2], dtype: .float64), logVariance: try .zeros([3, 2], dtype: .float64))
  var model = Model(encoder: FixedEncoder(code: code), decoder: FixedDecoder(values: decoded), prior: Normal())
  model.likelihood = try GaussianLikelihood(.init(["variance": 1.0, "learned": false], at: "with"), in: context())
  let squares = try (inner - decoded.slice(1..<3, axis: 2).slice(1..<3, axis: 3)).square().sum().item()
  let expected = -0.5 * (squares / 3 + 4 * log(2 * Double.pi))
  let inputs = [try inner.padded(1, value: 0.3)]
  let bound = try measured(LowerBound(NoConfig(), in: place), inputs, model)
  #expect(abs(try #require(bound["reconstruction log-likelihood"]) - expected) < 1e-9)
  let metric = try LogLikelihood(.init(["samples": 1], at: "with"), in: place)
  #expect(abs(try #require(measured(metric, inputs, model)["log-likelihood"]) - expected) < 1e-9)
}

@Test func importanceSamplingComesToTheLikelihoodFromBelow() throws {
  let world = try LinearGaussian(count: 40)
  let exact = try world.exact().reduce(0, +) / 40
  let model = try world.model(widening: 1)
  let found = try [1, 20, 2000].map { count in
    try #require(measured(logLikelihood(["samples": .int(count)]), [world.inputs], model)["log-likelihood"])
  }
  // The bound does not rise with the number of samples: it loses the divergence from the posterior, ½ (e − 2) for each of the latents.
  let all = try measured(logLikelihood(["samples": 2000]), [world.inputs], model)
  let lost = 0.5 * (exp(1.0) - 2) * Double(model.encoder.latentSize)
  #expect(abs(try #require(all["lower bound of the same examples"]) - (exact - lost)) < 0.05)
  #expect(found[0] < found[1] - 0.05 && found[1] < found[2] && abs(found[2] - exact) < 0.02)
}

@Test func onlyTheFirstExamplesAreTaken() throws {
  let world = try LinearGaussian(count: 30)
  let metric = try logLikelihood(["samples": 2, "examples": 12])
  let batches = try [0..<10, 10..<20, 20..<30].map { try world.inputs.slice($0) }
  let found = try measured(metric, batches, world.model())
  let exact = try world.exact().prefix(12).reduce(0, +) / 12
  #expect(abs(try #require(found["log-likelihood"]) - exact) < 1e-9)
}

/// Under the exact posterior the bound is the likelihood; a wider one loses its divergence from it, `½ Σ (e^w − 1 − w)`.
@Test(arguments: [0.0, 1.0]) func theLowerBoundIsShortByTheDivergenceFromThePosterior(widening: Double) throws {
  let world = try LinearGaussian(count: 20000)
  let model = try world.model(widening: widening)
  let found = try measured(LowerBound(NoConfig(), in: context(title: "metric 'elbo'")), [world.inputs], model)
  let bound = try #require(found["lower bound"])
  let gap = exp(widening) - 1 - widening
  // Twenty thousand examples, one draw each.
  let exact = try world.exact().reduce(0, +) / 20000
  #expect(abs(bound - exact + gap) < 0.06)
  let parts = try #require(found["reconstruction log-likelihood"]) - #require(found["divergence"])
  #expect(abs(parts - bound) < 1e-9)
}

@Test func modelsWithoutLikelihoodOrGaussianCodeAreRefused() throws {
  let world = try LinearGaussian(count: 2)
  var model = try world.model()
  let metric = try logLikelihood([:])
  model.likelihood = nil
  let without =
    "metric 'log-likelihood' needs a loss that is a likelihood, which this recipe does not have; choose "
    + "bernoulli, continuous-bernoulli or gaussian in place of the one that compares reconstructions"
  #expect(message { _ = try measured(metric, [world.inputs], model) } == without)
  model = try world.model()
  model.encoder = LinearEncoder(matrix: try world.matrix.transposed(), offset: try .zeros([2]), logVariance: nil)
  #expect(
    message { _ = try measured(metric, [world.inputs], model) }
      .hasPrefix(
        "metric 'log-likelihood' needs a Gaussian code, and the encoder gives points; set encoder.code=gaussian"))
}
