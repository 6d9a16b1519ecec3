import CSAE
import LatentKit
import TestSupport
import Testing

private func decoder(
  _ store: ParameterStore = ParameterStore(), classes: Int? = 3, _ change: (inout ConditionalMLPDecoder.Config) -> Void
) throws -> ConditionalMLPDecoder {
  var config = ConditionalMLPDecoder.Config()
  change(&config)
  return try ConditionalMLPDecoder(
    config,
    in: context(classes: classes, latent: 4, shape: [1, 2, 3], title: "decoder 'conditional-mlp'", store: store))
}

@Test func conditionalDecoderIsALayerOfLatentAndOneHotLabel() throws {
  let store = ParameterStore()
  let decoder = try decoder(store) { ($0.hidden, $0.output) = ([], .none) }
  #expect(store.parameters.map { $0.tensor.shape } == [[6, 7], [6]])
  let weights = try (0..<6).map { try store.parameters[0].tensor.detached().select($0).doubles() }
  let biases = try store.parameters[1].tensor.detached().doubles()
  var generator = try Generator(seed: 1)
  let latents = try generator.normal([3, 4], dtype: .float64)
  let labels: [Int64] = [2, 0, 1]
  let made = try decoder.decode(LatentBatch(latents, labels: Tensor(labels))).detached()
  #expect(made.shape == [3, 1, 2, 3])
  for row in 0..<3 {
    let z = try latents.select(row).doubles()
    let found = try made.select(row).doubles()
    for pixel in 0..<6 {
      let value = (0..<4).reduce(biases[pixel]) { $0 + weights[pixel][$1] * z[$1] }
      // A one-hot label picks one column of the weights.
      #expect(abs(found[pixel] - value - weights[pixel][4 + Int(labels[row])]) < 1e-12)
    }
  }
}

@Test func conditionalDecoderHasTheBaselinesSizeAndStaysInRange() throws {
  let store = ParameterStore()
  let context = try context(latent: 40, shape: [1, 28, 28], store: store)
  let decoder = try ConditionalMLPDecoder(ConditionalMLPDecoder.Config(), in: context)
  #expect(store.parameters.filter { $0.tensor.rank == 2 }.map { $0.tensor.shape } == [[400, 50], [784, 400]])
  let made = try decoder.decode(
    LatentBatch(.full([2, 40], 30, dtype: .float64), labels: Tensor([0, 9] as [Int64])))
  #expect(try made.min().item() >= 0 && made.max().item() <= 1)
}

@Test func conditionalDecoderTrainsThroughBothItsInputs() throws {
  let store = ParameterStore()
  let decoder = try decoder(store) { ($0.hidden, $0.activation) = ([5], .tanh) }
  let labels = try Tensor([1, 2] as [Int64])
  var generator = try Generator(seed: 2)
  let latents = try generator.normal([2, 4], dtype: .float64)
  func sum(_ latents: Tensor) throws -> Tensor {
    try decoder.decode(LatentBatch(latents, labels: labels)).square().sum()
  }
  #expect(try gradientError(of: sum, at: latents) < 1e-7)
  let gradient = try #require(try sum(latents).gradients(by: [store.parameters[0].tensor])[0])
  // Class 0 does not occur: its column stays, those of the others move.
  let columns = try gradient.abs().sum(axis: 0).doubles()
  #expect(columns[4] == 0 && columns[5] > 0 && columns[6] > 0)
}

@Test func conditionalDecoderWantsLabels() throws {
  #expect(message { _ = try decoder(classes: nil) { _ in } }.contains("choose a labelled dataset"))
  #expect(
    message { _ = try decoder { _ in }.decode(LatentBatch(.zeros([1, 4]))) }
      == "decoder 'conditional-mlp' is conditioned on the class, and there are no labels")
  #expect(try decoder { _ in }.needs == .everyLabel)
}

@Test func conditionalEncoderIsLayersOfInputAndOneHotLabel() throws {
  let store = ParameterStore()
  var config = ConditionalMLPEncoder.Config()
  (config.hidden, config.latent) = ([], 2)
  let encoder = try ConditionalMLPEncoder(
    config, in: context(classes: 3, latent: 0, shape: [1, 2, 2], title: "encoder 'conditional-mlp'", store: store))
  #expect(encoder.latentSize == 2 && encoder.needs == .everyLabel)
  #expect(store.parameters.map { $0.tensor.shape } == [[2, 7], [2], [2, 7], [2]])
  let values = try store.parameters.map { try $0.tensor.detached().doubles() }
  var generator = try Generator(seed: 1)
  let images = try generator.normal([3, 1, 2, 2], dtype: .float64)
  let labels: [Int64] = [2, 0, 1]
  guard case .gaussian(let mean, let logVariance) = try encoder.encode(Batch(inputs: images, labels: Tensor(labels)))
  else { throw RecipeError("expected a Gaussian code") }
  for (found, (weights, biases)) in [(mean, (values[0], values[1])), (logVariance, (values[2], values[3]))] {
    for row in 0..<3 {
      let x = try images.select(row).flattened().doubles()
      for unit in 0..<2 {
        let value = (0..<4).reduce(biases[unit]) { $0 + weights[unit * 7 + $1] * x[$1] }
        let expected = value + weights[unit * 7 + 4 + Int(labels[row])]
        #expect(try abs(found.detached().select(row).doubles()[unit] - expected) < 1e-12)
      }
    }
  }
  #expect(
    message { _ = try encoder.encode(Batch(inputs: images, labels: nil)) }
      == "encoder 'conditional-mlp' is conditioned on the class, and there are no labels")
}

private func pooled(
  shape: [Int] = [1, 32, 32], store: ParameterStore = ParameterStore(), widths: [Int] = [3, 4, 5, 6]
) throws -> PooledResNetEncoder {
  var config = PooledResNetEncoder.Config()
  config.widths = widths
  return try PooledResNetEncoder(
    config, in: context(latent: 0, shape: shape, title: "encoder 'pooled-resnet'", store: store))
}

@Test func pooledEncoderAveragesTheFourByFourValuesOfItsChannels() throws {
  let encoder = try pooled()
  var generator = try Generator(seed: 3)
  let images = Batch(inputs: try generator.normal([2, 1, 32, 32], dtype: .float64).channelsLast(), labels: nil)
  let last = try #require(try encoder.features(images).last).detached()
  #expect(last.shape == [2, 6, 4, 4] && encoder.latentSize == 6)
  let latents = try encoder.encode(images).mean.detached()
  #expect(latents.shape == [2, 6])
  for image in 0..<2 {
    let found = try latents.select(image).doubles()
    for channel in 0..<6 {
      let values = try (0..<4).flatMap { try last.select(image).select(channel).select($0).doubles() }
      #expect(abs(found[channel] - values.reduce(0, +) / 16) < 1e-12)
    }
  }
}

@Test func pooledEncoderHasNoWeightsButThoseOfItsConvolutions() throws {
  let store = ParameterStore()
  _ = try pooled(store: store)
  let names = store.parameters.map(\.name)
  #expect(names.contains("prior.stem.conv.weight") && names.contains("prior.block3.conv2.weight"))
  #expect(!store.parameters.contains { $0.tensor.rank == 2 }, "no linear layer")
  #expect(message { _ = try pooled(shape: [12]) }.contains("needs images"))
}

private func distances(_ latents: Tensor, _ labels: [Int64]?, classes: Int) throws -> [Measured] {
  let set = LatentSet(latents: latents, labels: try labels.map { try Tensor($0) })
  return try ClassDistances(NoConfig(), in: context(classes: classes)).finish(evaluation(set))
}

@Test func classDistancesAreThoseOfTheMeansOfEachPair() throws {
  var generator = try Generator(seed: 4)
  let latents = try generator.normal([60, 5], dtype: .float64)
  // Class 2 does not occur.
  let labels = (0..<60).map { [0, 1, 3, 4][$0 % 4] as Int64 }
  let means = try [0, 1, 3, 4].map { (label: Int64) in
    let members = try labels.indices.filter { labels[$0] == label }.map { try latents.select($0).doubles() }
    return (0..<5).map { k in members.reduce(0) { $0 + $1[k] } / Double(members.count) }
  }
  var expected: [Double] = []
  for i in 0..<4 {
    for j in 0..<i {
      expected.append(zip(means[i], means[j]).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }.squareRoot())
    }
  }
  let found = try distances(latents, labels, classes: 5)
  #expect(
    found.map(\.name) == [
      "minimum class distance", "mean class distance", "maximum class distance", "class distances",
    ])
  let summary = [expected.min() ?? 0, expected.reduce(0, +) / 6, expected.max() ?? 0]
  for (a, b) in zip(found.compactMap(\.value), summary) { #expect(abs(a - b) < 1e-12) }
  // The matrix has each pair twice, and no row for the class that does not occur.
  let table = try #require(found[3].table)
  #expect(table.rows == ["0", "1", "3", "4"] && table.columns == table.rows && table.isMatrix)
  var pair = 0
  for i in 0..<4 {
    #expect(table.values[i][i] == 0)
    for j in 0..<i {
      #expect(abs(try #require(table.values[i][j]) - expected[pair]) < 1e-12)
      #expect(table.values[i][j] == table.values[j][i])
      pair += 1
    }
  }
}

@Test func classDistancesNeedTwoClasses() throws {
  let latents = try Tensor.ones([2, 3])
  #expect(
    message { _ = try distances(latents, [1, 1], classes: 3) }.contains("the measured data have 1; drop the metric"))
  #expect(message { _ = try distances(latents, nil, classes: 3) }.contains("needs labels"))
}
