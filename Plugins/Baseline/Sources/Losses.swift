import LatentKit

/// How the errors of one example's values become one number; over examples it is always the mean.
public enum ValueReduction: String, Choice {
  /// The mean over an example's values: independent of the image size.
  case mean
  /// The sum over an example's values: a log likelihood, to be weighed against a divergence in nats.
  case sum

  /// A term of errors that are `[batch, …]` where they are not reduced: one operation over the whole batch, and a value
  /// for each example where something masks or weighs.
  func term(_ name: String, count: Int, _ error: @escaping (Reduction) throws -> Tensor) throws -> Term {
    let whole = self == .mean ? try error(.mean) : try error(.sum) / Double(max(count, 1))
    return .perExample(name, whole: whole) {
      let errors = try error(.none)
      let axes = Array(1..<max(errors.rank, 2))
      return self == .mean ? try errors.mean(axes: axes) : try errors.sum(axes: axes)
    }
  }
}

/// Squared error of the reconstruction: mean over the batch of the mean (or sum) over values of `(x* − x)²`.
///
/// With `reduction: sum` it is, up to a constant, the negative log likelihood of a Gaussian of variance 1/2.
///
/// - Shapes: inputs and reconstruction `[batch] + inputShape`; the term is `[batch]`.
public struct SquaredError: Loss, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("Over the values of one example: their mean, or their sum.") public var reduction = ValueReduction.mean
    public init() {}
  }

  private let config: Config
  public init(_ config: Config, in context: BuildContext) { self.config = config }

  public func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    let (made, inputs) = (try forward.reconstruction, forward.inputs)
    return [try config.reduction.term("mse", count: made.size(0)) { try made.squaredError(inputs, $0) }]
  }
}

/// Huber's error of the reconstruction (Huber 1964): half the square below `delta`, linear above.
///
/// - Shapes: inputs and reconstruction `[batch] + inputShape`; the term is `[batch]`.
public struct HuberError: Loss, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("Error from which on the loss grows linearly.", .above(0, upTo: 1e12)) public var delta = 1.0
    @Setting("Over the values of one example: their mean, or their sum.") public var reduction = ValueReduction.mean
    public init() {}
  }

  private let config: Config
  public init(_ config: Config, in context: BuildContext) { self.config = config }

  public func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    let (made, inputs, delta) = (try forward.reconstruction, forward.inputs, config.delta)
    return [try config.reduction.term("huber", count: made.size(0)) { try made.huberError(inputs, delta: delta, $0) }]
  }
}

/// Binary cross entropy of the reconstruction, for inputs in [0, 1]: `−x log x* − (1 − x) log(1 − x*)`. Of a decoder that ends in a
/// sigmoid and shows what comes before, it is computed from that, exactly; of others logarithms stop at −100.
///
/// - Shapes: inputs and reconstruction `[batch] + inputShape`; the term is `[batch]`.
/// - Throws: `RecipeError` where inputs are not known to lie from 0 to 1, or the reconstruction does not.
public struct BinaryCrossEntropy: Loss, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("Whether the decoder's output still has to go through a sigmoid.") public var logits = false
    @Setting("Over the values of one example: their mean, or their sum.") public var reduction = ValueReduction.mean
    public init() {}
  }

  private let config: Config

  public init(_ config: Config, in context: BuildContext) throws {
    try context.requireUnitInputs()
    self.config = config
  }

  public func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    let (decoded, inputs) = (try config.logits ? .logits(forward.reconstruction) : forward.decoded, forward.inputs)
    let term = try config.reduction.term("bce", count: inputs.size(0)) { reduction in
      switch decoded {
      case .logits(let logits): return try logits.binaryCrossEntropyOfLogits(inputs, reduction)
      case .values(let probabilities):
        do { return try probabilities.binaryCrossEntropy(inputs, reduction) } catch let error as TensorError {
          guard error.reason.contains("between 0 and 1") else { throw error }
          throw RecipeError(
            "loss 'bce' found a reconstruction outside 0 to 1; set decoder.output=sigmoid or losses.bce.logits=true")
        }
      }
    }
    return [term]
  }
}

/// Divergence of the code from the prior in nats, mean over the batch of `KL(q(z|x) ‖ p(z))`.
///
/// In closed form where the prior has one, else by the drawn latent: `log q(z|x) − log p(z)`. Where an example has a
/// label, `p` is the prior's density of its class; else that of all classes. The beta of a beta-VAE (Higgins et al. 2017) is the
/// loss's weight.
///
/// - Shapes: means and log variances `[batch, latent]`; the term is `[batch]`.
/// - Throws: `RecipeError` where the encoder gives points.
public struct Divergence: Loss, Component {
  public typealias Config = NoConfig
  public init(_ config: Config, in context: BuildContext) {}

  public func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    [.perExample("kl", try forward.divergence(under: prior, for: "loss 'kl'"), over: .all)]
  }
}

/// The divergence of `kl`, which comes in over the first epochs, or of which some bits are free: in training alone, evaluations measure
/// all of it.
///
/// `warmUp` multiplies the term by `min(1, t / warmUp)` at `t` epochs of the stage (Sønderby et al. 2016); `freeBits = λ` makes it
/// `Σ_j max(λ, mean over the batch of KL_j)` over latents `j` (Kingma et al. 2016, eq. 15), a number of the batch, to which weights of
/// examples do not apply.
///
/// - Shapes: means and log variances `[batch, latent]`; the term is `[batch]`, and a number with free bits.
/// - Throws: `RecipeError` where the encoder gives points, and for free bits under a prior that is no product over latents.
public struct AnnealedDivergence: Loss, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting(
      "Epochs of a stage over which the term rises from 0 to its weight, in a line; parts of one too, 0 for none.",
      .within(0...1_000_000)) public var warmUp = 10.0
    @Setting("Nats of each latent that cost nothing, in the mean over a batch; 0 for none.", .within(0...1_000))
    public var freeBits = 0.0
    public init() {}
  }

  private let config: Config
  private let title: String

  public init(_ config: Config, in context: BuildContext) throws {
    (self.config, title) = (config, context.title)
    if config.freeBits > 0, let prior = context.model?.prior { _ = try factorized(prior) }
  }

  public func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    let factor = forward.position.map { config.warmUp > 0 ? min($0.epochs / config.warmUp, 1) : 1 } ?? 1
    guard config.freeBits > 0, forward.isTraining else {
      return [.perExample("kl", try forward.divergence(under: prior, for: title) * factor, over: .all)]
    }
    let (mean, logVariance) = try forward.code.requireGaussian(for: title)
    let means = try factorized(prior).divergences(mean: mean, logVariance: logVariance).mean(axis: 0)
    let total = try means.maximum(.scalar(config.freeBits, dtype: means.dtype, device: means.device)).sum()
    return [.batch("kl", try total * factor)]
  }

  private func factorized(_ prior: any Prior) throws -> any FactorizedPrior {
    guard let prior = prior as? any FactorizedPrior else {
      throw RecipeError(
        "\(title) frees bits of each latent, and this prior is no product over latents; set freeBits to 0, or choose "
          + "prior standard-normal")
    }
    return prior
  }
}

/// Cross entropy of class scores, mean over the labelled examples of `−log softmax(s)_y`.
///
/// - Shapes: scores `[batch, classes]`, labels `[batch]`; the term is `[batch]`.
/// - Throws: `RecipeError` without labels, and where latents are not one for each class but should be.
public struct CrossEntropy: Loss, Component {
  /// Where scores come from.
  public enum Source: String, Choice { case classifier, latents }

  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("Where scores come from: the classifier, or the latents, one for each class (latent size = classes).")
    public var scores = Source.classifier
    public init() {}
  }

  private let config: Config

  public init(_ config: Config, in context: BuildContext) throws {
    if config.scores == .latents { try context.requireLatentPerClass() }
    self.config = config
  }

  public var needs: DataNeeds { .labels }

  public func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    let scores = config.scores == .classifier ? try forward.scores : try forward.latents
    let labels = try forward.labels
    return [
      .perExample("cross-entropy", whole: try scores.crossEntropy(labels), over: .labelled) {
        try scores.crossEntropy(labels, .none)
      }
    ]
  }
}

extension BuildContext {
  /// - Throws: `RecipeError` unless latents can be class scores: one for each class.
  func requireLatentPerClass() throws {
    let classes = try requireClasses()
    guard latentSize == classes else {
      throw RecipeError(
        "\(title) takes the latents as class scores: found \(latentSize) latents for \(classes) classes; set "
          + "encoder.latent=\(classes)")
    }
  }
}
