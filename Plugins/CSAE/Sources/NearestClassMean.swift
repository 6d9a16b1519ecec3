import LatentKit
import Statistics

/// Accuracy of the nearest class mean, in percent (Zhu & Zhang 2019, section 4.3).
///
/// The means are the prior's predefined centroids, as in the paper, or the means of the training latents; or both, as two numbers.
///
/// - Throws: `RecipeError` without labels, or where centroids are asked for and the prior has none.
public struct NearestClassMean: ClassifyingMetric, RankingMetric, Component {
  /// Which means.
  public enum Means: String, Choice { case auto, centroids, training, both }

  /// The settings.
  public struct Config: ComponentConfig {
    @Setting(
      "centroids (of the prior), training (means of training latents), auto: the first where they exist; or both, as 'nearest-centroid accuracy' and 'nearest-class-mean accuracy', at the end."
    )
    public var means = Means.auto
    public init() {}
  }

  private let config: Config
  private let classCount: Int

  public init(_ config: Config, in context: BuildContext) throws {
    classCount = try context.requireClasses()
    self.config = config
  }

  public var needs: DataNeeds { .labels }
  /// Each epoch; at the end for both, since training latents of each epoch take a pass.
  public var timing: MetricTiming { config.means == .both ? .atEnd : .everyEpoch }

  public func classRule(for model: Model) -> ClassRule {
    switch config.means {
    case .auto: model.prior is any CentroidPrior ? .centroids : .training
    case .centroids, .both: .centroids
    case .training: .training
    }
  }

  public func goal(of measurement: String) -> Goal? { .highest }

  public func finish(_ evaluation: Evaluation) throws -> [Measured] {
    let measured = try evaluation.measured.withLabels()
    guard let labels = measured.labels else {
      throw RecipeError("metric 'nearest-class-mean' needs labels, and the measured data have none")
    }
    func measure(_ name: String, _ means: Tensor) throws -> Measured {
      Measured("\(name) accuracy", 100 * (try NearestMean(means).accuracy(measured.latents, labels: labels)), unit: "%")
    }
    guard config.means == .both else { return [try measure("nearest-class-mean", means(for: evaluation))] }
    return [
      try measure("nearest-centroid", centroids(of: evaluation)),
      try measure("nearest-class-mean", evaluation.training.classMeans(classCount)),
    ]
  }

  /// One for each class of the data; centroids for classes to come are left out.
  private func means(for evaluation: Evaluation) throws -> Tensor {
    if config.means == .training || config.means == .auto && !(evaluation.prior is any CentroidPrior) {
      return try evaluation.training.classMeans(classCount)
    }
    return try centroids(of: evaluation)
  }

  private func centroids(of evaluation: Evaluation) throws -> Tensor {
    guard let prior = evaluation.prior as? any CentroidPrior else {
      throw RecipeError(
        """
        metric 'nearest-class-mean' is set to \(config.means.rawValue), and \
        \(type(of: evaluation.prior)) has none; set its means to training, or the prior to pedcc
        """)
    }
    return try prior.centroids.slice(0..<classCount)
  }
}
