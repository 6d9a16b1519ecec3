import LatentKit
import Recipes

// Parts that are as small as parts can be. Parts of the five papers that exist nowhere yet have stand-ins here.

struct Latent: ComponentConfig {
  var latent = 3
  var code = "point"
  init() {}
  static let help: KeyValuePairs = ["latent": "Length of a latent vector.", "code": "point or gaussian."]
}

struct TinyEncoder: FeatureEncoder {
  let latentSize: Int
  private let layer: Linear
  private let isGaussian: Bool

  init(_ config: Latent, in context: BuildContext) throws {
    latentSize = config.latent
    isGaussian = config.code == "gaussian"
    layer = try Linear(context.inputSize, isGaussian ? 2 * config.latent : config.latent, in: context.scope("layer"))
  }

  func encode(_ inputs: Tensor) throws -> Code {
    let outputs = try layer(inputs.flattened())
    guard isGaussian else { return .point(outputs) }
    return .gaussian(
      mean: try outputs.slice(0..<latentSize, axis: 1),
      logVariance: try outputs.slice(latentSize..<2 * latentSize, axis: 1))
  }

  func features(_ inputs: Tensor) throws -> [Tensor] { [try encode(inputs).center] }
}

/// An encoder that says one latent size and makes another.
struct LyingEncoder: Encoder {
  let latentSize = 5
  private let layer: Linear
  init(_ config: NoConfig, in context: BuildContext) throws {
    layer = try Linear(context.inputSize, 4, in: context.scope)
  }
  func encode(_ inputs: Tensor) throws -> Code { .point(try layer(inputs.flattened())) }
}

/// An encoder that takes images of 28 x 28 only.
struct FixedEncoder: Encoder {
  let latentSize = 3
  private let layer: Linear
  init(_ config: NoConfig, in context: BuildContext) throws { layer = try Linear(784, 3, in: context.scope) }
  func encode(_ inputs: Tensor) throws -> Code { .point(try layer(inputs.flattened())) }
}

struct Side: ComponentConfig {
  var side = 0
  var scale = 1.0
  init() {}
  static let help: KeyValuePairs = [
    "side": "Height and width to make; 0 for the inputs'.", "scale": "Times the output.",
  ]
}

struct TinyDecoder: LatentKit.Decoder {
  private let layer: Linear
  private let shape: [Int]
  private let scale: Double

  init(_ config: Side, in context: BuildContext) throws {
    scale = config.scale
    shape = config.side == 0 ? context.inputShape : [context.inputShape[0], config.side, config.side]
    layer = try Linear(context.latentSize, shape.reduce(1, *), in: context.scope("layer"))
  }

  func decode(_ latents: Tensor) throws -> Tensor { try (layer(latents) * scale).reshaped([latents.size(0)] + shape) }
}

struct TinyClassifier: Classifier {
  struct Config: ComponentConfig {
    var extra = 0
    var dropout = 0.0
    init() {}
    static let help: KeyValuePairs = ["extra": "Scores too many.", "dropout": "Share that is dropped."]
  }
  private let layer: Linear
  private let dropout: Dropout

  init(_ config: Config, in context: BuildContext) throws {
    dropout = try Dropout(config.dropout, in: context.scope)
    layer = try Linear(context.latentSize, context.requireClasses() + config.extra, in: context.scope("layer"))
  }
  func scores(_ latents: Tensor) throws -> Tensor { try layer(dropout(latents)) }
}

struct TinyDiscriminator: Discriminator {
  private let layer: Linear
  init(_ config: NoConfig, in context: BuildContext) throws {
    layer = try Linear(context.inputSize, 1, in: context.scope("layer"))
  }
  func judge(_ inputs: Tensor) throws -> Tensor { try layer(inputs.flattened()) }
}

struct FlatPrior: Prior {
  struct Config: ComponentConfig {
    var classes: Int?
    var shape = "rows"
    init() {}
    static let help: KeyValuePairs = [
      "classes": "How many; the data's unless said.", "shape": "rows, or scalar to be wrong.",
    ]
  }
  private let config: Config
  init(_ config: Config, in context: BuildContext) { self.config = config }
  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor {
    config.shape == "rows" ? try latents.square().sum(axis: 1) * -0.5 : try latents.sum()
  }
}

/// A prior with a weight of its own.
struct LearnedPrior: Prior {
  private let center: Tensor
  init(_ config: NoConfig, in context: BuildContext) throws {
    center = try context.scope.parameter("center", [context.latentSize], .constant(0))
  }
  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor {
    try (latents - center).square().sum(axis: 1) * -0.5
  }
}

/// A prior that knows nothing before it has seen latents.
final class FittedPrior: FittablePrior {
  private var center: Tensor?
  init(_ config: NoConfig, in context: BuildContext) {}
  func fit(_ latents: LatentSet) throws { center = try latents.latents.mean(axis: 0) }
  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor {
    guard let center else { throw RecipeError("nothing was fitted") }
    return try (latents - center).square().sum(axis: 1) * -0.5
  }
}

struct TinyNoise: LatentNoise {
  struct Config: ComponentConfig {
    var beta = 0.1
    init() {}
    static let help: KeyValuePairs = ["beta": "Deviation."]
  }
  private let config: Config
  init(_ config: Config, in context: BuildContext) { self.config = config }
  func perturb(_ latents: Tensor, using generator: inout Generator) throws -> Tensor {
    try latents + generator.normal(latents.shape) * config.beta
  }
}

/// A sampler that fails when it runs: nothing here may run it.
struct NeverSampler: Sampler {
  init(_ config: NoConfig, in context: BuildContext) {}
  func draw(_ request: DrawRequest, using generator: inout Generator) throws -> Draw {
    throw RecipeError("the sampler ran")
  }
}

/// Squared error, with the faults that a dry run has to find on request.
struct TinyLoss: Loss {
  struct Config: ComponentConfig {
    var reduction = "mean"
    var fault = "none"
    var scores = "classifier"
    var weights: [Double] = []
    var radius = 1.0
    init() {}
    static let help: KeyValuePairs = [
      "reduction": "Ignored.", "fault": "none, vector, infinite or shape.", "scores": "Ignored.", "weights": "Ignored.",
      "radius": "Ignored.",
    ]
  }
  private let config: Config
  init(_ config: Config, in context: BuildContext) { self.config = config }

  func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    let error = try forward.reconstruction - forward.inputs
    switch config.fault {
    case "vector": return [Term("mse", try error.flattened().square().mean(axis: 1))]
    case "infinite": return [Term("mse", try error.square().mean() / 0)]
    case "shape": return [Term("mse", try error.flattened().matmul(error.flattened()).mean())]
    default: return [Term("mse", try error.square().mean())]
    }
  }
}

/// Pulls latents to the origin.
struct LatentLoss: Loss {
  init(_ config: NoConfig, in context: BuildContext) {}
  func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    [Term("latent", try forward.latents.square().mean())]
  }
}

struct ScoreLoss: Loss {
  struct Config: ComponentConfig {
    var scores = "classifier"
    init() {}
    static let help: KeyValuePairs = ["scores": "classifier or latents."]
  }
  private let config: Config
  init(_ config: Config, in context: BuildContext) { self.config = config }
  func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    let scores = config.scores == "latents" ? try forward.latents : try forward.scores
    return [Term("cross-entropy", try scores.crossEntropy(forward.labels))]
  }
}

/// A loss with weights: a centroid for each class.
struct CenterLoss: Loss {
  private let centroids: Tensor
  init(_ config: NoConfig, in context: BuildContext) throws {
    centroids = try context.scope.parameter(
      "centroids", [context.requireClasses(), context.latentSize], .normal(deviation: 1))
  }
  func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    [Term("center", try (forward.latents - centroids.rows(forward.labels)).square().mean())]
  }
}

struct CriticLoss: Loss {
  init(_ config: NoConfig, in context: BuildContext) {}
  func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    let made = try withoutGradients { try forward.reconstruction }
    return [
      Term(
        "critic", try (forward.judge(forward.inputs) - 1).square().mean() + (forward.judge(made) + 1).square().mean())
    ]
  }
}

struct FoolLoss: Loss {
  init(_ config: NoConfig, in context: BuildContext) {}
  func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    [Term("fool", try (forward.judge(forward.reconstruction) - 1).square().mean())]
  }
}

struct HalvingConstraint: Constraint {
  struct Config: ComponentConfig {
    var radius = 1.0
    init() {}
    static let help: KeyValuePairs = ["radius": "Ignored."]
  }
  init(_ config: Config, in context: BuildContext) {}
  func project(_ weights: Tensor) throws { try weights.multiplyInPlace(0.5) }
}

struct TinyMetric: Metric {
  struct Config: ComponentConfig {
    var scores = "classifier"
    var means = "centroids"
    init() {}
    static let help: KeyValuePairs = ["scores": "Ignored.", "means": "Ignored."]
  }
  init(_ config: Config, in context: BuildContext) {}
  func measure(_ evaluation: Evaluation) throws -> [Measured] { [] }
}

struct TinyRule: OptimizerRule {
  struct Config: ComponentConfig {
    var rate = 0.001
    var beta1 = 0.9
    var momentum = 0.0
    init() {}
    static let help: KeyValuePairs = ["rate": "Learning rate.", "beta1": "Ignored.", "momentum": "Ignored."]
  }
  let rate: Double
  init(_ config: Config, in context: BuildContext) { rate = config.rate }
  func optimizer(for parameters: [Parameter]) throws -> any Optimizer { try SGD(parameters) }
}

struct FlatSchedule: RateSchedule {
  init(_ config: NoConfig, in context: BuildContext) {}
  func factor(step: Int, stepsPerEpoch: Int, epochs: Int) -> Double { 1 }
}

enum StubPlugin: Plugin {
  static let paper = Paper(title: "Stubs", authors: "Nobody", year: 2000, summary: "Parts for tests.")
  static let contributions: [Contribution] = [
    .encoder(
      "mlp", TinyEncoder.self, "one linear layer",
      with: Companions(optimizer: PartChoice("adam", with: ["rate": 0.005]), epochs: 7)),
    .encoder(
      "conv", TinyEncoder.self, "one linear layer",
      with: Companions(
        decoder: PartChoice("deconv"), sampler: PartChoice("mh"), schedule: PartChoice("cosine"), data: ["pad": 2])),
    .encoder("resnet", TinyEncoder.self, "one linear layer"),
    .encoder("lying", LyingEncoder.self, "another latent size than it says"),
    .encoder("fixed", FixedEncoder.self, "for 28 x 28 alone"),
    .decoder("mlp", TinyDecoder.self, "one linear layer"),
    .decoder("deconv", TinyDecoder.self, "one linear layer"),
    .classifier("linear", TinyClassifier.self, "one linear layer"),
    .classifier("mlp", TinyClassifier.self, "one linear layer"),
    .discriminator("conv", TinyDiscriminator.self, "one linear layer"),
    .prior(
      "standard-normal", FlatPrior.self, "N(0, I)",
      with: Companions(losses: [PartChoice("mse"), PartChoice("kl")], encoder: ["code": "gaussian", "unheard": 1])),
    .prior(
      "pedcc", FlatPrior.self, "centroids",
      with: Companions(
        noise: PartChoice("scaled-gaussian"), sampler: PartChoice("class-gaussian"),
        losses: [PartChoice("centroid"), PartChoice("mse"), PartChoice("sobel", weight: 0.02)],
        metrics: [PartChoice("nearest-class-mean")], data: ["pad": 1, "range": "unit"])),
    .prior("kde", FlatPrior.self, "a density"),
    .prior("fitted", FittedPrior.self, "learns from latents"),
    .prior("learned", LearnedPrior.self, "has a weight"),
    .noise("scaled-gaussian", TinyNoise.self, "Gaussian"),
    .sampler("prior", NeverSampler.self, "never runs"),
    .sampler("mh", NeverSampler.self, "never runs", with: Companions(batch: 64)),
    .sampler("class-gaussian", NeverSampler.self, "never runs"),
    .loss("mse", TinyLoss.self, "squared error"),
    .loss("huber", TinyLoss.self, "squared error"),
    .loss("bce", TinyLoss.self, "squared error"),
    .loss("sobel", TinyLoss.self, "squared error"),
    .loss("feature-reconstruction", TinyLoss.self, "squared error"),
    .loss("latent-class", TinyLoss.self, "squared error"),
    .loss("kl", LatentLoss.self, "to the origin"),
    .loss("centroid", LatentLoss.self, "to the origin"),
    .loss("cross-entropy", ScoreLoss.self, "of scores"),
    .loss("intra-class-variance", CenterLoss.self, "to trained centroids"),
    .loss("least-squares-critic", CriticLoss.self, "tells real from made"),
    .loss("adversarial", FoolLoss.self, "fools the discriminator"),
    .constraint("l11-ball", HalvingConstraint.self, "halves"),
    .metric("accuracy", TinyMetric.self, "nothing"),
    .metric("nearest-class-mean", TinyMetric.self, "nothing"),
    .optimizer("adam", TinyRule.self, "a rule"),
    .optimizer("sgd", TinyRule.self, "a rule"),
    .schedule("constant", FlatSchedule.self, "the same"),
    .schedule("cosine", FlatSchedule.self, "the same"),
  ]
}

let composer: Composer = {
  do { return Composer(try Catalog([StubPlugin.self])) } catch { fatalError("\(error)") }
}()

let digits = DataShape(title: "data 'mnist'", inputShape: [1, 28, 28], inputRange: 0...1, classCount: 10)

/// A recipe from YAML.
func recipe(_ yaml: String) throws -> Recipe { try Recipe.read(yaml: yaml, file: "test.yaml") }

/// What an error says; nil where there was none.
func message(_ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch { return "\(error)" }
}
