import ArgumentParser
import Datasets
import Foundation
import HostKit
import LatentKit
import Recipes
import Runs
import Training

/// Times real training: the same recipe, data and trainer that `compose` runs.
struct TrainingBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "training", abstract: "Time training steps of a benchmark model; prints one line of JSON.")

  enum BenchmarkModel: String, CaseIterable, ExpressibleByArgument {
    case csaeL = "csae-l"
    case csaeC = "csae-c"
    case embeddingCNN = "embedding-cnn"
    case vae

    var recipe: Recipe {
      var recipe = Recipe()
      recipe[all: .metric] = []
      var data: [String: Value] = ["pad": self == .csaeC ? 2 : 0, "validation": 0]
      switch self {
      case .csaeL, .csaeC:
        recipe[.prior] = PartChoice("pedcc")
        recipe[.encoder] = PartChoice(self == .csaeC ? "resnet" : "mlp")
        recipe[.decoder] = PartChoice(self == .csaeC ? "deconv" : "mlp")
      case .embeddingCNN:
        recipe[.prior] = PartChoice("learned-centroids")
        data["range"] = "unit"
        recipe[.encoder] = PartChoice("embedding-cnn", with: ["widths": [16, 32, 64]])
        recipe[.decoder] = PartChoice("none")
        recipe[.classifier] = PartChoice("linear")
      case .vae:
        recipe[.prior] = PartChoice("standard-normal")
        recipe[.encoder] = PartChoice("mlp", with: ["latent": 20, "hidden": [400], "code": "gaussian"])
        recipe[.decoder] = PartChoice("mlp", with: ["hidden": [400], "output": "sigmoid"])
      }
      recipe[.data] = PartChoice("mnist", with: data)
      return recipe
    }

    /// What is minimised where parts do not bring it.
    var losses: [PartChoice] {
      switch self {
      case .csaeL, .csaeC: []
      case .embeddingCNN: [PartChoice("cross-entropy"), PartChoice("intra-class-variance", weight: 0.05)]
      case .vae: [PartChoice("bce", with: ["reduction": "sum"]), PartChoice("kl")]
      }
    }

    var batch: Int { self == .embeddingCNN ? 256 : 128 }

    var optimizer: PartChoice {
      switch self {
      case .csaeL, .embeddingCNN, .vae: PartChoice("adam")
      // The paper's rate of 0.1 diverges without a warm-up at this batch size; time is the same.
      case .csaeC: PartChoice("sgd", with: ["learningRate": 0.05, "momentum": 0.9, "weightDecay": 0.0005])
      }
    }
  }

  @Option(help: "csae-l, csae-c, embedding-cnn or vae.") var model: BenchmarkModel
  @Option(help: "Steps that are timed.") var steps = 100
  @Option(help: "Steps before them.") var warmup = 10
  @Option(help: "Whole epochs that are timed; 0 for none.") var epochs = 0
  @Option(help: "How precisely layers compute: float32, bf16, or tf32 on GPUs.") var precision = "float32"
  @OptionGroup(title: "Machine") var machine: MachineOptions

  func run() throws {
    var timing = TrainingTiming(model.recipe, losses: model.losses, optimizer: model.optimizer, batch: model.batch)
    timing.precision = precision
    let found = try timing.run(on: machine.machine(), steps: steps, warmup: warmup, epochs: epochs)
    let fields: [(String, String)] = [
      ("model", "\"\(model.rawValue)\""), ("variant", "\"latentkit\""),
      ("stepMilliseconds", found.step.map { String(format: "%.4f", 1000 * $0) } ?? "null"),
      ("epochSeconds", found.epoch.map { String(format: "%.4f", $0) } ?? "null"),
      ("images", "\(found.examples)"), ("threads", "\(Torch.threadCount)"), ("torch", "\"\(Torch.version)\""),
    ]
    print("{" + fields.map { "\"\($0.0)\": \($0.1)" }.joined(separator: ", ") + "}")
  }
}

/// Trains a recipe to see how long steps and epochs take.
struct TrainingTiming {
  private var recipe: Recipe
  private let losses: [PartChoice]
  private let optimizer: PartChoice
  private let batch: Int
  var precision = "float32"

  init(_ recipe: Recipe, losses: [PartChoice], optimizer: PartChoice, batch: Int) {
    (self.recipe, self.losses, self.optimizer, self.batch) = (recipe, losses, optimizer, batch)
  }

  /// Returns seconds, the median of the steps after `warmup` and of epochs, and how many examples an epoch has. On a GPU, which works
  /// behind, steps have a mean.
  func run(
    on machine: Machine, steps: Int, warmup: Int, epochs: Int = 0
  ) throws -> (step: Double?, epoch: Double?, examples: Int) {
    let catalog = try Catalog(plugins)
    var recipe = try Composer(catalog).resolve(
      recipe, choosing: TrainingChoices(losses: losses.map { (part: nil, loss: $0) }))
    try recipe.set("precision=\(precision)")
    recipe.stages = recipe.stages.map { stages in
      stages.map { stage in
        var stage = stage
        stage.epochs = 1_000_000
        stage.batch = batch
        for index in stage.steps.indices {
          stage.steps[index].optimizer = optimizer
          stage.steps[index].schedule = PartChoice("constant")
        }
        return stage
      }
    }
    let session = try Session(recipe, catalog: catalog, machine: machine)
    let folder = RunFolder(
      FileManager.default.temporaryDirectory.appendingPathComponent("latentkit-bench-\(UUID().uuidString)"))
    try folder.create()
    defer { try? FileManager.default.removeItem(at: folder.url) }
    let watch = StepWatch(warmup: warmup, steps: warmup + steps, epochs: epochs, device: session.device)
    let trainer = try Trainer(
      session.composition, data: TrainingData(training: session.training, validation: nil), folder: folder,
      observer: watch, shouldStop: { watch.isDone })
    _ = try trainer.run()
    let times = watch.stepSeconds.dropFirst(warmup).sorted()
    let epochTimes = watch.epochSeconds.sorted()
    let isBehind = session.device != .cpu
    let step = isBehind ? times.reduce(0, +) / Double(max(times.count, 1)) : times.isEmpty ? 0 : times[times.count / 2]
    return (
      times.isEmpty ? nil : step, epochTimes.isEmpty ? nil : epochTimes[epochTimes.count / 2],
      session.training.count
    )
  }
}

/// Measures the time from one finished step to the next, data included, and whole epochs.
private final class StepWatch: TrainingObserver {
  private let warmup: Int
  private let steps: Int
  private let epochs: Int
  private let device: Device
  private var last: ContinuousClock.Instant?
  private(set) var stepSeconds: [Double] = []
  private(set) var epochSeconds: [Double] = []

  init(warmup: Int, steps: Int, epochs: Int, device: Device) {
    (self.warmup, self.steps, self.epochs, self.device) = (warmup, steps, epochs, device)
  }

  var isDone: Bool { stepSeconds.count >= steps && epochSeconds.count >= epochs }

  func progressed(_ progress: TrainingProgress) {
    // A GPU works behind: it is waited for where timing begins and ends.
    if [warmup, steps].contains(stepSeconds.count + 1) { try? device.synchronize() }
    let now = ContinuousClock.now
    if let last { stepSeconds.append((now - last) / .seconds(1)) }
    last = now
  }

  func finishedEpoch(_ record: EpochRecord, of epochs: Int) {
    epochSeconds.append(record.seconds)
    // Between epochs lie shuffling and a checkpoint: no step.
    last = nil
  }

  func note(_ sentence: String) {}
}
