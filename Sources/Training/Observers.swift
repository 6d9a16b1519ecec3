import LatentKit

/// Several observers as one.
public final class Observers: TrainingObserver {
  private let observers: [any TrainingObserver]
  /// Creates one observer from several.
  public init(_ observers: [any TrainingObserver]) { self.observers = observers }
  public func progressed(_ progress: TrainingProgress) { for observer in observers { observer.progressed(progress) } }
  public func finishedEpoch(_ record: EpochRecord, of epochs: Int) {
    for observer in observers { observer.finishedEpoch(record, of: epochs) }
  }
  public func note(_ sentence: String) { for observer in observers { observer.note(sentence) } }
}
