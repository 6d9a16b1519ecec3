import LatentKit

/// The Euclidean distances between the mean latents of classes, of which Zhu & Zhang 2019 show the matrix (Figure 8): the
/// least, the mean and the largest over all pairs.
///
/// The means are those of the measured latents; classes that these do not have are left out.
///
/// - Throws: `RecipeError` without labels, or where the measured latents are of fewer than two classes.
public struct ClassDistances: Metric {
  public typealias Config = NoConfig
  private let classCount: Int

  public init(_ config: Config, in context: BuildContext) throws { classCount = try context.requireClasses() }

  public func measure(_ evaluation: Evaluation) throws -> [Measured] {
    let distances = try distances(between: evaluation.measured)
    return [
      Measured("minimum class distance", try distances.min().item()),
      Measured("mean class distance", try distances.mean().item()),
      Measured("maximum class distance", try distances.max().item()),
    ]
  }

  /// Of each pair of classes once, `[pairs]`.
  private func distances(between latents: LatentSet) throws -> Tensor {
    guard let labels = try latents.labels?.to(.cpu) else {
      throw RecipeError("metric 'class-distances' needs labels, and the measured data have none")
    }
    let present = try Set(labels.ints()).sorted()
    guard present.count > 1 else {
      throw RecipeError(
        "metric 'class-distances' needs two or more classes, and the measured data have \(present.count); drop the metric"
      )
    }
    let set = LatentSet(latents: try latents.latents.detached().to(.float64, .cpu), labels: labels)
    let means = try set.classMeans(classCount).rows(present)
    return try .concatenate(
      (1..<present.count).map { row in
        try (means.slice(0..<row) - means.slice(row..<row + 1)).square().sum(axis: 1).sqrt()
      })
  }
}
