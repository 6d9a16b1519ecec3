import LatentKit
import Statistics

/// Accuracy on classes that are enrolled after training, in percent: the mean of a few latents of each is its centroid, and the other
/// latents are classified by the nearest; among the enrolled classes, and among these and those of training by their class means.
///
/// - Throws: `RecipeError` without labels, for a class with too few examples, or where classes are asked for that the data do not
///   hold out.
public struct EnrolmentMetric: Metric, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting(
      "What is enrolled: unseen classes (data.holdOut), the measured part's, or auto: the first where there are some.")
    public var of = LatentSource.auto
    @Setting("How many examples of each class are enrolled, the first ones.", .within(1...10000)) public var examples =
      5
    public init() {}
  }

  private let config: Config
  private let classCount: Int

  public init(_ config: Config, in context: BuildContext) throws {
    self.config = config
    classCount = try context.requireClasses()
  }

  public var needs: DataNeeds { .labels }
  public var timing: MetricTiming { .atEnd }

  public func finish(_ evaluation: Evaluation) throws -> [Measured] {
    let (latents, labels) = try evaluation.latents(of: config.of, atMost: .max, for: "metric 'enrolment'")
    let members = try labels.ints().reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
    guard let least = members.values.min(), least > config.examples || !evaluation.isRehearsal else {
      return [Measured("enrolment accuracy", missing: "too few examples in a rehearsal", unit: "%")]
    }
    let enrolment: Enrolment
    do { enrolment = try Enrolment(latents, labels: labels, examples: config.examples) } catch let error as RecipeError
    {
      throw RecipeError("metric 'enrolment': \(error)")
    }
    let alone = Measured("enrolment accuracy", 100 * (try enrolment.accuracy()), unit: "%")
    guard config.of != .measured, try evaluation.unseen != nil else { return [alone] }
    let known = try evaluation.training.classMeans(classCount)
    return [
      alone,
      Measured("enrolment accuracy beside known classes", 100 * (try enrolment.accuracy(beside: known)), unit: "%"),
    ]
  }
}
