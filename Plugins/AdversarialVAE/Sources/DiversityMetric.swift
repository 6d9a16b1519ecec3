import LatentKit

/// How much reconstructions, or samples, differ from each other: the variance of a decoded value over examples, averaged over
/// values, in parts of that of the inputs; with a warning where all are nearly the same.
///
/// - Shapes: inputs and reconstructions `[batch] + inputShape`.
/// - Throws: `RecipeError` without a decoder.
public struct DiversityMetric: Metric, Component {
  /// What is compared.
  public enum Source: String, Choice { case reconstructions, samples }

  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("What is compared: reconstructions, each epoch, or samples, at the end.") public var of = Source
      .reconstructions
    @Setting("The number of samples.", .within(2...1_000_000)) public var count = 500
    public init() {}
  }

  /// The diversity below which a decoder counts as collapsed.
  public static let collapse = 0.01

  private let config: Config
  private var count = 0.0
  private var inputs = Sums()
  private var outputs = Sums()

  /// Sums over examples of each value and of its square.
  private struct Sums {
    private var sums: (values: Tensor, squares: Tensor)?

    mutating func add(_ values: Tensor) throws {
      let values = try values.to(.float64)
      let (sum, squares) = (try values.sum(axis: 0), try values.square().sum(axis: 0))
      sums = try sums.map { (try $0.values + sum, try $0.squares + squares) } ?? (sum, squares)
    }

    /// The variance of each value over so many examples, averaged over values.
    func variance(over count: Double) throws -> Double {
      guard let sums else { return 0 }
      return try (sums.squares / count - (sums.values / count).square()).mean().item()
    }
  }

  public init(_ config: Config, in context: BuildContext) { self.config = config }

  public var sources: MetricSources { config.of == .samples ? .samples : [] }

  public mutating func update(_ forward: Forward) throws {
    count += try Double(forward.inputs.size(0))
    try inputs.add(forward.inputs)
    if config.of == .reconstructions { try outputs.add(forward.reconstruction) }
  }

  public func finish(_ evaluation: Evaluation) throws -> [Measured] {
    let name = config.of == .samples ? "diversity of samples" : "diversity"
    let given = try inputs.variance(over: count)
    guard given > 0 else { return [Measured(name, missing: "the inputs are all the same")] }
    var (made, number) = (outputs, count)
    if config.of == .samples {
      let samples = try evaluation.samples(config.count).inputs
      try made.add(samples)
      number = try Double(samples.size(0))
    }
    var diversity = Measured(name, try made.variance(over: number) / given)
    if evaluation.isTrained(.decoder), let value = diversity.value, value < DiversityMetric.collapse {
      diversity.warning =
        "the decoder makes nearly the same of every \(config.of == .samples ? "draw" : "input") (under "
        + "\(DiversityMetric.collapse) of the variance of inputs); lower the weight of 'adversarial' if there is one, and see "
        + "whether the code has collapsed"
    }
    return [diversity]
  }
}
