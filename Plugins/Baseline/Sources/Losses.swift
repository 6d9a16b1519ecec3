import LatentKit

/// How the errors of one example's values become one number; the batch is always averaged.
public enum ValueReduction: String, Choice {
  /// The mean over an example's values: independent of the image size.
  case mean
  /// The sum over an example's values: a log likelihood, to be weighed against a divergence in nats.
  case sum

  func callAsFunction(_ x: Tensor, _ error: (Reduction) throws -> Tensor) throws -> Tensor {
    switch self {
    case .mean: try error(.mean)
    case .sum: try error(.sum) / Double(max(x.size(0), 1))
    }
  }
}

/// Squared error of the reconstruction: mean over the batch of the mean (or sum) over values of `(x* − x)²`.
///
/// With `reduction: sum` it is, up to a constant, the negative log likelihood of a Gaussian of variance 1/2.
public struct SquaredError: Loss {
  public struct Config: ComponentConfig {
    public var reduction = ValueReduction.mean
    public init() {}
    public static let help: KeyValuePairs = ["reduction": "mean or sum over the values of one example."]
  }

  private let config: Config
  public init(_ config: Config, in context: BuildContext) { self.config = config }

  public func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    let made = try forward.reconstruction
    return [Term("mse", try config.reduction(made) { try made.squaredError(forward.inputs, $0) })]
  }
}

/// Huber's error of the reconstruction (Huber 1964): square below `delta`, linear above.
public struct HuberError: Loss {
  public struct Config: ComponentConfig {
    public var delta = 1.0
    public var reduction = ValueReduction.mean
    public init() {}
    public static let help: KeyValuePairs = [
      "delta": "Error from which on the loss grows linearly, above 0.",
      "reduction": "mean or sum over the values of one example.",
    ]
  }

  private let config: Config

  public init(_ config: Config, in context: BuildContext) throws {
    guard config.delta > 0 else { throw RecipeError("\(context.title): delta is \(config.delta), expected above 0") }
    self.config = config
  }

  public func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    let made = try forward.reconstruction
    let error = try config.reduction(made) { try made.huberError(forward.inputs, delta: config.delta, $0) }
    return [Term("huber", error)]
  }
}

/// Binary cross entropy of the reconstruction, for inputs in [0, 1]: `−x log x* − (1 − x) log(1 − x*)`.
public struct BinaryCrossEntropy: Loss {
  public struct Config: ComponentConfig {
    public var logits = false
    public var reduction = ValueReduction.mean
    public init() {}
    public static let help: KeyValuePairs = [
      "logits": "Whether the decoder's output still has to go through a sigmoid.",
      "reduction": "mean or sum over the values of one example.",
    ]
  }

  private let config: Config

  public init(_ config: Config, in context: BuildContext) throws {
    guard let range = context.inputRange, range.lowerBound >= 0, range.upperBound <= 1 else {
      let found = context.inputRange.map { "\($0.lowerBound) to \($0.upperBound)" } ?? "without bounds"
      throw RecipeError(
        "\(context.title) needs inputs from 0 to 1, found inputs \(found); set data.range=unit, or use mse")
    }
    self.config = config
  }

  public func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    let made = try forward.reconstruction
    let error = try config.reduction(made) {
      if config.logits { return try made.binaryCrossEntropyOfLogits(forward.inputs, $0) }
      do { return try made.binaryCrossEntropy(forward.inputs, $0) } catch let error as TensorError {
        guard error.reason.contains("between 0 and 1") else { throw error }
        throw RecipeError(
          "loss 'bce' found a reconstruction outside 0 to 1; set decoder.output=sigmoid or losses.bce.logits=true")
      }
    }
    return [Term("bce", error)]
  }
}

/// Divergence of the code from the prior in nats, mean over the batch of `KL(q(z|x) ‖ p(z))`.
///
/// In closed form where the prior has one, else by the drawn latent: `log q(z|x) − log p(z)`.
public struct Divergence: Loss {
  public typealias Config = NoConfig
  public init(_ config: Config, in context: BuildContext) {}

  public func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    guard case .gaussian(let mean, let logVariance) = try forward.code else {
      throw RecipeError("loss 'kl' needs a Gaussian code, and the encoder gives points; set encoder.code=gaussian")
    }
    let labels = forward.batch.labels
    if let analytic = prior as? any AnalyticPrior {
      return [Term("kl", try analytic.divergence(mean: mean, logVariance: logVariance, labels: labels).mean())]
    }
    let latents = try forward.draw
    let standardised = try (latents - mean).square() / logVariance.exp()
    let posterior = try (standardised + logVariance + log2π).sum(axis: 1) * -0.5
    return [Term("kl", try (posterior - prior.logDensity(latents, labels: labels)).mean())]
  }
}

let log2π = 1.8378770664093453

/// Cross entropy of class scores, mean over the batch of `−log softmax(s)_y`.
public struct CrossEntropy: Loss {
  public enum Source: String, Choice { case classifier, latents }

  public struct Config: ComponentConfig {
    public var scores = Source.classifier
    public init() {}
    public static let help: KeyValuePairs = [
      "scores": "Where the scores come from: classifier, or latents (one per class; latent size = classes)."
    ]
  }

  private let config: Config

  public init(_ config: Config, in context: BuildContext) throws {
    let classes = try context.requireClasses()
    if config.scores == .latents, context.latentSize != classes {
      throw RecipeError(
        "\(context.title) takes the latents as class scores: found \(context.latentSize) latents for \(classes) classes; set encoder.latent=\(classes)"
      )
    }
    self.config = config
  }

  public func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    let scores = config.scores == .classifier ? try forward.scores : try forward.latents
    return [Term("cross-entropy", try scores.crossEntropy(forward.labels))]
  }
}

/// Share of examples whose highest class score is the label's, in percent.
public struct Accuracy: Metric {
  public enum Source: String, Choice { case classifier, latents }

  public struct Config: ComponentConfig {
    public var scores = Source.classifier
    public init() {}
    public static let help: KeyValuePairs = ["scores": "Where the scores come from: classifier or latents."]
  }

  private let config: Config
  public init(_ config: Config, in context: BuildContext) throws {
    _ = try context.requireClasses()
    self.config = config
  }

  public func measure(_ evaluation: Evaluation) throws -> [Measured] {
    guard let labels = evaluation.measured.labels else { throw RecipeError("metric 'accuracy' needs labels") }
    guard let scores = config.scores == .latents ? evaluation.measured.latents : evaluation.scores else {
      throw RecipeError.missing(
        "a classifier", for: "metric 'accuracy'", fix: "add one, or set metrics.accuracy.scores=latents")
    }
    let right = try (scores.argmax(axis: 1) .== labels).to(.float64).mean().item()
    return [Measured("accuracy", 100 * right, unit: "%")]
  }
}
