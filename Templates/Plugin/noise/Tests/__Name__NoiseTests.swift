import LatentKit
import Testing
import __Name__

@Test func theNoiseHasItsMoments() throws {
  let noise = try __Name__Noise(.init(["deviation": 0.5], at: "noise.with"), in: context())
  var generator = try Generator(seed: 1)
  let latents = try Tensor.zeros([20_000, 2], dtype: .float64) + 3
  let values = try (noise.perturb(LatentBatch(latents), using: &generator) - latents).doubles()
  let count = Double(values.count)
  let mean = values.reduce(0, +) / count
  // Five standard errors.
  #expect(abs(mean) < 5 * 0.5 / count.squareRoot())
  #expect(abs(values.reduce(0) { $0 + $1 * $1 } / count - 0.25) < 5 * 0.25 * (2 / count).squareRoot())
}
