import LatentKit
import Testing
import __Name__

@Test func smallLatentsAreCountedOverAllBatches() throws {
  var metric = try __Name__Metric(.init(["threshold": 0.5], at: "metrics.__name__.with"), in: context())
  let batches: [[[Double]]] = [[[0.1, -0.4, 2], [0.5, 0, -1]], [[-0.6, 3, 0.2]]]
  for batch in batches {
    try metric.update(forward(Tensor(batch.flatMap { $0 }, shape: [batch.count, 3])))
  }
  let measured = try metric.finish(evaluation())
  #expect(measured.map(\.name) == ["small latents"])
  #expect(abs(try #require(measured[0].value) - 100 * 4 / 9) < 1e-9)
}

@Test func withoutExamplesTheShareIsMissing() throws {
  let metric = try __Name__Metric(.init(), in: context())
  #expect(try metric.finish(evaluation())[0].value == nil)
}
