import Files
import Foundation
import LatentKit
import Recipes
import Reports
import Training

/// What a run came to, for people and programs: `summary.json`.
struct RunSummary: Codable {
  var name: String
  var about: String?
  var data: String
  var dataOrigin: String
  var trainingExamples: Int
  var validationExamples: Int
  var testExamples: Int
  var weights: Int
  var seed: Int
  var epochs: Int
  /// Seconds of training.
  var seconds = 0.0
  var device: String
  var libtorch: String
  var threads: Int
  var testLosses: [String: Double]
  var testMetrics: [Measured]
  var sampler: [Measured] = []
  var warnings: [String] = []
  /// What the stages that projected or masked weights came to; nil where none did.
  var stages: [StageReport]?

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
    epochs = (recipe.stages ?? []).reduce(0) { $0 + $1.epochs }
    device = "\(session.device)"
    libtorch = Torch.version
    threads = Torch.threadCount
    testLosses = test.losses
    testMetrics = test.measurements + [try session.reconstructionError(of: session.test.examples)].compactMap { $0 }
    let reports = try StageLog.read(folder.stages)
    stages = reports.isEmpty ? nil : reports
  }

  func write(to url: URL) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    try AtomicFile.write(encoder.encode(self) + Data("\n".utf8), to: url)
  }

  /// Ranks the input features that the last stage left, where one took some away.
  func writeFeatures(to url: URL, names: [String]?) throws {
    guard let report = stages?.last(where: { $0.features != nil }) else { return }
    try AtomicFile.write(report.featureTable(names: names), to: url)
  }

  private func sparsity(features names: [String]?) -> [HTMLReport.Table.Row] {
    (stages ?? []).flatMap { stage -> [HTMLReport.Table.Row] in
      let texts = stage.layers.map(\.text) + [stage.metricsText, stage.featuresText(names: names)].compactMap { $0 }
      return texts.map { .init("stage \(stage.stage)", $0) }
    }
  }

  func report(figures: [HTMLReport.Figure], recipe: Recipe, features: [String]?) -> HTMLReport {
    HTMLReport(
      title: recipe.name ?? name, subtitle: about ?? "",
      summary: [
        .init("data", "\(data), \(dataOrigin)"),
        .init("examples", "\(trainingExamples) training, \(validationExamples) validation, \(testExamples) test"),
        .init("weights", "\(weights)"), .init("epochs", "\(epochs)"), .init("seed", "\(seed)"),
        .init("training time", duration(seconds)),
        .init("machine", "\(device), \(threads) threads, libtorch \(libtorch)"),
      ],
      measurements: testMetrics.map { .init($0.name, $0.text, note: "test") }
        + testLosses.sorted { $0.key < $1.key }.map { .init($0.key, number($0.value), note: "test loss") },
      diagnostics: sparsity(features: features) + sampler.map { .init($0.name, $0.text) }
        + warnings.map { .init("warning", $0) },
      figures: figures,
      recipe: recipe.yaml())
  }

  /// The numbers and where the pictures are, on standard output.
  func print(figures: [String], folder: RunFolder) {
    say()
    for metric in testMetrics { say("test     \(metric.name) \(metric.text)") }
    let losses = testLosses.sorted { $0.key < $1.key }.map { "\($0.key) \(number($0.value))" }
    say("         \(losses.joined(separator: "  "))")
    if let sparse = stages?.last {
      let zeros = sparse.layers.map { String(format: "%@ %.1f %%", $0.name, 100 * $0.zeros) }
      say("zeros    " + zeros.joined(separator: ", "))
    }
    if !sampler.isEmpty { say("sampler  " + sampler.map { "\($0.name) \($0.text)" }.joined(separator: ", ")) }
    for warning in warnings { warn("warning: \(warning)") }
    for figure in figures { say("picture  \(figure)") }
    say("report   \(folder.url.relativePath)/report.html")
  }
}
