import LatentKit

/// The latents that a metric of open sets looks at.
public enum LatentSource: String, Choice {
  /// Those of the held-out classes where the data hold some out, else the measured part's.
  case auto
  case measured
  case unseen
}

extension Evaluation {
  /// Returns labelled latents, at most so many: a random choice, the same at each evaluation, in the data's order.
  ///
  /// - Parameter part: How messages call the metric.
  func latents(of source: LatentSource, atMost limit: Int, for part: String) throws -> (latents: Tensor, labels: Tensor)
  {
    let set: LatentSet
    switch (source, try unseen) {
    case (.measured, _), (.auto, nil): set = measured
    case (_, let found?): set = found
    case (.unseen, nil):
      // A rehearsal has no held-out classes.
      guard isRehearsal else {
        throw RecipeError("\(part) is set to unseen classes, and the data hold out none; set data.holdOut")
      }
      set = measured
    }
    let known = try set.withLabels()
    guard let labels = known.labels else { throw RecipeError.needsLabels(part) }
    let count = try labels.size(0)
    guard count > limit else { return (known.latents, labels) }
    let chosen = try random.permutation(count).slice(0..<limit).sorted(axis: 0).values.to(labels.device)
    return (try known.latents.rows(chosen), try labels.rows(chosen))
  }
}
