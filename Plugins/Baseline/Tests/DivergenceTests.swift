import Foundation
import LatentKit
import TestSupport
import Testing

@testable import Baseline

@Suite struct DivergenceTests {
  private static let means = [0.5, -1, 2, 0.02, -0.01, 0.03]
  private static let logVariances = [0.1, -0.3, 0.7, 0, 0.01, -0.02]

  /// `½ (μ² + σ² − 1 − log σ²)` of a value.
  private static func divergence(_ mean: Double, _ logVariance: Double) -> Double {
    0.5 * (mean * mean + exp(logVariance) - 1 - logVariance)
  }

  /// The term's value for two examples of three latents, so many epochs into a stage.
  private func value(
    _ settings: [String: Value], at epochs: Double? = nil, training: Bool = true, means: Tensor? = nil
  ) throws -> Tensor {
    let loss = try AnnealedDivergence(.init(settings, at: "losses.annealed-kl.with"), in: context([2]))
    let mean = try means ?? Tensor(Self.means, shape: [2, 3])
    let fixed = Fixed(
      code: .gaussian(mean: mean, logVariance: try Tensor(Self.logVariances, shape: [2, 3])), made: mean)
    let prior = StandardNormal(.init(), in: try context([2], latent: 3))
    let pass = Forward(
      Batch(inputs: mean, labels: nil), through: Model(encoder: fixed, prior: prior), training: training,
      drawing: RandomSource(try Generator(seed: 1)),
      at: epochs.map { StagePosition(iteration: Int($0 * 10), iterationsPerEpoch: 10) })
    return try loss.terms(pass, under: prior)[0].value
  }

  private var plain: Double { zip(Self.means, Self.logVariances).reduce(0) { $0 + Self.divergence($1.0, $1.1) } / 2 }

  @Test(arguments: [(0.0, 0.0), (0.3, 0.15), (1, 0.5), (2, 1), (7, 1)])
  func theWarmUpIsALineOverEpochs(epochs: Double, factor: Double) throws {
    #expect(abs(try value(["warmUp": 2], at: epochs).item() - factor * plain) < 1e-12)
    #expect(abs(try value(["warmUp": 0], at: epochs).item() - plain) < 1e-12)
  }

  @Test func anEvaluationMeasuresAllOfIt() throws {
    #expect(abs(try value(["warmUp": 2, "freeBits": 0.5], training: false).item() - plain) < 1e-12)
  }

  @Test func freeBitsAreALoopOverLatents() throws {
    var expected = 0.0
    for latent in 0..<3 {
      let each = [0, 3].map { Self.divergence(Self.means[latent + $0], Self.logVariances[latent + $0]) }
      expected += max(0.1, (each[0] + each[1]) / 2)
    }
    #expect(abs(try value(["warmUp": 0, "freeBits": 0.1], at: 3).item() - expected) < 1e-12)
    let error = try gradientError(
      of: { try value(["warmUp": 0, "freeBits": 0.1], at: 3, means: $0) }, at: Tensor(Self.means, shape: [2, 3]))
    #expect(error < 1e-7)
    // The second and third latents are within what is free in the mean: no gradient reaches them.
    let mean = try Tensor([0.5, 0.1, 0.01, 0.4, -0.1, 0.03], shape: [2, 3]).requiringGradient()
    let gradient = try #require(value(["warmUp": 0, "freeBits": 0.2], at: 3, means: mean).gradients(by: [mean])[0])
    #expect(try gradient.slice(1..<3, axis: 1).abs().max().item() == 0)
  }

  @Test func aPriorThatIsNoProductFreesNoBits() throws {
    let loss = try AnnealedDivergence(.init(["warmUp": 0, "freeBits": 0.1], at: "with"), in: context([2]))
    let mean = try Tensor(Self.means, shape: [2, 3])
    let pass = try forward(
      Batch(inputs: mean, labels: nil), code: .gaussian(mean: mean, logVariance: mean), made: mean)
    #expect(
      message { _ = try loss.terms(pass, under: Flat()) }
        == "part 'x' frees bits of each latent, and this prior is no product over latents; set freeBits to 0, or choose prior "
        + "standard-normal")
  }
}
