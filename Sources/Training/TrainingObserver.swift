import LatentKit

/// Watches training: progress on a terminal, TensorBoard events.
public protocol TrainingObserver: AnyObject {
  /// After each iteration, with means over the epoch so far.
  func progressed(_ progress: TrainingProgress)
  func finishedEpoch(_ record: EpochRecord, of epochs: Int)
  func note(_ sentence: String)
}

public struct TrainingProgress: Sendable {
  public var stage: String
  public var epoch: Int
  public var epochs: Int
  public var iteration: Int
  public var iterationsPerEpoch: Int
  /// Means of the terms since the epoch began.
  public var losses: [(name: String, value: Double)]
  public var examplesPerSecond: Double
  public var secondsLeft: Double
}

public enum TrainingOutcome: Equatable, Sendable {
  case finished
  /// Stopped on request; a checkpoint is written.
  case interrupted
}

/// Training diverged: a loss or a weight is no longer finite.
public struct TrainingError: Error, CustomStringConvertible, Equatable {
  public let description: String
}
