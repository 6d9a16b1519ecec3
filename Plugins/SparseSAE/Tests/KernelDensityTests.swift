import Foundation
import LatentKit
import Testing

@testable import SparseSAE

/// What SciPy 1.17.1 says, by this script:
///
///     import numpy as np
///     from scipy.stats import gaussian_kde
///     i, j = np.mgrid[0:12, 0:3]
///     points = np.sin(1.3 * i + 0.7 * j * j) + 0.1 * i * np.cos(j)
///     places = points[:4] + [[0, 0, 0], [0.5, 0, -0.5], [1, 1, 1], [-3, 2, 4]]
///     for bandwidth in ["scott", "silverman", 0.6]:
///         print(bandwidth, gaussian_kde(points.T, bandwidth).logpdf(places.T).tolist())
private let golden: [(Bandwidth, [Double])] = [
  (.scott, [-1.4415863369922197, -1.5957438684092076, -37.79143263116219, -58.7439682341541]),
  (.silverman, [-1.3749351294854375, -1.575983913196213, -40.098254787958055, -62.40694669537471]),
  (.factor(0.6), [-1.0915919683133941, -1.5226892092447877, -50.643144991859984, -79.15670053455095]),
]

private func goldenPoints() throws -> Tensor {
  let values = (0..<36).map { place -> Double in
    let (i, j) = (Double(place / 3), Double(place % 3))
    return sin(1.3 * i + 0.7 * j * j) + 0.1 * i * cos(j)
  }
  return try Tensor(values, shape: [12, 3])
}

@Test func kernelDensityAgreesWithSciPy() throws {
  let points = try goldenPoints()
  let moves = try Tensor([0.0, 0, 0, 0.5, 0, -0.5, 1, 1, 1, -3, 2, 4], shape: [4, 3])
  for (bandwidth, expected) in golden {
    let density = try KernelDensity(of: points, bandwidth: bandwidth)
    #expect(density.ridge == 0)
    for (found, value) in zip(try density.logDensity(points.slice(0..<4) + moves).doubles(), expected) {
      // Both are Float64; the inverse of the covariance costs some digits.
      #expect(abs(found - value) < 1e-9 * abs(value))
    }
  }
}

@Test func oneDimensionalDensityIntegratesToOne() throws {
  let density = try KernelDensity(of: Tensor([0.0, 1, 1.5, 4], shape: [4, 1]))
  let grid = try Tensor.linspace(-20, 25, count: 9001, dtype: .float64).reshaped([9001, 1])
  #expect(abs(try density.logDensity(grid).exp().sum().item() * 0.005 - 1) < 1e-9)
}

@Test func whiteningIsUndoneByRestoring() throws {
  let points = try goldenPoints()
  let density = try KernelDensity(of: points)
  #expect(try (density.restore(density.whitened) - points).abs().max().item() < 1e-12)
  // Moves are whitened like differences of places.
  let moves = try density.whitened.slice(1..<2) - density.whitened.slice(0..<1)
  let whitened = try (points.slice(1..<2) - points.slice(0..<1)).matmul(density.whiteningOfMoves())
  #expect(try (whitened - moves).abs().max().item() < 1e-12)
}

@Test func singularCovariancesGetARidge() throws {
  var generator = try Generator(seed: 1)
  // Five points in eight dimensions; and a dimension that never changes.
  let few = try generator.normal([5, 8], dtype: .float64)
  let flat = try Tensor.concatenate(
    [generator.normal([50, 2], dtype: .float64), .full([50, 1], 3, dtype: .float64)], axis: 1)
  for points in [few, flat] {
    let density = try KernelDensity(of: points)
    #expect(density.ridge == 1e-6)
    let inside = try density.logDensity(points)
    let outside = try density.logDensity(points + 1)
    #expect(try inside.isFinite().all())
    #expect(try inside.min().item() > outside.max().item() + 100)
  }
}

@Test func densitiesThatCannotBeAreRefused() throws {
  #expect(throws: RecipeError.self) { try KernelDensity(of: .ones([4, 2])) }
  #expect(throws: RecipeError.self) { try KernelDensity(of: goldenPoints(), bandwidth: .factor(0)) }
}

@Test func stackAgreesWithEachDensityUpToAConstant() throws {
  var generator = try Generator(seed: 2)
  let sets = try [30, 7, 50].map { try generator.normal([$0, 3], dtype: .float64) * Double($0) + 2 }
  let densities = try sets.map { try KernelDensity(of: $0) }
  let places = try generator.normal([3, 6, 3], dtype: .float64) * 2
  let found = try DensityStack(densities, like: places).logDensity(places)
  for (number, density) in densities.enumerated() {
    let expected = try density.logDensity(density.restore(places.select(number)))
    let difference = try found.select(number) - expected
    #expect(try (difference - difference.mean()).abs().max().item() < 1e-9)
  }
}

@Test func choicesAreWordsOrNumbersInARecipe() throws {
  typealias Config = MetropolisHastingsSampler.Config
  let config = try Config(["bandwidth": "silverman", "proposal": 0.2, "maximumPoints": .null], at: "sampler.with")
  #expect(config.bandwidth == .silverman && config.proposal == .variance(0.2) && config.maximumPoints == nil)
  #expect(try Config(["bandwidth": 1], at: "sampler.with").bandwidth == .factor(1))
  #expect(try Config().values["bandwidth"] == "scott")
  #expect(try Config(Config().values, at: "sampler.with") == Config())
  #expect {
    try Config(["bandwidth": "scot"], at: "sampler.with")
  } throws: {
    "\($0)".contains("sampler.with.bandwidth: found 'scot'") && "\($0)".contains("Did you mean 'scott'?")
  }
  #expect {
    try Config(["proposal": true], at: "sampler.with")
  } throws: {
    "\($0)".contains("expected tuned or a number")
  }
}
