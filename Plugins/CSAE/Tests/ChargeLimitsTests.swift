import CSAE
import LatentKit
import TestSupport
import Testing

/// In Float64, where squares overflow from 1e154 on; in Float32, as many points are moved, from 1e19 on.
@Test(arguments: [(20, 1e300), (20, 1e200), (300, 1e30)])
func chargesThatRunAwayAreRefused(count: Int, gamma: Double) throws {
  #expect(
    message {
      var generator = try Generator(seed: 1)
      _ = try charges(count, dimensions: 3, using: &generator) { $0.gamma = gamma }
    } == """
      the charges ran away with gamma \(gamma) and epsilon 0.01; lower gamma, or raise epsilon: the paper has 0.01 for both
      """)
}

@Test func motionsOutOfRangeAreRefused() throws {
  func refusal(_ change: (inout PEDCC.Config) -> Void) -> String {
    message {
      var generator = try Generator(seed: 1)
      _ = try charges(10, dimensions: 3, using: &generator, change)
    }
  }
  #expect(refusal { $0.gamma = 0 } == "gamma is 0.0, expected above 0 and finite")
  #expect(refusal { $0.gamma = .infinity } == "gamma is inf, expected above 0 and finite")
  for epsilon in [0, -1, 2.5, .nan] {
    #expect(
      refusal { $0.epsilon = epsilon }
        == "epsilon is \(epsilon), expected above 0, up to 2, the diameter of the sphere")
  }
  #expect(refusal { $0.iterations = 0 } == "iterations is 0, expected at least 1")
  #expect(refusal { $0.tolerance = -1 } == "tolerance is -1.0, expected 0 or more")
  #expect(refusal { $0.restarts = -1 } == "restarts is -1, expected 0 to 1000")
  let points = try Tensor.ones([2, 3], dtype: .float64)
  #expect(message { _ = try EvenPoints.tangentForces(on: points, epsilon: 0) }.contains("epsilon is 0.0"))
  #expect(
    message { _ = try EvenPoints.tangentForces(on: points.select(0), epsilon: 0.01) }
      == "tangent forces of [3]: expected points [count, dimensions]")
}

@Test func numbersOfPointsHaveBounds() throws {
  var generator = try Generator(seed: 1)
  func refusal(_ count: Int, _ dimensions: Int) -> [String] {
    [
      message { _ = try charges(count, dimensions: dimensions, using: &generator) },
      message { _ = try EvenPoints.simplex(count, dimensions: dimensions, using: &generator) },
    ]
  }
  for (count, dimensions) in [(0, 3), (3, 0), (-1, -1), (Int.min, Int.min)] {
    let sentence = "found \(count) points in \(dimensions) dimensions, expected 1 or more of each"
    #expect(refusal(count, dimensions) == [sentence, sentence])
  }
  for (count, dimensions) in [(25_001, 3), (Int.max, Int.max)] {
    let sentence = "found \(count) points to place evenly, expected up to 25000; take fewer classes"
    #expect(refusal(count, dimensions) == [sentence, sentence])
  }
  for (count, dimensions, most) in [(20_000, 20_000, 838), (4097, 4096, 4095), (1, Int.max, 16_777_216)] {
    let sentence = """
      found \(count) points in \(dimensions) dimensions to place evenly, expected up to \(most) dimensions for so many; \
      take fewer classes, or a smaller latent space
      """
    #expect(refusal(count, dimensions) == [sentence, sentence])
  }
  // The classes of ImageNet-21k in 512 dimensions have a place, and so has the largest simplex.
  try EvenPoints.check(21_841, dimensions: 512)
  try EvenPoints.check(4096, dimensions: 4096)
  #expect(
    message { _ = try EvenPoints.simplex(5, dimensions: 3, using: &generator) }
      == "found 5 points in 3 dimensions, expected up to 4 on a regular simplex; take more dimensions, or charges")
  #expect(message { _ = try charges(2, dimensions: 1, using: &generator) }.contains("expected 2 dimensions or more"))
}
