import Foundation
import LatentKit
import Testing

/// Terms under masks and weights, against loops over examples in Float64.
@Suite struct Terms {
  static let masks: [[Bool]?] = [
    nil, [true, true, true, true, true], [true, false, true, false, false], [false, false, false, false, false],
  ]
  static let weights: [[Double]?] = [nil, [2, 0, 0.5, 3, 1], [0, 0, 0, 0, 0]]

  private let numbers = [0.5, -2, 3.25, 7, -0.125]

  private func mask(_ values: [Bool]?) throws -> Tensor? {
    try values.map { try Tensor($0.map { $0 ? 1 : 0 as Int64 }) .!= 0 }
  }

  @Test(arguments: masks, weights)
  func theMeanIsWeightedAndTheSumToo(mask chosen: [Bool]?, weights: [Double]?) throws {
    var (sum, norm) = (0.0, 0.0)
    for index in numbers.indices where chosen?[index] ?? true {
      sum += (weights?[index] ?? 1) * numbers[index]
      norm += weights?[index] ?? 1
    }
    let (mask, factors) = (try mask(chosen), try weights.map { try Tensor($0) })
    let mean = try Term.perExample("t", Tensor(numbers)).value(mask: mask, weights: factors).value
    #expect(abs(try mean.item() - (norm == 0 ? 0 : sum / norm)) < 1e-12)
    let total = try Term.perExample("t", Tensor(numbers), .sum).value(mask: mask, weights: factors).value
    #expect(abs(try total.item() - sum) < 1e-12)
    #expect(mean.rank == 0 && total.rank == 0)
  }

  @Test(arguments: [Term.Reduction.mean, .sum])
  func anEmptySelectionIsZeroWithAGradientOfZeros(reduction: Term.Reduction) throws {
    let latents = try Tensor(numbers).requiringGradient()
    let value = try Term.perExample("t", latents.square(), reduction)
      .value(mask: mask([false, false, false, false, false]), weights: nil).value
    #expect(try value.item() == 0)
    let gradient = try #require(value.gradients(by: [latents])[0])
    #expect(try gradient.doubles() == [0, 0, 0, 0, 0])
  }

  @Test func whatIsNoNumberAtHiddenRowsReachesNeitherValueNorGradient() throws {
    // The logarithm of a negative number is none.
    let latents = try Tensor(numbers).requiringGradient()
    let value = try Term.perExample("t", latents.log())
      .value(mask: mask([true, false, true, true, false]), weights: Tensor([1, 5, 2, 3, 7] as [Double])).value
    let expected = [(0.5, 1.0), (3.25, 2), (7, 3)]
    let norm = expected.reduce(0) { $0 + $1.1 }
    #expect(abs(try value.item() - expected.reduce(0) { $0 + $1.1 * log($1.0) } / norm) < 1e-12)
    let gradient = try #require(value.gradients(by: [latents])[0]).doubles()
    let slopes = [1 / 0.5 / norm, 0, 2 / 3.25 / norm, 3 / 7.0 / norm, 0]
    for (found, slope) in zip(gradient, slopes) { #expect(abs(found - slope) < 1e-12) }
  }

  @Test func whereNothingMasksOrWeighsTheFastValueIsTakenAndNoOther() throws {
    var calls = 0
    let values = try Tensor(numbers)
    let term = Term.perExample("t", whole: try values.mean()) {
      calls += 1
      return values
    }
    #expect(try term.value(mask: nil, weights: nil).value.bytes() == values.mean().bytes() && calls == 0)
    // Ones for weights select and weigh nothing: the same number by the long way.
    #expect(
      abs(try term.value(mask: nil, weights: .ones([5])).value.item() - values.mean().item()) < 1e-12 && calls == 1)
    #expect(term.isPerExample && !Term.batch("b", values).isPerExample)
  }

  @Test func valuesMustBeOneForEachExample() throws {
    #expect {
      try Term.perExample("pixels", .ones([2, 3])).value(mask: nil, weights: .ones([2])).value
    } throws: { "\($0)".contains("term 'pixels' has the shape [2, 3], expected one value for each example") }
    #expect { try Term.batch("moments", .ones([])).values() } throws: {
      "\($0)".contains("term 'moments' has no value for each example")
    }
  }
}
