import LatentKit
import Statistics

/// The variance of latents within classes, between them and in all, and the Fisher ratio of the first two (Pilarczyk & Skarbek 2019,
/// section 2.2), with the share, the variance and the mean of each class, and the grand mean.
///
/// The ratio, within/between, does not change where all latents are scaled; a variance does, so that shrunk latents look compact.
/// The four forms of the within-class variance are the same number.
///
/// - Throws: `RecipeError` without labels.
public struct ClassVariance: RankingMetric, Component {
  /// How the variance within classes is computed.
  public enum Form: String, Choice { case variance, scatter, covariance, centered }

  /// The settings.
  public struct Config: ComponentConfig {
    @Setting(
      """
      The within-class variance as a mean of class variances, as half the mean squared distance of pairs of a class (scatter; \
      time grows with the square of the count), as the trace of the covariance, or as the variance of class-centered latents.
      """)
    public var form = Form.covariance
    public init() {}
  }

  private let config: Config
  private let classCount: Int

  public init(_ config: Config, in context: BuildContext) throws {
    self.config = config
    classCount = try context.requireClasses()
  }

  public var needs: DataNeeds { .labels }

  public func goal(of measurement: String) -> Goal? { measurement == "Fisher ratio" ? .lowest : nil }

  public func finish(_ evaluation: Evaluation) throws -> [Measured] {
    let known = try evaluation.measured.withLabels()
    guard let labels = known.labels else { throw RecipeError.needsLabels("metric 'class-variance'") }
    let moments = try ClassMoments(of: known.latents, labels: labels, classCount: classCount)
    let within =
      switch config.form {
      case .covariance: try moments.withinVariance
      case .variance: moments.meanClassVariance
      case .scatter: try moments.meanClassScatter(of: known.latents, labels: labels)
      case .centered: try moments.centeredVariance(of: known.latents, labels: labels)
      }
    let between = try moments.betweenVariance
    return [
      Measured("within-class variance", within), Measured("between-class variance", between),
      Measured("total variance", try moments.variance), Measured("Fisher ratio", within / between),
      Measured("class variances", try table(moments, evaluation)),
    ]
  }

  private func table(_ moments: ClassMoments, _ evaluation: Evaluation) throws -> MeasuredTable {
    let dimensions = moments.mean.count
    let means = try moments.classMeans.doubles()
    let rows = (0..<classCount).map { label in
      [moments.shares[label], moments.classVariances[label]] + means[(label * dimensions)..<((label + 1) * dimensions)]
    }
    return MeasuredTable(
      rowTitle: "class", rows: (0..<classCount).map(evaluation.className) + ["all"], columnTitle: "measure",
      columns: ["share", "variance"] + (1...max(dimensions, 1)).map { "mean \($0)" },
      values: try rows + [[1, moments.variance] + moments.mean.doubles()], isMatrix: false)
  }
}
