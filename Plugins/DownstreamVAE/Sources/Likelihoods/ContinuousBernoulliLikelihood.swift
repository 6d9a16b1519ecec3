import LatentKit

/// Negative log-likelihood of values from 0 to 1 under the continuous Bernoulli (Loaiza-Ganem & Cunningham 2019), in nats:
/// `−Σ_i [x_i log λ_i + (1 − x_i) log(1 − λ_i) + log C(λ_i)]`, where `C(λ) = 2 artanh(1 − 2λ) / (1 − 2λ)`, and 2 at `λ = 1/2`.
///
/// A density, so that it may be above 1 and the term below 0. The decoder makes `λ`, which is not the mean: reconstructions are
/// sharper than means. Of pixels that are black in every image the density would have no bound: the constant stops growing at logits of
/// ±1000, where the deviation of a pixel is a quarter of a grey level of 255. Beyond them the term is an upper bound.
///
/// - Shapes: inputs and reconstruction `[batch] + inputShape`, from 0 to 1; the term is `[batch]`.
/// - Throws: `RecipeError` where inputs are not known to lie from 0 to 1, or the reconstruction does not.
public struct ContinuousBernoulliLikelihood: Likelihood, Component {
  public typealias Config = NoConfig

  public init(_ config: Config, in context: BuildContext) throws { try context.requireUnitInputs() }

  public func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    [.perExample("continuous-bernoulli", try logLikelihood(of: forward.inputs, given: forward.decoded) * -1)]
  }

  public func observations(of inputs: Tensor, using random: RandomSource) -> Tensor { inputs }

  public func logLikelihood(of observations: Tensor, given decoded: Decoded) throws -> Tensor {
    let terms = try bernoulliTerms(of: observations, given: decoded, for: "loss 'continuous-bernoulli'")
    return try (ContinuousBernoulli.logNormalizer(ofLogits: logits(decoded)) - terms).sumOfValues()
  }

  private func logits(_ decoded: Decoded) throws -> Tensor {
    switch decoded {
    case .logits(let logits): return logits
    case .values(let probabilities):
      // Float32 tells numbers below 1 apart down to 6e-8; a logarithm of 0 would be infinite.
      let inside = try probabilities.clamped(1e-7, 1 - 1e-7)
      return try inside.log() - (1 - inside).log()
    }
  }
}

/// The continuous Bernoulli distribution.
public enum ContinuousBernoulli {
  /// Returns `log C(λ)` of each `λ = 1 / (1 + exp(−l))`, given the logits `l`: of any shape, which is kept, in Float32 or Float64.
  ///
  /// Since `1 − 2λ = −tanh(l/2)`, it is `log 2 + log(y / tanh y)` with `y = |l|/2`; near 0, where both go to 0, by
  /// `log(y / tanh y) = y²/3 − 7y⁴/90 + 62y⁶/2835 − …`. Of logits beyond ±1000 it is that of ±1000.
  public static func logNormalizer(ofLogits logits: Tensor) throws -> Tensor {
    let half = try logits.abs() * 0.5
    let isSmall = try half .< 0.1
    // Where the other branch counts, a number that is safe: no gradient may become infinite times 0.
    let large = try half.clamped(0.1, 500)
    let exact = try large.log() - large.tanh().log()
    let square = try half.clamped(0, 0.1).square()
    let series = try square * (((square * (-127.0 / 18_900) + 62.0 / 2_835) * square - 7.0 / 90) * square + 1.0 / 3)
    return try isSmall.choose(series, exact) + 0.6931471805599453
  }
}
