import LatentKit
import Statistics

/// Share of examples whose class is told rightly, in percent: by the highest class score unless set otherwise.
///
/// - Throws: `RecipeError` without labels, and without what should tell classes.
public struct Accuracy: ClassifyingMetric, RankingMetric, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting(
      """
      What tells the class: the classifier's scores, the latents as scores, or the nearest of the prior's centroids or of the training \
      means; auto: the classifier, else centroids, else training.
      """)
    public var scores = ClassRule.classifier
    public init() {}
  }

  private let config: Config
  private let classCount: Int

  public init(_ config: Config, in context: BuildContext) throws {
    (self.config, classCount) = (config, try context.requireClasses())
  }

  public var needs: DataNeeds { .labels }

  public func classRule(for model: Model) -> ClassRule { config.scores }
  public func goal(of measurement: String) -> Goal? { .highest }

  public func finish(_ evaluation: Evaluation) throws -> [Measured] {
    let predictions = try evaluation.predictions(by: config.scores, of: classCount, for: "accuracy")
    let (predicted, labels) = try evaluation.labelled(predictions, for: "metric 'accuracy'")
    return [Measured("accuracy", 100 * (try (predicted .== labels).to(.float64).mean().item()), unit: "%")]
  }
}

/// How many examples of each true class are predicted to be of each class: a matrix.
///
/// - Throws: `RecipeError` without labels, and without what should predict.
public struct Confusion: ClassifyingMetric, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting(
      """
      What predicts: the classifier's scores, the latents as scores, or the nearest of the prior's centroids or of the \
      training means; auto: the classifier, else centroids, else training.
      """)
    public var scores = ClassRule.auto
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

  public func classRule(for model: Model) -> ClassRule { config.scores }

  public func finish(_ evaluation: Evaluation) throws -> [Measured] {
    let predictions = try evaluation.predictions(by: config.scores, of: classCount, for: "confusion")
    let (predicted, labels) = try evaluation.labelled(predictions, for: "metric 'confusion'")
    let table = MeasuredTable(
      confusionOf: try labels.ints(), predicted: try predicted.ints(),
      names: (0..<classCount).map(evaluation.className))
    return [Measured("confusion", table)]
  }
}

extension Evaluation {
  /// Returns the class of each measured example, `[count]` Int64.
  ///
  /// - Parameter metric: The metric that asks, for messages.
  fileprivate func predictions(by rule: ClassRule, of classCount: Int, for metric: String) throws -> Tensor {
    try ClassPredictor(
      rule, under: prior, hasScores: scores != nil, classCount: classCount, training: { try training },
      for: "metric '\(metric)'", setting: "metrics.\(metric).scores"
    ).classes(measured.latents, scores: scores)
  }

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
