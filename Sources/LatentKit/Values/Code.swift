/// Whether an encoder gives points or Gaussians: a setting of encoders that give either.
public enum CodeKind: String, Choice { case point, gaussian }

/// The code of inputs, as an encoder gives it.
public enum Code: Sendable {
  /// One latent vector each, `[batch, latent]`.
  case point(Tensor)
  /// A diagonal Gaussian each; both `[batch, latent]`.
  case gaussian(mean: Tensor, logVariance: Tensor)

  /// The point, or the mean of the Gaussian: used for metrics and classification, `[batch, latent]`.
  public var mean: Tensor {
    switch self {
    case .point(let latents): latents
    case .gaussian(let mean, _): mean
    }
  }

  /// Returns the point, or a draw `mean + exp(logVariance / 2) · ε` (Kingma & Welling 2014, eq. 10).
  public func sample(using generator: inout Generator) throws -> Tensor {
    switch self {
    case .point(let latents): return latents
    case .gaussian(let mean, let logVariance):
      let noise = try generator.normal(mean.shape, dtype: mean.dtype)
      return try mean + (logVariance * 0.5).exp() * noise
    }
  }
}
