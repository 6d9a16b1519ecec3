import Foundation
import LatentKit

/// Negative log-likelihood under a Gaussian around the reconstruction, in nats:
/// `½ Σ_i [(x_i − x*_i)²/σ² + log σ² + log 2π]`, with one variance for all values, fixed or learned with the step's weights.
///
/// A learned variance is `exp(s) + 1e-6` of a trained `s`, and starts at `variance`: of an exact decoder the density would have no
/// bound, and 1e-6 is a standard deviation of a quarter of a grey level of 255.
///
/// - Shapes: inputs and reconstruction `[batch] + inputShape`; the term is `[batch]`.
public struct GaussianLikelihood: Likelihood, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("The variance of each value, the first one where it is learned.", .within(1e-5...1e6)) public
      var variance =
      0.1
    @Setting("Whether the variance is learned.") public var learned = true
    public init() {}
  }

  private static let leastVariance = 1e-6

  /// `s` where the variance is learned, else its logarithm; `[1]`.
  private let parameter: Tensor
  private let isLearned: Bool

  public init(_ config: Config, in context: BuildContext) throws {
    isLearned = config.learned
    parameter =
      try config.learned
      ? context.scope.parameter(
        "logVariance", [1], .constant(log(config.variance - GaussianLikelihood.leastVariance)))
      : .full([1], log(config.variance), dtype: context.dtype, device: context.device)
  }

  public func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    [.perExample("gaussian", try logLikelihood(of: forward.inputs, given: forward.decoded) * -1)]
  }

  public func observations(of inputs: Tensor, using random: RandomSource) -> Tensor { inputs }

  public func logLikelihood(of observations: Tensor, given decoded: Decoded) throws -> Tensor {
    let variance = try isLearned ? parameter.exp() + GaussianLikelihood.leastVariance : parameter.exp()
    let squares = try (observations - decoded.values).square().sumOfValues()
    let count = try Double(observations.count) / Double(observations.size(0))
    return try (squares / variance + (variance.log() + log2π) * count) * -0.5
  }
}
