import DownstreamVAE
import Foundation
import LatentKit
import TestSupport
import Testing

private func bernoulli(_ binarised: String = "none") throws -> BernoulliLikelihood {
  try BernoulliLikelihood(.init(["binarised": .string(binarised)], at: "with"), in: context(title: "loss 'bernoulli'"))
}

private func continuousBernoulli() throws -> ContinuousBernoulliLikelihood {
  try ContinuousBernoulliLikelihood(NoConfig(), in: context(title: "loss 'continuous-bernoulli'"))
}

/// `∫₀¹ λ^x (1 − λ)^(1−x) dx` by Simpson's rule.
private func bernoulliArea(_ probability: Double) -> Double {
  let count = 2000
  func height(_ index: Int) -> Double {
    let x = Double(index) / Double(count)
    return pow(probability, x) * pow(1 - probability, 1 - x)
  }
  let inner = (1..<count).reduce(0.0) { $0 + ($1 % 2 == 1 ? 4 : 2) * height($1) }
  return (height(0) + inner + height(count)) / Double(3 * count)
}

@Test func bernoulliIsALoopOverPixels() throws {
  var generator = try Generator(seed: 1)
  let inputs = try generator.uniform([3, 1, 2, 2], dtype: .float64)
  let logits = try generator.normal([3, 1, 2, 2], dtype: .float64) * 3
  let found = try values(bernoulli(), inputs, decodedBy: FixedLogits(logits: logits)).doubles()
  let others = try values(bernoulli(), inputs, decodedBy: FixedDecoder(values: logits.sigmoid())).doubles()
  for (index, (x, l)) in try zip(rows(inputs), rows(logits)).enumerated() {
    let expected = zip(x, l).reduce(0.0) { sum, pair in
      let p = 1 / (1 + exp(-pair.1))
      return sum - pair.0 * log(p) - (1 - pair.0) * log(1 - p)
    }
    #expect(abs(found[index] - expected) < 1e-10)
    #expect(abs(others[index] - expected) < 1e-10)
  }
}

@Test func theContinuousBernoulliIntegratesToOne() throws {
  for logit in [-12, -3, -0.25, -0.199, -1e-3, 0, 1e-6, 0.1, 0.201, 1, 6.5] {
    let probability = 1 / (1 + exp(-logit))
    let found = try ContinuousBernoulli.logNormalizer(ofLogits: Tensor([logit], shape: [1])).item()
    #expect(abs(found + log(bernoulliArea(probability))) < 1e-9, "\(logit)")
  }
}

/// Mean of the distribution: `λ/(2λ − 1) + 1/(2 artanh(1 − 2λ))` (Loaiza-Ganem & Cunningham 2019, eq. 8), minus the derivative of the
/// logarithm of the normaliser by the logit away from `λ`.
@Test func theNormalizersSlopeIsOfTheDistributionsMean() throws {
  for logit in [-5, -0.3, -0.15, 0.19, 0.21, 2.0] {
    let p = 1 / (1 + exp(-logit))
    let mean = p / (2 * p - 1) + 1 / (2 * atanh(1 - 2 * p))
    let place = try Tensor([logit], shape: [1]).requiringGradient()
    let slope = try #require(
      ContinuousBernoulli.logNormalizer(ofLogits: place).sum().gradients(by: [place])[0]
    ).item()
    #expect(abs(p - slope - mean) < 1e-9, "\(logit)")
  }
}

@Test func theSeriesMeetsTheClosedForm() throws {
  // On both sides of where one takes over from the other, and in Float32 as well.
  for dtype in [DType.float64, .float32] {
    let sides = try Tensor([0.1999999, 0.2000001], shape: [2]).to(dtype)
    let found = try ContinuousBernoulli.logNormalizer(ofLogits: sides).doubles()
    #expect(abs(found[0] - found[1]) < 1e-6)
    let ends = try Tensor([-200.0, 0, 200], shape: [3]).to(dtype).requiringGradient()
    let value = try ContinuousBernoulli.logNormalizer(ofLogits: ends)
    #expect(try value.isFinite().all() && abs(value.doubles()[1] - log(2)) < 1e-7)
    #expect(try #require(value.sum().gradients(by: [ends])[0]).isFinite().all())
  }
}

/// A pixel that is black in every image pulls its logit down without end, beyond what powers of it can be in Float32.
@Test func logitsWithoutBoundGainNothingAndComeBack() throws {
  let logits = try Tensor([-1e7, -3e5, -2000, 3e5, -999, -2000] as [Float], shape: [1, 1, 1, 6]).requiringGradient()
  let inputs = try Tensor([0, 0, 0, 1, 0, 0.5] as [Float], shape: [1, 1, 1, 6])
  let values = try values(continuousBernoulli(), inputs, decodedBy: FixedLogits(logits: logits))
  let expected = -4 * log(1000) - log(999) - (log(1000) - 0.5 * 2000)
  #expect(abs(try values.item() - expected) < 1e-2)
  let slopes = try #require(values.sum().gradients(by: [logits])[0]).doubles()
  #expect(
    slopes[0...3].allSatisfy { abs($0) < 1e-30 } && abs(slopes[4] - 1 / 999) < 1e-6 && abs(slopes[5] + 0.5) < 1e-6,
    "\(slopes)")
}

@Test func continuousBernoulliIsALoopOverPixels() throws {
  var generator = try Generator(seed: 2)
  let inputs = try generator.uniform([3, 4], dtype: .float64)
  let logits = try generator.normal([3, 4], dtype: .float64) * 2
  let found = try values(continuousBernoulli(), inputs, decodedBy: FixedLogits(logits: logits)).doubles()
  let others = try values(continuousBernoulli(), inputs, decodedBy: FixedDecoder(values: logits.sigmoid())).doubles()
  for (index, (x, l)) in try zip(rows(inputs), rows(logits)).enumerated() {
    let expected = zip(x, l).reduce(0.0) { sum, pair in
      let p = 1 / (1 + exp(-pair.1))
      return sum - pair.0 * log(p) - (1 - pair.0) * log(1 - p) + log(bernoulliArea(p))
    }
    #expect(abs(found[index] - expected) < 1e-8)
    #expect(abs(others[index] - expected) < 1e-8)
  }
}

@Test(arguments: [true, false]) func gaussianIsALoopOverPixels(learned: Bool) throws {
  var generator = try Generator(seed: 3)
  let (inputs, made) = (
    try generator.normal([3, 5], dtype: .float64), try generator.normal([3, 5], dtype: .float64)
  )
  let store = ParameterStore()
  let loss = try GaussianLikelihood(
    .init(["variance": 0.3, "learned": .bool(learned)], at: "with"), in: context(store: store))
  let found = try values(loss, inputs, decodedBy: FixedDecoder(values: made)).doubles()
  for (index, (x, m)) in try zip(rows(inputs), rows(made)).enumerated() {
    let expected = zip(x, m).reduce(0.0) { sum, pair in
      sum + 0.5 * ((pair.0 - pair.1) * (pair.0 - pair.1) / 0.3 + log(0.3) + log(2 * .pi))
    }
    // A parameter's first value is rounded to Float32.
    #expect(abs(found[index] - expected) < (learned ? 1e-5 : 1e-9))
  }
  #expect(store.parameters.map(\.name) == (learned ? ["part.logVariance"] : []))
}

@Test func theLearnedVarianceIsThatOfTheErrors() throws {
  var generator = try Generator(seed: 4)
  let inputs = try generator.normal([200, 10], dtype: .float64) * 0.5
  let made = try Tensor.zeros([200, 10], dtype: .float64)
  let store = ParameterStore()
  let loss = try GaussianLikelihood(.init(), in: context(store: store))
  let parameter = store.parameters[0].tensor
  for _ in 0..<400 {
    let gradient = try values(loss, inputs, decodedBy: FixedDecoder(values: made)).mean().gradients(by: [parameter])[0]
    try parameter.addInPlace(#require(gradient), times: -0.05)
  }
  let error = try inputs.square().mean().item()
  #expect(abs(try parameter.exp().item() - error) < 1e-3 * error)
}

@Test(arguments: ["bernoulli", "continuous-bernoulli"]) func gradientsByLogitsAgreeWithDifferences(name: String) throws
{
  var generator = try Generator(seed: 5)
  let inputs = try generator.uniform([2, 3], dtype: .float64)
  let logits = try Tensor([-0.05, 0.1, 0.15, -4, 2, 0.3], shape: [2, 3])
  let loss: any Loss = try name == "bernoulli" ? bernoulli() : continuousBernoulli()
  let error = try gradientError(
    of: { try values(loss, inputs, decodedBy: FixedLogits(logits: $0)).sum() }, at: logits, step: 1e-5)
  #expect(error < 1e-7)
}

@Test func logitsStayExactWhereProbabilitiesDoNot() throws {
  let inputs = try Tensor([0 as Float], shape: [1, 1])
  let logits = try Tensor([60 as Float], shape: [1, 1])
  #expect(abs(try values(bernoulli(), inputs, decodedBy: FixedLogits(logits: logits)).item() - 60) < 1e-4)
  // Behind the sigmoid it is 1, whose complement's logarithm is held at −100.
  #expect(try values(bernoulli(), inputs, decodedBy: FixedDecoder(values: logits.sigmoid())).item() == 100)
}

@Test func binarisedValuesAreZeroAndOne() throws {
  let random = RandomSource(try Generator(seed: 6))
  let inputs = try Tensor([0, 0.2, 0.5, 0.8, 1].flatMap { Array(repeating: $0, count: 4000) }, shape: [5, 4000])
  let thresholded = try bernoulli("threshold").observations(of: inputs, using: random)
  #expect(try rows(thresholded).map { $0[0] } == [0, 0, 1, 1, 1])
  let drawn = try bernoulli("draw").observations(of: inputs, using: random)
  #expect(try Set(drawn.doubles()) == [0, 1])
  for (share, wanted) in try zip(drawn.mean(axis: 1).doubles(), [0, 0.2, 0.5, 0.8, 1]) {
    #expect(abs(share - wanted) < 0.03)
  }
}

@Test func whatHasNoLikelihoodIsRefused() throws {
  let random = RandomSource(try Generator(seed: 6))
  #expect(
    message { _ = try bernoulli().observations(of: .zeros([1, 2]), using: random) }
      == "grey values have no probability under loss 'bernoulli'; set losses.bernoulli.binarised to draw, or to threshold "
      + "for data that are black and white, or choose loss continuous-bernoulli")
  #expect(
    message {
      _ = try ContinuousBernoulliLikelihood(
        NoConfig(), in: context(range: -1...1, title: "loss 'continuous-bernoulli'"))
    }
      == "loss 'continuous-bernoulli' needs inputs from 0 to 1, found inputs -1.0 to 1.0; set data.range=unit, or choose another loss"
  )
  #expect(
    message { _ = try values(bernoulli(), .zeros([1, 2]), decodedBy: FixedDecoder(values: .full([1, 2], 1.5))) }
      == "loss 'bernoulli' found a reconstruction outside 0 to 1; set decoder.output=sigmoid")
}
