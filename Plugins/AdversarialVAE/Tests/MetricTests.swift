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

private func scores(target: Double?) -> CriticMetric.Config {
  var config = CriticMetric.Config()
  config.target = target
  return config
}

/// What both metrics say of two batches.
private func critic(
  _ critic: any Discriminator, made: [Tensor], trained: Set<Slot>? = nil, target: Double? = nil
) throws -> [String: Measured] {
  let x = try [draws([3, 1, 2, 2], seed: 1), draws([2, 1, 2, 2], seed: 2)]
  let passes = try zip(x, made).map { try pass($0, made: $1, critic: critic, training: false) }
  let metrics: [any Metric] = [
    CriticMetric(scores(target: target), in: try context()),
    DiversityMetric(DiversityMetric.Config(), in: try context()),
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

@Suite struct CriticSaturation {
  /// The scores of a critic are its inputs' only pixels.
  private func found(_ real: [Double], _ made: [Double], target: Double? = 1) throws -> [String: Measured] {
    let (x, y) = (try Tensor(real, shape: [real.count, 1, 1, 1]), try Tensor(made, shape: [made.count, 1, 1, 1]))
    let critic = LinearCritic(weights: try Tensor([1.0]))
    let pass = try pass(x, made: y, critic: critic, training: false)
    return try measured(CriticMetric(scores(target: target), in: context()), [pass], latents: .zeros([real.count, 2]))
  }
  /// Empty without one.
  private func warning(_ real: [Double], _ made: [Double], target: Double? = 1) throws -> String {
    try found(real, made, target: target)["critic score, real"]?.warning ?? ""
  }

  @Test func theAreaIsTheShareOfPairsInOrder() throws {
    let (real, made) = ([0.3, -1, 2, 0.5, 0.5, 0], [0.5, -2, 0.1, 0, 0.5, 3])
    var pairs = 0.0
    for x in real { for y in made { pairs += x > y ? 1 : x == y ? 0.5 : 0 } }
    #expect(abs(try #require(found(real, made)["critic AUC"]?.value) - pairs / 36) < 1e-12)
    #expect(try found([2, 3], [0, 1])["critic AUC"]?.value == 1)
    #expect(try found([.nan, 3], [0, 1])["critic AUC"]?.value == nil)
  }

  @Test func aSaturatedCriticIsOneThatSeparatesNearItsTargets() throws {
    let (real, made) = ([0.9, 1.1, 1, 0.8], [-0.9, -1.1, -1.2, -1])
    #expect(try warning(real, made).contains("saturated"))
    // Ten times the targets and the scores: the criterion has their scale.
    #expect(try warning(real.map { $0 * 10 }, made.map { $0 * 10 }, target: 10).contains("saturated"))
    // Apart, and far from the targets: there the critic still slopes.
    #expect(try warning(real.map { $0 * 10 }, made.map { $0 * 10 }).isEmpty)
    #expect(try warning(real, made.map { $0 + 1 }).isEmpty)
    // Near the targets on average, and one in 51 on the wrong side: 98 % of pairs are in order.
    let most = Array(repeating: 1.0, count: 50)
    #expect(try warning(most + [-1], most.map { -$0 } + [1]).isEmpty)
    #expect(try warning(most, most.map { -$0 }).contains("saturated"))
    // Scores of a Wasserstein critic have no targets.
    #expect(try warning(real, made, target: nil).isEmpty)
  }

  @Test func constancyIsRelativeToTheScaleOfScores() throws {
    let (real, made) = ([0.001, 0.003, 0.002], [0.002, 0.001, 0.004])
    // Nothing beside targets of 1, and much beside their own mean.
    #expect(try warning(real, made).contains("the same score"))
    #expect(try warning(real, made, target: nil).isEmpty)
    #expect(try warning(real.map { $0 + 50 }, made.map { $0 + 50 }, target: nil).contains("the same score"))
  }
}
