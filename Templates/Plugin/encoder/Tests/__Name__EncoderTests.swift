import LatentKit
import Testing
import __Name__

@Test func theEncoderIsTheTwoLayersOfItsEquation() throws {
  let store = ParameterStore()
  let place = try context(store: store)
  let encoder = try __Name__Encoder(.init(["latent": 2, "hidden": 3], at: "encoder.with"), in: place)
  var generator = try Generator(seed: 1)
  let inputs = try generator.normal([5, 1, 4, 4], dtype: .float64)
  let code = try rows(encoder.encode(Batch(inputs: inputs, labels: nil)).mean)
  #expect(encoder.latentSize == 2)

  func values(_ name: String) throws -> [[Double]] {
    let tensor = try #require(store.parameters.first { $0.name.hasSuffix(name) }).tensor
    return tensor.rank == 1 ? [try tensor.doubles()] : try rows(tensor)
  }
  func layer(_ x: [Double], _ name: String) throws -> [Double] {
    try zip(values("\(name).weight"), values("\(name).bias")[0]).map { row, bias in
      zip(row, x).reduce(bias) { $0 + $1.0 * $1.1 }
    }
  }
  for (input, found) in zip(try rows(inputs.flattened()), code) {
    let expected = try layer(layer(input, "hidden").map { max(0, $0) }, "output")
    for (a, b) in zip(found, expected) { #expect(abs(a - b) < 1e-12) }
  }
}
