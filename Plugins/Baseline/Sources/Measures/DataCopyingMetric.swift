import LatentKit
import Statistics

/// Whether samples copy training examples (Meehan, Chaudhuri & Dasgupta 2020): the distance of each sample to the nearest training
/// example beside that of each example of the measured part, which training has not seen. By the values of inputs, or in the feature
/// space of an independently trained classifier.
///
/// `novelty of samples` is the share of pairs in which the sample is the farther one: 50 % for samples as new as fresh data, 0 for
/// copies. `data-copying score` is the same as a standard normal deviate: far below 0 where samples copy.
///
/// The measured part and samples are compared in equal numbers: where there are more examples, some spread evenly.
///
/// - Shapes: samples and inputs `[count] + inputShape`.
/// - Throws: `RecipeError` without a decoder, or for a run without a classifier of the same classes.
public struct DataCopyingMetric: Metric, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting(
      "The folder of a finished run with a classifier, in whose features distances are; unset: of the inputs' values.")
    public var classifier: String? = nil
    @Setting("How many samples are compared.", .sampleCount) public var samples = defaultSampleCount
    public init() {}
  }

  private let sampleCount: Int
  private let judge: IndependentClassifier?
  private var measured: [Tensor] = []

  public init(_ config: Config, in context: BuildContext) throws {
    sampleCount = config.samples
    judge = try config.classifier.map { try IndependentClassifier($0, in: context) }
  }

  public var sources: MetricSources { [.samples, .trainingInputs] }

  public mutating func update(_ forward: Forward) throws { measured.append(try rows(forward.inputs)) }

  public func finish(_ evaluation: Evaluation) throws -> [Measured] {
    let unseen = try Tensor.concatenate(measured)
    let samples = try rows(evaluation.samples(sampleCount).inputs)
    guard try samples.isFinite().all(), try unseen.isFinite().all() else {
      let reason = "values are not finite; the decoder or the classifier diverged"
      return [
        Measured("novelty of samples", missing: reason, unit: "%"), Measured("data-copying score", missing: reason),
      ]
    }
    let compared = try unseen.rows(EvenChoice(samples.size(0), of: unseen.size(0)).all)
    let both = try Tensor.concatenate([samples, compared])
    var nearest: Tensor?
    try evaluation.forEachTrainingBatch { batch in
      nearest = try DataCopying.nearest(both, among: rows(batch.inputs), known: nearest)
    }
    guard let nearest else { throw RecipeError("metric 'data-copying' found no training examples") }
    let count = try samples.size(0)
    let distances = (
      samples: try nearest.slice(0..<count), unseen: try nearest.slice(count..<both.size(0))
    )
    let found = try DataCopying(samples: distances.samples, unseen: distances.unseen)
    return [
      Measured("novelty of samples", 100 * found.share, unit: "%"), Measured("data-copying score", found.score),
      Measured("distance of samples to training", try distances.samples.mean().item()),
      Measured("distance of measured part to training", try distances.unseen.mean().item()),
    ]
  }

  /// What distances are of: `[count, dimensions]` Float64, on the CPU.
  private func rows(_ inputs: Tensor) throws -> Tensor {
    try judge?.features(of: inputs) ?? inputs.flattened().to(.float64).to(.cpu)
  }
}
