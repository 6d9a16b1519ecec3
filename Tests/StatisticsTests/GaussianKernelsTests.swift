import Foundation
import LatentKit
import Testing

@testable import Statistics

/// `−‖x − p‖²/2` for every place and point of a group, as a loop.
private func exponents(_ places: Tensor, _ points: Tensor, ignoring axis: Int? = nil) throws -> [[Double]] {
  let d = try places.size(1)
  let (x, p) = (try places.doubles(), try points.doubles())
  return try (0..<places.size(0)).map { place in
    try (0..<points.size(0)).map { point in
      -0.5
        * (0..<d).filter { $0 != axis }
        .reduce(0) { $0 + (x[place * d + $1] - p[point * d + $1]) * (x[place * d + $1] - p[point * d + $1]) }
    }
  }
}

private func logSum(_ values: [Double]) -> Double {
  let most = values.max() ?? 0
  return most + log(values.reduce(0) { $0 + exp($1 - most) })
}

// Sizes around a tile (64 kernels of Float32, 32 of Float64), a chunk, and a block of four places.
@Test(arguments: [(1, 1, 1), (3, 5, 63), (2, 4, 65), (7, 9, 1300)], [DType.float32, .float64])
func kernelSumsAgreeWithALoop(sizes: (d: Int, places: Int, points: Int), dtype: DType) throws {
  var generator = try Generator(seed: 1)
  let points = try [sizes.points, max(sizes.points / 2, 1)].map {
    try generator.normal([$0, sizes.d], dtype: dtype) * 2
  }
  var places = try generator.normal([2, sizes.places, sizes.d], dtype: dtype) * 3
  // One is so far away that every kernel alone is 0.
  if sizes.places > 4 {
    places = try .concatenate([places.slice(0..<4, axis: 1), places.slice(4..<sizes.places, axis: 1) + 100], axis: 1)
  }
  let found = try GaussianKernels(points).logSums(at: places)
  #expect(found.shape == [2, sizes.places])
  for group in 0..<2 {
    let expected = try exponents(places.select(group), points[group]).map(logSum)
    for (a, b) in zip(try found.select(group).doubles(), expected) {
      // Exponents are differences of products: their rounding counts, not the sum's.
      #expect(abs(a - b) < (dtype == .float64 ? 1e-11 : 3e-5) * max(1, abs(b)))
    }
  }
}

@Test func kernelSumsTakeWeightsAndLeaveKernelsOut() throws {
  var generator = try Generator(seed: 2)
  let points = try generator.normal([100, 3], dtype: .float64)
  let weights = try generator.normal([100], dtype: .float64)
  let kernels = try GaussianKernels([points], logWeights: [weights])
  let logWeights = try weights.doubles()
  let all = try exponents(points, points)
  let found = try kernels.logSums(at: points.unsqueezed(0), excluding: .range(0, 100).unsqueezed(0)).doubles()
  for place in 0..<100 {
    let others = (0..<100).filter { $0 != place }.map { all[place][$0] + logWeights[$0] }
    #expect(abs(found[place] - logSum(others)) < 1e-12)
  }
}

@Test(arguments: [nil, 0, 2] as [Int?])
func kernelsAreChosenByTheirShares(axis: Int?) throws {
  var generator = try Generator(seed: 3)
  let points = try generator.normal([600, 3])
  let place = try Tensor([0.5, -1, 0.25] as [Float], shape: [1, 3])
  let draws = 60_000
  let chosen = try GaussianKernels([points]).choices(
    at: place.expanded([1, draws, 3]), ignoring: axis, using: &generator
  ).ints()
  let weights = try exponents(place, points, ignoring: axis)[0].map(exp)
  let total = weights.reduce(0, +)
  // Shares of five parts of the kernels; a share of 0.2 of 60,000 draws is off by 0.0016 once in three times.
  for part in 0..<5 {
    let range = part * 120..<(part + 1) * 120
    let expected = weights[range].reduce(0, +) / total
    let found = Double(chosen.count { range.contains($0) }) / Double(draws)
    #expect(abs(found - expected) < 0.009)
  }
  // Rare kernels too: no number outside, more than the heaviest few.
  #expect(chosen.allSatisfy { 0..<600 ~= $0 } && Set(chosen).count > 300)
}

// A last tile of fillers, a last chunk of them, and one tile for all: shorter groups are filled up to the longest.
@Test(arguments: [(40, 200), (700, 1300), (3, 5000), (40, 50)], [DType.float32, .float64])
func fillersOfShorterGroupsAreNeverChosen(sizes: (short: Int, long: Int), dtype: DType) throws {
  var generator = try Generator(seed: 5)
  let points = try [sizes.short, sizes.long].map { try generator.normal([$0, 3], dtype: dtype) }
  let places = try generator.normal([2, 2000, 3], dtype: dtype)
  // All of the sum, which rounding lets the kernels miss or reach.
  let chosen = try GaussianKernels(points).choices(at: places, uniforms: .ones([2, 2000], dtype: dtype))
  #expect(try chosen.select(0).max().item() < Double(sizes.short))
  #expect(try chosen.select(1).max().item() < Double(sizes.long))
}

@Test func kernelSumsHaveGradients() throws {
  var generator = try Generator(seed: 4)
  let kernels = try GaussianKernels([generator.normal([20, 2], dtype: .float64)])
  let places = try generator.normal([1, 3, 2], dtype: .float64)
  try places.requiringGradient()
  let gradient = try #require(try kernels.logSums(at: places).sum().gradients(by: [places])[0]).doubles()
  let values = try places.detached().doubles()
  for index in values.indices {
    func sum(_ step: Double) throws -> Double {
      var moved = values
      moved[index] += step
      return try kernels.logSums(at: Tensor(moved, shape: [1, 3, 2])).sum().item()
    }
    #expect(abs(gradient[index] - (try sum(1e-5) - sum(-1e-5)) / 2e-5) < 1e-8)
  }
}

@Test func kernelsThatDoNotFitAreRefused() throws {
  let kernels = try GaussianKernels([.zeros([4, 2])])
  #expect(throws: TensorError.self) { try kernels.logSums(at: .zeros([1, 3, 5])) }
  #expect(throws: TensorError.self) { try kernels.logSums(at: .zeros([1, 3, 2], dtype: .float64)) }
  #expect(throws: TensorError.self) { try GaussianKernels([]) }
}

@Test func weightsThatAreNotOneForEachKernelAreRefused() throws {
  let points = try [Tensor.ones([3, 2]), .ones([1, 2])]
  func kernels(_ shapes: [[Int]]) throws { _ = try GaussianKernels(points, logWeights: shapes.map { try .zeros($0) }) }
  try kernels([[3], [1]])
  for shapes in [[[3]], [[3], [1], [1]], [[2], [1]], [[3, 1], [1]]] {
    #expect(throws: TensorError.self, "\(shapes)") { try kernels(shapes) }
  }
}
