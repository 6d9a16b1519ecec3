import AdversarialVAE
import Foundation
import LatentKit
import Testing

private func evaluation(_ latents: Tensor, _ pass: Forward, trained: Set<Slot>?) throws -> Evaluation {
  Evaluation(
    measured: LatentSet(latents: latents, labels: nil), scores: nil, model: pass.model, classCount: nil,
    random: RandomSource(try Generator(seed: 1)), training: .init { throw RecipeError("not to be encoded") },
    trained: trained)
}

/// The results of a metric over two passes.
private func measured(
  _ metric: any Metric, _ passes: [Forward], latents: Tensor, trained: Set<Slot>? = nil
) throws -> [String: Measured] {
  var metric = metric
  for pass in passes { try metric.update(pass) }
  let found = try metric.finish(evaluation(latents, passes[0], trained: trained))
  return Dictionary(uniqueKeysWithValues: found.map { ($0.name, $0) })
}

/// What both metrics say of two batches.
private func critic(
  _ critic: any Discriminator, made: [Tensor], trained: Set<Slot>? = nil
) throws -> [String: Measured] {
  let x = try [draws([3, 1, 2, 2], seed: 1), draws([2, 1, 2, 2], seed: 2)]
  let passes = try zip(x, made).map { try pass($0, made: $1, critic: critic, training: false) }
  let metrics: [any Metric] = [
    CriticMetric(NoConfig(), in: try context()), DiversityMetric(DiversityMetric.Config(), in: try context()),
  ]
  return try metrics.reduce(into: [:]) { all, metric in
    try all.merge(measured(metric, passes, latents: .zeros([5, 2]), trained: trained)) { $1 }
  }
}

@Suite struct CollapseWarnings {
  @Test func scoresAndDiversityAreThoseOfAllBatches() throws {
    let weights = try draws([4], seed: 3)
    let made = try [draws([3, 1, 2, 2], seed: 4) * 0.5, draws([2, 1, 2, 2], seed: 5) * 0.5]
    let found = try critic(LinearCritic(weights: weights), made: made)
    let (x, y) = (
      try rows(draws([3, 1, 2, 2], seed: 1)) + rows(draws([2, 1, 2, 2], seed: 2)),
      try rows(made[0]) + rows(made[1])
    )
    let w = try weights.doubles()
    #expect(abs(try #require(found["critic score, real"]?.value) - mean(x.map { dot(w, $0) })) < 1e-12)
    #expect(abs(try #require(found["critic score, generated"]?.value) - mean(y.map { dot(w, $0) })) < 1e-12)
    func spread(_ rows: [[Double]]) -> Double {
      mean(
        (0..<4).map { place in
          let values = rows.map { $0[place] }
          return mean(values.map { ($0 - mean(values)) * ($0 - mean(values)) })
        })
    }
    #expect(abs(try #require(found["diversity"]?.value) - spread(y) / spread(x)) < 1e-10)
    #expect(found.values.allSatisfy { $0.warning == nil })
  }

  @Test func aConstantCriticIsWarnedAbout() throws {
    let made = try [draws([3, 1, 2, 2], seed: 4), draws([2, 1, 2, 2], seed: 5)]
    let found = try critic(LinearCritic(weights: .zeros([4], dtype: .float64), bias: 0.7), made: made)
    #expect(try #require(found["critic score, real"]?.warning).contains("the same score"))
    #expect(found["diversity"]?.warning == nil)
  }

  @Test func identicalReconstructionsAreWarnedAbout() throws {
    let one = try draws([1, 1, 2, 2], seed: 4)
    let made = try [Tensor.concatenate([one, one, one]), Tensor.concatenate([one, one])]
    let found = try critic(LinearCritic(weights: draws([4], seed: 3)), made: made)
    #expect(try #require(found["diversity"]?.warning).contains("nearly the same"))
    #expect(found["critic score, real"]?.warning == nil)
  }

  /// The first stage of the paper leaves decoder and discriminator as they started.
  @Test func whatALaterStageTrainsIsNotWarnedAbout() throws {
    let one = try draws([1, 1, 2, 2], seed: 4)
    let made = try [Tensor.concatenate([one, one, one]), Tensor.concatenate([one, one])]
    func warnings(_ trained: Set<Slot>) throws -> Int {
      let flat = LinearCritic(weights: try .zeros([4], dtype: .float64), bias: 0.7)
      return try critic(flat, made: made, trained: trained).values.count { $0.warning != nil }
    }
    #expect(try warnings([.encoder, .classifier]) == 0)
    #expect(try warnings([.encoder, .decoder]) == 1)
    #expect(try warnings([.encoder, .decoder, .discriminator]) == 2)
  }

  @Test func aClippedCriticIsNoCollapsedOne() throws {
    let weights = try draws([4], seed: 3).clamped(-0.01, 0.01)
    let made = try [draws([3, 1, 2, 2], seed: 4), draws([2, 1, 2, 2], seed: 5)]
    #expect(try critic(LinearCritic(weights: weights, bias: 0.01), made: made).values.allSatisfy { $0.warning == nil })
  }

  @Test(arguments: [0.05, 1.0]) func identicalSamplesAreWarnedAbout(spread: Double) throws {
    var config = DiversityMetric.Config()
    (config.of, config.count) = (.samples, 7)
    var metric = DiversityMetric(config, in: try context())
    #expect(metric.sources == .samples)
    let x = try draws([5, 1, 2, 2], seed: 1)
    // Reconstructions that are all alike do not count.
    let pass = try pass(x, made: .zeros([5, 1, 2, 2], dtype: .float64), training: false)
    try metric.update(pass)
    let samples = try draws([7, 1, 2, 2], seed: 2) * spread
    let latents = try Tensor.zeros([5, 2])
    let found = try metric.finish(
      Evaluation(
        measured: LatentSet(latents: latents, labels: nil), scores: nil, model: pass.model, classCount: nil,
        random: RandomSource(try Generator(seed: 1)),
        training: .init(
          { LatentSet(latents: latents, labels: nil) },
          samples: { request, _ in
            #expect(request.count == 7)
            return SampleSet(latents: latents, inputs: samples, labels: nil)
          }), sources: .samples))[0]
    func variance(_ values: Tensor) throws -> Double { try values.variance(axes: [0], unbiased: false).mean().item() }
    #expect(found.name == "diversity of samples")
    #expect(abs(try #require(found.value) - (try variance(samples) / variance(x))) < 1e-10)
    #expect((found.warning == nil) == (spread == 1))
  }
}
