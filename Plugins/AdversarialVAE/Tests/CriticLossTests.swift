import AdversarialVAE
import LatentKit
import TestSupport
import Testing

/// Inputs, reconstructions and a critic `w · x + b`, with the scores by loops.
private struct Sides {
  let real: Tensor
  let made: Tensor
  let weights: Tensor
  let critic: LinearCritic
  let scores: (real: [Double], made: [Double])

  init() throws {
    real = try draws([3, 1, 2, 2], seed: 1)
    made = try draws([3, 1, 2, 2], seed: 2)
    weights = try draws([4], seed: 3)
    critic = LinearCritic(weights: weights, bias: 0.3)
    let w = try weights.doubles()
    scores = (try rows(real).map { dot(w, $0) + 0.3 }, try rows(made).map { dot(w, $0) + 0.3 })
  }

  func pass() throws -> Forward { try AdversarialVAETests.pass(real, made: made, critic: critic) }
}

private func leastSquares(_ change: (inout LeastSquaresCritic.Config) -> Void = { _ in }) throws -> LeastSquaresCritic {
  var config = LeastSquaresCritic.Config()
  change(&config)
  return LeastSquaresCritic(config, in: try context())
}

private func adversarial(_ form: AdversarialLoss.Form) throws -> AdversarialLoss {
  var config = AdversarialLoss.Config()
  config.form = form
  return AdversarialLoss(config, in: try context())
}

@Suite struct CriticLosses {
  @Test(arguments: [1.0, 10.0]) func leastSquaresIsAlgorithm2(target: Double) throws {
    let sides = try Sides()
    let found = try values(of: leastSquares { $0.target = target }, sides.pass())
    let real = mean(sides.scores.real.map { (target - $0) * (target - $0) })
    let made = mean(sides.scores.made.map { (-target - $0) * (-target - $0) })
    #expect(abs(try #require(found["critic real"]).item() - real) < 1e-12)
    #expect(abs(try #require(found["critic generated"]).item() - made) < 1e-12)
  }

  @Test func theTwoUpdatesOfACycleAreApart() throws {
    let sides = try Sides()
    let real = try values(of: leastSquares { $0.on = .real }, sides.pass())
    let made = try values(of: leastSquares { $0.on = .generated }, sides.pass())
    #expect(real.keys.sorted() == ["critic real"] && made.keys.sorted() == ["critic generated"])
  }

  @Test func wassersteinIsTheDifferenceOfMeanScores() throws {
    let sides = try Sides()
    let found = try only(WassersteinCritic(NoConfig(), in: context()), sides.pass()).item()
    #expect(abs(found - (mean(sides.scores.made) - mean(sides.scores.real))) < 1e-12)
  }

  /// The slope of a linear critic is its weights everywhere.
  @Test func thePenaltyOfALinearCriticIsThatOfItsWeights() throws {
    let sides = try Sides()
    let found = try values(
      of: WassersteinPenaltyCritic(WassersteinPenaltyCritic.Config(), in: context()), sides.pass())
    let w = try sides.weights.doubles()
    let norm = dot(w, w).squareRoot()
    #expect(abs(try #require(found["gradient penalty"]).item() - 10 * (norm - 1) * (norm - 1)) < 1e-9)
    #expect(abs(try #require(found["critic"]).item() - (mean(sides.scores.made) - mean(sides.scores.real))) < 1e-12)
  }

  /// The slope of `‖x‖²/2` is `x`: the penalty is that of the points between, each of an input and another one's reconstruction.
  @Test func thePenaltyIsTakenBetweenIndependentPairs() throws {
    struct Quadratic: Discriminator {
      func score(_ batch: Batch) throws -> Tensor { try batch.inputs.flattened().square().sum(axis: 1, keep: true) / 2 }
    }
    let (real, made) = (try draws([3, 1, 2, 2], seed: 1), try draws([3, 1, 2, 2], seed: 2))
    let loss = WassersteinPenaltyCritic(WassersteinPenaltyCritic.Config(), in: try context())
    let found = try #require(values(of: loss, pass(real, made: made, critic: Quadratic()))["gradient penalty"]).item()
    let shares = try RandomSource(Generator(seed: 7)).uniform([3, 1, 1, 1], dtype: .float64).contiguous().doubles()
    func penalty(_ partner: (Int) -> Int) throws -> Double {
      let (x, y) = (try rows(real), try rows(made))
      return mean(
        (0..<3).map { index in
          let between = zip(x[index], y[partner(index)]).map { shares[index] * $0 + (1 - shares[index]) * $1 }
          let excess = dot(between, between).squareRoot() - 1
          return 10 * excess * excess
        })
    }
    #expect(abs(try found - penalty { ($0 + 1) % 3 }) < 1e-9)
    #expect(abs(try found - penalty { $0 }) > 1e-3)
  }

  /// d/dw of λ (‖w‖ − 1)² is 2 λ (‖w‖ − 1) w / ‖w‖.
  @Test func thePenaltyPullsALinearCriticToSlopeOne() throws {
    let sides = try Sides()
    let leaf = try sides.weights.clone().requiringGradient()
    let pass = try pass(sides.real, made: sides.made, critic: LinearCritic(weights: leaf))
    let loss = WassersteinPenaltyCritic(WassersteinPenaltyCritic.Config(), in: try context())
    let penalty = try #require(values(of: loss, pass)["gradient penalty"])
    let gradient = try #require(penalty.gradients(by: [leaf])[0]).doubles()
    let w = try sides.weights.doubles()
    let norm = dot(w, w).squareRoot()
    for (found, weight) in zip(gradient, w) { #expect(abs(found - 20 * (norm - 1) * weight / norm) < 1e-9) }
  }

  /// Second derivatives of every network of ours: the penalty's gradient by weights against differences of the penalty.
  @Test(arguments: ["two-step", "conv", "mlp"]) func thePenaltyOfANetworkHasTheRightGradient(name: String) throws {
    let store = ParameterStore()
    let context = try context(store: store)
    let critic: any Discriminator
    switch name {
    case "two-step":
      var config = TwoStepDiscriminator.Config()
      (config.widths, config.hidden) = ([2, 3, 2], [6, 5, 4, 3])
      critic = try TwoStepDiscriminator(config, in: context)
    case "conv":
      var config = ConvDiscriminator.Config()
      config.widths = [3, 4]
      critic = try ConvDiscriminator(config, in: context)
    default:
      var config = MLPDiscriminator.Config()
      config.hidden = [5, 4]
      critic = try MLPDiscriminator(config, in: context)
    }
    let (real, made) = (try draws([3, 1, 8, 8], seed: 1), try draws([3, 1, 8, 8], seed: 2))
    let loss = WassersteinPenaltyCritic(WassersteinPenaltyCritic.Config(), in: context)
    // The same seed draws the same points between, at each call.
    func penalty() throws -> Tensor {
      try #require(values(of: loss, pass(real, made: made, critic: critic))["gradient penalty"])
    }
    let weights = store.parameters.filter { $0.role == .weight }
    let gradients = try penalty().gradients(by: weights.map(\.tensor))
    #expect(gradients.contains { $0 != nil })
    for (index, weight) in weights.enumerated() {
      let change = try draws(weight.tensor.shape, seed: UInt64(50 + index))
      let start = try weight.tensor.detached().clone()
      func moved(_ distance: Double) throws -> Double {
        try weight.tensor.copyInPlace(start)
        try weight.tensor.addInPlace(change, times: distance)
        return try withoutGradients { try penalty().item() }
      }
      let slope = try (moved(1e-6) - moved(-1e-6)) / 2e-6
      try weight.tensor.copyInPlace(start)
      let found = try gradients[index].map { try ($0 * change).sum().item() } ?? 0
      #expect(abs(found - slope) < 1e-5 * max(1, abs(slope)), "\(weight.name)")
    }
  }

  @Test func aCriticSendsNoGradientToTheDecoder() throws {
    let sides = try Sides()
    let leaf = try sides.made.clone().requiringGradient()
    let weights = try sides.weights.clone().requiringGradient()
    let losses: [any Loss] = [
      try leastSquares(), WassersteinCritic(NoConfig(), in: try context()),
      WassersteinPenaltyCritic(WassersteinPenaltyCritic.Config(), in: try context()),
    ]
    for loss in losses {
      let pass = try pass(sides.real, made: leaf, critic: LinearCritic(weights: weights))
      let terms = try values(of: loss, pass).values.map { $0 }
      let total = try terms.dropFirst().reduce(terms[0]) { try $0 + $1 }
      let gradients = try total.gradients(by: [leaf, weights])
      #expect(gradients[0] == nil && gradients[1] != nil)
    }
  }

  /// By the linear critic, whose updates are known: descent on the criterion raises real scores against made ones.
  @Test func descentOnEachCriterionTellsTheSidesApart() throws {
    let sides = try Sides()
    for loss in [try leastSquares(), WassersteinCritic(NoConfig(), in: try context())] as [any Loss] {
      let leaf = try Tensor.zeros([4], dtype: .float64).requiringGradient()
      let terms = try values(of: loss, pass(sides.real, made: sides.made, critic: LinearCritic(weights: leaf)))
      let list = terms.values.map { $0 }
      let total = try list.dropFirst().reduce(list[0]) { try $0 + $1 }
      let w = try #require(total.gradients(by: [leaf])[0]).doubles().map { -0.01 * $0 }
      #expect(mean(try rows(sides.real).map { dot(w, $0) }) > mean(try rows(sides.made).map { dot(w, $0) }))
    }
  }
}

@Suite struct AdversarialLosses {
  @Test func eachFormIsItsFormula() throws {
    let sides = try Sides()
    let pairs = zip(sides.scores.real, sides.scores.made).map { ($0 - $1) * ($0 - $1) }
    let expected: [(AdversarialLoss.Form, Double)] = [
      (.paired, mean(pairs)), (.leastSquares, mean(sides.scores.made.map { ($0 - 1) * ($0 - 1) })),
      (.wasserstein, -mean(sides.scores.made)),
    ]
    for (form, value) in expected {
      #expect(abs(try only(adversarial(form), sides.pass()).item() - value) < 1e-12, "\(form)")
      let error = try gradientError(
        of: { try only(adversarial(form), pass(sides.real, made: $0, critic: sides.critic)) }, at: sides.made)
      #expect(error < 1e-7, "\(form)")
    }
  }

  /// What eq. 10 is not: it pulls a score down where it is above that of the input, and the other forms pull it up.
  @Test func thePairedFormLowersScoresThatAreTooHigh() throws {
    let real = try Tensor.zeros([1, 1, 1, 1], dtype: .float64)
    let critic = LinearCritic(weights: try Tensor([1.0]), bias: -0.5)
    func slope(_ form: AdversarialLoss.Form) throws -> Double {
      let made = try Tensor.full([1, 1, 1, 1], 0.25, dtype: .float64).requiringGradient()
      let loss = try only(adversarial(form), pass(real, made: made, critic: critic))
      return try #require(loss.gradients(by: [made])[0]).item()
    }
    #expect(try slope(.paired) > 0)
    #expect(try slope(.leastSquares) < 0)
    #expect(try slope(.wasserstein) < 0)
  }

  @Test func aMissingDiscriminatorIsNamed() throws {
    let sides = try Sides()
    #expect(
      message { _ = try only(adversarial(.paired), pass(sides.real, made: sides.made)) }.contains("a discriminator"))
  }
}

@Test func clippedWeightsLieInTheBoxAndTheOthersStay() throws {
  var config = WeightClip.Config()
  config.limit = 0.1
  let weights = try Tensor([-3, -0.1, -0.05, 0, 0.0999, 0.2], shape: [2, 3])
  try WeightClip(config, in: context()).project(weights)
  #expect(try weights.doubles() == [-0.1, -0.1, -0.05, 0, 0.0999, 0.1])
}
