/// A request for draws from a sampler, or from a prior that can be drawn from.
public struct DrawRequest {
  /// The class of each latent to draw, `[count]` Int64; nil asks for draws whatever the class.
  public var labels: Tensor?
  /// How many latents to draw, 1 or more.
  public var count: Int
  /// The length of a latent vector.
  public var latentSize: Int
  /// The model's prior.
  public var prior: any Prior
  /// The training latents, for samplers that learn from them.
  public var reference: LatentSet?
  /// Whether the draws are thrown away, as those before training are: a sampler with long chains may cut them short.
  public var isRehearsal = false

  /// Creates a value with these fields.
  public init(labels: Tensor?, count: Int, latentSize: Int, prior: any Prior, reference: LatentSet? = nil) {
    self.labels = labels
    self.count = count
    self.latentSize = latentSize
    self.prior = prior
    self.reference = reference
  }

  /// The training latents.
  /// - Throws: `RecipeError` where the request has none.
  public func requireReference(for sampler: String) throws -> LatentSet {
    guard let reference, try reference.latents.size(0) > 0 else {
      throw RecipeError(
        "sampler '\(sampler)' learns from training latents, and there are none; train the encoder first")
    }
    return reference
  }
}

/// Drawn latents.
public struct Draw {
  /// `[count, latent]`, in the order of the request's labels.
  public var latents: Tensor
  /// Whether each latent is of the class that the request named; false where labels were ignored, or there were none.
  /// Pictures and tables show class names only where this, or a decoder that needs labels, makes them true.
  public var followsLabels: Bool
  /// Diagnostics of the draw, for people and for `summary.json`.
  public var diagnostics: [Measured]
  /// Sentences about a draw that should not be trusted, with advice.
  public var warnings: [String]

  /// Creates a value with these fields.
  public init(latents: Tensor, followsLabels: Bool, diagnostics: [Measured] = [], warnings: [String] = []) {
    self.latents = latents
    self.followsLabels = followsLabels
    self.diagnostics = diagnostics
    self.warnings = warnings
  }
}
