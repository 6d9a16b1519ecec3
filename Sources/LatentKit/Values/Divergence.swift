extension Forward {
  /// Returns `KL(q(z|x) ‖ p(z))` of each example in nats, `[batch]`: in closed form where the prior has one, else by the drawn
  /// latent, `log q(z|x) − log p(z)`. Where an example has a label, `p` is the prior's density of its class.
  ///
  /// - Parameter part: How messages call the part that asks.
  /// - Throws: `RecipeError` where the encoder gives points.
  public func divergence(under prior: any Prior, for part: String) throws -> Tensor {
    let (mean, logVariance) = try code.requireGaussian(for: part)
    if let analytic = prior as? any AnalyticPrior {
      return try byLabel { try analytic.divergence(mean: mean, logVariance: logVariance, labels: $0) }
    }
    let latents = try draw
    return try code.logDensity(latents) - byLabel { try prior.logDensity(latents, labels: $0) }
  }
}

extension Code {
  /// Returns mean and log variance, `[batch, latent]` each.
  ///
  /// - Parameter part: How messages call the part that asks.
  /// - Throws: `RecipeError` for points.
  public func requireGaussian(for part: String) throws -> (mean: Tensor, logVariance: Tensor) {
    guard case .gaussian(let mean, let logVariance) = self else {
      throw RecipeError(
        "\(part) needs a Gaussian code, and the encoder gives points; set encoder.code=gaussian, or where the encoder has no "
          + "such setting, choose another encoder, or a prior and losses that take points")
    }
    return (mean, logVariance)
  }

  /// Returns `log q(z|x)` of latents in nats: of `[batch, latent]` as `[batch]`, and of any number of draws of each,
  /// `[draws, batch, latent]`, as `[draws, batch]`.
  ///
  /// - Throws: `RecipeError` for points.
  public func logDensity(_ latents: Tensor) throws -> Tensor {
    let (mean, logVariance) = try requireGaussian(for: "a density of codes")
    let standardised = try (latents - mean).square() / logVariance.exp()
    return try (standardised + logVariance + log2π).sum(axis: -1) * -0.5
  }
}

/// Returns `KL(N(μ, σ²) ‖ N(0, 1))` of each value in nats: `½ (μ² + σ² − log σ² − 1)` (Kingma & Welling 2014, appendix B).
public func standardNormalDivergences(mean: Tensor, logVariance: Tensor) throws -> Tensor {
  try (mean.square() + logVariance.exp() - logVariance - 1) * 0.5
}

/// `log 2π`.
public let log2π = 1.8378770664093453
