import LatentKit
import Testing

@testable import SparseSAE

private func metric(training: Bool = false, classes: Int? = 2) throws -> Silhouette {
  var config = Silhouette.Config()
  config.training = training
  let scope = try Scope(path: "metrics.0", store: ParameterStore(), seed: 0)
  return try Silhouette(
    config,
    in: BuildContext(inputShape: [1], classCount: classes, latentSize: 1, scope: scope, title: "metric 'silhouette'"))
}

private struct Flat: Prior {
  typealias Config = NoConfig
  init(_ config: NoConfig, in context: BuildContext) {}
  init() {}
  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor { try latents.sum(axis: 1) }
}

private func set(_ values: [Float], _ labels: [Int64]) throws -> LatentSet {
  LatentSet(latents: try Tensor(values, shape: [values.count, 1]), labels: try Tensor(labels))
}

private func evaluation(_ measured: LatentSet) -> Evaluation {
  // Another number than any measured part here has: 1.
  Evaluation(measured: measured, scores: nil, classCount: 2, prior: Flat()) {
    try set([0, 0, 5, 5], [0, 0, 1, 1])
  }
}

@Test func theMeasuredPartAndTheTrainingPartHaveNamesOfTheirOwn() throws {
  // By hand: classes {0, 1} and {3}: 1 - 1/3, 1 - 1/2, and 0 for the one alone.
  let measured = try evaluation(set([0, 1, 3], [0, 0, 1]))
  let found = try metric().measure(measured)
  #expect(found.map(\.name) == ["silhouette"])
  #expect(abs(found[0].value - (2.0 / 3 + 0.5) / 3) < 1e-6)
  let both = try metric(training: true).measure(measured)
  #expect(both.map(\.name) == ["silhouette", "silhouette of training latents"])
  #expect(both[0] == found[0])
  #expect(both[1].value == 1)
}

@Test func aPartOfOneClassHasNoSilhouette() throws {
  #expect(try metric().measure(evaluation(set([0, 1], [1, 1]))).isEmpty)
  #expect(throws: RecipeError.self) { try metric(classes: 1) }
  #expect(throws: RecipeError.self) { try metric(classes: nil) }
}
