import IntraClassVariance
import LatentKit
import TestSupport
import Testing

private func encoder(
  _ name: String, normalized: Bool, shape: [Int] = [1, 28, 28], store: ParameterStore = ParameterStore()
)
  throws -> any FeatureEncoder
{
  let place = try context(shape: shape, title: "encoder '\(name)'", store: store, dtype: .float32)
  if name == "lenet++" {
    return try LeNetPlusPlus(
      .init(["latent": 3, "normalized": .bool(normalized), "widths": [4, 5, 6]], at: "with"), in: place)
  }
  return try EmbeddingCNN(
    .init(["latent": 3, "normalized": .bool(normalized), "widths": [4, 5, 6]], at: "with"), in: place)
}

@Test(arguments: ["embedding-cnn", "lenet++"], [false, true])
func embeddingsHaveLengthOneWhereAsked(name: String, normalized: Bool) throws {
  var generator = try Generator(seed: 1)
  let images = try generator.uniform([6, 1, 28, 28])
  let encoder = try encoder(name, normalized: normalized)
  let latents = try encoder.encode(Batch(inputs: images, labels: nil)).mean
  #expect(latents.shape == [6, 3] && encoder.latentSize == 3)
  let lengths = try latents.square().sum(axis: 1).sqrt().doubles()
  #expect(lengths.allSatisfy { abs($0 - 1) < 1e-5 } == normalized)
  let (code, features) = try encoder.encodeWithFeatures(Batch(inputs: images, labels: nil))
  #expect(try code.mean.doubles() == latents.doubles())
  #expect(features.map(\.shape) == [[6, 4, 14, 14], [6, 5, 7, 7], [6, 6, 3, 3]])
  #expect(
    try encoder.features(Batch(inputs: images, labels: nil)).map { try $0.doubles() }
      == features.map { try $0.doubles() })
}

@Test func theNetworksHaveTheLayersTheyAreNamedFor() throws {
  let (cnn, lenet) = (ParameterStore(), ParameterStore())
  _ = try encoder("embedding-cnn", normalized: false, store: cnn)
  _ = try encoder("lenet++", normalized: false, store: lenet)
  func kernels(_ store: ParameterStore) -> [[Int]] { store.parameters.map(\.tensor.shape).filter { $0.count == 4 } }
  #expect(kernels(cnn) == [[4, 1, 3, 3], [4, 4, 3, 3], [5, 4, 3, 3], [5, 5, 3, 3], [6, 5, 3, 3]])
  #expect(
    kernels(lenet) == [[4, 1, 5, 5], [4, 4, 5, 5], [5, 4, 5, 5], [5, 5, 5, 5], [6, 5, 5, 5], [6, 6, 5, 5]])
}

@Test func dropoutKeepsTheMeanAndActsInTrainingAlone() throws {
  func encoder(dropout: Double, training: Bool) throws -> EmbeddingCNN {
    try EmbeddingCNN(
      .init(["latent": 2, "widths": [4, 5, 6], "dropout": .double(dropout)], at: "with"),
      in: context(shape: [1, 28, 28], training: training))
  }
  var generator = try Generator(seed: 1)
  let batch = Batch(inputs: try generator.uniform([8, 1, 28, 28]).to(.float64), labels: nil)
  let still = try encoder(dropout: 0.5, training: false).encode(batch).mean.doubles()
  #expect(try encoder(dropout: 0, training: false).encode(batch).mean.doubles() == still)

  let expected = try encoder(dropout: 0, training: true).encode(batch).mean.doubles()
  let dropping = try encoder(dropout: 0.5, training: true)
  let draws = try (0..<400).map { _ in try dropping.encode(batch).mean.doubles() }
  #expect(draws[0] != draws[1] && draws[0] != expected)
  for (index, value) in expected.enumerated() {
    let values = draws.map { $0[index] }
    let mean = values.reduce(0, +) / 400
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 399
    #expect(abs(mean - value) < 5 * (variance / 400).squareRoot())
  }
}

@Test func gradientsOfAnEmbeddingAtZeroAreFinite() throws {
  // The embedding's weights are zero, so that every embedding is.
  let store = ParameterStore()
  let encoder = try encoder("lenet++", normalized: true, store: store)
  for parameter in store.parameters where parameter.name.contains("embedding") { try parameter.tensor.fillInPlace(0) }
  let latents = try encoder.encode(Batch(inputs: .ones([2, 1, 28, 28]), labels: nil)).mean
  for gradient in try latents.sum().gradients(by: store.parameters.map(\.tensor)) {
    #expect(try gradient?.isFinite().all() ?? true)
  }
}

@Test func imagesThatCannotBeHalvedAreRefused() {
  #expect(
    message { _ = try encoder("embedding-cnn", normalized: false, shape: [1, 7, 28]) }
      == "encoder 'embedding-cnn' halves images 3 times, found images of 7x28, expected sides of 8 or more; use fewer "
      + "encoder.widths, or pad the data (data.pad)")
}
