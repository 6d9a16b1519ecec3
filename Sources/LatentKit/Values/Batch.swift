/// Inputs of one step, with what is known about them.
public struct Batch {
  /// `[batch] + inputShape`, Float32; images channels-last in memory.
  public var inputs: Tensor
  /// `[batch]`, Int64, from 0; nil without labels. Where a label is hidden there stands a 0 that means nothing.
  ///
  /// A loss that reads them is about labels: its terms are reduced over the examples that have one.
  public var labels: Tensor? {
    get {
      reading?.isNoted = true
      return known
    }
    set { known = newValue }
  }
  /// The labels, read without a note of it.
  private(set) var known: Tensor?
  /// Notes that a loss reads labels; nil outside a pass.
  var reading: LabelReading?
  /// `[batch]`, Bool: which examples have a label; nil where all have.
  public var labelled: Tensor?
  /// `[batch]`, Float32, 0 or more: how much each example counts in terms that are given per example; nil where all count
  /// alike.
  public var weights: Tensor?

  /// Creates a batch.
  public init(inputs: Tensor, labels: Tensor?, labelled: Tensor? = nil, weights: Tensor? = nil) {
    self.inputs = inputs
    known = labels
    self.labelled = labelled
    self.weights = weights
  }

  /// Returns the same examples with other inputs, reconstructions say.
  public func with(inputs: Tensor) -> Batch {
    var other = self
    other.inputs = inputs
    return other
  }

  /// The labels that are visible and the places of their examples, `[labelled]` Int64 each, on the CPU; nil without labels.
  public func visibleLabels() throws -> (labels: Tensor, places: Tensor)? {
    guard let labels = try labels?.to(.cpu) else { return nil }
    guard let labelled = try labelled?.to(.cpu) else { return (labels, try .range(0, labels.count)) }
    let places = try labelled.nonzero().squeezed(1)
    return (try labels.rows(places), places)
  }

  /// The batch as a part with these needs is given it: without labels unless it asked for them, and without weights then,
  /// since those of classes tell the class.
  func limited(to needs: DataNeeds) -> Batch {
    needs.contains(.labels)
      ? Batch(inputs: inputs, labels: known, labelled: labelled, weights: weights) : Batch(inputs: inputs, labels: nil)
  }
}

/// A note that the labels of a pass were read.
final class LabelReading {
  var isNoted = false
}

/// Latents of one step, with what is known about their examples.
public struct LatentBatch {
  /// `[batch, latent]`.
  public var latents: Tensor
  /// `[batch]`, Int64, from 0; nil without labels, and for parts that did not ask for them.
  /// Where a label is hidden there stands a 0 that means nothing.
  public var labels: Tensor?
  /// `[batch]`, Bool: the examples that have a label; nil where all have.
  public var labelled: Tensor?

  /// Creates a batch of latents.
  public init(_ latents: Tensor, labels: Tensor? = nil, labelled: Tensor? = nil) {
    self.latents = latents
    self.labels = labels
    self.labelled = labelled
  }

  /// Creates a batch of the latents of some examples, with what is known about these.
  init(_ latents: Tensor, of batch: Batch) {
    self.init(latents, labels: batch.known, labelled: batch.labelled)
  }

  /// Returns the labels of a part that is conditioned on the class, `[batch]`.
  /// - Throws: `RecipeError` where there are none, and where some are hidden.
  public func requireLabels(for part: String) throws -> Tensor {
    guard let labels else { throw RecipeError("\(part) is conditioned on the class, and there are no labels") }
    guard labelled == nil else {
      throw RecipeError("\(part) is conditioned on the class, and some labels are hidden; leave data.labelled out")
    }
    return labels
  }

  func limited(to needs: DataNeeds) -> LatentBatch {
    needs.contains(.labels) ? self : LatentBatch(latents)
  }
}
