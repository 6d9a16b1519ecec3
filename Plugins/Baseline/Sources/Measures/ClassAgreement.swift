import LatentKit

/// Share of reconstructions that an independently trained classifier finds to be of the original's class, in percent: by the label
/// (`class agreement`), and by what the same classifier says of the original (`class agreement with originals`). The classifier's
/// accuracy on the originals stands beside them, since no reconstruction can be expected to do better. A table has all three by class.
///
/// - Shapes: inputs and reconstructions `[batch] + inputShape`, labels `[batch]`.
/// - Throws: `RecipeError` without a decoder, labels, or a run with a classifier of the same classes.
public struct ClassAgreement: Metric, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting(IndependentClassifier.help) public var classifier: String? = nil
    public init() {}
  }

  private let judge: IndependentClassifier
  private var made: ClassShares
  private var originals: ClassShares
  private var same: ClassShares

  public init(_ config: Config, in context: BuildContext) throws {
    try context.requireDecoder()
    let classes = try context.requireClasses()
    judge = try IndependentClassifier(config.classifier, in: context)
    (made, originals, same) = (
      ClassShares(classes: classes), ClassShares(classes: classes), ClassShares(classes: classes)
    )
  }

  public var needs: DataNeeds { .labels }
  public var timing: MetricTiming { .atEnd }

  public mutating func update(_ forward: Forward) throws {
    guard let (labels, places) = try forward.batch.visibleLabels() else { return }
    let ofOriginals = try judge.classes(of: forward.inputs).rows(places)
    let ofMade = try judge.classes(of: forward.reconstruction).rows(places)
    try made.add(labels, found: ofMade)
    try originals.add(labels, found: ofOriginals)
    try same.add(labels, areRight: ofMade .== ofOriginals)
  }

  public func finish(_ evaluation: Evaluation) -> [Measured] {
    let names = made.counts.indices.map(evaluation.className)
    let table = MeasuredTable(
      rowTitle: "class", rows: names, columnTitle: "share",
      columns: ["examples", "agreement, %", "agreement with originals, %", "classifier accuracy, %"],
      values: names.indices.map {
        [Double(made.counts[$0]), made.percents[$0], same.percents[$0], originals.percents[$0]]
      }, isMatrix: false)
    return [
      Measured("class agreement", made.percent, unit: "%"),
      Measured("class agreement with originals", same.percent, unit: "%"),
      Measured("classifier accuracy on originals", originals.percent, unit: "%"),
      Measured("class agreement by class", table),
    ]
  }
}

/// Share of samples that an independently trained classifier finds to be of the class that they were drawn for, in percent, and
/// a table by class. As many samples are drawn of each class.
///
/// Missing where neither the sampler nor the decoder follows classes.
///
/// - Shapes: samples `[count] + inputShape`.
/// - Throws: `RecipeError` without a decoder, labels, or a run with a classifier of the same classes.
public struct SampleClassAgreement: Metric, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting(IndependentClassifier.help) public var classifier: String? = nil
    @Setting("How many samples are judged, of the classes in turn.", .sampleCount) public var samples =
      defaultSampleCount
    public init() {}
  }

  private let config: Config
  private let judge: IndependentClassifier

  public init(_ config: Config, in context: BuildContext) throws {
    self.config = config
    _ = try context.requireClasses()
    judge = try IndependentClassifier(config.classifier, in: context)
  }

  public var needs: DataNeeds { .labels }
  public var sources: MetricSources { .samples }

  public func finish(_ evaluation: Evaluation) throws -> [Measured] {
    let samples = try evaluation.samples(config.samples, ofClasses: true)
    guard let labels = samples.labels else {
      return [Measured("sample class agreement", missing: SampleSet.withoutClasses, unit: "%")]
    }
    var shares = ClassShares(classes: evaluation.classCount ?? 0)
    try shares.add(labels, found: judge.classes(of: samples.inputs))
    let names = shares.counts.indices.map(evaluation.className)
    let table = MeasuredTable(
      rowTitle: "class", rows: names, columnTitle: "share", columns: ["samples", "agreement, %"],
      values: names.indices.map { [Double(shares.counts[$0]), shares.percents[$0]] }, isMatrix: false)
    return [
      Measured("sample class agreement", shares.percent, unit: "%"), Measured("sample class agreement by class", table),
    ]
  }
}

extension SampleSet {
  /// Why there is no number about the classes of samples.
  static let withoutClasses =
    "neither the sampler nor the decoder follows classes; choose a sampler that does, class-gaussian say"
}
