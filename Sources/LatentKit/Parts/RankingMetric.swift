/// Which values of a number are better.
public enum Goal: String, CaseIterable, Codable, Sendable {
  /// Lower ones, as of a loss.
  case lowest
  /// Higher ones, as of an accuracy.
  case highest

  /// Returns whether a value is better than another by more than `margin`.
  public func prefers(_ value: Double, to other: Double, by margin: Double = 0) -> Bool {
    self == .lowest ? value < other - margin : value > other + margin
  }
}

/// A metric whose measurements say which of two models is better. Others describe a model, and rank none: a rate, a diversity.
public protocol RankingMetric: Metric {
  /// Returns which values of a measurement are better, by its name; nil for one that ranks no models.
  func goal(of measurement: String) -> Goal?
}
