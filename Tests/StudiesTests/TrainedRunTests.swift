import Foundation
import Studies
import LatentKit
import Testing

/// The mean highest score that another run's classifier gives.
private struct Confidence: Metric, Component {
  struct Config: ComponentConfig {
    @Setting("The folder of a run with a classifier.") var classifier = ""
  }
  private let judge: TrainedModel
  private var (sum, count) = (0.0, 0.0)
  init(_ config: Config, in context: BuildContext) throws {
    judge = try context.trainedModel(config.classifier, classifying: true)
  }
  mutating func update(_ forward: Forward) throws {
    sum += try judge.scores(forward.inputs).max(axis: 1).sum().item()
    count += try Double(forward.inputs.size(0))
  }
  func finish(_ evaluation: Evaluation) throws -> [Measured] { [Measured("confidence", sum / count)] }
}

@Test func theRunsOfAStudyMeasureByTheClassifierOfAnotherRun() throws {
  let root = FileManager.default.temporaryDirectory.appendingPathComponent("latentkit-judged-\(UUID().uuidString)")
  defer { try? FileManager.default.removeItem(at: root) }
  let catalog = try Catalog(plugins, adding: [.metric("confidence", Confidence.self, "for a test")])
  let judge = try Run(
    Recipe.read(
      yaml: """
        {data: {use: mnist, with: {embedded: true, limit: 200}}, encoder: {use: mlp, with: {hidden: [16]}}, decoder: none,
         classifier: linear, noise: none, stages: [{epochs: 1, losses: [cross-entropy]}]}
        """, file: "judge"), catalog: catalog, in: root.appendingPathComponent("judge"))
  try judge.train()
  let recipe = try Recipe.read(
    yaml: """
      name: judged
      data: {use: mnist, with: {embedded: true, limit: 200}}
      encoder: {use: mlp, with: {latent: 10, hidden: [16]}}
      prior: pedcc
      sampler: class-gaussian
      metrics: [{use: confidence, with: {classifier: '\(judge.folder.url.path)'}}]
      stages: [{epochs: 1}]
      """, file: "judged")
  let folder = RunFolder(root.appendingPathComponent("study"))
  let study = try Study(repeating: recipe, Repeats(seeds: [1, 2]), catalog: catalog, in: folder)
  guard case .finished(let report) = try study.run(perClass: nil, observer: nil) else {
    Issue.record("the study was stopped")
    return
  }
  #expect(report.failures.isEmpty)
  // All runs have the same test part and one judge.
  let line = try #require(report.results.lines.first { $0.measure == "confidence" })
  #expect(line.values.count == 2 && line.values[0] == line.values[1])
  for seed in [1, 2] {
    let file = RunFolder(folder.url.appendingPathComponent("seed-\(seed)")).trainedRuns
    let kept = try JSONDecoder().decode([String: String].self, from: Data(contentsOf: file))
    #expect(kept.keys.map { $0 } == [judge.folder.url.path] && kept.values.allSatisfy { $0.count == 64 })
  }
}
