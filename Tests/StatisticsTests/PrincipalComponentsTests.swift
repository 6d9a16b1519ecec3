import LatentKit
import Statistics
import Testing

@Test func principalComponentsFindTheAxesThatMadeTheData() throws {
  var generator = try Generator(seed: 5)
  // Deviations 3, 1 and 0.1 along known orthonormal directions.
  let axes = try Tensor([0.6, 0.8, 0, -0.8, 0.6, 0, 0, 0, 1], shape: [3, 3])
  let spread = try Tensor([3, 1, 0.1], shape: [1, 3])
  let latents = try (generator.normal([20_000, 3], dtype: .float64) * spread).matmul(axes) + 7
  let components = try PrincipalComponents(of: latents, count: 2)
  let found = try components.directions.transposed().doubles()
  // The sign is that of the largest coordinate; four figures from 20,000 draws leave two.
  for (value, expected) in zip(found, [0.6, 0.8, 0, 0.8, -0.6, 0]) { #expect(abs(value - expected) < 0.02) }
  #expect(abs(components.shares[0] - 9 / 10.01) < 0.01 && abs(components.shares[1] - 1 / 10.01) < 0.01)

  // Variances along the components are those that the shares tell, and coordinates do not correlate.
  let moments = try Moments(of: components.project(latents)).covariance.doubles()
  #expect(abs(moments[1]) < 1e-9 * moments[0])
  #expect(abs(moments[3] / moments[0] - components.shares[1] / components.shares[0]) < 1e-9)
}

@Test func componentsOfEqualLatentsHaveNoShare() throws {
  let components = try PrincipalComponents(of: .full([5, 3], 2), count: 2)
  #expect(components.shares == [0, 0])
  #expect(try components.project(.full([5, 3], 2)).abs().max().item() == 0)
  #expect(throws: TensorError.self) { try PrincipalComponents(of: .zeros([5, 3]), count: 4) }
}
