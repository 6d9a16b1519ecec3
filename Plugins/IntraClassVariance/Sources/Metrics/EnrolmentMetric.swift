import LatentKit
import Statistics

/// Accuracy on classes that are enrolled after training, in percent: the mean of a few latents of each is its centroid, and the other
/// latents are classified by the nearest; among the enrolled classes, and among these and those of training by their class means.
/// Which are enrolled is drawn, and the accuracy is the mean over draws.
///
/// - Throws: `RecipeError` without labels, for a class with too few examples, or where classes are asked for that the data do not
///   hold out.
public struct EnrolmentMetric: Metric, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting(
      "What is enrolled: unseen classes (data.holdOut), the measured part's, or auto: the first where there are some.")
    public var of = LatentSource.auto
    @Setting("How many examples of each class are enrolled.", .within(1...10000)) public var examples = 5
    @Setting("Random choices of them, the same at each evaluation, over which accuracy is averaged.", .within(1...1000))
    public var draws = 10
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
    let known =
      try config.of == .measured || evaluation.unseen == nil ? nil : evaluation.training.classMeans(classCount)
    var (alone, beside) = (0.0, 0.0)
    for _ in 0..<config.draws {
      let order = try evaluation.random.permutation(labels.size(0)).ints()
      let enrolment: Enrolment
      do { enrolment = try Enrolment(latents, labels: labels, examples: config.examples, order: order) } catch let error
        as RecipeError
      { throw RecipeError("metric 'enrolment': \(error)") }
      alone += try enrolment.accuracy()
      if let known { beside += try enrolment.accuracy(beside: known) }
    }
    func measured(_ name: String, _ sum: Double) -> Measured {
      Measured(name, 100 * sum / Double(config.draws), unit: "%")
    }
    return [measured("enrolment accuracy", alone)]
      + (known == nil ? [] : [measured("enrolment accuracy beside known classes", beside)])
  }
}
