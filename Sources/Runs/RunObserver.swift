import Training

/// An observer of a run: of its data and model, the progress of training, its results.
///
/// Every method has an empty default, those of `TrainingObserver` too.
public protocol RunObserver: TrainingObserver {
  /// Called before training, after the data are loaded and the model is built.
  func began(_ run: Run)
  /// Called after the results are written.
  func finished(_ run: Run, with results: RunResults)
  /// Called with a remark or a warning that concerns the results.
  func noticed(_ notice: Notice)
}

extension RunObserver {
  public func progressed(_ progress: TrainingProgress) {}
  public func finishedEpoch(_ record: EpochRecord, of epochs: Int) {}
  public func note(_ sentence: String) {}
  public func began(_ run: Run) {}
  public func finished(_ run: Run, with results: RunResults) {}
  public func noticed(_ notice: Notice) {}
}

/// A remark or a warning that concerns a run's results.
public enum Notice: Sendable, Equatable, CustomStringConvertible {
  /// A remark: `mnist: the small set that ships with the package …`.
  case note(String)
  /// A warning, such as of a figure that could not be drawn.
  case warning(String)

  /// `note: …` or `warning: …`.
  public var description: String {
    switch self {
    case .note(let sentence): "note: \(sentence)"
    case .warning(let sentence): "warning: \(sentence)"
    }
  }
}
