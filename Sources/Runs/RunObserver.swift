import Training

/// Hears about a run as it happens: its data and model, the progress of training, its results.
///
/// Every method does nothing unless implemented, those of `TrainingObserver` too.
public protocol RunObserver: TrainingObserver {
  /// Called before training, when the data are loaded and the model is built.
  func began(_ run: Run)
  /// Called when the results are written.
  func finished(_ run: Run, with results: RunResults)
  /// Called with something that a reader of the results should know.
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

/// Something that a reader of a run's results should know.
public enum Notice: Sendable, Equatable, CustomStringConvertible {
  /// How something was done: `mnist: the small set that ships with the package …`.
  case note(String)
  /// A fault that ends nothing: a picture that could not be drawn.
  case warning(String)

  /// `note: …` or `warning: …`.
  public var description: String {
    switch self {
    case .note(let sentence): "note: \(sentence)"
    case .warning(let sentence): "warning: \(sentence)"
    }
  }
}
