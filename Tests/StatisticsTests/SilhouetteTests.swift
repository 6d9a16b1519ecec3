import Foundation
import LatentKit
import Testing

@testable import Statistics

/// Made by `Fixtures/make_silhouette.py` with scikit-learn.
private struct Golden: Codable {
  let points: [[Double]]
  let labels: [Int]
  let samples: [Double]
  let score: Double

  static func read() throws -> Golden {
    let url = try #require(Bundle.module.url(forResource: "Fixtures/silhouette", withExtension: "json"))
    return try JSONDecoder().decode(Golden.self, from: Data(contentsOf: url))
  }
}

private func silhouettes(_ points: [[Double]], _ labels: [Int], _ type: DType, classes: Int) throws -> [Double] {
  try Tensor(points.flatMap { $0 }, shape: [points.count, points[0].count]).to(type)
    .silhouettes(labels: Tensor(labels.map(Int64.init)), classCount: classes).doubles()
}

/// Straight from the definition.
private func reference(_ points: [[Double]], _ labels: [Int]) -> [Double] {
  points.indices.map { i in
    var sums: [Int: (total: Double, count: Int)] = [:]
    for j in points.indices where j != i {
      let square = zip(points[i], points[j]).map { ($0 - $1) * ($0 - $1) }.reduce(0, +)
      let (total, count) = sums[labels[j], default: (0, 0)]
      sums[labels[j]] = (total + square.squareRoot(), count + 1)
    }
    guard let own = sums.removeValue(forKey: labels[i]) else { return 0 }
    let a = own.total / Double(own.count)
    let b = sums.values.map { $0.total / Double($0.count) }.min() ?? 0
    return max(a, b) == 0 ? 0 : (b - a) / max(a, b)
  }
}

// Float32 distances have a relative error of 1e-7, and the means of many less; the issue asks for 1e-6.
@Test(arguments: [(DType.float32, 1e-6), (DType.float64, 1e-12)])
func silhouettesAgreeWithScikitLearn(type: DType, tolerance: Double) throws {
  let golden = try Golden.read()
  let found = try silhouettes(golden.points, golden.labels, type, classes: 5)
  for (found, expected) in zip(found, golden.samples) { #expect(abs(found - expected) <= tolerance) }
  #expect(abs(found.reduce(0, +) / Double(found.count) - golden.score) <= tolerance)
  // A class of one is 0 by definition, and an empty class changes nothing.
  for (label, value) in zip(golden.labels, found) where label >= 3 { #expect(value == 0) }
  #expect(try silhouettes(golden.points, golden.labels, type, classes: 9) == found)
}

@Test(arguments: [1, 2, 7, 40]) func silhouettesMatchTheirDefinition(dimensions: Int) throws {
  let labels = (0..<300).map { $0 % 7 == 0 ? 2 : $0 % 3 == 0 ? 1 : 0 }
  let points = labels.enumerated().map { index, label in
    (0..<dimensions).map { Double(label) + sin(Double(index * ($0 + 1)) * 1.7) + 100 }
  }
  let expected = reference(points, labels)
  for (found, expected) in zip(try silhouettes(points, labels, .float64, classes: 3), expected) {
    #expect(abs(found - expected) < 1e-12)
  }
  let rounded = points.map { $0.map { Double(Float($0)) } }
  for (found, expected) in zip(
    try silhouettes(points, labels, .float32, classes: 3), reference(rounded, labels))
  {
    #expect(abs(found - expected) < 1e-6)
  }
}

@Test func silhouettesOfPointsThatCoincideAreDefined() throws {
  #expect(try silhouettes([[1, 1], [1, 1], [1, 1]], [0, 0, 1], .float32, classes: 2) == [0, 0, 0])
  #expect(try silhouettes([[0], [0], [3], [3]], [0, 0, 1, 1], .float32, classes: 2) == [1, 1, 1, 1])
}

@Test func silhouettesOfOneClassOrOtherShapesAreRefused() {
  #expect(throws: TensorError.self) { try silhouettes([[1], [2]], [0, 0], .float32, classes: 2) }
  #expect(throws: TensorError.self) { try silhouettes([[1], [2]], [0, 2], .float32, classes: 2) }
  #expect(throws: TensorError.self) { try silhouettes([[1], [2]], [0], .float32, classes: 2) }
}
