/// Inputs of one step, with what is known about them.
public struct Batch {
  /// `[batch] + inputShape`, Float32; images channels-last in memory.
  public var inputs: Tensor
  /// `[batch]`, Int64, from 0; nil without labels. Where a label is hidden there stands a 0 that means nothing.
  public var labels: Tensor?
  /// `[batch]`, Bool: which examples have a label; nil where all have.
  public var labelled: Tensor?
  /// `[batch]`, Float32, 0 or more: how much each example counts in terms that are given per example; nil where all count
  /// alike.
  public var weights: Tensor?

  /// Creates a batch.
  public init(inputs: Tensor, labels: Tensor?, labelled: Tensor? = nil, weights: Tensor? = nil) {
    self.inputs = inputs
    self.labels = labels
    self.labelled = labelled
    self.weights = weights
  }

  /// Returns the same examples with other inputs, reconstructions say.
  public func with(inputs: Tensor) -> Batch {
    Batch(inputs: inputs, labels: labels, labelled: labelled, weights: weights)
  }

  /// Returns the batch for a part with these needs: without labels, unless it declares them.
  func limited(to needs: DataNeeds) -> Batch {
    needs.contains(.labels) || labels == nil ? self : Batch(inputs: inputs, labels: nil, weights: weights)
  }
}

/// Latents of one step, with what is known about their examples.
public struct LatentBatch {
  /// `[batch, latent]`.
  public var latents: Tensor
  /// `[batch]`, Int64, from 0; nil without labels, and for parts that do not declare them in `needs`.
  public var labels: Tensor?

  /// Creates a batch of latents.
  public init(_ latents: Tensor, labels: Tensor? = nil) {
    self.latents = latents
    self.labels = labels
  }

  /// Returns the labels of a part that is conditioned on the class, `[batch]`.
  /// - Throws: `RecipeError` where there are none.
  public func requireLabels(for part: String) throws -> Tensor {
    guard let labels else { throw RecipeError("\(part) is conditioned on the class, and there are no labels") }
    return labels
  }

  func limited(to needs: DataNeeds) -> LatentBatch {
    needs.contains(.labels) ? self : LatentBatch(latents)
  }
}
