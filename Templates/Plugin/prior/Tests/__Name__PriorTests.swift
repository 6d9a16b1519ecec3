import Foundation
import LatentKit
import Testing
import __Name__

private func prior(scale: Double, latent: Int) throws -> __Name__Prior {
  try __Name__Prior(.init(["scale": .double(scale)], at: "prior.with"), in: context(latent: latent))
}

@Test func theDensityIntegratesToOne() throws {
  let prior = try prior(scale: 0.7, latent: 2)
  let (bound, step) = (12.0, 0.05)
  let places = stride(from: -bound, through: bound, by: step).map { $0 }
  let grid = places.flatMap { a in places.flatMap { b in [a, b] } }
  let points = try Tensor(grid, shape: [places.count * places.count, 2])
  let sum = try prior.logDensity(points, labels: nil).doubles().reduce(0) { $0 + exp($1) }
  // The trapezoidal rule at a kink of height 1/2b errs by about step²/12b² in each axis.
  #expect(abs(sum * step * step - 1) < 1e-3)
}

@Test func drawsHaveTheMomentsOfTheDensity() throws {
  let prior = try prior(scale: 0.7, latent: 3)
  var generator = try Generator(seed: 1)
  let request = DrawRequest(labels: nil, count: 20_000, latentSize: 3, prior: prior)
  let draws = try prior.draw(request, using: &generator).latents
  #expect(draws.shape == [20_000, 3])
  let values = try draws.doubles()
  let count = Double(values.count)
  // E z = 0, E |z| = b, E z² = 2b²; five standard errors.
  #expect(abs(values.reduce(0, +) / count) < 5 * 0.7 * (2 / count).squareRoot())
  #expect(abs(values.reduce(0) { $0 + abs($1) } / count - 0.7) < 5 * 0.7 / count.squareRoot())
  #expect(abs(values.reduce(0) { $0 + $1 * $1 } / count - 0.98) < 5 * 0.49 * (20 / count).squareRoot())
}
