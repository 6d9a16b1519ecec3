/// What an encoder says about an input.
public enum Code: Sendable {
  /// One latent vector each, `[batch, latent]`.
  case point(Tensor)
  /// A diagonal Gaussian each; both `[batch, latent]`.
  case gaussian(mean: Tensor, logVariance: Tensor)

  /// The point, or the mean: what an input is measured and classified by, `[batch, latent]`.
  public var center: Tensor {
    switch self {
    case .point(let latents): latents
    case .gaussian(let mean, _): mean
    }
  }

  /// The point, or a draw `mean + exp(logVariance / 2) · ε` (Kingma & Welling 2014, eq. 10).
  public func sample(using generator: inout Generator) throws -> Tensor {
    switch self {
    case .point(let latents): return latents
    case .gaussian(let mean, let logVariance):
      let noise = try generator.normal(mean.shape, dtype: mean.dtype)
      return try mean + (logVariance * 0.5).exp() * noise
    }
  }
}

/// Maps inputs to latents.
public protocol Encoder: Component {
  /// The length of a latent vector.
  var latentSize: Int { get }

  /// - Parameter inputs: `[batch] + inputShape`.
  func encode(_ inputs: Tensor) throws -> Code
}

/// An encoder whose hidden layers can be read: for losses that compare features instead of pixels.
public protocol FeatureEncoder: Encoder {
  /// The outputs of the hidden layers, first layer first.
  func features(_ inputs: Tensor) throws -> [Tensor]
}

/// Maps latents `[batch, latent]` back to inputs `[batch] + inputShape`.
public protocol Decoder: Component {
  func decode(_ latents: Tensor) throws -> Tensor
}

/// A decoder that is told the class as well: for conditional models.
public protocol ConditionalDecoder: Decoder {
  /// - Parameter labels: `[batch]`, Int64.
  func decode(_ latents: Tensor, labels: Tensor) throws -> Tensor
}

/// Maps latents `[batch, latent]` to class scores (logits) `[batch, classes]`.
public protocol Classifier: Component {
  func scores(_ latents: Tensor) throws -> Tensor
}

/// Maps inputs to one realness score each, `[batch, 1]`.
public protocol Discriminator: Component {
  func judge(_ inputs: Tensor) throws -> Tensor
}

/// Changes latents between encoder and decoder while training: for decoders that must bear noise.
public protocol LatentNoise: Component {
  func perturb(_ latents: Tensor, using generator: inout Generator) throws -> Tensor
}

/// A density over latents.
public protocol Prior: Component {
  /// Log density of each row, `[batch]`; under each row's class where labels `[batch]` are given.
  func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor
}

/// A prior that can be drawn from directly.
public protocol DirectPrior: Prior {
  /// `count` independent draws `[count, latent]`; of the given classes, `[count]` Int64, where there are some.
  func draw(_ count: Int, labels: Tensor?, using generator: inout Generator) throws -> Tensor
}

/// A prior with a closed form of its divergence from a diagonal Gaussian.
public protocol AnalyticPrior: Prior {
  /// `KL(N(mean, exp(logVariance)) ‖ prior)` of each row in nats, `[batch]`.
  func divergence(mean: Tensor, logVariance: Tensor, labels: Tensor?) throws -> Tensor
}

/// A prior that places each class at a point.
public protocol CentroidPrior: Prior {
  /// `[classes, latent]`.
  var centroids: Tensor { get throws }
}

/// A prior that learns from the training latents after each stage.
public protocol FittablePrior: Prior {
  func fit(_ latents: LatentSet) throws
}

/// Latents of a part of the data with their labels.
public struct LatentSet: Sendable {
  /// `[count, latent]`.
  public let latents: Tensor
  /// `[count]`, Int64; nil without labels.
  public let labels: Tensor?

  public init(latents: Tensor, labels: Tensor?) {
    self.latents = latents
    self.labels = labels
  }

  /// The latents of one class, in their order.
  public func latents(of label: Int) throws -> Tensor {
    guard let labels else { return latents }
    return try latents.rows((labels .== Double(label)).nonzero().squeezed(1))
  }

  /// The mean latent of each class, `[classes, latent]`; a class without examples has NaN.
  public func classMeans(_ classCount: Int) throws -> Tensor {
    guard let labels else { throw RecipeError("class means need labels, and these latents have none") }
    let members = try labels.oneHot(classCount).to(latents.dtype)
    return try members.transposed().matmul(latents) / members.sum(axis: 0).unsqueezed(1)
  }
}

/// What a sampler is asked for.
public struct DrawRequest {
  /// The class of each latent to draw, `[count]` Int64; nil asks for draws whatever the class.
  public var labels: Tensor?
  public var count: Int
  public var latentSize: Int
  public var prior: any Prior
  /// The training latents, for samplers that learn from them.
  public var reference: LatentSet?

  public init(labels: Tensor?, count: Int, latentSize: Int, prior: any Prior, reference: LatentSet?) {
    self.labels = labels
    self.count = count
    self.latentSize = latentSize
    self.prior = prior
    self.reference = reference
  }

  /// The training latents.
  /// - Throws: `RecipeError` where the request has none.
  public func requireReference(for sampler: String) throws -> LatentSet {
    guard let reference, reference.latents.size(0) > 0 else {
      throw RecipeError(
        "sampler '\(sampler)' learns from training latents, and there are none; train the encoder first")
    }
    return reference
  }
}

/// What a sampler drew.
public struct Draw {
  /// `[count, latent]`, in the order of the request's labels.
  public var latents: Tensor
  /// What there is to know about the draw, for people and for `summary.json`.
  public var diagnostics: [Measured]
  /// Sentences about a draw that should not be trusted, with advice.
  public var warnings: [String]

  public init(latents: Tensor, diagnostics: [Measured] = [], warnings: [String] = []) {
    self.latents = latents
    self.diagnostics = diagnostics
    self.warnings = warnings
  }
}

/// Draws latents to decode.
public protocol Sampler: Component {
  func draw(_ request: DrawRequest, using generator: inout Generator) throws -> Draw
}

/// A sampler that does not work with every prior, and can say so before training.
public protocol SelectiveSampler: Sampler {
  /// - Throws: `RecipeError` where the sampler cannot draw with this prior.
  func check(_ prior: any Prior) throws
}

/// Something that training makes small.
public protocol Loss: Component {
  /// Named scalars, each with its gradient.
  func terms(_ forward: Forward, under prior: any Prior) throws -> [Term]
}

/// One named part of a loss: a scalar tensor.
public struct Term {
  public let name: String
  public let value: Tensor

  public init(_ name: String, _ value: Tensor) {
    self.name = name
    self.value = value
  }
}

/// Keeps weights inside a set.
public protocol Constraint: Component {
  /// Moves one parameter into the set, in place; a parameter that is inside stays as it is. Called without gradients.
  func project(_ weights: Tensor) throws
}

/// What a metric is shown: one pass over a part of the data, in evaluation mode.
public final class Evaluation {
  /// Latents (centers) and labels of the measured part.
  public let measured: LatentSet
  /// The classifier's scores `[count, classes]`, where the model has one.
  public let scores: Tensor?
  public let classCount: Int?
  public let prior: any Prior
  private let encodeTraining: () throws -> LatentSet
  private var encoded: LatentSet?

  /// - Parameter training: Encodes the training part; only called when a metric asks for it.
  public init(
    measured: LatentSet, scores: Tensor?, classCount: Int?, prior: any Prior,
    training: @escaping () throws -> LatentSet
  ) {
    self.measured = measured
    self.scores = scores
    self.classCount = classCount
    self.prior = prior
    encodeTraining = training
  }

  /// Latents and labels of the training part, for metrics that learn from it.
  public var training: LatentSet {
    get throws {
      if let encoded { return encoded }
      let latents = try encodeTraining()
      encoded = latents
      return latents
    }
  }
}

/// A number about a model.
public struct Measured: Sendable, Equatable, Codable {
  public var name: String
  public var value: Double
  /// `%`, `nats`, or empty.
  public var unit: String

  public init(_ name: String, _ value: Double, unit: String = "") {
    self.name = name
    self.value = value
    self.unit = unit
  }
}

/// Measures a model on a part of the data.
public protocol Metric: Component {
  func measure(_ evaluation: Evaluation) throws -> [Measured]
}

/// The rule by which a step changes parameters.
public protocol OptimizerRule: Component {
  /// The learning rate that a schedule multiplies.
  var rate: Double { get }
  func optimizer(for parameters: [Parameter]) throws -> any Optimizer
}

/// How the learning rate goes over a stage.
public protocol RateSchedule: Component {
  /// A factor of the optimiser's rate.
  /// - Parameter step: Steps done in the stage so far.
  func factor(step: Int, stepsPerEpoch: Int, epochs: Int) -> Double
}
