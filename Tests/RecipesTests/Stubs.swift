import LatentKit
import Recipes

// Parts that are as small as parts can be. Parts of the five papers that exist nowhere yet have stand-ins here.

struct Latent: ComponentConfig {
  @Setting("Length of a latent vector.") var latent = 3
  @Setting("point or gaussian.") var code = "point"
  init() {}
}

struct TinyEncoder: FeatureEncoder, Component {
  let latentSize: Int
  private let layer: Linear
  private let isGaussian: Bool

  init(_ config: Latent, in context: BuildContext) throws {
    latentSize = config.latent
    isGaussian = config.code == "gaussian"
    layer = try Linear(context.inputSize, isGaussian ? 2 * config.latent : config.latent, in: context.scope("layer"))
  }

  func encode(_ batch: Batch) throws -> Code {
    let outputs = try layer(batch.inputs.flattened())
    guard isGaussian else { return .point(outputs) }
    return .gaussian(
      mean: try outputs.slice(0..<latentSize, axis: 1),
      logVariance: try outputs.slice(latentSize..<2 * latentSize, axis: 1))
  }

  func features(_ batch: Batch) throws -> [Tensor] { [try encode(batch).mean] }
}

/// An encoder that says one latent size and makes another.
struct LyingEncoder: Encoder, Component {
  let latentSize = 5
  private let layer: Linear
  init(_ config: NoConfig, in context: BuildContext) throws {
    layer = try Linear(context.inputSize, 4, in: context.scope)
  }
  func encode(_ batch: Batch) throws -> Code { .point(try layer(batch.inputs.flattened())) }
}

/// An encoder that takes images of 28 x 28 only.
struct FixedEncoder: Encoder, Component {
  let latentSize = 3
  private let layer: Linear
  init(_ config: NoConfig, in context: BuildContext) throws { layer = try Linear(784, 3, in: context.scope) }
  func encode(_ batch: Batch) throws -> Code { .point(try layer(batch.inputs.flattened())) }
}

struct Side: ComponentConfig {
  @Setting("Height and width to make; 0 for the inputs'.") var side = 0
  @Setting("The output is multiplied by its square.") var scale = 1.0
  init() {}
}

struct TinyDecoder: LatentKit.Decoder, Component {
  private let layer: Linear
  private let shape: [Int]
  private let scale: Double

  init(_ config: Side, in context: BuildContext) throws {
    scale = config.scale
    shape = config.side == 0 ? context.inputShape : [context.inputShape[0], config.side, config.side]
    layer = try Linear(context.latentSize, shape.reduce(1, *), in: context.scope("layer"))
  }

  func decode(_ request: LatentBatch) throws -> Tensor {
    try (layer(request.latents) * scale * scale).reshaped([request.latents.size(0)] + shape)
  }
}

struct TinyClassifier: Classifier, Component {
  struct Config: ComponentConfig {
    @Setting("Scores too many.") var extra = 0
    @Setting("Share that is dropped.", .within(0..<1)) var dropout = 0.0
    init() {}
  }
  private let layer: Linear
  private let dropout: Dropout

  init(_ config: Config, in context: BuildContext) throws {
    dropout = try Dropout(config.dropout, in: context.scope)
    layer = try Linear(context.latentSize, context.requireClasses() + config.extra, in: context.scope("layer"))
  }
  func scores(_ request: LatentBatch) throws -> Tensor { try layer(dropout(request.latents)) }
}

struct TinyDiscriminator: Discriminator, Component {
  private let layer: Linear
  init(_ config: NoConfig, in context: BuildContext) throws {
    layer = try Linear(context.inputSize, 1, in: context.scope("layer"))
  }
  func score(_ batch: Batch) throws -> Tensor { try layer(batch.inputs.flattened()) }
}

struct FlatPrior: Prior, Component {
  struct Config: ComponentConfig {
    @Setting("How many; the data's unless said.") var classes: Int? = nil
    @Setting("rows, or scalar to be wrong.") var shape = "rows"
    init() {}
  }
  private let config: Config
  init(_ config: Config, in context: BuildContext) { self.config = config }
  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor {
    config.shape == "rows" ? try latents.square().sum(axis: 1) * -0.5 : try latents.sum()
  }
}

/// A prior with a weight of its own.
struct LearnedPrior: Prior, Component {
  private let mean: Tensor
  init(_ config: NoConfig, in context: BuildContext) throws {
    mean = try context.scope.parameter("mean", [context.latentSize], .constant(0))
  }
  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor {
    try (latents - mean).square().sum(axis: 1) * -0.5
  }
}

/// A prior that is undefined before it is fitted.
final class FittedPrior: FittablePrior, Component {
  private var mean: Tensor?
  init(_ config: NoConfig, in context: BuildContext) {}
  func fit(_ latents: LatentSet, using generator: inout Generator) throws { mean = try latents.latents.mean(axis: 0) }
  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor {
    guard let mean else { throw RecipeError("nothing was fitted") }
    return try (latents - mean).square().sum(axis: 1) * -0.5
  }
}

struct TinyNoise: LatentNoise, Component {
  struct Config: ComponentConfig {
    @Setting("Deviation.", .atLeast(0)) var beta = 0.1
    init() {}
  }
  private let config: Config
  init(_ config: Config, in context: BuildContext) { self.config = config }
  func perturb(_ request: LatentBatch, using generator: inout Generator) throws -> Tensor {
    try request.latents + generator.normal(request.latents.shape) * config.beta
  }
}

/// A sampler that refuses what it is given, as one may refuse the few random latents of a rehearsal.
struct RefusingSampler: Sampler, Component {
  init(_ config: NoConfig, in context: BuildContext) {}
  func draw(_ request: DrawRequest, using generator: inout Generator) throws -> Draw {
    throw RecipeError("too few latents")
  }
}

/// Squared error, with the faults that a dry run has to find on request.
struct TinyLoss: Loss, Component {
  struct Config: ComponentConfig {
    @Setting("Ignored.") var reduction = "mean"
    @Setting("none, vector, infinite or shape.") var fault = "none"
    @Setting("Ignored.") var scores = "classifier"
    @Setting("Ignored.") var weights: [Double] = []
    @Setting("Ignored.") var radius = 1.0
    init() {}
  }
  private let config: Config
  init(_ config: Config, in context: BuildContext) { self.config = config }

  func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    let error = try forward.reconstruction - forward.inputs
    switch config.fault {
    case "vector": return [.batch("mse", try error.flattened().square().mean(axis: 1))]
    case "infinite": return [.batch("mse", try error.square().mean() / 0)]
    case "shape": return [.batch("mse", try error.flattened().matmul(error.flattened()).mean())]
    default: return [.batch("mse", try error.square().mean())]
    }
  }
}

/// Pulls latents to the origin.
struct LatentLoss: Loss, Component {
  init(_ config: NoConfig, in context: BuildContext) {}
  func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    [.batch("latent", try forward.latents.square().mean())]
  }
}

struct ScoreLoss: Loss, Component {
  struct Config: ComponentConfig {
    @Setting("classifier or latents.") var scores = "classifier"
    init() {}
  }
  private let config: Config
  init(_ config: Config, in context: BuildContext) { self.config = config }
  func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    let scores = config.scores == "latents" ? try forward.latents : try forward.scores
    return [.batch("cross-entropy", try scores.crossEntropy(forward.labels))]
  }
}

/// A loss with weights: a centroid for each class.
struct CenterLoss: Loss, Component {
  private let centroids: Tensor
  init(_ config: NoConfig, in context: BuildContext) throws {
    centroids = try context.scope.parameter(
      "centroids", [context.requireClasses(), context.latentSize], .normal(deviation: 1))
  }
  func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    let own = try (forward.latents - centroids.rows(forward.labels)).square().mean()
    // As the paper's loss reaches the centroids of the prior.
    guard let learned = prior as? LearnedPrior else { return [.batch("center", own)] }
    return [.batch("center", try own - learned.logDensity(forward.latents, labels: nil).mean())]
  }
}

struct CriticLoss: Loss, Component {
  init(_ config: NoConfig, in context: BuildContext) {}
  func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    let made = try withoutGradients { try forward.reconstruction }
    return [
      .batch(
        "critic", try (forward.score(forward.inputs) - 1).square().mean() + (forward.score(made) + 1).square().mean())
    ]
  }
}

struct FoolLoss: Loss, Component {
  init(_ config: NoConfig, in context: BuildContext) {}
  func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    [.batch("fool", try (forward.score(forward.reconstruction) - 1).square().mean())]
  }
}

struct HalvingConstraint: Constraint, Component {
  struct Config: ComponentConfig {
    @Setting("Ignored.", .above(0)) var radius = 1.0
    init() {}
  }
  init(_ config: Config, in context: BuildContext) {}
  func project(_ weights: Tensor) throws { try weights.multiplyInPlace(0.5) }
}

struct TinyMetric: Metric, Component {
  struct Config: ComponentConfig {
    @Setting("Ignored.") var scores = "classifier"
    @Setting("Ignored.") var means = "centroids"
    init() {}
  }
  init(_ config: Config, in context: BuildContext) {}
  func finish(_ evaluation: Evaluation) throws -> [Measured] { [] }
}

struct TinyRule: OptimizerRule, Component {
  struct Config: ComponentConfig {
    @Setting("Learning rate.", .above(0)) var learningRate = 0.001
    @Setting("Ignored.") var beta1 = 0.9
    @Setting("Ignored.") var momentum = 0.0
    init() {}
  }
  let learningRate: Double
  init(_ config: Config, in context: BuildContext) { learningRate = config.learningRate }
  func optimizer(for parameters: [Parameter]) throws -> any Optimizer { try SGD(parameters) }
}

struct FlatSchedule: LearningRateSchedule, Component {
  init(_ config: NoConfig, in context: BuildContext) {}
  func factor(step: Int, stepsPerEpoch: Int, epochs: Int) -> Double { 1 }
}

enum StubPlugin: Plugin {
  static let paper: Paper? = Paper(title: "Stubs", authors: "Nobody", year: 2000, summary: "Parts for tests.")
  static let contributions: [Contribution] = [
    .encoder(
      "mlp", TinyEncoder.self, "one linear layer",
      with: Companions([.optimizer: PartChoice("adam", with: ["learningRate": 0.005])], epochs: 7)),
    .encoder(
      "conv", TinyEncoder.self, "one linear layer",
      with: Companions(
        [.decoder: "deconv", .sampler: "mh", .schedule: "cosine"], settings: [.data: ["pad": 2]])),
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
      with: Companions(losses: ["mse", "kl"], settings: [.encoder: ["code": "gaussian", "unheard": 1]])),
    .prior(
      "pedcc", FlatPrior.self, "centroids",
      with: Companions(
        [.noise: "scaled-gaussian", .sampler: "class-gaussian"],
        losses: ["centroid", "mse", PartChoice("sobel", weight: 0.02)],
        metrics: ["nearest-class-mean"], settings: [.data: ["pad": 1, "range": "unit"]])),
    .prior("kde", FlatPrior.self, "a density"),
    .prior("fitted", FittedPrior.self, "learns from latents"),
    .prior("learned", LearnedPrior.self, "has a weight"),
    .prior("learned-centroids", LearnedPrior.self, "has a weight, in place of the paper's"),
    .noise("scaled-gaussian", TinyNoise.self, "Gaussian"),
    .sampler("prior", RefusingSampler.self, "refuses"),
    .sampler("mh", RefusingSampler.self, "refuses", with: Companions(batch: 64)),
    .sampler("class-gaussian", RefusingSampler.self, "refuses"),
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

// MARK: Parts made from closures

struct DrawingSampler: Sampler {
  let draw: @Sendable (DrawRequest, inout Generator) throws -> Tensor
  func draw(_ request: DrawRequest, using generator: inout Generator) throws -> Draw {
    Draw(latents: try draw(request, &generator), followsLabels: false)
  }
}

struct Making: Loss {
  let make: @Sendable (Forward) throws -> [Term]
  func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] { try make(forward) }
}

/// Rehearses a recipe of the stubs and some more parts, and returns what is warned about.
func warnings(_ yaml: String, _ parts: [Contribution], for data: DataShape = digits) throws -> [String] {
  try Composer(Catalog([StubPlugin.self], adding: parts)).dryRun(recipe(yaml), for: data)
}
