import Foundation
import LatentKit
import Statistics
import Testing

/// The examples of `Fixtures/make_classification.py`, whose numbers stand below: scikit-learn 1.9.1.
private struct Examples {
  let features: Tensor
  let labels: Tensor

  init(first: Int, count: Int) throws {
    func noise(_ i: Int, _ j: Int) -> Double {
      let value = sin(12.9898 * Double(i + 1) + 78.233 * Double(j + 1)) * 43758.5453
      return 2 * (value - value.rounded(.down)) - 1
    }
    let numbers = (first..<(first + count))
    let labels = numbers.map { Int64($0 * $0 % 7 % 4) }
    let values = zip(numbers, labels).flatMap { i, label in
      (0..<6).map { j in Double(j + 1) * (0.5 * cos(1.7 * Double(label) + Double(j)) + noise(i, j)) }
    }
    (features, self.labels) = (try Tensor(values, shape: [count, 6]), try Tensor(labels))
  }

  static func training() throws -> Examples { try Examples(first: 0, count: 600) }
  static func test() throws -> Examples { try Examples(first: 600, count: 400) }
}

private func accuracy(_ found: Tensor, _ labels: Tensor) throws -> Double {
  try (found .== labels).to(.float64).mean().item()
}

@Suite struct LogisticRegressionTests {
  private static let golden: [(c: Double, training: Double, test: Double, weights: [[Double]], biases: [Double])] = [
    (
      0.001, 0.7166666666666667, 0.7425,
      [[0.069478263, -0.012269901, -0.057208362], [0.084902105, -0.081491855, -0.00341025]],
      [0.322337586, -0.265908921, -0.056428665]
    ),
    (
      1, 0.7983333333333333, 0.805,
      [[1.343344177, 0.117537863, -1.46088204], [0.466290589, -0.581396882, 0.115106292]],
      [0.511809998, -0.386944478, -0.124865521]
    ),
    (
      100, 0.7983333333333333, 0.8,
      [[1.42136671, 0.147596635, -1.568963345], [0.470207921, -0.591045644, 0.120837723]],
      [0.517851864, -0.369860852, -0.147991011]
    ),
  ]

  @Test func itAgreesWithScikitLearn() throws {
    let (training, test) = (try Examples.training(), try Examples.test())
    for golden in Self.golden {
      let regression = try LogisticRegression(training.features, labels: training.labels, classes: 3, c: golden.c)
      #expect(regression.hasConverged)
      let scores = try (
        accuracy(regression.classes(of: training.features), training.labels),
        accuracy(regression.classes(of: test.features), test.labels)
      )
      #expect(abs(scores.0 - golden.training) < 1e-3 && abs(scores.1 - golden.test) < 1e-3, "C = \(golden.c)")
      // Both stop at small gradients.
      let weights = try regression.weights.slice(0..<2).contiguous().doubles()
      for (ours, theirs) in zip(weights, golden.weights.joined()) { #expect(abs(ours - theirs) < 1e-4) }
      let biases = try (regression.biases - regression.biases.mean()).doubles()
      for (ours, theirs) in zip(biases, golden.biases) { #expect(abs(ours - theirs) < 1e-4) }
    }
  }

  @Test func ofFewStandardisedExamplesToo() throws {
    let (training, test) = (try Examples.training(), try Examples.test())
    let few = try training.features.slice(0..<50)
    let (mean, deviation) = (
      try few.mean(axis: 0), try few.variance(axes: [0], unbiased: false).sqrt()
    )
    let regression = try LogisticRegression(
      (few - mean) / deviation, labels: training.labels.slice(0..<50), classes: 3)
    #expect(
      abs(try accuracy(regression.classes(of: (few - mean) / deviation), training.labels.slice(0..<50)) - 0.82) < 1e-3)
    #expect(abs(try accuracy(regression.classes(of: (test.features - mean) / deviation), test.labels) - 0.7525) < 1e-3)
  }

  @Test func aClassWithoutExamplesChangesNothing() throws {
    let (training, test) = (try Examples.training(), try Examples.test())
    let regression = try LogisticRegression(training.features, labels: training.labels, classes: 5)
    #expect(abs(try accuracy(regression.classes(of: test.features), test.labels) - 0.805) < 1e-3)
  }

  @Test func itsGradientVanishesByDifferences() throws {
    let training = try Examples(first: 0, count: 60)
    let fitted = try LogisticRegression(training.features, labels: training.labels, classes: 3, c: 0.5)
    let (x, labels) = (
      try (0..<60).map { try training.features.select($0).doubles() }, try training.labels.ints()
    )
    func objective(_ w: [Double], _ b: [Double]) -> Double {
      var value = w.reduce(0) { $0 + 0.5 * $1 * $1 }
      for (features, label) in zip(x, labels) {
        let scores: [Double] = (0..<3).map { k in
          var score = b[k]
          for j in 0..<6 { score += features[j] * w[3 * j + k] }
          return score
        }
        let total: Double = scores.map { exp($0) }.reduce(0, +)
        value += 0.5 * (log(total) - scores[label])
      }
      return value
    }
    let (w, b) = (try fitted.weights.contiguous().doubles(), try fitted.biases.doubles())
    for place in w.indices {
      var (above, below) = (w, w)
      above[place] += 1e-4
      below[place] -= 1e-4
      #expect(abs(objective(above, b) - objective(below, b)) / 2e-4 < 1e-3)
    }
    for place in b.indices {
      var (above, below) = (b, b)
      above[place] += 1e-4
      below[place] -= 1e-4
      #expect(abs(objective(w, above) - objective(w, below)) / 2e-4 < 1e-3)
    }
  }

  @Test func theSearchFindsTheLowestPointOfACurvedValley() throws {
    // Rosenbrock's function, whose minimum is at (1, 1).
    let minimum = try LBFGS().minimum(from: Tensor([-1.2, 1], shape: [2])) { place in
      let (x, y) = try (place.doubles()[0], place.doubles()[1])
      let (short, bend) = (1 - x, y - x * x)
      let slopes: [Double] = [-2 * short - 400 * x * bend, 200 * bend]
      return (short * short + 100 * bend * bend, try Tensor(slopes, shape: [2]))
    }
    #expect(minimum.hasConverged && minimum.iterations < 200)
    for value in try minimum.place.doubles() { #expect(abs(value - 1) < 1e-5) }
  }

  @Test func whatCannotBeFittedIsRefused() throws {
    let x = try Tensor([1, .nan], shape: [2, 1])
    #expect(throws: TensorError.self) {
      try LogisticRegression(x, labels: Tensor([0, 1] as [Int64]), classes: 2)
    }
    #expect(throws: TensorError.self) {
      try LogisticRegression(.zeros([2, 1]), labels: Tensor([0] as [Int64]), classes: 2)
    }
  }
}

@Suite struct NearestNeighborsTests {
  @Test(arguments: [(1, 0.735), (5, 0.8025), (12, 0.7825)])
  func theyAgreeWithScikitLearn(neighbors: Int, score: Double) throws {
    let (training, test) = (try Examples.training(), try Examples.test())
    let nearest = try NearestNeighbors(
      training.features, labels: training.labels, classes: 3, neighbors: neighbors)
    #expect(abs(try accuracy(nearest.classes(of: test.features), test.labels) - score) < 1e-9)
  }

  @Test func ofAsManyVotesTheLeastClassWins() throws {
    let points = try Tensor([0.0, 1, 2, 3], shape: [4, 1])
    let nearest = try NearestNeighbors(points, labels: Tensor([2, 1, 2, 1] as [Int64]), classes: 3, neighbors: 4)
    #expect(try nearest.classes(of: Tensor([0.0, 5], shape: [2, 1])).ints() == [1, 1])
    #expect(throws: TensorError.self) {
      try NearestNeighbors(points, labels: Tensor([0, 1, 0, 1] as [Int64]), classes: 2, neighbors: 5)
    }
  }
}
