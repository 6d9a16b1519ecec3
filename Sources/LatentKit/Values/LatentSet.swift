/// Latents of a part of the data with their labels.
public struct LatentSet: Sendable {
  /// `[count, latent]`.
  public let latents: Tensor
  /// `[count]`, Int64, from 0; nil without labels. Where a label is hidden there stands a 0 that means nothing.
  public let labels: Tensor?
  /// `[count]`, Bool: which latents have a label; nil where all have.
  public let labelled: Tensor?

  /// Creates a set.
  public init(latents: Tensor, labels: Tensor?, labelled: Tensor? = nil) {
    self.latents = latents
    self.labels = labels
    self.labelled = labelled
  }

  /// Returns the latents that have a label, in their order.
  public func withLabels() throws -> LatentSet {
    guard let labels, let labelled else { return self }
    let places = try labelled.nonzero().squeezed(1)
    return LatentSet(latents: try latents.rows(places), labels: try labels.rows(places))
  }

  /// Returns the latents of one class, in their order.
  public func latents(of label: Int) throws -> Tensor {
    let known = try withLabels()
    guard let labels = known.labels else { return latents }
    return try known.latents.rows((labels .== Double(label)).nonzero().squeezed(1))
  }

  /// Returns the mean latent of each class, `[classes, latent]`; a class without examples has NaN.
  public func classMeans(_ classCount: Int) throws -> Tensor {
    let known = try withLabels()
    guard let labels = known.labels else {
      throw RecipeError("class means need labels, and these latents have none")
    }
    let members = try labels.oneHot(classCount).to(latents.dtype)
    return try members.transposed().matmul(known.latents) / members.sum(axis: 0).unsqueezed(1)
  }
}
