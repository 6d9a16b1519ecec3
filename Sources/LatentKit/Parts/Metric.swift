/// Measures a model on a part of the data, in one pass that all metrics share.
///
/// A metric is a value: each evaluation starts from a fresh copy, updates it with every batch, and finishes it.
public protocol Metric: Part {
  /// The time of measurement.
  var timing: MetricTiming { get }

  /// What the metric asks of the evaluation beside the pass: what it does not list it is not given.
  var sources: MetricSources { get }

  /// Takes in one batch, in evaluation mode and without gradients. What it draws from `forward.random` is a stream of its
  /// own: no other number changes by it.
  mutating func update(_ forward: Forward) throws

  /// Returns the result. A value that is not finite is recorded as missing, with the reason.
  func finish(_ evaluation: Evaluation) throws -> [Measured]
}

extension Metric {
  /// Every epoch; at the end for a metric that has sources.
  public var timing: MetricTiming { sources.isEmpty ? .everyEpoch : .atEnd }
  /// None.
  public var sources: MetricSources { [] }
  /// Does nothing: latents, labels and scores are collected for every metric anyway.
  public mutating func update(_ forward: Forward) throws {}
}

/// The time at which a metric is measured.
public enum MetricTiming: Sendable {
  /// On the validation part after each epoch, and at the end.
  case everyEpoch
  /// On a trained model only: for slow metrics.
  case atEnd
}

/// What a metric asks of an evaluation beside the pass over the measured part. Both cost as much as a pass or more.
public struct MetricSources: OptionSet, Sendable {
  /// The sources as bits.
  public let rawValue: Int
  public init(rawValue: Int) { self.rawValue = rawValue }

  /// Decoded draws of the run's sampler, by `Evaluation.samples`. The composer refuses a recipe without a decoder.
  public static let samples = MetricSources(rawValue: 1)
  /// The training part in batches, by `Evaluation.forEachTrainingBatch`.
  public static let trainingInputs = MetricSources(rawValue: 2)
}

extension SlotKey where Role == any Metric {
  /// The slot of metrics.
  public static var metric: Self { Self(.metric) }
}

extension Contribution {
  /// Returns a metric as a contribution, made from a component.
  public static func metric<C: Metric & Component>(
    _ name: String, _ type: C.Type, _ summary: String, with companions: Companions = Companions(), paper: Paper? = nil
  ) -> Contribution { Contribution(.metric, Entry(name, type, summary, with: companions, paper: paper) { $0 }) }
}
