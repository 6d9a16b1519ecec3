import Figures
import Reports
import Training

/// Writes losses, metrics, learning rates and gradient norms to a TensorBoard event file.
final class EventObserver: TrainingObserver {
  private let file: EventFile
  private let observer: (any RunObserver)?

  /// - Parameter observer: Notified of write errors.
  init(_ file: EventFile, reportingTo observer: (any RunObserver)?) { (self.file, self.observer) = (file, observer) }

  func progressed(_ progress: TrainingProgress) {}
  func note(_ sentence: String) {}

  func finishedEpoch(_ record: EpochRecord, of epochs: Int) {
    for (name, value) in record.training.sorted(by: { $0.key < $1.key }) {
      file.scalar("training/\(name)", value, step: record.iteration)
    }
    for (name, value) in record.validation.sorted(by: { $0.key < $1.key }) {
      file.scalar("validation/\(name)", value, step: record.iteration)
    }
    for metric in record.metrics {
      if let value = metric.value { file.scalar("validation/\(metric.name)", value, step: record.iteration) }
    }
    for (index, rate) in record.learningRates.enumerated() {
      file.scalar("rate/step \(index + 1)", rate, step: record.iteration)
    }
    for (name, norm) in (record.gradientNorms ?? [:]).sorted(by: { $0.key < $1.key }) {
      file.scalar("gradient norm/\(name)", norm, step: record.iteration)
    }
    do { try file.flush() } catch { observer?.noticed(.warning("\(error)")) }
  }
}
