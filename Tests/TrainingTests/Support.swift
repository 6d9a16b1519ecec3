import Datasets
import Foundation
import LatentKit
import Recipes
import Testing
import Training

/// A folder that is removed when its test is over.
final class Scratch {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("latentkit-test-\(UUID().uuidString)")
  init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(at: url) }

  /// An empty run folder.
  func run(_ name: String) throws -> RunFolder {
    let folder = RunFolder(url.appendingPathComponent(name))
    try folder.create()
    return folder
  }

  /// Trains a model in the folder `whole`, which is copied wherever training may stop: what a kill at that moment leaves.
  ///
  /// - Parameter look: Called at each of these moments.
  func trained(
    _ composition: Composition, _ data: TrainingData, secondsBetweenCheckpoints: Double = 0,
    looking look: @escaping () -> Void = {}
  ) throws -> (folder: RunFolder, copies: [RunFolder]) {
    let folder = try run("whole")
    var copies: [RunFolder] = []
    let trainer = try Trainer(
      composition, data: data, folder: folder, secondsBetweenCheckpoints: secondsBetweenCheckpoints,
      shouldStop: {
        let copy = RunFolder(self.url.appendingPathComponent("killed-\(copies.count)"))
        try! FileManager.default.copyItem(at: folder.url, to: copy.url)
        copies.append(copy)
        look()
        return false
      })
    #expect(try trainer.run() == .finished)
    return (folder, copies)
  }
}

/// Parts that only tests need.
enum TestPlugin: Plugin {
  static let paper: Paper? = Paper(
    title: "Tests", authors: "nobody", year: 2026, summary: "Parts that misbehave on purpose.")
  static let contributions: [Contribution] = [
    .loss("poison", Poison.self, "is not a number from some iteration on"),
    .loss("recorder", Recorder.self, "remembers the inputs it sees"),
    .constraint("small-to-zero", SmallToZero.self, "zeroes weights below a threshold"),
    .discriminator("flat", FlatDiscriminator.self, "one linear layer"),
    .loss("least-squares", LeastSquares.self, "real 1, made -1"),
  ]

  final class Poison: Loss, Component {
    struct Config: ComponentConfig {
      @Setting("First bad iteration.", .atLeast(1)) var from = 3
    }
    private let from: Int
    nonisolated(unsafe) private var calls = 0
    init(_ config: Config, in context: BuildContext) { from = config.from }
    func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
      calls += 1
      return [.batch("poison", try forward.latents.sum() * (calls >= from ? .nan : 0))]
    }
  }

  /// One test's memory of every input that its training saw.
  final class Recorder: Loss, Component {
    typealias Config = NoConfig
    nonisolated(unsafe) static var seen: [[Float]: Int] = [:]
    init(_ config: NoConfig, in context: BuildContext) {}
    func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
      if forward.isTraining {
        for index in try 0..<forward.inputs.size(0) {
          Recorder.seen[try forward.inputs.select(index).floats(), default: 0] += 1
        }
      }
      return [.batch("recorder", try forward.latents.sum() * 0)]
    }
  }

  struct SmallToZero: Constraint, Component {
    struct Config: ComponentConfig {
      @Setting("Weights below it become zero.", .atLeast(0)) var threshold = 0.02
    }
    let threshold: Double
    init(_ config: Config, in context: BuildContext) { threshold = config.threshold }
    func project(_ weights: Tensor) throws {
      try weights.copyInPlace(weights.filled(with: 0, where: weights.abs() .< threshold))
    }
  }

  struct FlatDiscriminator: Discriminator, Component {
    typealias Config = NoConfig
    let layer: Linear
    init(_ config: NoConfig, in context: BuildContext) throws {
      layer = try Linear(context.inputSize, 1, in: context.scope)
    }
    func score(_ batch: Batch) throws -> Tensor { try layer(batch.inputs.flattened()) }
  }

  struct LeastSquares: Loss, Component {
    typealias Config = NoConfig
    init(_ config: NoConfig, in context: BuildContext) {}
    func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
      let real = try (forward.score(forward.inputs) - 1).square().mean()
      let made = try (forward.score(forward.reconstruction.detached()) + 1).square().mean()
      return [.batch("least-squares", try real + made)]
    }
  }
}

let catalog = try! Catalog(plugins + [TestPlugin.self])

/// Real digits, few of them.
func digits(train: Int = 200, validation: Int = 50, settings: DataSettings = DataSettings()) throws -> TrainingData {
  let dataset = try DatasetLibrary.load("mnist", embedded: true)
  func source(_ examples: Examples) throws -> BatchSource {
    try BatchSource(examples, settings: settings, classCount: dataset.classCount)
  }
  return TrainingData(
    training: try source(dataset.train.balanced(train, seed: 1, for: "training")),
    validation: validation == 0
      ? nil : try dataset.test.map { try source($0.balanced(validation, seed: 1, for: "validation")) })
}

/// Composes a recipe for the digits.
func compose(_ yaml: String, with catalog: Catalog = catalog) throws -> Composition {
  let composer = Composer(catalog)
  let recipe = try composer.resolve(Recipe.read(yaml: yaml, file: "test.yaml"))
  let shape = DataShape(title: "data 'mnist'", inputShape: [1, 28, 28], inputRange: 0...1, classCount: 10)
  var tried = recipe
  // Float16 is refused on a CPU as too slow, which it is not for so few digits.
  if !tried.precision.isAvailable(on: .cpu) { tried.precision = .float32 }
  try composer.dryRun(tried, for: shape, device: .cpu)
  return try composer.compose(recipe, for: shape, device: .cpu)
}

/// The bytes of every parameter and buffer by name.
func weights(_ composition: Composition) throws -> [String: Data] {
  try composition.store.parameters.reduce(into: [:]) { $0[$1.name] = try $1.tensor.bytes() }
}

/// The log without its times.
func timeless(_ folder: RunFolder) throws -> [EpochRecord] {
  try MetricsLog.read(folder.metrics).map { record in
    var record = record
    (record.seconds, record.examplesPerSecond) = (0, 0)
    return record
  }
}
