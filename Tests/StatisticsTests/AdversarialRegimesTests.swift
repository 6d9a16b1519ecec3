import LatentKit
import Testing

@testable import Statistics

private func trials(_ rows: [(weight: Double, agreement: Double, sharpness: Double)]) -> [AdversarialRegimes.Trial] {
  rows.map { .init(weight: $0.weight, agreement: $0.agreement, sharpness: $0.sharpness) }
}

/// The weights and the regimes of the paper's Figure 9 for MNIST with two latents.
private let paper = trials([
  (0, 0.95, 0.20), (0.001, 0.95, 0.22), (0.003, 0.94, 0.35), (0.005, 0.93, 0.7), (0.01, 0.9, 0.85), (0.1, 0.3, 1.1),
])

@Test func regimesAreThoseOfThePaper() throws {
  let found = try AdversarialRegimes(paper.reversed(), originalSharpness: 1)
  #expect(found.points.map(\.regime) == [.blurred, .blurred, .blurred, .clear, .clear, .generative])
  #expect(found.epsilon1 == 0.005 && found.epsilon2 == 0.01)
  #expect(found.points.map(\.weight) == [0, 0.001, 0.003, 0.005, 0.01, 0.1])
  // Needed: 0.9, more than any that is not generative has.
  let strict = try AdversarialRegimes(paper, originalSharpness: 1, sharp: 0.9)
  #expect(strict.epsilon1 == nil && strict.epsilon2 == 0.01)
  // Kept: 0.97 · 0.95 = 0.9215.
  #expect(try AdversarialRegimes(paper, originalSharpness: 1, keep: 0.97, faithful: 0.97).epsilon2 == 0.005)
}

@Test func sharpnessAloneIsNotClear() throws {
  // 0.8 of the agreement at 0 and sharper than half of the originals.
  let rows = trials([(0, 0.9, 0.2), (0.01, 0.88, 0.6), (0.1, 0.72, 0.8), (1, 0.4, 0.9)])
  let found = try AdversarialRegimes(rows, originalSharpness: 1)
  #expect(found.points.map(\.regime) == [.blurred, .clear, .unfaithful, .generative])
  #expect(found.epsilon1 == 0.01 && found.epsilon2 == 0.01)
  let lax = try AdversarialRegimes(rows, originalSharpness: 1, faithful: 0.79)
  #expect(lax.points.map(\.regime) == [.blurred, .clear, .clear, .generative] && lax.epsilon2 == 0.1)
  // Sharpness counts by that of the originals, not by the way from the least weight: 0.6 of 1.3.
  #expect(try AdversarialRegimes(rows, originalSharpness: 1.3).points[1].regime == .blurred)
  #expect(throws: RecipeError.self) { try AdversarialRegimes(rows, originalSharpness: 1, keep: 0.95) }
}

@Test func aThresholdThatWasNotCrossedIsNotInvented() throws {
  let kept = try AdversarialRegimes(Array(paper.prefix(5)), originalSharpness: 1)
  #expect(kept.epsilon1 == 0.005 && kept.epsilon2 == nil)
  let blurred = try AdversarialRegimes(Array(paper.prefix(3)), originalSharpness: 1)
  #expect(blurred.epsilon1 == nil && blurred.epsilon2 == nil)
  // As sharp as the originals without an adversary.
  #expect(try AdversarialRegimes(paper, originalSharpness: 0.1).epsilon1 == 0)
}

@Test func trialsOfOneWeightCountByTheirMeanAndNoiseMakesNoRegime() throws {
  let noisy = trials([
    (0, 0.9, 0.2), (0, 1, 0.2), (0.01, 0.95, 0.75), (0.02, 0.95, 0.55), (0.05, 0.44, 0.8), (0.06, 0.56, 0.8),
    (0.1, 0.1, 0),
  ])
  let found = try AdversarialRegimes(noisy, originalSharpness: 1)
  // Means at 0: 0.95; a dip to 0.44 followed by 0.56 is 0.5 for both, above 0.475. Sharpness falls from 0.75 to 0.55: 0.65 for both.
  #expect(found.points[0].agreement == 0.95)
  #expect(abs(found.points[3].smoothAgreement - 0.5) < 1e-12 && abs(found.points[4].smoothAgreement - 0.5) < 1e-12)
  #expect(abs(found.points[1].smoothSharpness - 0.65) < 1e-12 && found.points[1].sharpness == 0.75)
  #expect(found.points.map(\.regime) == [.blurred, .clear, .clear, .unfaithful, .unfaithful, .generative])
}

@Test func isotonicRegressionIsTheNearestRisingCurve() throws {
  let (values, weights) = ([3.0, 1, 2, 5, 4, 4, 6, -1], [1.0, 2, 1, 1, 3, 1, 1, 2])
  let found = Isotonic.rising(values, weights: weights)
  // The minimax formula: f_i = max over starts to i of the least mean from there to an end from i on.
  for i in values.indices {
    let expected =
      (0...i).map { start in
        (i..<values.count).map { end in
          let range = start...end
          return range.reduce(0) { $0 + weights[$1] * values[$1] } / range.reduce(0) { $0 + weights[$1] }
        }.min() ?? 0
      }.max() ?? 0
    #expect(abs(found[i] - expected) < 1e-12)
  }
}

@Test func regimesRefuseWhatTellsNothing() throws {
  #expect(throws: RecipeError.self) { try AdversarialRegimes(trials([(0, 1, 1), (0, 1, 1)]), originalSharpness: 1) }
  #expect(throws: RecipeError.self) { try AdversarialRegimes(trials([(0, 1, 1), (1, .nan, 1)]), originalSharpness: 1) }
  #expect(throws: RecipeError.self) { try AdversarialRegimes(trials([(-1, 1, 1), (1, 1, 1)]), originalSharpness: 1) }
  #expect(throws: RecipeError.self) { try AdversarialRegimes(paper, originalSharpness: 1, keep: 0) }
}
