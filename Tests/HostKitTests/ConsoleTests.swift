import LatentKit
import Testing

@testable import HostKit
@testable import Training

@Suite struct Consoles {
  private func progress(_ iteration: Int) -> TrainingProgress {
    TrainingProgress(
      stage: "main", epoch: 2, epochs: 5, iteration: iteration, iterationsPerEpoch: 10, losses: [("mse", 0.0123456)],
      examplesPerSecond: 1234.5, secondsLeft: 125)
  }

  @Test func aTerminalGetsABarAndAPipeGetsPlainLines() {
    var shown = ""
    let bar = ConsoleProgress(isTerminal: true) { shown += $0 }
    bar.progressed(progress(5))
    #expect(shown.contains("\r") && shown.contains("█") && shown.contains("mse 0.01235") && shown.contains("2:05 left"))
    var lines = ""
    let plain = ConsoleProgress(isTerminal: false) { lines += $0 }
    plain.progressed(progress(5))
    plain.finishedEpoch(
      EpochRecord(
        stage: "main", epoch: 2, iteration: 20, training: ["mse": 0.5], validation: ["mse": 0.6],
        metrics: [.init("accuracy", 98.7654, unit: "%")], learningRates: [0.1], seconds: 61, examplesPerSecond: 100),
      of: 5)
    #expect(!lines.contains("\r") && !lines.contains("█"))
    #expect(lines == "main 2/5  mse 0.5  | validation: mse 0.6  accuracy 98.77 %  | 100 examples/s, 1:01\n")
  }

  /// The last batch is over, and measuring may take longer than the epoch: no bar stands at 100 %.
  @Test func whileTheValidationPartIsMeasuredTheBarSaysSo() {
    var shown = ""
    let bar = ConsoleProgress(isTerminal: true) { shown += $0 }
    bar.progressed(progress(9))
    var last = progress(10)
    last.isValidating = true
    // At once after the other.
    bar.progressed(last)
    #expect(shown.contains("validating") && !shown.contains("100 %"))
  }

  @Test func listsSayWhatTheStepOfAPartDoes() {
    let clip = Action.project(PartChoice("clip", with: ["limit": 0.1]), parameters: ["discriminator"])
    let step = Step(
      train: ["discriminator"], repeat: 2, losses: ["critic", PartChoice("penalty", weight: 10)], after: [clip])
    let companions = Companions(steps: [step], joining: [.decoder: [PartChoice("adversarial", weight: 0.01)]])
    #expect(
      companions.list == [
        "a step that trains discriminator 2 times a batch by critic + 10.0 penalty then clip (limit 0.1)",
        "loss for decoder 0.01 adversarial",
      ])
    let own = Step(train: ["discriminator"], ownBatch: true, losses: ["critic"])
    #expect(
      Companions(steps: [Step(repeat: 5, steps: [own, step])], after: [.decoder: [clip]]).list == [
        "a group 5 times a batch of a step that trains discriminator on a batch of its own by critic and "
          + "a step that trains discriminator 2 times a batch by critic + 10.0 penalty then clip (limit 0.1)",
        "after steps of decoder: clip (limit 0.1)",
      ])
  }
}
