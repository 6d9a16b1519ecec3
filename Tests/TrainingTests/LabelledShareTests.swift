import Datasets
import Foundation
import LatentKit
import Recipes
import Testing
import Training

/// 200 digits of which 20 have a label.
private func fewLabels(share: Double?) throws -> TrainingData {
  var settings = DataSettings()
  (settings.labelled, settings.labelledShare) = (.count(20), share)
  let digits = try digits(validation: 0)
  return TrainingData(
    training: try BatchSource(
      digits.training.examples.hidingLabels(exceptFor: 20, seed: 1, for: "test"), settings: settings, classCount: 10),
    validation: nil)
}

private let parts = """
  seed: 5
  data: mnist
  encoder: {use: mlp, with: {latent: 12, hidden: [16]}}
  decoder: {use: mlp, with: {hidden: [16]}}
  prior: pedcc

  """

private func trained(_ yaml: String, share: Double?) throws -> [String: Data] {
  let scratch = try Scratch()
  let composition = try compose(parts + yaml)
  _ = try Trainer(composition, data: fewLabels(share: share), folder: scratch.run("run"), shouldStop: { false }).run()
  return try weights(composition)
}

@Suite struct LabelledShareTraining {
  @Test func aStageWhoseLossesNeedNoLabelsKeepsItsOrder() throws {
    let yaml = "stages: [{epochs: 1, batch: 32, train: [encoder, decoder], losses: [mse], optimizer: adam}]"
    #expect(try trained(yaml, share: nil) == trained(yaml, share: 0.5))
    let labelled =
      "stages: [{epochs: 1, batch: 32, train: [encoder, decoder], losses: [mse, centroid], optimizer: adam}]"
    #expect(try trained(labelled, share: nil) != trained(labelled, share: 0.5))
  }

  @Test func aRunKilledAtAnyIterationEndsWithTheSameBits() throws {
    let yaml =
      parts + """
        stages:
          - epochs: 2
            batch: 48
            steps:
              - {train: [encoder], losses: [centroid], optimizer: adam}
              - {train: [decoder], repeat: 2, losses: [mse], optimizer: adam}
        """
    let scratch = try Scratch()
    let whole = try compose(yaml)
    let (folder, copies) = try scratch.trained(whole, fewLabels(share: 0.5))
    #expect(copies.count >= 8)
    for copy in copies {
      let composition = try compose(yaml)
      let trainer = try Trainer(composition, data: fewLabels(share: 0.5), folder: copy, shouldStop: { false })
      #expect(try trainer.run(resuming: true) == .finished)
      #expect(try weights(composition) == weights(whole))
      #expect(try timeless(copy) == timeless(folder))
    }
  }
}
