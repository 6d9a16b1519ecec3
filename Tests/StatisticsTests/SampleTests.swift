import Foundation
import LatentKit
import Testing

@testable import Statistics

/// Made by `Fixtures/make_samples.py` with NumPy and SciPy.
private struct Golden: Codable {
  let first: Int, second: Int, dimensions: Int
  let shift: Double
  let neighbors: Int
  let frechet: Double, kernel: Double
  let precision: Double, recall: Double, density: Double, coverage: Double

  static func read() throws -> [Golden] {
    let url = try #require(Bundle.module.url(forResource: "Fixtures/samples", withExtension: "json"))
    return try JSONDecoder().decode([Golden].self, from: Data(contentsOf: url))
  }

  /// By the script's formula.
  func samples() throws -> (Tensor, Tensor) {
    func rows(_ count: Int, _ factor: Int, _ shift: Double) throws -> Tensor {
      try Tensor(
        (0..<(count * dimensions)).map { Double($0 * $0 * factor % 101) / 64 + shift }, shape: [count, dimensions])
    }
    return (try rows(first, 3, 0), try rows(second, 7, shift))
  }
}

private func isNear(_ a: Double, _ b: Double, _ tolerance: Double) -> Bool { abs(a - b) <= tolerance * max(1, abs(b)) }

@Test func measuresOfSamplesAgreeWithNumPy() throws {
  for golden in try Golden.read() {
    let (x, y) = try golden.samples()
    // SciPy's root of a product that is not symmetric keeps about 10 digits.
    #expect(isNear(try FrechetDistance(x, y).value, golden.frechet, 1e-9))
    #expect(isNear(try KernelDistance.unbiased(x, y), golden.kernel, 1e-12))
    let found = try Neighborhoods(real: x, generated: y, neighbors: golden.neighbors)
    #expect(isNear(found.precision, golden.precision, 1e-15) && isNear(found.recall, golden.recall, 1e-15))
    #expect(isNear(found.density, golden.density, 1e-15) && isNear(found.coverage, golden.coverage, 1e-15))
  }
}

@Test func frechetDistanceOfMomentsThatCommuteIsKnown() throws {
  // Along the axes: Σ (m − n)² + (s − t)².
  var generator = try Generator(seed: 1)
  let rows = try generator.normal([500, 3], dtype: .float64)
  let factors = try Tensor([2.0, 0.5, 1], shape: [1, 3])
  let base = try Moments(of: rows)
  let whitened = try (rows - base.mean).matmul(base.covariance.cholesky().inverse().transposed())
  let moved = try whitened * factors + Tensor([3.0, 0, -1], shape: [1, 3])
  let found = try FrechetDistance(whitened, moved)
  #expect(isNear(found.ofMeans, 10, 1e-9))
  #expect(isNear(found.ofCovariances, 1 + 0.25, 1e-9))
  #expect(!found.isRankDeficient)
  // Turning both changes nothing.
  let turn = try Moments(of: generator.normal([9, 3], dtype: .float64)).covariance.symmetricEigen().vectors
  #expect(isNear(try FrechetDistance(whitened.matmul(turn), moved.matmul(turn)).value, 11.25, 1e-9))
}

@Test func frechetDistanceTakesSingularCovariances() throws {
  // On a line, on another line at a right angle, and in a point: deviations 1, 2 and 0.
  let steps = try Tensor([-1.0, 1], shape: [2, 1]) / 2.0.squareRoot()
  let first = try steps.matmul(Tensor([1.0, 0, 0], shape: [1, 3]))
  let second = try steps.matmul(Tensor([0.0, 2, 0], shape: [1, 3]))
  let point = try Tensor.zeros([4, 3], dtype: .float64)
  #expect(isNear(try FrechetDistance(first, second).value, 1 + 4, 1e-12))
  #expect(isNear(try FrechetDistance(first, first * 3).value, 4, 1e-12))
  #expect(isNear(try FrechetDistance(first, point).value, 1, 1e-12))
  #expect(try FrechetDistance(point, point + 2).value == 12)
  #expect(try FrechetDistance(first, first).isRankDeficient)
  // 40 rows in 100 dimensions: the same sample has distance 0.
  var generator = try Generator(seed: 2)
  let wide = try generator.normal([40, 100], dtype: .float64)
  #expect(try FrechetDistance(wide, wide).value < 1e-5)
}

@Test func kernelDistanceMatchesALoopAndIsUnbiased() throws {
  var generator = try Generator(seed: 3)
  let (x, y) = (try generator.normal([7, 2], dtype: .float64), try generator.normal([5, 2], dtype: .float64) + 0.5)
  let (a, b) = (try x.doubles(), try y.doubles())
  func kernel(_ p: [Double], _ i: Int, _ q: [Double], _ j: Int) -> Double {
    pow((p[2 * i] * q[2 * j] + p[2 * i + 1] * q[2 * j + 1]) / 2 + 1, 3)
  }
  var expected = 0.0
  for i in 0..<7 { for j in 0..<7 where i != j { expected += kernel(a, i, a, j) / 42 } }
  for i in 0..<5 { for j in 0..<5 where i != j { expected += kernel(b, i, b, j) / 20 } }
  for i in 0..<7 { for j in 0..<5 { expected -= 2 * kernel(a, i, b, j) / 35 } }
  #expect(isNear(try KernelDistance.unbiased(x, y), expected, 1e-12))
  // Of one density: estimates of subsets lie around 0, on both sides.
  let (p, q) = (try generator.normal([4000, 3]), try generator.normal([4000, 3]))
  let found = try KernelDistance.ofSubsets(p, q, subsets: 40)
  let mean = found.reduce(0, +) / 40
  let deviation = (found.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 39).squareRoot()
  #expect(abs(mean) < 4 * deviation / 40.0.squareRoot() && found.min()! < 0 && found.max()! > 0)
  // Subset 1 of 2 has the odd rows.
  let odd = Array(stride(from: 1, to: 4000, by: 2))
  #expect(
    try KernelDistance.ofSubsets(p, q, subsets: 2)[1] == KernelDistance.unbiased(p.rows(odd), q.rows(odd)))
}

@Test func kernelDistanceInBlocksIsThatOfAllPairs() throws {
  // 2,000,000 / 3,000 rows at a time.
  var generator = try Generator(seed: 4)
  let (x, y) = (
    try generator.normal([2500, 4], dtype: .float64), try generator.normal([3000, 4], dtype: .float64) * 1.1
  )
  func kernel(_ a: Tensor, _ b: Tensor) throws -> Tensor { try (a.matmul(b.transposed()) / 4 + 1).pow(3) }
  let own = try (kernel(x, x).sum().item() - kernel(x, x).diagonal().sum().item()) / (2500 * 2499)
  let other = try (kernel(y, y).sum().item() - kernel(y, y).diagonal().sum().item()) / (3000 * 2999)
  let expected = try own + other - 2 * kernel(x, y).mean().item()
  #expect(isNear(try KernelDistance.unbiased(x, y), expected, 1e-11))
}

@Test func neighborhoodsOfEqualAndOfDistantSamplesAreKnown() throws {
  var generator = try Generator(seed: 5)
  // More than one block of distances.
  let x = try generator.normal([2300, 6])
  let same = try Neighborhoods(real: x, generated: x, neighbors: 4)
  // Each point's ball holds itself and its four neighbours, on the surface too: 5 of 4.
  #expect(same == .init(precision: 1, recall: 1, density: 1.25, coverage: 1))
  let far = try Neighborhoods(real: x, generated: x + 100, neighbors: 4)
  #expect(far == .init(precision: 0, recall: 0, density: 0, coverage: 0))
  // One of two far groups is generated only: precise, but half is missing.
  let y = try x + 100
  let half = try Neighborhoods(real: .concatenate([x, y]), generated: x, neighbors: 4)
  #expect(half.precision == 1 && half.recall == 0.5 && half.coverage == 0.5)
  // Samples of one density: density is 1 up to a few percent.
  let other = try Neighborhoods(real: x, generated: generator.normal([2300, 6]), neighbors: 5)
  #expect(abs(other.density - 1) < 0.05 && other.coverage > 0.9)
}

@Test func radiiReachTheNearestNeighbors() throws {
  var generator = try Generator(seed: 6)
  let points = try generator.normal([2200, 3], dtype: .float64)
  let found = try Neighborhoods.radii(points, 7).doubles()
  for index in [0, 1, 1905, 1906, 1907, 2199] {
    let distances = try (points - points.slice(index..<(index + 1))).square().sum(axis: 1).sqrt().doubles().sorted()
    #expect(abs(found[index] - distances[7]) < 1e-12)  // place 0 is the point itself
  }
}

@Test func measuresOfSamplesRefuseWhatTheyCannotMeasure() throws {
  let rows = try Tensor.ones([4, 3])
  #expect(throws: TensorError.self) { try FrechetDistance(rows, .ones([1, 3])) }
  #expect(throws: TensorError.self) { try FrechetDistance(rows, .ones([4, 2])) }
  #expect(throws: TensorError.self) { try FrechetDistance(rows, .full([4, 3], .nan)) }
  #expect(throws: TensorError.self) { try KernelDistance.unbiased(rows, .ones([1, 3])) }
  #expect(throws: TensorError.self) { try KernelDistance.unbiased(rows, .ones([4, 2])) }
  #expect(throws: TensorError.self) { try Neighborhoods(real: rows, generated: rows, neighbors: 4) }
  #expect(throws: TensorError.self) { try Neighborhoods(real: rows, generated: rows, neighbors: 0) }
  #expect(throws: TensorError.self) { try Neighborhoods(real: rows, generated: .full([4, 3], .nan), neighbors: 1) }
}
