import AdversarialVAE
import Foundation
import LatentKit
import TestSupport
import Testing

private func features(
  _ weights: [Double], _ reduction: FeatureReconstruction.ValueReduction, encoder: (any Encoder)? = nil
) throws -> FeatureReconstruction {
  var config = FeatureReconstruction.Config()
  (config.weights, config.reduction) = (weights, reduction)
  return try FeatureReconstruction(config, in: context(encoder: encoder))
}

@Suite struct FeatureReconstructions {
  /// Eq. 9 by loops over layers, examples and values; layers are x, x² and sin x.
  @Test(arguments: [FeatureReconstruction.ValueReduction.mean, .sum])
  func itIsEquation9(reduction: FeatureReconstruction.ValueReduction) throws {
    let (x, made) = (try draws([3, 1, 2, 2], seed: 1), try draws([3, 1, 2, 2], seed: 2))
    let layers: [(Double, (Double) -> Double)] = [(1, { $0 }), (0.1, { $0 * $0 }), (0.01, { sin($0) })]
    var expected = 0.0
    for (a, b) in zip(try rows(x), try rows(made)) {
      for (alpha, layer) in layers {
        for (p, q) in zip(a, b) {
          let difference = layer(p) - layer(q)
          expected += alpha * difference * difference / (reduction == .mean ? 12 : 3)
        }
      }
    }
    let loss = try features([1, 0.1, 0.01], reduction)
    let term = try loss.terms(pass(x, made: made), under: FlatPrior())[0]
    #expect(abs(try term.value.item() - expected) < 1e-12)
    #expect(abs(try term.values().mean().item() - expected) < 1e-12)
    #expect(try gradientError(of: { try only(loss, pass(x, made: $0)) }, at: made) < 1e-7)
  }

  @Test func fewerWeightsLookAtFewerLayers() throws {
    let (x, made) = (try draws([3, 1, 2, 2], seed: 1), try draws([3, 1, 2, 2], seed: 2))
    let found = try only(features([2], .mean), pass(x, made: made)).item()
    #expect(abs(found - 2 * (try (x - made).square().mean().item())) < 1e-12)
  }

  @Test func itNeedsAnEncoderWithAsManyLayers() throws {
    let x = try draws([2, 1, 2, 2], seed: 1)
    #expect(message { _ = try features([1], .mean, encoder: BrightnessEncoder()) }.contains("shows none"))
    #expect(message { _ = try only(features([1, 1, 1, 1], .mean), pass(x, made: x)) }.contains("3 hidden layers"))
  }
}

private func latentLoss(_ latent: LatentClassLoss.Latent) throws -> LatentClassLoss {
  var config = LatentClassLoss.Config()
  config.latent = latent
  return LatentClassLoss(config, in: try context())
}

@Suite struct LatentClassLosses {
  /// Eq. 11 by loops: the classes of (b, 2b) for the brightness b.
  @Test func itIsEquation11OnProbabilities() throws {
    let (x, made) = (try draws([3, 1, 2, 2], seed: 1), try draws([3, 1, 2, 2], seed: 2))
    func probabilities(_ image: [Double]) -> [Double] {
      let b = mean(image)
      let e = [exp(3 * b), exp(-2 * b), 1]
      return e.map { $0 / e.reduce(0, +) }
    }
    let expected = mean(
      zip(try rows(x), try rows(made)).map { a, b in
        zip(probabilities(a), probabilities(b)).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      })
    func found(_ made: Tensor) throws -> Tensor {
      try only(
        latentLoss(.mean), pass(x, made: made, encoder: BrightnessEncoder(), classifier: ToyClassifier()))
    }
    #expect(abs(try found(made).item() - expected) < 1e-12)
    #expect(try gradientError(of: found, at: made) < 1e-8)
    #expect(try found(x).item() == 0)
  }

  @Test func latentsAreDrawnInTrainingOnly() throws {
    let x = try draws([3, 1, 2, 2], seed: 1)
    let code = Code.gaussian(mean: try draws([3, 2], seed: 4), logVariance: try Tensor.zeros([3, 2], dtype: .float64))
    func value(_ latent: LatentClassLoss.Latent, training: Bool) throws -> Double {
      let encoder = ToyEncoder(code: code)
      return try only(
        latentLoss(latent), pass(x, made: x, encoder: encoder, classifier: ToyClassifier(), training: training)
      ).item()
    }
    #expect(try value(.drawn, training: true) > 0)
    #expect(try value(.mean, training: true) > 0)  // z is drawn either way.
    #expect(try value(.drawn, training: true) != value(.mean, training: true))
    #expect(try value(.drawn, training: false) == 0)
  }
}

@Test func theSigmaTermIsHalfTheSizeTimesTheLogOfTheError() throws {
  let (x, made) = (try draws([3, 1, 2, 2], seed: 1), try draws([3, 1, 2, 2], seed: 2))
  let error = mean(zip(try x.doubles(), try made.doubles()).map { ($0 - $1) * ($0 - $1) })
  let loss = SigmaReconstruction(NoConfig(), in: try context(shape: [1, 2, 2]))
  #expect(abs(try only(loss, pass(x, made: made)).item() - 2 * log(error)) < 1e-12)
  #expect(try gradientError(of: { try only(loss, pass(x, made: $0)) }, at: made) < 1e-7)
  // At the best variance the Gaussian's negative log likelihood is this, up to a constant: D/2 (log σ² + MSE/σ²).
  let nll = { (variance: Double) in 2 * (log(variance) + error / variance) }
  #expect(nll(error) < nll(error * 1.01) && nll(error) < nll(error * 0.99))
  #expect(abs(nll(error) - (2 * log(error) + 2)) < 1e-12)
}

@Test func theClassMeanIsWhereSquaredErrorRests() throws {
  let store = ParameterStore()
  let decoder = try ClassMeanDecoder(NoConfig(), in: context(classes: 2, shape: [1, 2, 1], store: store))
  let images = try Tensor([1.0, 3, 5, 7, 2, 4], shape: [3, 1, 2, 1])
  let labels = try Tensor([0, 0, 1] as [Int64])
  let means = store.parameters[0].tensor
  func loss() throws -> Tensor {
    try decoder.decode(LatentBatch(.zeros([3, 1]), labels: labels)).squaredError(images, .sum)
  }
  try means.copyInPlace(Tensor([3.0, 5, 2, 4], shape: [2, 2]))
  #expect(try #require(loss().gradients(by: [means])[0]).abs().max().item() == 0)
  #expect(abs(try loss().item() - 16) < 1e-12)
}
