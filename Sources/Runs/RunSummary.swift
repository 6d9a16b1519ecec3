import Files
import Foundation
import LatentKit
import Recipes
import Reports
import Training

/// The results of a run, kept in `summary.json`.
public struct RunSummary: Codable, Sendable {
  /// The name of the run's folder.
  public var name: String
  /// The recipe's description of what it reproduces.
  public var about: String?
  /// The name of the data set.
  public var data: String
  /// The origin of its examples: files, or the subset that ships with the package.
  public var dataOrigin: String
  /// The number of training examples.
  public var trainingExamples: Int
  /// The number of validation examples; 0 without a validation part.
  public var validationExamples: Int
  /// The number of test examples.
  public var testExamples: Int
  /// The number of trainable scalars.
  public var weights: Int
  /// The recipe's seed.
  public var seed: Int
  /// Epochs of all stages together, as they were trained.
  public var epochs: Int
  /// Seconds of training.
  public var seconds = 0.0
  /// The device that the run computed on.
  public var device: String
  /// The version of libtorch.
  public var libtorch: String
  /// Threads per operation.
  public var threads: Int
  /// Means over the test part of the last stage's loss terms, and their weighted sum as `total`.
  public var testLosses: [String: Double]
  /// The metrics on the test part.
  public var testMetrics: [Measured]
  /// Diagnostics of the samples; empty if none were drawn.
  public var sampler: [Measured] = []
  /// Warnings of the sampler.
  public var warnings: [String] = []
  /// Reports of the stages that projected or masked weights; nil if none did.
  public var stages: [StageReport]?
  /// How the stages ended that have a `stop`, and whose weights they left; nil where none has.
  public var stops: [StageStop]?

  /// - Parameter test: The measurements on the test part.
  init(_ session: Session, folder: RunFolder, test: EvaluationResult) throws {
    let recipe = session.recipe
    name = folder.name
    about = recipe.about
    data = session.dataset.name
    dataOrigin = session.dataset.origin.description
    trainingExamples = session.training.count
    validationExamples = session.validation?.count ?? 0
    testExamples = session.test.count
    weights = session.weightCount
    seed = recipe.seed
    let stages = recipe.stages ?? []
    let hasStops = stages.contains { $0.stop != nil }
    let position = hasStops ? try Checkpoint.read(folder.checkpoint).position : Checkpoint.Position()
    stops = position.stops
    epochs = stages.reduce(0) { $0 + position.epochs(of: $1) }
    device = "\(session.device)"
    libtorch = Torch.version
    threads = Torch.threadCount
    testLosses = test.losses
    testMetrics = test.measurements
    let reports = try StageLog.read(folder.stages)
    self.stages = reports.isEmpty ? nil : reports
  }

  /// Reads `summary.json`.
  ///
  /// - Throws: `FileError` if the file is missing or is not a summary.
  public static func read(_ url: URL) throws -> RunSummary {
    let summary: RunSummary
    do { summary = try JSONDecoder.ofAnyNumbers().decode(RunSummary.self, from: Data(contentsOf: url)) } catch {
      throw FileError(url.path, "is not the summary of a run; remove the run's folder and run it again")
    }
    if let problem = summary.problem {
      throw FileError(
        url.path, "is not the summary of a run: found \(problem); remove the run's folder and run it again")
    }
    return summary
  }

  /// What is impossible about it; nil where nothing is.
  private var problem: String? {
    let counts = [
      ("trainingExamples", trainingExamples), ("validationExamples", validationExamples),
      ("testExamples", testExamples), ("weights", weights), ("seed", seed), ("epochs", epochs), ("threads", threads),
    ]
    if let (name, count) = counts.first(where: { $0.1 < 0 }) { return "\(name) \(count)" }
    guard seconds.isFinite, seconds >= 0 else { return "\(seconds) seconds" }
    return (testMetrics + sampler).lazy.compactMap(\.problem).first ?? (stages ?? []).lazy.compactMap(\.problem).first
      ?? (stops ?? []).lazy.compactMap(\.problem).first
  }

  /// Writes `summary.json`.
  ///
  /// - Throws: `FileError` if the file cannot be written.
  public func write(to url: URL) throws {
    let encoder = JSONEncoder.ofAnyNumbers([.prettyPrinted, .sortedKeys, .withoutEscapingSlashes])
    try AtomicFile.write(encoder.encode(self) + Data("\n".utf8), to: url)
  }

  /// Whether a stage has a ranking of the input features that survived.
  var hasFeatures: Bool { (stages ?? []).contains { $0.features != nil } }

  /// Writes that ranking, where there is one.
  func writeFeatures(to url: URL, names: [String]?) throws {
    guard let report = stages?.last(where: { $0.features != nil }) else { return }
    try AtomicFile.write(report.featureTable(names: names), to: url)
  }

  private func sparsity(features names: [String]?) -> [HTMLReport.Table.Row] {
    (stages ?? []).flatMap { stage -> [HTMLReport.Table.Row] in
      let texts =
        stage.layers.map(\.text)
        + [stage.metricsText, stage.testText, stage.featuresText(names: names)].compactMap { $0 }
      return texts.map { .init("stage \(stage.stage)", $0) }
    }
  }

  private var epochsText: String {
    let short = (stops ?? []).filter { $0.epochs < $0.planned }.map { "\($0.epochsText) in stage '\($0.stage)'" }
    return "\(epochs)" + (short.isEmpty ? "" : " (\(short.joined(separator: ", ")))")
  }

  func report(
    figures: [HTMLReport.Figure], grids: [HTMLReport.Grid], recipe: Recipe, features: [String]?
  ) -> HTMLReport {
    HTMLReport(
      title: recipe.name ?? name, subtitle: about ?? "",
      summary: [
        .init("data", "\(data), \(dataOrigin)"),
        .init("examples", "\(trainingExamples) training, \(validationExamples) validation, \(testExamples) test"),
        .init("weights", "\(weights)"), .init("epochs", epochsText), .init("seed", "\(seed)"),
        .init("training time", duration(seconds)),
        .init("machine", "\(device), \(counted(threads, "thread")), libtorch \(libtorch)"),
      ] + (recipe.stop(ofLastStageIn: stops).map { [.init("measured", $0.weightsText)] } ?? []),
      measurements: testMetrics.map {
        .init($0.name, $0.value == nil && $0.table != nil ? "see below" : $0.text, note: "test")
      }
        + testLosses.sorted { $0.key < $1.key }.map { .init($0.key, number($0.value), note: "test loss") },
      grids: grids,
      diagnostics: sparsity(features: features) + sampler.map { .init($0.name, $0.text) }
        + warnings.map { .init("warning", $0) },
      figures: figures,
      recipe: recipe.yaml())
  }
}
