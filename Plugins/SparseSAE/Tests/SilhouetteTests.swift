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
  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor { try latents.sum(axis: 1) }
}

private struct Identity: Encoder {
  let latentSize = 1
  func encode(_ batch: Batch) -> Code { .point(batch.inputs) }
}

private func set(_ values: [Float], _ labels: [Int64], labelled: [Bool]? = nil) throws -> LatentSet {
  LatentSet(
    latents: try Tensor(values, shape: [values.count, 1]), labels: try Tensor(labels),
    labelled: try labelled.map { try Tensor($0.map { $0 ? 1.0 : 0 }) .> 0.5 })
}

private func evaluation(_ measured: LatentSet) throws -> Evaluation {
  // Another number than any measured part here has: 1.
  Evaluation(
    measured: measured, scores: nil, model: Model(encoder: Identity(), prior: Flat()), classCount: 2,
    random: RandomSource(try Generator(seed: 1)),
    training: .init { try set([0, 0, 5, 5], [0, 0, 1, 1]) })
}

@Test func theMeasuredPartAndTheTrainingPartHaveNamesOfTheirOwn() throws {
  // By hand: classes {0, 1} and {3}: 1 - 1/3, 1 - 1/2, and 0 for the one alone.
  let measured = try evaluation(set([0, 1, 3], [0, 0, 1]))
  let found = try metric().finish(measured)
  #expect(found.map(\.name) == ["silhouette"])
  let value = try #require(found[0].value)
  #expect(abs(value - (2.0 / 3 + 0.5) / 3) < 1e-6)
  let both = try metric(training: true).finish(measured)
  #expect(both.map(\.name) == ["silhouette", "silhouette of training latents"])
  #expect(both[0] == found[0])
  #expect(both[1].value == 1)
}

@Test func aPartOfOneClassHasNoSilhouette() throws {
  #expect(try metric().finish(evaluation(set([0, 1], [1, 1]))).map(\.value) == [nil])
  #expect(throws: RecipeError.self) { try metric(classes: 1) }
  #expect(throws: RecipeError.self) { try metric(classes: nil) }
}

@Test func latentsWhoseLabelIsHiddenHaveNoSilhouette() throws {
  // Places of hidden labels hold a 0, and lie where they would change everything.
  let hidden = try set([0, 9, 1, -7, 3], [0, 0, 0, 0, 1], labelled: [true, false, true, false, true])
  let known = try set([0, 1, 3], [0, 0, 1])
  #expect(try metric().finish(evaluation(hidden)) == metric().finish(evaluation(known)))
  // One class is left.
  let one = try set([0, 9, 1], [0, 1, 0], labelled: [true, false, true])
  #expect(try metric().finish(evaluation(one)).map(\.value) == [nil])
}
