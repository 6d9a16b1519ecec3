import LatentKit

/// An observer of training: progress on a terminal, TensorBoard events.
public protocol TrainingObserver: AnyObject {
  /// Reports each iteration, with means over the epoch so far.
  func progressed(_ progress: TrainingProgress)
  /// Reports a finished epoch of a stage with `epochs` of them.
  func finishedEpoch(_ record: EpochRecord, of epochs: Int)
  /// Reports an event in a sentence.
  func note(_ sentence: String)
}

/// The progress of a stage.
public struct TrainingProgress: Sendable {
  /// The name of the stage.
  public var stage: String
  /// The current epoch, from 1.
  public var epoch: Int
  /// The epochs of the stage.
  public var epochs: Int
  /// The iterations done in the epoch.
  public var iteration: Int
  /// The iterations of an epoch.
  public var iterationsPerEpoch: Int
  /// Means of the terms since the epoch began.
  public var losses: [(name: String, value: Double)]
  /// The speed of training, in examples per second.
  public var examplesPerSecond: Double
  /// The estimated time left in seconds.
  public var secondsLeft: Double
}

/// The end of a call to train.
public enum TrainingOutcome: Equatable, Sendable {
  /// All stages are trained.
  case finished
  /// Stopped on request; a checkpoint is written.
  case interrupted
}

/// Training diverged: a loss or a weight is no longer finite.
public struct TrainingError: Error, CustomStringConvertible, Equatable {
  public let description: String
}
