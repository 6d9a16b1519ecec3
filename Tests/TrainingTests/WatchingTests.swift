import Foundation
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

/// Updates by one step that repeats, and by two steps of a group: the same bits, where they share Adam's moments.
@Test func equalStepsOfAGroupShareTheirOptimizer() throws {
  func trained(_ steps: String, _ name: String) throws -> [String: Data] {
    let scratch = try Scratch()
    let composition = try compose(
      """
      encoder: {use: mlp, with: {hidden: [8], latent: 4, code: point}}
      discriminator: flat
      metrics: []
      stages:
        - epochs: 2
          batch: 20
          steps:
            \(steps)
            - {train: [decoder], losses: [mse]}
      """)
    _ = try Trainer(composition, data: digits(train: 60, validation: 0), folder: scratch.run(name)).run()
    return try weights(composition)
  }
  func group(_ second: String) -> String {
    let step = "{train: [discriminator], ownBatch: true, losses: [least-squares], optimizer: "
    return "- {repeat: 1, steps: [\(step)adam}, \(step)\(second)}]}"
  }
  let repeated = try trained("- {train: [discriminator], repeat: 2, losses: [least-squares], optimizer: adam}", "step")
  #expect(try trained(group("adam"), "group") == repeated)
  // Two rules have moments of their own.
  #expect(try trained(group("{use: adam, with: {learningRate: 0.00100001}}"), "other") != repeated)
}
