import Foundation
import LatentKit
import Statistics
import Testing

/// Made by `Fixtures/make_curves.py` with scikit-learn.
private struct Golden: Codable {
  let scores: [Double]
  let positive: [Bool]
  let `false`: [Double]
  let `true`: [Double]
  let area: Double
  let equal: Double
  let atTen: Double

  static func read() throws -> [Golden] {
    let url = try #require(Bundle.module.url(forResource: "Fixtures/curves", withExtension: "json"))
    return try JSONDecoder().decode([Golden].self, from: Data(contentsOf: url))
  }
}

private func mask(_ values: [Bool]) throws -> Tensor { try Tensor(values.map { Int64($0 ? 1 : 0) }) .!= 0 }

@Test func operatingCurvesAgreeWithScikitLearn() throws {
  for golden in try Golden.read() {
    let curve = try OperatingCurve(scores: Tensor(golden.scores), isPositive: mask(golden.positive))
    #expect(curve.falsePositiveRates.count == golden.false.count)
    for (found, expected) in zip(curve.falsePositiveRates, golden.false) { #expect(abs(found - expected) < 1e-12) }
    for (found, expected) in zip(curve.truePositiveRates, golden.true) { #expect(abs(found - expected) < 1e-12) }
    #expect(abs(curve.area - golden.area) < 1e-12)
    #expect(abs(curve.equalErrorRate - golden.equal) < 1e-12)
    #expect(abs(curve.truePositiveRate(at: 0.1) - golden.atTen) < 1e-8)
  }
}

@Test func theAreaIsTheShareOfPairsInOrder() throws {
  let scores = [0.1, 0.4, 0.4, 0.8, 0.3, 0.4]
  let positive = [false, true, false, true, false, true]
  var wins = 0.0
  for (i, one) in scores.enumerated() where positive[i] {
    for (j, other) in scores.enumerated() where !positive[j] { wins += one > other ? 1 : one == other ? 0.5 : 0 }
  }
  let curve = try OperatingCurve(scores: Tensor(scores), isPositive: mask(positive))
  #expect(abs(curve.area - wins / 9) < 1e-15)
}

@Test(arguments: [OperatingCurve.Similarity.euclidean, .cosine])
func pairsAreComparedOnceEach(similarity: OperatingCurve.Similarity) throws {
  var generator = try Generator(seed: 3)
  let rows = try generator.normal([12, 3], dtype: .float64)
  let labels = (0..<12).map { $0 % 3 }
  let points = try (0..<12).map { try rows.select($0).doubles() }
  var (scores, same) = ([Double](), [Bool]())
  for i in 0..<12 {
    for j in 0..<i {
      func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
      let difference = zip(points[i], points[j]).map { $0 - $1 }
      scores.append(
        similarity == .euclidean
          ? -dot(difference, difference).squareRoot()
          : dot(points[i], points[j]) / (dot(points[i], points[i]) * dot(points[j], points[j])).squareRoot())
      same.append(labels[i] == labels[j])
    }
  }
  let expected = try OperatingCurve(scores: Tensor(scores), isPositive: mask(same))
  let found = try OperatingCurve(pairsOf: rows, labels: Tensor(labels.map(Int64.init)), by: similarity)
  #expect(abs(found.area - expected.area) < 1e-12)
  #expect(abs(found.equalErrorRate - expected.equalErrorRate) < 1e-12)
  // At the threshold about as many pairs of two classes are accepted as pairs of one are rejected.
  let accepted = scores.indices.filter { scores[$0] >= found.equalErrorThreshold - 1e-12 }
  let wrong = Double(accepted.count { !same[$0] }) / Double(same.count { !$0 })
  let missed = 1 - Double(accepted.count { same[$0] }) / Double(same.count { $0 })
  #expect(abs(wrong - missed) < 0.1 && wrong >= missed)
}

@Test func curvesNeedBothKinds() throws {
  #expect(throws: TensorError.self) {
    _ = try OperatingCurve(scores: Tensor([1.0, 2]), isPositive: mask([true, true]))
  }
  #expect(throws: TensorError.self) {
    _ = try OperatingCurve(scores: Tensor([1.0, .nan]), isPositive: mask([true, false]))
  }
}

/// MAP@R, R-precision and precision at 1 by loops over sorted neighbours.
private func reference(_ points: [[Double]], _ labels: [Int]) -> (map: Double, atR: Double, one: Double, queries: Int) {
  var (map, atR, one, queries) = (0.0, 0.0, 0.0, 0)
  for i in points.indices {
    let count = labels.count { $0 == labels[i] } - 1
    guard count > 0 else { continue }
    queries += 1
    func distance(_ j: Int) -> Double { zip(points[i], points[j]).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } }
    let order = points.indices.filter { $0 != i }.sorted { (distance($0), $0) < (distance($1), $1) }
    var hits = 0
    for (place, j) in order.prefix(count).enumerated() where labels[j] == labels[i] {
      hits += 1
      map += Double(hits) / Double(place + 1) / Double(count)
    }
    atR += Double(hits) / Double(count)
    one += labels[order[0]] == labels[i] ? 1 : 0
  }
  return (map / Double(queries), atR / Double(queries), one / Double(queries), queries)
}

@Test func retrievalAgreesWithLoops() throws {
  // More rows than a piece has, one class of one row.
  var generator = try Generator(seed: 4)
  let labels = (0..<620).map { $0 == 17 ? 9 : $0 % 5 }
  let offsets = try Tensor(labels.map { Double($0) }, shape: [620, 1])
  let rows = try generator.normal([620, 2], dtype: .float64) + offsets
  let expected = reference(try (0..<620).map { try rows.select($0).doubles() }, labels)
  let found = try Retrieval(of: rows, labels: Tensor(labels.map(Int64.init)))
  #expect(abs(found.meanAveragePrecision - expected.map) < 1e-12)
  #expect(abs(found.precisionAtR - expected.atR) < 1e-12)
  #expect(abs(found.precisionAtOne - expected.one) < 1e-12)
  #expect(found.queries == expected.queries && found.queries == 619)
}

@Test func enrolledClassesAreToldByTheirMeans() throws {
  // Classes 3 and 7 around (0, 0) and (4, 0); the third of each class is a probe, and so on.
  let latents = try Tensor([0.0, 0, 4, 0, 0, 2, 4, 2, 1, 1, 3, 1, 1.9, 9], shape: [7, 2])
  let labels = try Tensor([3, 7, 3, 7, 3, 7, 7] as [Int64])
  let enrolment = try Enrolment(latents, labels: labels, examples: 2)
  #expect(enrolment.classes == [3, 7])
  #expect(try enrolment.centroids.doubles() == [0, 1, 4, 1])
  #expect(try enrolment.places.ints() == [0, 1, 1] && enrolment.nearest() == [0, 1, 0])
  #expect(enrolment.enrolledRows == [[0, 2], [1, 3]] && enrolment.probeRows == [4, 5, 6])
  #expect(abs(try enrolment.accuracy() - 2.0 / 3) < 1e-15)
  // A known class at (1, 1) takes the first probe away.
  #expect(abs(try enrolment.accuracy(beside: Tensor([1.0, 1], shape: [1, 2])) - 1.0 / 3) < 1e-15)
  // In another order the first of class 3 is a probe.
  let other = try Enrolment(latents, labels: labels, examples: 2, order: [4, 2, 3, 1, 0, 6, 5])
  #expect(try other.centroids.doubles() == [0.5, 1.5, 4, 1] && other.probes.doubles() == [0, 0, 1.9, 9, 3, 1])
  #expect(throws: RecipeError.self) { _ = try Enrolment(latents, labels: labels, examples: 3) }
}

// MARK: Section 2.2 of Pilarczyk & Skarbek 2019

@Test(arguments: [false, true]) func theFormsOfTheWithinClassVarianceAreOne(weighted: Bool) throws {
  var generator = try Generator(seed: 8)
  let rows = try generator.normal([50, 3], dtype: .float64)
  let labels = try Tensor((0..<50).map { Int64($0 % 7 == 0 ? 3 : $0 % 2) })  // class 2 is empty
  let weights = weighted ? try generator.uniform([50], dtype: .float64) : nil
  let moments = try ClassMoments(of: rows, labels: labels, classCount: 4, weights: weights)
  let within = try moments.withinVariance
  #expect(abs(moments.meanClassVariance - within) < 1e-12)
  #expect(abs(try moments.meanClassScatter(of: rows, labels: labels, weights: weights) - within) < 1e-12)
  #expect(abs(try moments.centeredVariance(of: rows, labels: labels, weights: weights) - within) < 1e-12)
  #expect(abs(try scatter(of: rows, weights: weights) - moments.variance) < 1e-12)
  #expect(abs(try moments.variance - within - moments.betweenVariance) < 1e-12)
  #expect(abs(try moments.fisherRatio - within / moments.betweenVariance) < 1e-12)
}

@Test func scatterIsHalfTheMeanSquareOfPairsAcrossPieces() throws {
  // 1,003 values of one dimension: their scatter is their variance, by a plain sum.
  let values = (0..<1003).map { sin(Double($0)) }
  let mean = values.reduce(0, +) / 1003
  let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 1003
  #expect(abs(try scatter(of: Tensor(values, shape: [1003, 1])) - variance) < 1e-10)
}

@Test func collapseIsTheTraceWithAPseudoInverse() throws {
  // Means at (±1, 0), spread 0.1 and 0.2 along the axes: S_B = diag(1, 0) has no inverse, and only its own axis counts.
  let rows = try Tensor(
    [1.1, 0.2, 0.9, -0.2, 1.1, -0.2, 0.9, 0.2, -1.1, 0.2, -0.9, -0.2, -1.1, -0.2, -0.9, 0.2], shape: [8, 2])
  let labels = try Tensor([0, 0, 0, 0, 1, 1, 1, 1] as [Int64])
  let moments = try ClassMoments(of: rows, labels: labels, classCount: 2)
  #expect(abs(try moments.collapse - 0.01 / 2) < 1e-12)
  // With an inverse: by that inverse.
  var generator = try Generator(seed: 5)
  let many = try generator.normal([90, 2], dtype: .float64)
  let classes = try Tensor((0..<90).map { Int64($0 % 5) })
  let regular = try ClassMoments(of: many, labels: classes, classCount: 5)
  let expected = try regular.withinCovariance.matmul(regular.betweenCovariance.inverse()).diagonal().sum().item() / 5
  #expect(abs(try regular.collapse - expected) < 1e-8 * expected)
}
