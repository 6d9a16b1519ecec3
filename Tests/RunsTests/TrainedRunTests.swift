import Foundation
import LatentKit
import Runs
import Testing

/// The share of examples whose label the classifier of another run finds, in percent.
private struct Judged: Metric, Component {
  struct Config: ComponentConfig {
    @Setting("The folder of a run with a classifier.") var classifier = ""
  }
  private let judge: TrainedModel
  private var (right, all) = (0.0, 0.0)

  init(_ config: Config, in context: BuildContext) throws {
    judge = try context.trainedModel(config.classifier, classifying: true)
  }

  mutating func update(_ forward: Forward) throws {
    let found = try judge.scores(forward.inputs).argmax(axis: 1)
    right += try (found .== forward.labels).to(.float64).sum().item()
    all += Double(found.count)
  }

  func finish(_ evaluation: Evaluation) throws -> [Measured] { [Measured("judged", 100 * right / all, unit: "%")] }
}

/// Runs that build on others.
@Suite struct RunsOnRuns {
  private let scratch: Scratch
  private let catalog: Catalog

  init() throws {
    scratch = try Scratch()
    catalog = try Catalog(plugins, adding: [.metric("judged", Judged.self, "for a test")])
  }

  private func path(_ name: String) -> String { scratch.url.appendingPathComponent(name).path }

  private func train(
    _ name: String, _ yaml: String, existing: Run.Existing = .refuse, stoppingAfter steps: Int = .max
  ) throws -> Run {
    let listener = Listener()
    let run = try Run(
      Recipe.read(yaml: yaml, file: name), catalog: catalog, in: URL(fileURLWithPath: path(name)), existing: existing,
      observer: listener)
    try run.train { listener.steps >= steps }
    return run
  }

  private func classifier(seed: Int = 1, data: String = "mnist") -> String {
    """
    {seed: \(seed), data: {use: \(data), with: {embedded: true, limit: 300}}, encoder: {use: mlp, with: {hidden: [32]}},
     decoder: none, classifier: linear, metrics: [accuracy], noise: none,
     stages: [{epochs: 8, batch: 20, losses: [cross-entropy]}]}
    """
  }

  /// A model whose images are padded, and scaled otherwise than the classifier's.
  private func model(on classifier: String, data: String = "mnist") -> String {
    """
    data: {use: \(data), with: {embedded: true, limit: 200, pad: 2, range: symmetric}}
    encoder: {use: mlp, with: {latent: 10, hidden: [16]}}
    prior: pedcc
    sampler: class-gaussian
    metrics: [{use: judged, with: {classifier: '\(path(classifier))'}}]
    stages: [{epochs: 1, batch: 50}]
    """
  }

  @Test func aMetricJudgesByTheClassifierOfAnotherRun() throws {
    let judge = try train("judge", classifier())
    let accuracy = try #require(judge.evaluate(.test).measurements.first { $0.name == "accuracy" }?.value)
    #expect(accuracy > 50)
    let run = try train("model", model(on: "judge"))
    // The same test images, by way of padding and another scale: the same answers.
    let judged = try #require(run.evaluate(.test).measurements.first { $0.name == "judged" }?.value)
    #expect(abs(judged - accuracy) < 0.11)
    // The other run's weights are frozen and belong to no run but their own.
    #expect(!run.session.composition.store.parameters.contains { $0.name.hasPrefix("classifier") })
    #expect(try Run(opening: run.folder.url, catalog: catalog).evaluate(.test).measurements.first?.value == judged)
  }

  @Test func aJudgeThatChangedIsNoticed() throws {
    _ = try train("judge", classifier())
    let url = URL(fileURLWithPath: path("model"))
    // Its lock goes with the run.
    let recipe = try { try train("model", model(on: "judge"), stoppingAfter: 2).session.recipe }()
    _ = try train("judge", classifier(seed: 2), existing: .replace)
    let opened = #expect(throws: RecipeError.self) { try Run(opening: url, catalog: catalog) }
    #expect(opened?.description.contains("judge has changed: found the checksum") == true)
    let resumed = #expect(throws: RecipeError.self) {
      try Run(recipe, catalog: catalog, in: url, existing: .resume).train()
    }
    #expect(resumed?.description == opened?.description)
    // The same judge trained again is the same one.
    _ = try train("judge", classifier(), existing: .replace)
    #expect(throws: Never.self) { try Run(opening: url, catalog: catalog) }
    // Another run in the folder builds on none.
    #expect(FileManager.default.fileExists(atPath: RunFolder(url).trainedRuns.path))
    _ = try train("model", small, existing: .replace)
    #expect(!FileManager.default.fileExists(atPath: RunFolder(url).trainedRuns.path))
  }

  @Test func whatCannotJudgeIsRefusedInASentence() throws {
    func problem(_ name: String, data: String = "mnist") -> String {
      let recipe = model(on: name, data: data)
      do {
        _ = try Run(
          Recipe.read(yaml: recipe, file: "model"), catalog: catalog, in: URL(fileURLWithPath: path("never")))
        return "none"
      } catch { return "\(error)".replacing(scratch.url.path + "/", with: "") }
    }
    #expect(
      problem("nothing")
        == "metric 'judged': there is no run in nothing; name the folder of one that 'host compose' made")
    _ = try train("stopped", classifier(), stoppingAfter: 2)
    #expect(
      problem("stopped") == "metric 'judged': the run in stopped has not finished; let it finish, or name another")
    _ = try train("plain", small)
    #expect(problem("plain") == "metric 'judged': the run in plain has no classifier; name a run that has one")
    _ = try train("clothes", classifier(data: "fashion-mnist"))
    #expect(
      problem("clothes").hasPrefix("metric 'judged': the run in clothes knows other classes, 'T-shirt/top' where"))
    // A run whose recipe was made to build on itself.
    _ = try train("judge", classifier())
    #expect(problem("judge") == "none")
  }
}
