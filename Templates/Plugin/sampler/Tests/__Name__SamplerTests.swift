import LatentKit
import Testing
import __Name__

@Test func drawsKeepMeanAndVarianceOfTheirClass() throws {
  let sampler = try __Name__Sampler(.init(["bandwidth": 1.0], at: "sampler.with"), in: context())
  var generator = try Generator(seed: 1)
  // Class 0 around (0, 0) and class 1 around (100, 100), with deviations 1 and 3.
  let noise = try rows(generator.normal([2_000, 2], dtype: .float64))
  let classes = (0..<2_000).map { $0 % 2 }
  let points = zip(noise, classes).map { [$0[0] + 100 * Double($1), 3 * $0[1] + 100 * Double($1)] }
  let reference = LatentSet(
    latents: try Tensor(points.flatMap { $0 }, shape: [2_000, 2]), labels: try Tensor(classes.map(Int64.init)))
  let count = 20_000
  let labels = (0..<count).map { Int64($0 % 2) }
  let request = DrawRequest(
    labels: try Tensor(labels), count: count, latentSize: 2, prior: FlatPrior(), reference: reference)
  let draw = try sampler.draw(request, using: &generator)
  #expect(draw.latents.shape == [count, 2] && draw.followsLabels && draw.warnings == [])
  for (axis, deviation) in [(0, 1.0), (1, 3.0)] {
    for label in [0, 1] {
      let drawn = zip(try rows(draw.latents), labels).filter { $0.1 == Int64(label) }.map { $0.0[axis] }
      let trained = zip(points, classes).filter { $0.1 == label }.map { $0.0[axis] }
      let (found, expected) = (moments(drawn), moments(trained))
      #expect(abs(found.mean - expected.mean) < 5 * deviation / 100)
      #expect(abs(found.variance / expected.variance - 1) < 5 * 0.02)
    }
  }
}

@Test func aClassWithOneLatentIsSaidToHaveNoSpread() throws {
  let sampler = try __Name__Sampler(.init(), in: context())
  var generator = try Generator(seed: 1)
  let reference = LatentSet(latents: try Tensor([1.0, 2.0], shape: [1, 2]), labels: nil)
  let request = DrawRequest(labels: nil, count: 3, latentSize: 2, prior: FlatPrior(), reference: reference)
  let draw = try sampler.draw(request, using: &generator)
  #expect(try rows(draw.latents) == [[1, 2], [1, 2], [1, 2]])
  #expect(draw.warnings.count == 1)
}

private func moments(_ values: [Double]) -> (mean: Double, variance: Double) {
  let mean = values.reduce(0, +) / Double(values.count)
  return (mean, values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count))
}
