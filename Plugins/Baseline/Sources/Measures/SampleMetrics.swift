import LatentKit
import Statistics

/// Squared Fréchet distance of samples to the measured part in the feature space of an independently trained classifier (Heusel et al.
/// 2017, with that classifier in the Inception network's place): of two Gaussians with the moments of the features. 0 or more, lower
/// is better; comparable at one classifier and one count only, since few samples raise it.
///
/// Missing where a side has no more examples than features have dimensions: its covariance is singular whatever the samples are.
///
/// - Shapes: samples and inputs `[count] + inputShape`.
/// - Throws: `RecipeError` without a decoder or a run with a classifier of the same classes.
public struct SampleFrechetDistance: Metric, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting(IndependentClassifier.help) public var classifier: String? = nil
    @Setting("How many samples are compared.", .sampleCount) public var samples = defaultSampleCount
    @Setting(FeatureSpace.trainingHelp) public var training = false
    public init() {}
  }

  private var space: FeatureSpace

  public init(_ config: Config, in context: BuildContext) throws {
    space = try FeatureSpace(
      config.classifier, samples: config.samples, comparesTraining: config.training, in: context)
    guard config.samples > space.dimensions else {
      throw RecipeError(
        "\(context.title) found samples \(config.samples) in a feature space of \(space.dimensions) dimensions, expected more "
          + "samples than dimensions; raise samples to ten times the dimensions, \(10 * space.dimensions), or more")
    }
  }

  public var sources: MetricSources { space.sources }
  public mutating func update(_ forward: Forward) throws { try space.update(forward) }

  public func finish(_ evaluation: Evaluation) throws -> [Measured] {
    try space.measure([("Fréchet distance", "")], evaluation) { real, others in
      guard min(real.shape[0], others.shape[0]) > space.dimensions else {
        return .failure(
          Missing(
            "found \(real.shape[0]) measured examples and \(others.shape[0]) others, expected more than the \(space.dimensions) "
              + "dimensions of features"))
      }
      return .success([try FrechetDistance(real, others).value])
    }
  }
}

/// Kernel inception distance of samples to the measured part (Bińkowski et al. 2018) in the feature space of an independently trained
/// classifier: the unbiased squared maximum mean discrepancy under `k(a, b) = (a·b/d + 1)³`. About 0 for samples as good as data,
/// below 0 by chance, lower is better; its expectation does not depend on the count. `kid spread` is its standard error, by the
/// deviation between estimates of disjoint subsets.
///
/// - Shapes: samples and inputs `[count] + inputShape`.
/// - Throws: `RecipeError` without a decoder or a run with a classifier of the same classes.
public struct KernelInceptionDistance: Metric, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting(IndependentClassifier.help) public var classifier: String? = nil
    @Setting("How many samples are compared.", .sampleCount) public var samples = defaultSampleCount
    @Setting("How many disjoint subsets the spread is estimated from.", .within(2...1000)) public var subsets = 10
    @Setting(FeatureSpace.trainingHelp) public var training = false
    public init() {}
  }

  private let subsets: Int
  private var space: FeatureSpace

  public init(_ config: Config, in context: BuildContext) throws {
    guard config.samples >= 2 * config.subsets else {
      throw RecipeError(
        "\(context.title) found \(config.samples) samples in \(config.subsets) subsets, expected two or more in each; raise samples"
      )
    }
    subsets = config.subsets
    space = try FeatureSpace(
      config.classifier, samples: config.samples, comparesTraining: config.training, in: context)
  }

  public var sources: MetricSources { space.sources }
  public mutating func update(_ forward: Forward) throws { try space.update(forward) }

  public func finish(_ evaluation: Evaluation) throws -> [Measured] {
    try space.measure([("kid", ""), ("kid spread", "")], evaluation) { real, others in
      let least = min(real.shape[0], others.shape[0])
      guard least >= 2 * subsets else {
        return .failure(Missing("found \(least) examples in \(subsets) subsets, expected two or more in each"))
      }
      let parts = try KernelDistance.ofSubsets(real, others, subsets: subsets)
      let mean = parts.reduce(0, +) / Double(subsets)
      let squares = parts.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      let error = (squares / Double(subsets - 1) / Double(subsets)).squareRoot()
      return .success([try KernelDistance.unbiased(real, others), error])
    }
  }
}

/// Precision and recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al. 2020) of samples, by nearest neighbours in the
/// feature space of an independently trained classifier. Precision and density tell how real samples are, recall and coverage how
/// much of the data they make.
///
/// The measured part and samples are compared in equal numbers: where there are more examples, some spread evenly.
///
/// - Shapes: samples and inputs `[count] + inputShape`.
/// - Throws: `RecipeError` without a decoder or a run with a classifier of the same classes.
public struct PrecisionRecall: Metric, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting(IndependentClassifier.help) public var classifier: String? = nil
    @Setting("How many samples are compared.", .sampleCount) public var samples = defaultSampleCount
    @Setting(
      "A ball reaches to this many-th nearest neighbour: 5 in the paper of density, 3 in that of precision.",
      .within(1...1000))
    public var neighbors = 5
    @Setting(FeatureSpace.trainingHelp) public var training = false
    public init() {}
  }

  private let neighbors: Int
  private var space: FeatureSpace

  public init(_ config: Config, in context: BuildContext) throws {
    guard config.samples > config.neighbors else {
      throw RecipeError(
        "\(context.title) found \(config.samples) samples and \(config.neighbors) neighbours, expected more samples; raise samples"
      )
    }
    neighbors = config.neighbors
    space = try FeatureSpace(
      config.classifier, samples: config.samples, comparesTraining: config.training, in: context)
  }

  public var sources: MetricSources { space.sources }
  public mutating func update(_ forward: Forward) throws { try space.update(forward) }

  public func finish(_ evaluation: Evaluation) throws -> [Measured] {
    try space.measure([("precision", "%"), ("recall", "%"), ("density", ""), ("coverage", "%")], evaluation) {
      let count = min($0.shape[0], $1.shape[0])
      guard count > neighbors else {
        return .failure(Missing("found \(count) examples, expected more than the \(neighbors) neighbours"))
      }
      func some(_ rows: Tensor) throws -> Tensor { try rows.rows(EvenChoice(count, of: rows.shape[0]).all) }
      let found = try Neighborhoods(real: some($0), generated: some($1), neighbors: neighbors)
      return .success([100 * found.precision, 100 * found.recall, found.density, 100 * found.coverage])
    }
  }
}
