import Foundation
import LatentKit
import Testing
import __Name__

@Test(arguments: [1, 1.5, 2])
func theTermAndItsGradientAgreeWithALoop(power: Double) throws {
  let loss = try __Name__Loss(.init(["power": .double(power)], at: "losses.__name__.with"), in: context())
  let values: [[Double]] = [[0.5, -2, 3], [-1, 0.25, 4]]
  let latents = try Tensor(values.flatMap { $0 }, shape: [2, 3]).requiringGradient()
  let term = try loss.terms(forward(latents), under: FlatPrior())[0]
  let gradient = try rows(#require(term.values().sum().gradients(by: [latents])[0]))
  for (row, found) in zip(values, try term.values().doubles()) {
    #expect(abs(row.reduce(0) { $0 + pow(abs($1), power) } - found) < 1e-12)
  }
  for (row, found) in zip(values, gradient) {
    for (z, slope) in zip(row, found) {
      let expected = power * pow(abs(z), power - 1) * (z < 0 ? -1 : 1)
      #expect(abs(expected - slope) < 1e-12)
    }
  }
}
