import Baseline
import Foundation
import LatentKit
import Testing

/// Terms under masks and weights, against loops over examples.
@Suite struct MasksAndWeights {
  private let inputs = try! Tensor([0.1, 0.9, 0.4, 0.6, 0.0, 1.0, 0.2, 0.3], shape: [4, 2])
  private let made = try! Tensor([0.3, 0.7, 0.45, 0.1, 0.2, 0.8, 0.9, 0.6], shape: [4, 2])
  private let weights = [2.0, 0, 0.5, 1]

  private func rows(_ values: Tensor) throws -> [[Double]] {
    try (0..<values.size(0)).map { try values.select($0).doubles() }
  }

  @Test(arguments: [ValueReduction.mean, .sum])
  func reconstructionTermsAreWeightedMeansOfTheirExamples(reduction: ValueReduction) throws {
    var (mse, huber, bce) = (SquaredError.Config(), HuberError.Config(), BinaryCrossEntropy.Config())
    (mse.reduction, huber.reduction, bce.reduction, huber.delta) = (reduction, reduction, reduction, 0.15)
    let image = try context([2])
    let cases: [(any Loss, (Double, Double) -> Double)] = [
      (SquaredError(mse, in: image), { ($0 - $1) * ($0 - $1) }),
      (
        HuberError(huber, in: image),
        { abs($0 - $1) < 0.15 ? 0.5 * ($0 - $1) * ($0 - $1) : 0.15 * (abs($0 - $1) - 0.075) }
      ),
      (try BinaryCrossEntropy(bce, in: image), { -$1 * log($0) - (1 - $1) * log(1 - $0) }),
    ]
    let batch = Batch(inputs: inputs, labels: nil, weights: try Tensor(weights.map { Float($0) }))
    for (loss, error) in cases {
      let each = zip(try rows(made), try rows(inputs)).map { made, inputs in
        zip(made, inputs).map(error).reduce(0, +) / (reduction == .mean ? 2 : 1)
      }
      let expected = zip(each, weights).map { $0 * $1 }.reduce(0, +) / 3.5
      let pass = try forward(batch, code: .point(inputs), made: made)
      let found = try pass.reduced(loss, under: pass.model.prior)
      #expect(found.count == 1)
      #expect(abs(try found[0].value.item() - expected) < 1e-9)
    }
  }

  @Test func crossEntropyIsOverTheLabelledExamples() throws {
    let scores: [[Double]] = [[1, 2, 0.5], [-1, 0, 3], [0, 0, 1], [2, 1, 0]]
    let labels: [Int64] = [2, 0, 0, 1]  // The second and third are hidden.
    let loss = try CrossEntropy(.init(), in: context([2], latent: 2, classes: 3))
    func value(_ labelled: [Bool]) throws -> Double {
      let batch = Batch(
        inputs: inputs, labels: try Tensor(labels),
        labelled: try Tensor(labelled.map { $0 ? 1 : 0 as Int64 }) .!= 0)
      let pass = try forward(
        batch, code: .point(inputs), made: made, scores: try Tensor(scores.flatMap { $0 }, shape: [4, 3]))
      return try pass.reduced(loss, under: pass.model.prior)[0].value.item()
    }
    let each = zip(scores, labels).map { log($0.map { exp($0) }.reduce(0, +)) - $0[Int($1)] }
    #expect(abs(try value([true, false, false, true]) - (each[0] + each[3]) / 2) < 1e-9)
    #expect(try value([false, false, false, false]) == 0)
  }

  /// A density that knows classes: `N(label, 1)` in each dimension, or `N(0, 4)` without labels.
  private struct ByClass: Prior {
    func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor {
      guard let labels else { return try (latents / 2).square().sum(axis: 1) * -0.5 }
      return try (latents - labels.to(.float64).unsqueezed(1)).square().sum(axis: 1) * -0.5
    }
  }

  @Test func divergenceOfAHiddenLabelIsThatOfNoLabel() throws {
    let (mean, logVariance) = (made, inputs)
    let labels = try Tensor([1, 0, 2, 1] as [Int64])
    let code = Code.gaussian(mean: mean, logVariance: logVariance)
    let loss = Divergence(.init(), in: try context([2]))
    func values(_ batch: Batch) throws -> [Double] {
      let pass = try forward(batch, code: code, made: made, under: ByClass())
      let term = try loss.terms(pass, under: ByClass())[0]
      // All examples count, whether they have a label or not.
      let mean = try pass.reduced(loss, under: ByClass())[0].value.item()
      let values = try term.values().doubles()
      #expect(abs(mean - values.reduce(0, +) / 4) < 1e-12)
      return values
    }
    let mask = try Tensor([1, 0, 0, 1] as [Int64]) .!= 0
    let known = try values(Batch(inputs: inputs, labels: labels))
    let unknown = try values(Batch(inputs: inputs, labels: nil))
    let found = try values(Batch(inputs: inputs, labels: labels, labelled: mask))
    #expect(found == [known[0], unknown[1], unknown[2], known[3]])
    #expect(known[1] != unknown[1])
  }
}
