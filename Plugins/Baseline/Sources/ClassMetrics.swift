import LatentKit
import Statistics

/// Share of examples whose highest class score is the label's, in percent.
///
/// - Throws: `RecipeError` without labels or scores.
public struct Accuracy: Metric, Component {
  /// Where scores come from.
  public enum Source: String, Choice { case classifier, latents }

  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("Where scores come from.") public var scores = Source.classifier
    public init() {}
  }

  private let config: Config
  public init(_ config: Config, in context: BuildContext) { self.config = config }

  public var needs: DataNeeds { .labels }

  public func finish(_ evaluation: Evaluation) throws -> [Measured] {
    guard let scores = config.scores == .latents ? evaluation.measured.latents : evaluation.scores else {
      throw RecipeError.missing(
        "a classifier", for: "metric 'accuracy'", fix: "add one, or set metrics.accuracy.scores=latents")
    }
    let (predicted, labels) = try evaluation.labelled(scores.argmax(axis: 1), for: "metric 'accuracy'")
    return [Measured("accuracy", 100 * (try (predicted .== labels).to(.float64).mean().item()), unit: "%")]
  }
}

/// How many examples of each true class are predicted to be of each class: a matrix.
///
/// - Throws: `RecipeError` without labels, and without what should predict.
public struct Confusion: Metric, Component {
  /// The source of predictions.
  public enum Source: String, Choice { case auto, classifier, latents, centroids, training }

  /// The settings.
  public struct Config: ComponentConfig {
    @Setting(
      """
      What predicts: the classifier's scores, the latents as scores, or the nearest of the prior's centroids or of the \
      training means; auto: the classifier, else centroids, else training.
      """)
    public var scores = Source.auto
    public init() {}
  }

  private let config: Config
  private let classCount: Int

  public init(_ config: Config, in context: BuildContext) throws {
    if config.scores == .latents { try context.requireLatentPerClass() }
    classCount = try context.requireClasses()
    self.config = config
  }

  public var needs: DataNeeds { .labels }
  public var timing: MetricTiming { .atEnd }

  public func finish(_ evaluation: Evaluation) throws -> [Measured] {
    let (predicted, labels) = try evaluation.labelled(predictions(evaluation), for: "metric 'confusion'")
    var counts = Array(repeating: Array(repeating: 0.0, count: classCount), count: classCount)
    for (label, prediction) in zip(try labels.ints(), try predicted.ints()) { counts[label][prediction] += 1 }
    let names = (0..<classCount).map(evaluation.className)
    let table = MeasuredTable(
      rowTitle: "true class", rows: names, columnTitle: "predicted class", columns: names, values: counts)
    return [Measured("confusion", table)]
  }

  /// The class of each measured example, `[count]` Int64.
  private func predictions(_ evaluation: Evaluation) throws -> Tensor {
    let latents = evaluation.measured.latents
    switch config.scores {
    case .latents: return try latents.argmax(axis: 1)
    case .auto, .classifier:
      if let scores = evaluation.scores { return try scores.argmax(axis: 1) }
      guard config.scores == .auto else {
        throw RecipeError.missing(
          "a classifier", for: "metric 'confusion'", fix: "add one, or set metrics.confusion.scores=auto")
      }
    case .centroids, .training: break
    }
    if config.scores == .centroids || config.scores == .auto && evaluation.prior is any CentroidPrior {
      // Centroids for classes to come are left out.
      let centroids = try evaluation.prior.requireCentroids(for: "metric 'confusion'").slice(0..<classCount)
      return try NearestMean(centroids).classes(of: latents)
    }
    return try NearestMean(evaluation.training.classMeans(classCount)).classes(of: latents)
  }
}

extension Evaluation {
  /// Predictions and labels, `[count]` each, of the measured examples that have a label.
  ///
  /// - Parameter part: How messages call the metric.
  fileprivate func labelled(_ predictions: Tensor, for part: String) throws -> (predictions: Tensor, labels: Tensor) {
    guard let labels = measured.labels else { throw RecipeError.needsLabels(part) }
    guard let labelled = measured.labelled else { return (predictions, labels) }
    let places = try labelled.nonzero().squeezed(1)
    return (try predictions.rows(places), try labels.rows(places))
  }
}
