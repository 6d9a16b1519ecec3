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

/// What tells classes apart, as a setting of metrics that take any rule.
public struct ClassRuleConfig: ComponentConfig {
  @Setting(
    """
    What predicts: the classifier's scores, the latents as scores, or the nearest of the prior's centroids or of the \
    training means; auto: the classifier, else centroids, else training.
    """)
  public var scores = ClassRule.auto
  public init() {}
}

/// A measure of how many examples of each true class are predicted to be of each class.
///
/// - Throws: `RecipeError` without labels, and without what should predict.
public protocol ConfusionMeasure: ClassifyingMetric, Component where Config == ClassRuleConfig {
  /// The name in recipes.
  static var name: String { get }
  /// The settings.
  var config: Config { get }
  /// The number of classes.
  var classCount: Int { get }
  /// Creates the measure.
  init(_ config: Config, classCount: Int)
  /// Returns what is measured.
  ///
  /// - Parameter names: The names of the classes.
  func measured(_ matrix: ConfusionMatrix, names: [String]) -> Measured
}

extension ConfusionMeasure {
  public init(_ config: Config, in context: BuildContext) throws {
    if config.scores == .latents { try context.requireLatentPerClass() }
    self.init(config, classCount: try context.requireClasses())
  }

  public var needs: DataNeeds { .labels }

  public func classRule(for model: Model) -> ClassRule { config.scores }

  public func finish(_ evaluation: Evaluation) throws -> [Measured] {
    let predictions = try evaluation.predictions(by: config.scores, of: classCount, for: Self.name)
    let (predicted, labels) = try evaluation.labelled(predictions, for: "metric '\(Self.name)'")
    let matrix = ConfusionMatrix(truth: try labels.ints(), predicted: try predicted.ints(), classCount: classCount)
    return [measured(matrix, names: (0..<classCount).map(evaluation.className))]
  }
}

/// How many examples of each true class are predicted to be of each class: a matrix.
public struct Confusion: ConfusionMeasure {
  public static let name = "confusion"
  public let config: ClassRuleConfig
  public let classCount: Int

  public init(_ config: ClassRuleConfig, classCount: Int) { (self.config, self.classCount) = (config, classCount) }

  public var timing: MetricTiming { .atEnd }

  public func measured(_ matrix: ConfusionMatrix, names: [String]) -> Measured {
    Measured("confusion", matrix.table(names))
  }
}

/// The share of each class's examples whose class is predicted, averaged over the classes that occur, in percent: each class counts
/// alike, however many examples it has. As scikit-learn's `balanced_accuracy_score`.
public struct BalancedAccuracy: ConfusionMeasure, RankingMetric {
  public static let name = "balanced-accuracy"
  public let config: ClassRuleConfig
  public let classCount: Int

  public init(_ config: ClassRuleConfig, classCount: Int) { (self.config, self.classCount) = (config, classCount) }

  public func goal(of measurement: String) -> Goal? { .highest }

  public func measured(_ matrix: ConfusionMatrix, names: [String]) -> Measured {
    percent("balanced accuracy", matrix.balancedAccuracy)
  }
}

/// `2 TP/(2 TP + FP + FN)` of each class, averaged over the classes that occur or are predicted, in percent. As scikit-learn's
/// `f1_score` with `average="macro"`.
public struct MacroF1: ConfusionMeasure, RankingMetric {
  public static let name = "f1"
  public let config: ClassRuleConfig
  public let classCount: Int

  public init(_ config: ClassRuleConfig, classCount: Int) { (self.config, self.classCount) = (config, classCount) }

  public func goal(of measurement: String) -> Goal? { .highest }

  public func measured(_ matrix: ConfusionMatrix, names: [String]) -> Measured { percent("macro F1", matrix.macroF1) }
}

private func percent(_ name: String, _ share: Double?) -> Measured {
  guard let share else { return Measured(name, missing: "no example has a label", unit: "%") }
  return Measured(name, 100 * share, unit: "%")
}

/// The area under the curve of true against false positives, 0 to 1, of each class against all others by the softmax of the
/// scores, averaged over the classes that occur: the probability that an example of the class has a higher score than another. Of
/// two classes both areas are the same. As scikit-learn's `roc_auc_score` with `multi_class="ovr"`.
///
/// - Throws: `RecipeError` without labels, and without scores.
public struct AreaUnderCurve: ClassifyingMetric, RankingMetric, Component {
  /// Where scores of classes come from.
  public enum Scores: String, Choice { case classifier, latents }

  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("The scores: the classifier's, or the latents.") public var scores = Scores.classifier
    public init() {}
  }

  private let config: Config
  private let classCount: Int

  public init(_ config: Config, in context: BuildContext) throws {
    if config.scores == .latents { try context.requireLatentPerClass() }
    (self.config, classCount) = (config, try context.requireClasses())
  }

  public var needs: DataNeeds { .labels }

  public func classRule(for model: Model) -> ClassRule { config.scores == .latents ? .latents : .classifier }
  public func goal(of measurement: String) -> Goal? { .highest }

  public func finish(_ evaluation: Evaluation) throws -> [Measured] {
    let given = config.scores == .latents ? evaluation.measured.latents : evaluation.scores
    guard let given else {
      throw RecipeError.missing(
        "a classifier", for: "metric 'auc'", fix: "add one, or set metrics.auc.scores=latents")
    }
    let (scores, labels) = try evaluation.labelled(
      given.slice(0..<classCount, axis: 1).to(.float64).softmax(axis: 1), for: "metric 'auc'")
    let areas = try (0..<classCount).compactMap { label -> Double? in
      let isOfClass = try labels .== Double(label)
      guard try isOfClass.any(), try !isOfClass.all() else { return nil }
      return try OperatingCurve(scores: scores.slice(label..<label + 1, axis: 1).squeezed(1), isPositive: isOfClass)
        .area
    }
    guard !areas.isEmpty else { return [Measured("AUC", missing: "fewer than two classes occur")] }
    return [Measured("AUC", areas.reduce(0, +) / Double(areas.count))]
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

  /// Predictions and labels of the measured examples that have a label, `[count]` or `[count, classes]` and `[count]`.
  ///
  /// - Parameter part: How messages call the metric.
  fileprivate func labelled(_ predictions: Tensor, for part: String) throws -> (predictions: Tensor, labels: Tensor) {
    guard let labels = measured.labels else { throw RecipeError.needsLabels(part) }
    guard let labelled = measured.labelled else { return (predictions, labels) }
    let places = try labelled.nonzero().squeezed(1)
    return (try predictions.rows(places), try labels.rows(places))
  }
}
