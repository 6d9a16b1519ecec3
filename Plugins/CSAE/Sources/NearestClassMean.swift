import LatentKit
import Statistics

/// Accuracy of the nearest class mean, in percent (Zhu & Zhang 2019, section 4.3).
///
/// The means are the prior's predefined centroids, as in the paper, or the means of the training latents.
///
/// - Throws: `RecipeError` without labels, or where centroids are asked for and the prior has none.
public struct NearestClassMean: Metric, Component {
  /// Which means.
  public enum Means: String, Choice { case auto, centroids, training }

  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("centroids (of the prior), training (means of training latents), or auto: the first where they exist.")
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

  public func finish(_ evaluation: Evaluation) throws -> [Measured] {
    let measured = try evaluation.measured.withLabels()
    guard let labels = measured.labels else {
      throw RecipeError("metric 'nearest-class-mean' needs labels, and the measured data have none")
    }
    let share = try NearestMean(means(for: evaluation)).accuracy(measured.latents, labels: labels)
    return [Measured("nearest-class-mean accuracy", 100 * share, unit: "%")]
  }

  /// One for each class of the data; centroids for classes to come are left out.
  private func means(for evaluation: Evaluation) throws -> Tensor {
    if config.means != .training, let prior = evaluation.prior as? any CentroidPrior {
      return try prior.centroids.slice(0..<classCount)
    }
    if config.means == .centroids {
      throw RecipeError(
        """
        metric 'nearest-class-mean' is set to centroids, and \(type(of: evaluation.prior)) has none; set its means to \
        training, or the prior to pedcc
        """)
    }
    return try evaluation.training.classMeans(classCount)
  }
}
