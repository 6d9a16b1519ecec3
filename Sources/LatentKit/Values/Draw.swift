/// A request to a sampler, or to a prior that can be drawn from.
public struct DrawRequest {
  /// The class of each latent to draw, `[count]` Int64; nil for draws of any class.
  public var labels: Tensor?
  /// The number of latents to draw, 1 or more.
  public var count: Int
  /// The length of a latent vector.
  public var latentSize: Int
  /// The prior.
  public var prior: any Prior
  /// The training latents, for samplers that learn from them.
  public var reference: LatentSet?
  /// Whether the draws are thrown away, as those before training are: a sampler with long chains may cut them short.
  public var isRehearsal = false

  /// Creates a request.
  public init(labels: Tensor?, count: Int, latentSize: Int, prior: any Prior, reference: LatentSet? = nil) {
    self.labels = labels
    self.count = count
    self.latentSize = latentSize
    self.prior = prior
    self.reference = reference
  }

  /// Returns the training latents.
  /// - Throws: `RecipeError` where the request has none.
  public func requireReference(for sampler: String) throws -> LatentSet {
    guard let reference, try reference.latents.size(0) > 0 else {
      throw RecipeError(
        "sampler '\(sampler)' learns from training latents, and there are none; train the encoder first")
    }
    return reference
  }
}

/// The result of a draw.
public struct Draw {
  /// `[count, latent]`, in the order of the request's labels.
  public var latents: Tensor
  /// Whether each latent is of the class that the request named; false where labels were ignored, or there were none.
  /// Pictures and tables show class names only where this, or a decoder that needs labels, makes them true.
  public var followsLabels: Bool
  /// Diagnostics of the draw, printed and written to `summary.json`.
  public var diagnostics: [Measured]
  /// Warnings about an unreliable draw, a sentence each, with advice.
  public var warnings: [String]

  /// Creates a draw.
  public init(latents: Tensor, followsLabels: Bool, diagnostics: [Measured] = [], warnings: [String] = []) {
    self.latents = latents
    self.followsLabels = followsLabels
    self.diagnostics = diagnostics
    self.warnings = warnings
  }
}
