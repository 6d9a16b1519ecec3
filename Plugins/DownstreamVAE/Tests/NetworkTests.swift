import DownstreamVAE
import LatentKit
import TestSupport
import Testing

@Test(arguments: [1, 2, 4, 25], [CodeKind.gaussian, .point])
func encodersAndDecodersOfAnyLatentSizeFitEachOther(latent: Int, kind: CodeKind) throws {
  let place = try context(latent: latent, shape: [1, 28, 28], dtype: .float32)
  let encoder = try ConvMLPEncoder(
    .init(["latent": .int(latent), "code": .string(kind.rawValue)], at: "with"), in: place)
  let decoder = try ConvMLPDecoder(.init(), in: try context(latent: latent, shape: [1, 28, 28], dtype: .float32))
  var generator = try Generator(seed: 1)
  let batch = Batch(inputs: try generator.uniform([3, 1, 28, 28]), labels: nil)
  let (code, features) = try encoder.encodeWithFeatures(batch)
  #expect(code.mean.shape == [3, latent])
  switch code {
  case .gaussian(_, let logVariance): #expect(kind == .gaussian && logVariance.shape == [3, latent])
  case .point: #expect(kind == .point)
  }
  #expect(try code.mean.doubles() == encoder.encode(batch).mean.doubles())
  #expect(features.map(\.shape) == [[3, 32, 14, 14], [3, 64, 7, 7], [3, 64, 4, 4], [3, 256]])
  let made = try decoder.decode(LatentBatch(code.mean))
  #expect(made.shape == [3, 1, 28, 28])
  #expect(try made.doubles().allSatisfy { (0...1).contains($0) })
}

@Test func theNetworksHaveThePapersLayers() throws {
  let (encoder, decoder) = (ParameterStore(), ParameterStore())
  _ = try ConvMLPEncoder(.init(), in: context(shape: [1, 28, 28], store: encoder))
  _ = try ConvMLPDecoder(.init(), in: context(shape: [1, 28, 28], store: decoder))
  func shapes(_ store: ParameterStore, rank: Int) -> [[Int]] {
    store.parameters.map(\.tensor.shape).filter { $0.count == rank }
  }
  #expect(shapes(encoder, rank: 4) == [[32, 1, 3, 3], [64, 32, 3, 3], [64, 64, 3, 3]])
  #expect(shapes(encoder, rank: 2) == [[256, 1024], [4, 256], [4, 256]])
  #expect(shapes(decoder, rank: 2) == [[64, 4], [256, 64], [64 * 49, 256]])
  #expect(shapes(decoder, rank: 4) == [[64, 32, 4, 4], [32, 16, 4, 4], [16, 1, 3, 3]])
}

@Test func imagesThatCannotBeDoubledToAreRefused() {
  #expect(
    message { _ = try ConvMLPDecoder(.init(), in: context(shape: [1, 30, 28], title: "decoder 'conv-mlp'")) }
      == "decoder 'conv-mlp' doubles the image 2 times, so it makes sides that are multiples of 4, and the data have images of "
      + "30x28; pad the data (data.pad) or use fewer decoder.widths")
}
