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

/// The progress of training inside an epoch.
public struct TrainingProgress: Sendable {
  /// The name of the stage.
  public var stage: String
  /// The epoch, from 1.
  public var epoch: Int
  /// The epochs of the stage.
  public var epochs: Int
  /// Iterations of the epoch done.
  public var iteration: Int
  /// Iterations of an epoch.
  public var iterationsPerEpoch: Int
  /// Means of the terms since the epoch began.
  public var losses: [(name: String, value: Double)]
  /// Training examples per second.
  public var examplesPerSecond: Double
  /// An estimate of the seconds until training ends.
  public var secondsLeft: Double
  /// Whether the epoch's batches are done and the validation part is being measured.
  public var isValidating = false
}

/// The way training ended.
public enum TrainingOutcome: Equatable, Sendable {
  /// All stages are trained.
  case finished
  /// Stopped on request; a checkpoint is written.
  case interrupted
}

/// Training diverged: a loss or a weight is no longer finite.
public struct TrainingError: Error, CustomStringConvertible, Equatable {
  /// One sentence: found, expected, what to do.
  public let description: String
}
