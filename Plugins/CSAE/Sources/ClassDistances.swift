import LatentKit

/// The Euclidean distances between the mean latents of classes, of which Zhu & Zhang 2019 show the matrix (Figure 8): all
/// of them, and the least, the mean and the largest over all pairs.
///
/// The means are those of the measured latents; classes that these do not have are left out.
///
/// - Throws: `RecipeError` without labels, or where the measured latents are of fewer than two classes.
public struct ClassDistances: Metric, Component {
  public typealias Config = NoConfig
  private let classCount: Int

  public init(_ config: Config, in context: BuildContext) throws { classCount = try context.requireClasses() }

  public var needs: DataNeeds { .labels }

  public func finish(_ evaluation: Evaluation) throws -> [Measured] {
    let (classes, means) = try classMeans(of: evaluation.measured)
    // Row by row, each class with those before it.
    let rows = try (1..<classes.count).map { row in
      try (means.slice(0..<row) - means.slice(row..<row + 1)).square().sum(axis: 1).sqrt()
    }
    let distances = try Tensor.concatenate(rows)
    var matrix = Array(repeating: Array(repeating: 0.0, count: classes.count), count: classes.count)
    for (row, others) in zip(1..., rows) {
      for (column, distance) in try others.doubles().enumerated() {
        (matrix[row][column], matrix[column][row]) = (distance, distance)
      }
    }
    let names = classes.map(evaluation.className)
    let table = MeasuredTable(rowTitle: "class", rows: names, columnTitle: "class", columns: names, values: matrix)
    return [
      Measured("minimum class distance", try distances.min().item()),
      Measured("mean class distance", try distances.mean().item()),
      Measured("maximum class distance", try distances.max().item()),
      Measured("class distances", table),
    ]
  }

  /// The classes that occur, in order, and the mean of each, `[classes, latent]` Float64 on the CPU.
  private func classMeans(of measured: LatentSet) throws -> (classes: [Int], means: Tensor) {
    let known = try measured.withLabels()
    guard let labels = try known.labels?.to(.cpu) else {
      throw RecipeError("metric 'class-distances' needs labels, and the measured data have none")
    }
    let present = try Set(labels.ints()).sorted()
    guard present.count > 1 else {
      throw RecipeError(
        "metric 'class-distances' needs two or more classes, and the measured data have \(present.count); drop the metric"
      )
    }
    let set = LatentSet(latents: try known.latents.detached().to(.float64, .cpu), labels: labels)
    return (present, try set.classMeans(classCount).rows(present))
  }
}
