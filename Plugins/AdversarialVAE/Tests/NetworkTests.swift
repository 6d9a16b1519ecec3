import AdversarialVAE
import LatentKit
import TestSupport
import Testing

private func encoder(_ store: ParameterStore = ParameterStore(), training: Bool = false) throws -> TwoStepEncoder {
  var config = TwoStepEncoder.Config()
  (config.latent, config.widths, config.hidden) = (3, [2, 3, 4], [7, 6, 5])
  return try TwoStepEncoder(config, in: context(store: store, training: training))
}

/// The names of weights of convolutions (rank 4) or linear layers (rank 2), those of residual blocks left out.
private func layers(_ store: ParameterStore, rank: Int) -> [String] {
  store.parameters.filter { $0.tensor.rank == rank && !$0.name.contains("block") }.map(\.name)
}

private func images(_ count: Int = 5) throws -> Batch {
  Batch(inputs: try draws([count, 1, 8, 8], seed: 1).sigmoid(), labels: nil)
}

@Suite struct Networks {
  @Test func theEncoderHasTheLayersOfFigure6() throws {
    let store = ParameterStore()
    let encoder = try encoder(store)
    #expect(layers(store, rank: 4).count == 6)
    #expect(layers(store, rank: 2).count == 5)  // three, and the heads for mean and log variance
    // A block of two convolutions after each convolution.
    #expect(store.parameters.count { $0.tensor.rank == 4 } == 18)
    let features = try encoder.features(images())
    let sides = [[2, 8, 8], [2, 8, 8], [3, 4, 4], [3, 4, 4], [4, 2, 2], [4, 2, 2], [7], [6], [5]]
    #expect(features.map(\.shape) == sides.map { [5] + $0 })
  }

  @Test func onePassGivesCodeAndFeatures() throws {
    let encoder = try encoder()
    let both = try encoder.encodeWithFeatures(images())
    guard case .gaussian(let mean, let logVariance) = both.code,
      case .gaussian(let ownMean, let ownLogVariance) = try encoder.encode(images())
    else { throw RecipeError("no Gaussian") }
    #expect(mean.shape == [5, 3])
    #expect(try mean.doubles() == ownMean.doubles() && logVariance.doubles() == ownLogVariance.doubles())
    for (a, b) in zip(both.features, try encoder.features(images())) { #expect(try a.doubles() == b.doubles()) }
  }

  @Test func logVariancesCanHaveEitherSign() throws {
    guard case .gaussian(_, let logVariance) = try encoder().encode(images(64)) else {
      throw RecipeError("no Gaussian")
    }
    let spread = try logVariance - logVariance.mean()
    #expect(try spread.max().item() > 0 && logVariance.min().item() < 0)
  }

  @Test func theDecoderHasTheLayersOfFigure6() throws {
    let store = ParameterStore()
    var config = TwoStepDecoder.Config()
    (config.hidden, config.widths, config.output) = ([5, 6], [4, 3, 2], .sigmoid)
    let decoder = try TwoStepDecoder(config, in: context(store: store))
    #expect(layers(store, rank: 4).count == 7)
    #expect(layers(store, rank: 2).count == 3)
    let made = try decoder.decode(LatentBatch(draws([5, 3], seed: 1)))
    #expect(made.shape == [5, 1, 8, 8])
    #expect(try made.min().item() > 0 && made.max().item() < 1)
  }

  @Test func theDiscriminatorHasTheLayersOfFigure6() throws {
    let store = ParameterStore()
    let discriminator = try TwoStepDiscriminator(TwoStepDiscriminator.Config(), in: context(store: store))
    #expect(layers(store, rank: 4).count == 3)
    #expect(layers(store, rank: 2).count == 5)  // four, and the linear unit
    #expect(try discriminator.score(images()).shape == [5, 1])
  }

  @Test func theClassifierHasTheLayersOfFigure6() throws {
    let store = ParameterStore()
    let classifier = try TwoStepClassifier(TwoStepClassifier.Config(), in: context(store: store))
    #expect(layers(store, rank: 2).count == 4)  // three, and the scores
    #expect(store.parameters.count { $0.name.contains("block.linear") } == 6)
    #expect(store.parameters.contains { $0.name.hasSuffix("hidden1.norm.runningMean") })
    #expect(try classifier.scores(LatentBatch(draws([5, 3], seed: 1))).shape == [5, 4])
  }

  /// Batch normalisation in a critic would make an input's score, and so its penalty, depend on the others of its batch.
  @Test(arguments: ["conv", "mlp", "two-step"]) func aCriticScoresEachInputByItself(network: String) throws {
    let store = ParameterStore()
    var config = NamedDiscriminator.Config()
    config.network = try #require(NamedDiscriminator.Network(rawValue: network))
    let critic = try NamedDiscriminator(config, in: context(store: store, training: true))
    #expect(store.parameters.allSatisfy { $0.role == .weight })
    let all = try critic.score(images()).doubles()
    for row in 0..<5 {
      let one = try critic.score(Batch(inputs: images().inputs.slice(row..<(row + 1)), labels: nil)).item()
      #expect(abs(one - all[row]) < 1e-12)
    }
  }

  @Test func aNamedCriticReadsRowsOfNumbersToo() throws {
    let critic = try NamedDiscriminator(NamedDiscriminator.Config(), in: context(shape: [6]))
    #expect(try critic.score(Batch(inputs: draws([5, 6], seed: 1), labels: nil)).shape == [5, 1])
    #expect(!critic.needs.contains(.images))
  }

  @Test func sidesThatCannotBeHalvedTwiceAreRefused() throws {
    let found = message { _ = try TwoStepEncoder(TwoStepEncoder.Config(), in: context(shape: [1, 30, 28])) }
    #expect(
      found == "part 'tested' halves images twice, found images of 30x28; pad the data to multiples of 4 (data.pad)")
  }
}
