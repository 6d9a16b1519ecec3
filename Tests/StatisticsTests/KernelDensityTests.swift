import Foundation
import LatentKit
import Testing

@testable import Statistics

/// What SciPy 1.17.1 and scikit-learn 1.9 say, by this script:
///
///     import numpy as np
///     from scipy.stats import gaussian_kde
///     from sklearn.model_selection import GridSearchCV, LeaveOneOut, PredefinedSplit
///     from sklearn.neighbors import KernelDensity
///     i, j = np.mgrid[0:12, 0:3]
///     points = np.sin(1.3 * i + 0.7 * j * j) + 0.1 * i * np.cos(j)
///     places = points[:4] + [[0, 0, 0], [0.5, 0, -0.5], [1, 1, 1], [-3, 2, 4]]
///     for bandwidth in ["scott", "silverman", 0.6]:
///         print(bandwidth, gaussian_kde(points.T, bandwidth).logpdf(places.T).tolist())
///     for width in ["scott", "silverman", 0.3]:
///         print(width, KernelDensity(bandwidth=width).fit(points).score_samples(places).tolist())
///     widths = {"bandwidth": [0.2, 0.3, 0.45, 0.7, 1.0]}
///     for split in [LeaveOneOut(), PredefinedSplit(np.arange(12) % 4)]:
///         search = GridSearchCV(KernelDensity(rtol=0), widths, cv=split).fit(points)
///         print((search.cv_results_["mean_test_score"] / (12 / split.get_n_splits(points))).tolist())
private let golden: [(KernelShape, Bandwidth, [Double])] = [
  (.full, .scott, [-1.4415863369922197, -1.5957438684092076, -37.79143263116219, -58.7439682341541]),
  (.full, .silverman, [-1.3749351294854375, -1.575983913196213, -40.098254787958055, -62.40694669537471]),
  (.full, .factor(0.6), [-1.0915919683133941, -1.5226892092447877, -50.643144991859984, -79.15670053455095]),
  (.identity, .scott, [-3.0344832826234294, -3.0545856286958744, -3.783240605315335, -26.684279873772173]),
  (.identity, .silverman, [-2.981742940428878, -2.997760486451547, -3.7835124440034735, -28.075175236229555]),
  (.identity, .factor(0.3), [-1.3005942539331343, -1.7216937682979303, -5.653360609640314, -124.65923663296792]),
]

/// Mean log likelihoods of a point that was left out, for the widths 0.2, 0.3, 0.45, 0.7 and 1, by number of folds.
private let goldenScores: [(Int, [Double])] = [
  (0, [-4.2178868527540025, -3.0339348933464803, -2.9973404624485673, -3.389883188771675, -3.868848647818911]),
  (4, [-4.174877771206898, -2.9896691174186736, -2.9926590194340945, -3.432298586123983, -3.9208585541691803]),
]

private func goldenPoints() throws -> Tensor {
  let values = (0..<36).map { place -> Double in
    let (i, j) = (Double(place / 3), Double(place % 3))
    return sin(1.3 * i + 0.7 * j * j) + 0.1 * i * cos(j)
  }
  return try Tensor(values, shape: [12, 3])
}

@Test func kernelDensityAgreesWithSciPyAndScikitLearn() throws {
  let points = try goldenPoints()
  let moves = try Tensor([0.0, 0, 0, 0.5, 0, -0.5, 1, 1, 1, -3, 2, 4], shape: [4, 3])
  for (shape, bandwidth, expected) in golden {
    let density = try KernelDensity(of: points, bandwidth: bandwidth, shape: shape)
    #expect(density.ridge == 0)
    for (found, value) in zip(try density.logDensity(points.slice(0..<4) + moves).doubles(), expected) {
      // All are Float64; the inverse of the covariance costs some digits.
      #expect(abs(found - value) < 1e-9 * abs(value))
    }
  }
}

@Test func shapesBetweenAgreeWithALoop() throws {
  let points = try goldenPoints()
  let (values, variances) = (try points.doubles(), try points.variance(axes: [0]).doubles())
  let mean = variances.reduce(0, +) / 3
  for (shape, spread) in [(KernelShape.diagonal, variances), (.scalar, [mean, mean, mean])] {
    let place = [0.3, -0.4, 0.8]
    let found = try KernelDensity(of: points, bandwidth: .factor(0.5), shape: shape).logDensity(
      Tensor(place, shape: [1, 3])
    ).item()
    let sum = (0..<12).reduce(0.0) { sum, point in
      sum
        + (0..<3).reduce(1.0) { product, k in
          let (variance, offset) = (0.25 * spread[k], place[k] - values[point * 3 + k])
          return product * exp(-offset * offset / (2 * variance)) / (2 * Double.pi * variance).squareRoot()
        }
    }
    #expect(abs(found - log(sum / 12)) < 1e-12)
  }
}

@Test func crossValidationAgreesWithScikitLearn() throws {
  for (folds, expected) in goldenScores {
    let search = try CrossValidation(goldenPoints(), folds: folds)
    for (width, score) in zip([0.2, 0.3, 0.45, 0.7, 1], expected) {
      #expect(abs(try search.score(width) - score) < 1e-10)
    }
  }
}

@Test(arguments: [0, 3]) func crossValidatedBandwidthIsTheBestOfAFineGrid(folds: Int) throws {
  var generator = try Generator(seed: 4)
  let points = try generator.normal([60, 2], dtype: .float64).matmul(Tensor([2.0, 1, 0, 0.5], shape: [2, 2]))
  let density = try KernelDensity(of: points, bandwidth: .crossValidated, folds: folds)
  // The loop: every point under the others, in latents.
  let values = try points.doubles()
  let covariance = try Moments(of: points).covariance
  let (inverse, deviation) = (
    try covariance.inverse().doubles(), exp(try covariance.cholesky().diagonal().log().sum().item())
  )
  func score(_ h: Double) -> Double {
    (0..<60).reduce(0.0) { total, i in
      let others = (0..<60).filter { folds == 0 ? $0 != i : $0 % folds != i % folds }
      let sum = others.reduce(0.0) { sum, j in
        let (a, b) = (values[2 * i] - values[2 * j], values[2 * i + 1] - values[2 * j + 1])
        let square = a * a * inverse[0] + 2 * a * b * inverse[1] + b * b * inverse[3]
        return sum + exp(-square / (2 * h * h))
      }
      return total + log(sum / Double(others.count) / (2 * Double.pi * h * h * deviation))
    } / 60
  }
  let best = score(density.factor)
  for step in -60...60 { #expect(score(density.factor * exp(Double(step) * 0.03)) <= best + 1e-6) }
  #expect(
    abs(
      try CrossValidation(density.whitened * density.factor, folds: folds).score(density.factor)
        - best - log(deviation)) < 1e-9)
}

@Test func exactDrawsHaveTheMomentsOfTheEstimate() throws {
  var generator = try Generator(seed: 5)
  let points = try generator.normal([30, 2], dtype: .float64).matmul(Tensor([2.0, 1, 0, 0.5], shape: [2, 2])) + 3
  for shape in KernelShape.allCases {
    let density = try KernelDensity(of: points, bandwidth: .factor(0.5), shape: shape)
    let draws = try Moments(of: density.draw(40_000, using: &generator))
    let moments = try Moments(of: points)
    // The mean of the points; their covariance with divisor n, and the kernel's.
    let expected = try moments.covariance * (29.0 / 30) + shape.matrix(moments.covariance) * 0.25
    let deviation = try expected.diagonal().sqrt().max().item()
    // Five standard errors of a mean and of a square.
    #expect(try (draws.mean - moments.mean).abs().max().item() < 5 * deviation / 200)
    #expect(try (draws.covariance - expected).abs().max().item() < 5 * 1.6 * deviation * deviation / 200)
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

@Test func stackAgreesWithEachDensity() throws {
  var generator = try Generator(seed: 2)
  let sets = try [30, 7, 50].map { try generator.normal([$0, 3], dtype: .float64) * Double($0) + 2 }
  let densities = try sets.map { try KernelDensity(of: $0) }
  let places = try generator.normal([3, 6, 3], dtype: .float64) * 2
  let found = try KernelDensityStack(densities, like: places).logDensity(places)
  for (number, density) in densities.enumerated() {
    let expected = try density.logDensity(density.restore(places.select(number)))
    #expect(try (found.select(number) - expected).abs().max().item() < 1e-9)
  }
}
