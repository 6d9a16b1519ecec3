/// A loss that is the negative log-likelihood of inputs under a density whose parameters the decoder makes, in nats: summed over an
/// example's values, with all constants.
///
/// The last stage's is the model's `likelihood`, from which metrics compute lower bounds and likelihoods.
public protocol Likelihood: Loss {
  /// Returns what the density is of, `[batch] + inputShape`: the inputs, or what is made of them, black and white images say.
  ///
  /// - Parameter random: For what is made by draws.
  /// - Throws: `RecipeError` where the inputs have no density under it.
  func observations(of inputs: Tensor, using random: RandomSource) throws -> Tensor

  /// Returns `log p(x | z)` of each example in nats, `[batch]`.
  ///
  /// - Parameters:
  ///   - observations: `[batch] + inputShape`.
  ///   - decoded: What the decoder makes of the latents.
  func logLikelihood(of observations: Tensor, given decoded: Decoded) throws -> Tensor
}

extension Model {
  /// Returns the likelihood.
  ///
  /// - Parameter part: How messages call the part that asks.
  /// - Throws: `RecipeError` where none of the losses is one.
  public func requireLikelihood(for part: String) throws -> any Likelihood {
    guard let likelihood else {
      throw RecipeError.missing(
        "a loss that is a likelihood", for: part,
        fix: "choose bernoulli, continuous-bernoulli or gaussian in place of the one that compares reconstructions")
    }
    return likelihood
  }
}
