import LatentKit
import Statistics

/// Accuracy in percent on the training examples whose labels a model has learned from: beside `accuracy` it shows how far a network of few
/// labels overfits, as the training accuracy of a `probe` does for a small classifier. Codes are means. At most 10,000 examples count, as
/// there: the first in the seed's order of labels.
///
/// - Throws: `RecipeError` without labels, and without what should tell classes.
public struct TrainingAccuracy: Metric, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting(
      "How many labelled examples the model has learned from: the 'examples' of its stage; all that have a label unless set.",
      .atLeast(1))
    public var examples: Int? = nil
    @Setting("What tells the class, as in accuracy.") public var scores = ClassRule.classifier
    public init() {}
  }

  private let config: Config
  private let context: BuildContext
  private let classCount: Int

  public init(_ config: Config, in context: BuildContext) throws {
    classCount = try context.requireClasses()
    (self.config, self.context) = (config, context)
  }

  public var needs: DataNeeds { .labels }
  public var timing: MetricTiming { .atEnd }

  public func finish(_ evaluation: Evaluation) throws -> [Measured] {
    let (training, name) = (try evaluation.training, "training accuracy")
    guard let labels = training.labels else { throw RecipeError.needsLabels(context.title) }
    let order = try LabelOrder(training, seed: context.seed)
    let wanted = config.examples ?? order.count
    guard wanted <= order.count, wanted > 0 else {
      return [Measured(name, missing: "the training part has \(order.count) labelled examples", unit: "%")]
    }
    let places = order.prefix(min(wanted, ProbeMetric.trainingCount))
    let latents = try training.latents.rows(places)
    let classifier = evaluation.model.classifier
    let predictor = try ClassPredictor(
      config.scores, under: evaluation.prior, hasScores: classifier != nil, classCount: classCount,
      training: { training }, for: context.title, setting: "metrics.training-accuracy.scores")
    let found = try predictor.classes(latents, scores: classifier?.scores(LatentBatch(latents)))
    let share = try (found .== labels.rows(places)).to(.float64).mean().item()
    return [Measured(name, 100 * share, unit: "%")]
  }
}
