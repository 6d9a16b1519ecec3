import LatentKit
import Statistics
import Testing

private func squaredDistance(_ a: [Double], _ b: [Double]) -> Double {
  zip(a, b).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
}

/// Sixty rows of three classes, the second of them empty, with weights.
private func data() throws -> (rows: Tensor, labels: [Int], weights: [Double]) {
  var generator = try Generator(seed: 31)
  let labels = (0..<60).map { $0 % 4 == 0 ? 2 : 0 }
  let offsets = try Tensor(labels.flatMap { [Double($0) * 3, 1] }, shape: [60, 2])
  let rows = try generator.normal([60, 2], dtype: .float64) + offsets
  return (rows, labels, try generator.uniform([60], dtype: .float64).doubles())
}

private func arrays(_ rows: Tensor) throws -> [[Double]] {
  try (0..<rows.size(0)).map { try rows.select($0).doubles() }
}

/// Half the mean squared distance of two rows, each drawn by its weight: a loop over all pairs.
private func scatter(_ rows: [[Double]], _ weights: [Double]) -> Double {
  let total = weights.reduce(0, +)
  return rows.indices.reduce(0.0) { sum, i in
    sum
      + rows.indices.reduce(0.0) { $0 + weights[i] * weights[$1] * squaredDistance(rows[i], rows[$1]) }
  } / (2 * total * total)
}

@Test(arguments: [false, true]) func variancesAreTheScattersOfPairs(weighted: Bool) throws {
  let (tensor, labels, drawn) = try data()
  let weights = weighted ? drawn : Array(repeating: 1, count: 60)
  let found = try ClassMoments(
    of: tensor, labels: Tensor(labels.map(Int64.init)), classCount: 3, weights: weighted ? Tensor(drawn) : nil)
  let rows = try arrays(tensor)
  let total = weights.reduce(0, +)
  #expect(found.counts == [45, 0, 15])
  #expect(abs(try found.variance - scatter(rows, weights)) < 1e-10)
  var (within, means) = (0.0, [[Double]]())
  for label in [0, 2] {
    let members = labels.indices.filter { labels[$0] == label }
    let own = members.map { weights[$0] }
    let share = own.reduce(0, +) / total
    #expect(abs(found.shares[label] - share) < 1e-12)
    let variance = scatter(members.map { rows[$0] }, own)
    #expect(abs(found.classVariances[label] - variance) < 1e-10)
    within += share * variance
    let mean = (0..<2).map { axis in
      members.reduce(0.0) { $0 + weights[$1] * rows[$1][axis] } / own.reduce(0, +)
    }
    means.append(mean)
    for (a, b) in zip(try found.classMeans.select(label).doubles(), mean) { #expect(abs(a - b) < 1e-12) }
  }
  #expect(abs(try found.withinVariance - within) < 1e-10)
  // Two means: their scatter is the product of their shares times their squared distance.
  let between = found.shares[0] * found.shares[2] * squaredDistance(means[0], means[1])
  #expect(abs(try found.betweenVariance - between) < 1e-10)
  #expect(found.shares[1] == 0 && found.classVariances[1].isNaN)
  #expect(try found.classMeans.select(1).isNaN().all())
}

@Test func covariancesWithinAndBetweenClassesAddUpToThatOfEverything() throws {
  let (rows, labels, _) = try data()
  let found = try ClassMoments(of: rows, labels: Tensor(labels.map(Int64.init)), classCount: 3)
  let whole = try Moments(of: rows)
  #expect(try (found.covariance - whole.covariance * (59.0 / 60)).abs().max().item() < 1e-12)
  #expect(try (found.mean - whole.mean).abs().max().item() < 1e-12)
  // Within classes: that of rows from which the mean of their class was taken.
  let centred = try rows - found.classMeans.rows(labels)
  let within = try centred.transposed().matmul(centred) / 60
  #expect(try (found.withinCovariance - within).abs().max().item() < 1e-12)
  #expect(abs(try found.withinVariance - within.diagonal().sum().item()) < 1e-12)
}

@Test func equalRowsOfAClassHaveNoVariance() throws {
  // 0.1 three times has a mean that rounds.
  let found = try ClassMoments(
    of: .full([3, 2], 0.1, dtype: .float64), labels: Tensor([0, 0, 0] as [Int64]), classCount: 1)
  #expect(found.classVariances == [0])
  #expect(try found.variance == 0)
}

@Test func classMomentsOfWhatDoesNotFitAreRefused() throws {
  let rows = try Tensor.zeros([2, 3])
  func refuses(_ labels: [Int64], _ weights: [Double]? = nil) -> Bool {
    do {
      _ = try ClassMoments(of: rows, labels: Tensor(labels), classCount: 2, weights: weights.map { try Tensor($0) })
    } catch { return error is TensorError }
    return false
  }
  #expect(!refuses([0, 1]) && !refuses([0, 1], [0, 2]))
  #expect(refuses([0]) && refuses([0, 2]) && refuses([-1, 0]))
  #expect(
    refuses([0, 1], [0, 0]) && refuses([0, 1], [2, -1]) && refuses([0, 1], [1, .nan]) && refuses([0, 1], [1]))
}
