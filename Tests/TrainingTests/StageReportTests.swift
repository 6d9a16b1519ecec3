import Foundation
import LatentKit
import Recipes
import Testing
@testable import Training

/// A double descent with an optimiser for its second stage.
private func descent(_ optimizer: String, actions: String = "mask, rewind") -> String {
  """
  seed: 3
  data: mnist
  encoder: {use: mlp, with: {latent: 10, hidden: [16]}}
  decoder: {use: mlp, with: {hidden: [16]}}
  prior: standard-normal
  metrics: [{use: accuracy, with: {scores: latents}}]
  stages:
    - name: dense
      epochs: 2
      batch: 40
      train: [encoder, decoder]
      losses: [{use: cross-entropy, with: {scores: latents}}, mse]
      optimizer: {use: adam, with: {learningRate: 0.002}}
      then: [{project: {use: l11-ball, with: {radius: 30}, parameters: [encoder.hidden]}}, \(actions)]
    - name: sparse
      epochs: 2
      batch: 40
      train: [encoder, decoder]
      losses: [{use: cross-entropy, with: {scores: latents}}, mse]
      optimizer: \(optimizer)
  """
}

@Suite struct DoubleDescent {
  @Test func aRewindWithoutAMaskIsReportedAsItEnds() throws {
    let scratch = try Scratch()
    let folder = try scratch.run("run")
    let notes = Sentences()
    let composition = try compose(descent("adam", actions: "rewind"))
    _ = try Trainer(composition, data: digits(), folder: folder, observer: notes, shouldStop: { false }).run()
    // The projection was undone: the last report says that nothing is zero, and a warning says why.
    let reports = try StageLog.read(folder.stages)
    #expect(reports.first?.layers.first.map { $0.zeros > 0.3 } == true)
    #expect(reports.last?.index == 1 && reports.last?.layers.map(\.zeros) == [0])
    #expect(notes.texts.contains { $0.contains("without a mask, which undoes it") })
  }

  @Test func aStageReportsWhatItsProjectionDid() throws {
    let scratch = try Scratch()
    let folder = try scratch.run("run")
    let composition = try compose(descent("adam"))
    var data = try digits()
    data.test = data.validation
    _ = try Trainer(composition, data: data, folder: folder, shouldStop: { false }).run()
    let reports = try StageLog.read(folder.stages)
    #expect(reports.map(\.stage) == ["dense", "sparse"] && reports.map(\.index) == [0, 1])

    // The last report is of the weights as they are now: counted again here.
    let report = try #require(reports.last)
    let first = try #require(composition.store.parameters(under: "encoder").first)
    let weights = try first.tensor.doubles()
    func isZero(_ places: some Collection<Int>) -> Bool { places.allSatisfy { weights[$0] == 0 } }
    let layer = try #require(report.layers.first)
    #expect(report.layers.map(\.name) == ["encoder.hidden1.weight"] && layer.name == first.name)
    #expect(abs(layer.zeros - Double(weights.count { $0 == 0 }) / Double(weights.count)) < 1e-12)
    #expect(layer.columns == 784 && layer.rows == 16)
    #expect(layer.zeroColumns == (0..<784).count { column in isZero((0..<16).map { $0 * 784 + column }) })
    #expect(layer.zeroRows == (0..<16).count { isZero($0 * 784..<($0 + 1) * 784) })
    #expect(layer.zeros > 0.3 && layer.zeroColumns > 20)
    // Frozen zeros are those of the projection, no more and no less.
    #expect(reports[0].layers == report.layers)

    let features = try #require(report.features)
    #expect(features.count == 784 - layer.zeroColumns && report.inputSize == 784)
    #expect(zip(features, features.dropFirst()).allSatisfy { $0.weight >= $1.weight })
    for feature in features {
      let sum = (0..<16).reduce(0) { $0 + abs(weights[$1 * 784 + feature.index]) }
      #expect(abs(sum - feature.weight) < 1e-9)
    }

    // Before and after its projection; then the metrics of the last epoch.
    let log = try MetricsLog.read(folder.metrics)
    #expect(reports[0].before == log[1].metrics && reports[0].after.map(\.name) == reports[0].before.map(\.name))
    #expect(report.before.isEmpty && report.after == log[3].metrics)
    // The same on the training part, and on the test part, which is the validation part here; where something was projected.
    let effects = try #require(reports[0].effects)
    #expect(effects.map(\.part) == ["training", "test"] && report.effects == nil)
    #expect(effects[1].before == reports[0].before && effects[1].after == reports[0].after)
    #expect(effects[0].before != effects[0].after && effects[0].before != effects[1].before)
    #expect(reports[0].testText?.hasPrefix("test ") == true && reports[0].metricsText?.hasPrefix("validation ") == true)
  }

  @Test func withoutAValidationPartTheTrainingPartIsMeasured() throws {
    let scratch = try Scratch()
    let folder = try scratch.run("run")
    _ = try Trainer(
      compose(descent("adam")), data: digits(validation: 0), folder: folder, shouldStop: { false }
    ).run()
    let report = try #require(StageLog.read(folder.stages).first)
    #expect(report.before.isEmpty && report.effects?.map(\.part) == ["training"] && report.testText == nil)
    #expect(report.metricsText?.hasPrefix("training ") == true && report.metricsText?.contains(" before, ") == true)
  }

  @Test(arguments: [
    "{use: adam, with: {weightDecay: 0.1}}", "{use: adamw, with: {weightDecay: 0.1}}",
    "{use: sgd, with: {learningRate: 0.05, momentum: 0.9, weightDecay: 0.01}}",
  ])
  func frozenZerosStayZeroUnderMomentumAndDecay(optimizer: String) throws {
    let scratch = try Scratch()
    let composition = try compose(descent(optimizer, actions: "mask"))
    var zeros: [Bool] = []
    var moved = 0
    let watch = Watch {
      guard let weights = try? composition.store.parameters[0].tensor.floats() else { return }
      if zeros.isEmpty { zeros = weights.map { $0 == 0 } }
      moved = zip(weights, zeros).count { $1 && $0 != 0 }
    }
    let data = try digits()
    _ = try Trainer(
      composition, data: data, folder: scratch.run("run"), observer: watch, shouldStop: { false }
    ).run()
    #expect(composition.store.parameters[0].name == "encoder.hidden1.weight")
    #expect(zeros.contains(true) && zeros.contains(false))
    #expect(moved == 0)
  }

  @Test func aRunKilledInItsSecondStageKeepsTheReportOfTheFirst() throws {
    let scratch = try Scratch()
    let folder = try scratch.run("run")
    func run(_ folder: RunFolder, resuming: Bool, stopping after: Int = .max) throws -> TrainingOutcome {
      var iterations = 0
      let composition = try compose(descent("adam"))
      return try Trainer(
        composition, data: digits(), folder: folder,
        shouldStop: {
          iterations += 1
          return iterations == after
        }
      ).run(resuming: resuming)
    }
    #expect(try run(folder, resuming: false, stopping: 13) == .interrupted)
    #expect(try StageLog.read(folder.stages).map(\.stage) == ["dense"])
    // Killed after the stage's report was written and before its checkpoint: the report is written again, once.
    try StageLog(folder.stages).add(
      StageReport(stage: "sparse", index: 1, layers: [], before: [], after: [], inputSize: 784, features: nil))
    #expect(try run(folder, resuming: true) == .finished)
    let whole = try scratch.run("whole")
    #expect(try run(whole, resuming: false) == .finished)
    #expect(try StageLog.read(folder.stages) == StageLog.read(whole.stages))
    #expect(try StageLog.read(whole.stages).count == 2)
  }

  @Test func stagesWithoutProjectionsReportNothing() throws {
    let scratch = try Scratch()
    let folder = try scratch.run("run")
    let composition = try compose(
      """
      {data: mnist, encoder: {use: mlp, with: {latent: 3, hidden: [4]}}, decoder: mlp, prior: standard-normal,
       stages: [{epochs: 1, batch: 50, train: [encoder, decoder], losses: [mse], optimizer: adam}]}
      """)
    _ = try Trainer(composition, data: digits(), folder: folder, shouldStop: { false }).run()
    #expect(try StageLog.read(folder.stages).isEmpty)
    #expect(!FileManager.default.fileExists(atPath: folder.stages.path))
  }
}

@Test func featuresAreRankedByNameWhereTheyHaveOne() {
  let report = StageReport(
    stage: "sparse", index: 1, layers: [], before: [], after: [], inputSize: 4,
    features: [.init(index: 2, weight: 1.5), .init(index: 0, weight: 0.25), .init(index: 3, weight: 0.125)])
  let names = ["BRCA1", "unused", "gene \"x\", long"]
  #expect(
    report.featureTable(names: names)
      == "rank,feature,index,weight\r\n1,\"gene \"\"x\"\", long\",2,1.5\r\n2,BRCA1,0,0.25\r\n3,3,3,0.125\r\n")
  #expect(report.featuresText(names: nil, count: 1) == "3 of 4 input features survive; first 2 (1.5)")
}

/// Looks at every iteration of the second stage, and the weights that it starts from.
private final class Watch: TrainingObserver {
  private let look: () -> Void
  init(_ look: @escaping () -> Void) { self.look = look }
  func progressed(_ progress: TrainingProgress) { if progress.stage == "sparse" { look() } }
  func finishedEpoch(_ record: EpochRecord, of epochs: Int) {}
  // The first note is of the layer that has just been projected.
  func note(_ sentence: String) { look() }
}

private final class Sentences: TrainingObserver {
  var texts: [String] = []
  func progressed(_ progress: TrainingProgress) {}
  func finishedEpoch(_ record: EpochRecord, of epochs: Int) {}
  func note(_ sentence: String) { texts.append(sentence) }
}
