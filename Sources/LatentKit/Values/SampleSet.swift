/// A request for decoded draws of a run's sampler.
public struct SampleRequest: Hashable, Sendable {
  /// How many to draw, 1 or more.
  public var count: Int
  /// Whether draws are of the classes in turn: 0, 1, …, then 0 again. Else they are whatever the class.
  public var areOfClasses: Bool

  /// Creates a request.
  public init(count: Int, ofClasses areOfClasses: Bool = false) {
    (self.count, self.areOfClasses) = (count, areOfClasses)
  }
}

/// Draws of a run's sampler and what the decoder makes of them.
public struct SampleSet: Sendable {
  /// `[count, latent]`.
  public let latents: Tensor
  /// The decoded draws, `[count] + inputShape`, in the scale of the model's inputs.
  public let inputs: Tensor
  /// The class of each, `[count]` Int64; nil where the draws were asked for whatever the class, and where neither the
  /// sampler nor the decoder followed the classes.
  public let labels: Tensor?
  /// Warnings of the sampler, a sentence each.
  public let warnings: [String]

  /// Creates a set.
  public init(latents: Tensor, inputs: Tensor, labels: Tensor?, warnings: [String] = []) {
    (self.latents, self.inputs, self.labels, self.warnings) = (latents, inputs, labels, warnings)
  }
}
