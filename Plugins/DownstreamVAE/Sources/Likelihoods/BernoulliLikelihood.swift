import LatentKit

/// Negative log-likelihood of black and white values in nats, the decoder making each one's probability `λ`:
/// `−Σ_i [x_i log λ_i + (1 − x_i) log(1 − λ_i)]` (Kingma & Welling 2014, appendix C.1).
///
/// Grey values between 0 and 1 have no probability under it: they are taken as they are only to train, as is common, and metrics of
/// likelihoods refuse them. `binarised` makes black and white of them.
///
/// - Shapes: inputs and reconstruction `[batch] + inputShape`, from 0 to 1; the term is `[batch]`.
/// - Throws: `RecipeError` where inputs are not known to lie from 0 to 1, or the reconstruction does not.
public struct BernoulliLikelihood: Likelihood, Component {
  /// What is made of grey values.
  public enum Binarisation: String, Choice {
    /// Nothing.
    case none
    /// 1 from a half on, else 0.
    case threshold
    /// 1 with the value as probability, drawn anew each time (Salakhutdinov & Murray 2008).
    case draw
  }

  /// The settings.
  public struct Config: ComponentConfig {
    @Setting(
      "What the likelihood is of: grey values as they are, which have none; 1 from a half on; or draws, anew each time."
    )
    public var binarised = Binarisation.none
    public init() {}
  }

  private let config: Config

  public init(_ config: Config, in context: BuildContext) throws {
    try context.requireUnitInputs()
    self.config = config
  }

  public func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    let targets = try targets(of: forward.inputs, using: forward.random)
    return [.perExample("bernoulli", try logLikelihood(of: targets, given: forward.decoded) * -1)]
  }

  public func observations(of inputs: Tensor, using random: RandomSource) throws -> Tensor {
    guard config.binarised != .none else {
      throw RecipeError(
        "grey values have no probability under loss 'bernoulli'; set losses.bernoulli.binarised to draw, or to threshold "
          + "for data that are black and white, or choose loss continuous-bernoulli")
    }
    return try targets(of: inputs, using: random)
  }

  public func logLikelihood(of observations: Tensor, given decoded: Decoded) throws -> Tensor {
    try bernoulliTerms(of: observations, given: decoded, for: "loss 'bernoulli'").sumOfValues() * -1
  }

  private func targets(of inputs: Tensor, using random: RandomSource) throws -> Tensor {
    switch config.binarised {
    case .none: inputs
    case .threshold: try (inputs .>= 0.5).to(inputs.dtype)
    case .draw: try random.bernoulli(inputs)
    }
  }
}

/// Returns `−x log λ − (1 − x) log(1 − λ)` of each value. Probabilities that come without their logits are taken as they are, with
/// logarithms of −100 and more.
///
/// - Throws: `RecipeError` for probabilities outside 0 to 1.
func bernoulliTerms(of observations: Tensor, given decoded: Decoded, for part: String) throws -> Tensor {
  switch decoded {
  case .logits(let logits): return try logits.binaryCrossEntropyOfLogits(observations, .none)
  case .values(let probabilities):
    do { return try probabilities.binaryCrossEntropy(observations, .none) } catch let error as TensorError {
      guard error.reason.contains("between 0 and 1") else { throw error }
      throw RecipeError("\(part) found a reconstruction outside 0 to 1; set decoder.output=sigmoid")
    }
  }
}

extension Tensor {
  /// The sum over each example's values, `[batch]`.
  func sumOfValues() throws -> Tensor { try sum(axes: Array(1..<Swift.max(rank, 2))) }
}
