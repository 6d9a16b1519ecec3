import Baseline
import Foundation
import LatentKit
import Statistics
import TestSupport
import Testing

/// Four latents in two dimensions with scores of three classes.
private let labels: [Int64] = [0, 1, 2, 1]
private let scores = try! Tensor([5, 1, 0, 0, 3, 1, 9, 1, 2, 0, 1, 0] as [Float], shape: [4, 3])

private func set(_ latents: Tensor, labelled: [Int64]? = nil) throws -> LatentSet {
  LatentSet(latents: latents, labels: try Tensor(labels), labelled: try labelled.map { try Tensor($0) .!= 0 })
}

@Test func accuracyCountsRightAnswers() throws {
  let metric = try Accuracy(.init(), in: context([1], latent: 3, classes: 3))
  #expect(
    try metric.finish(evaluation(set(scores), scores: scores, classes: 3)) == [Measured("accuracy", 75, unit: "%")])
  // The third, which is wrong, has no label.
  #expect(
    try metric.finish(evaluation(set(scores, labelled: [1, 1, 0, 1]), scores: scores, classes: 3))
      == [Measured("accuracy", 100, unit: "%")])
  let nothing = try metric.finish(evaluation(set(scores, labelled: [0, 0, 0, 0]), scores: scores, classes: 3))
  #expect(nothing[0].value == nil && nothing[0].missing != nil)
}

private func confusion(_ source: ClassRule, latent: Int = 3) throws -> Confusion {
  var config = ClassRuleConfig()
  config.scores = source
  return try Confusion(config, in: context([1], latent: latent, classes: 3))
}

private func counts(_ measured: [Measured]) -> [[Double?]] { measured.first?.table?.values ?? [] }

@Test func confusionCountsExamplesByTrueAndPredictedClass() throws {
  let names = ["ant", "bee", "cat"]
  let found = try confusion(.auto).finish(evaluation(set(scores), scores: scores, classes: 3, names: names))
  let expected = MeasuredTable(
    rowTitle: "true class", rows: names, columnTitle: "predicted class", columns: names,
    values: [[1, 0, 0], [0, 2, 0], [1, 0, 0]])
  #expect(found == [Measured("confusion", expected)])
  let partly = try confusion(.latents).finish(evaluation(set(scores, labelled: [1, 1, 0, 0]), classes: 3))
  #expect(counts(partly) == [[1, 0, 0], [0, 1, 0], [0, 0, 0]])
  #expect(partly[0].table?.rows == ["0", "1", "2"])
}

@Test func classesCountAlikeInBalancedAccuracyAndF1() throws {
  // Class 0 is told rightly once of once, 1 twice of twice, 2 never: it is taken for 0.
  let measured = try evaluation(set(scores), scores: scores, classes: 3)
  let balanced = try BalancedAccuracy(.init(), in: context([1], latent: 3, classes: 3)).finish(measured)
  #expect(balanced.map(\.name) == ["balanced accuracy"] && abs((balanced[0].value ?? 0) - 200.0 / 3) < 1e-9)
  // F1: 2/3, 1 and 0.
  let score = try MacroF1(.init(), in: context([1], latent: 3, classes: 3)).finish(measured)
  #expect(score.map(\.name) == ["macro F1"] && abs((score[0].value ?? 0) - 500.0 / 9) < 1e-9)
  // A class that does not occur counts in neither.
  let few = try evaluation(set(scores, labelled: [1, 1, 0, 0]), scores: scores, classes: 3)
  #expect(try BalancedAccuracy(.init(), in: context([1], latent: 3, classes: 3)).finish(few)[0].value == 100)
  #expect(try MacroF1(.init(), in: context([1], latent: 3, classes: 3)).finish(few)[0].value == 100)
  let none = try evaluation(set(scores, labelled: [0, 0, 0, 0]), scores: scores, classes: 3)
  #expect(try MacroF1(.init(), in: context([1], latent: 3, classes: 3)).finish(none)[0].missing != nil)
}

@Test func theAreaUnderTheCurveIsThatOfPairs() throws {
  let metric = try AreaUnderCurve(.init(), in: context([1], latent: 3, classes: 3))
  let found = try metric.finish(evaluation(set(scores), scores: scores, classes: 3))
  // Pairs of an example of the class and another in which the first has the higher softmax.
  let rows = (0..<4).map { row in
    let values = [[5.0, 1, 0], [0, 3, 1], [9, 1, 2], [0, 1, 0]][row].map { exp($0) }
    return values.map { $0 / values.reduce(0, +) }
  }
  let areas = (0..<3).map { label in
    let pairs = (0..<4).flatMap { own in (0..<4).map { (own, $0) } }.filter {
      labels[$0.0] == label && labels[$0.1] != label
    }
    return Double(pairs.count { rows[$0.0][label] > rows[$0.1][label] }) / Double(pairs.count)
  }
  #expect(found.map(\.name) == ["AUC"] && abs((found[0].value ?? 0) - areas.reduce(0, +) / 3) < 1e-12)
  #expect(throws: RecipeError.self) { try metric.finish(evaluation(set(scores), classes: 3)) }
  let one = try metric.finish(evaluation(set(scores, labelled: [1, 0, 0, 0]), scores: scores, classes: 3))
  #expect(one[0].missing != nil)
}

/// Centroids at the corners, and one for a class to come.
private struct Corners: CentroidPrior {
  var centroids: Tensor { get throws { try Tensor([0.0, 0, 10, 0, 0, 10, 4, 4], shape: [4, 2]) } }
  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor { try latents.sum(axis: 1) }
}

@Test func confusionByTheNearestMeanCountsLikeALoop() throws {
  let latents = try Tensor([1.0, 1, 9, 2, 6, 4, 1, 7], shape: [4, 2])
  let centroids = try evaluation(set(latents), prior: Corners(), classes: 3)
  // Nearest: 0, 1, 1 (the fourth centroid is no class of the data), 2.
  for source in [ClassRule.auto, .centroids] {
    #expect(counts(try confusion(source, latent: 2).finish(centroids)) == [[1, 0, 0], [0, 1, 1], [0, 1, 0]])
  }
  // Accuracy goes by the same rules.
  let accuracy = try Accuracy(.init(["scores": "centroids"], at: "with"), in: context([1], latent: 2, classes: 3))
  #expect(try accuracy.finish(centroids) == [Measured("accuracy", 50, unit: "%")])
  let training = LatentSet(
    latents: try Tensor([0.0, 0, 0, 2, 9, 9, 5, 5], shape: [4, 2]), labels: try Tensor([0, 0, 1, 2] as [Int64]))
  let means = try evaluation(set(latents), classes: 3, training: training)
  func nearest(_ x: Double, _ y: Double) -> Int {
    [(0.0, 1.0), (9, 9), (5, 5)].map { ($0.0 - x) * ($0.0 - x) + ($0.1 - y) * ($0.1 - y) }.enumerated()
      .min { $0.element < $1.element }?.offset ?? 0
  }
  var expected: [[Double?]] = Array(repeating: [0, 0, 0], count: 3)
  for (point, label) in zip([(1.0, 1.0), (9, 2), (6, 4), (1, 7)], labels) {
    let column = nearest(point.0, point.1)
    expected[Int(label)][column] = (expected[Int(label)][column] ?? 0) + 1
  }
  for source in [ClassRule.auto, .training] {
    #expect(counts(try confusion(source, latent: 2).finish(means)) == expected)
  }
}

@Test func confusionSaysWhatIsMissing() throws {
  let plain = try evaluation(set(scores), classes: 3)
  #expect(message { _ = try confusion(.classifier).finish(plain) }.contains("metric 'confusion' needs a classifier"))
  #expect(message { _ = try confusion(.centroids).finish(plain) }.contains("class centroids"))
  #expect(message { _ = try confusion(.latents, latent: 5) }.contains("set encoder.latent=3"))
}

/// The error of a metric that has seen two batches.
private func error(_ metric: ReconstructionError, _ inputs: Tensor, _ made: Tensor, split: Int) throws -> Measured {
  var metric = metric
  for range in try [0..<split, split..<inputs.size(0)] {
    let part = try inputs.slice(range)
    try metric.update(
      forward(
        Batch(inputs: part, labels: nil), code: .point(part.flattened()), made: made.slice(range), training: false))
  }
  return try metric.finish(evaluation(LatentSet(latents: inputs.flattened(), labels: nil)))[0]
}

@Test func reconstructionErrorIsInBrightnessAndWithoutPadding() throws {
  var generator = try Generator(seed: 1)
  let (inputs, made) = (
    try generator.uniform([3, 2, 7, 6]) * 2 - 1, try generator.uniform([3, 2, 7, 6]) * 2 - 1
  )
  let metric = try ReconstructionError(.init(), in: context([2, 7, 6], range: -1...1, padding: 2))
  var sum = 0.0
  for image in 0..<3 {
    for channel in 0..<2 {
      for row in 2..<5 {
        let (a, b) = (
          try inputs.select(image).select(channel).select(row).doubles(),
          try made.select(image).select(channel).select(row).doubles()
        )
        for column in 2..<4 { sum += (a[column] - b[column]) * (a[column] - b[column]) / 4 }
      }
    }
  }
  let found = try error(metric, inputs, made, split: 2)
  #expect(found.name == "reconstruction error")
  #expect(abs(try #require(found.value) - sum / 36) < 1e-7)  // Float32
  #expect(metric.timing == .atEnd)
}

@Test func reconstructionErrorOfRowsIsInTheirUnits() throws {
  let inputs = try Tensor([0, 4, 2, 2, 1, 1] as [Float], shape: [3, 2])
  let made = try Tensor([1, 4, 2, 0, 1, 4] as [Float], shape: [3, 2])
  let metric = try ReconstructionError(.init(), in: context([2], range: 0...4))
  #expect(try error(metric, inputs, made, split: 1).value == (1 + 4 + 9) / 6.0)
}

@Test func reconstructionErrorNeedsADecoder() throws {
  var plain = try context([2])
  plain.model = Model(encoder: Fixed(code: .point(scores), made: scores), prior: Flat())
  #expect(message { _ = try ReconstructionError(.init(), in: plain) }.contains("part 'x' needs a decoder"))
}
