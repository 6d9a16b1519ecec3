import LatentKit
import Recipes
import Synchronization
import Testing
import Training

/// Warns at the evaluations whose numbers it is given; there is one after each epoch.
private struct Alarm: Metric {
  static let evaluations = Mutex(0)
  func finish(_ evaluation: Evaluation) throws -> [Measured] {
    let number = Alarm.evaluations.withLock { count in
      count += 1
      return count
    }
    var value = Measured("alarm", Double(number))
    if [2, 3, 5].contains(number) { value.warning = "the code has collapsed" }
    return [value]
  }
}

private final class Listener: TrainingObserver {
  var notes: [String] = []
  func progressed(_ progress: TrainingProgress) {}
  func finishedEpoch(_ record: EpochRecord, of epochs: Int) {}
  func note(_ sentence: String) { notes.append(sentence) }
}

@Test func aWarningIsNotedWhenItAppearsAndWhenItComesBack() throws {
  let scratch = try Scratch()
  let alarm = Contribution(.metric, Entry("alarm", "warns", make: { _, _ in Alarm() as any Metric }))
  let composition = try compose(
    """
    encoder: {use: mlp, with: {hidden: [8], latent: 4}}
    metrics: [alarm]
    stages: [{epochs: 5, train: [encoder, decoder], losses: [mse]}]
    """, with: Catalog(plugins, adding: [alarm]))
  // The dry run has asked once.
  Alarm.evaluations.withLock { $0 = 0 }
  let listener = Listener()
  let folder = try scratch.run("warned")
  _ = try Trainer(composition, data: digits(train: 20, validation: 10), folder: folder, observer: listener).run()
  #expect(
    listener.notes == [2, 5].map { "warning: epoch \($0) of stage 'main': the code has collapsed" })
  #expect(try MetricsLog.read(folder.metrics).map { $0.metrics[0].warning != nil } == [false, true, true, false, true])
}
