/// Measures a model on a part of the data, in one pass that all metrics share.
///
/// A metric is a value: each evaluation starts from a fresh copy, updates it with every batch, and finishes it.
public protocol Metric: Part {
  /// The time of measurement.
  var timing: MetricTiming { get }

  /// Takes in one batch, in evaluation mode and without gradients. What it draws from `forward.random` is a stream of its
  /// own: no other number changes by it.
  mutating func update(_ forward: Forward) throws

  /// Returns the result. A value that is not finite is recorded as missing, with the reason.
  func finish(_ evaluation: Evaluation) throws -> [Measured]
}

extension Metric {
  /// Every epoch.
  public var timing: MetricTiming { .everyEpoch }
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
