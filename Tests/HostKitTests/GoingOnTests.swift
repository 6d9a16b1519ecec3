import Foundation
import LatentKit
import Recipes
import Runs
import Testing
import Training

@testable import HostKit

/// What a researcher types after a run: more epochs, another seed, its parts, its measurements again.
@Suite struct AfterARun {
  private let scratch: Scratch
  private let place: [String]

  init() throws {
    scratch = try Scratch()
    place = ["--runs", scratch.path]
  }

  private func recipe(_ stages: String) throws -> String {
    try scratch.write(
      """
      about: a table of its own
      data: {use: mnist, with: {embedded: true, limit: 120}}
      encoder: {use: mlp, with: {latent: 4, hidden: [8]}}
      decoder: none
      classifier: linear
      noise: none
      metrics: [accuracy]
      stages: [\(stages)]
      """, to: "\(UUID().uuidString).yaml")
  }

  private func stage(_ epochs: Int, _ more: String = "") -> String {
    "{epochs: \(epochs), batch: 50, \(more)losses: [cross-entropy], optimizer: adam, schedule: constant}"
  }

  private func folder(_ name: String) -> RunFolder { RunFolder(scratch.url.appendingPathComponent(name)) }

  private func model(_ name: String) throws -> [String: Data] {
    try Checkpoint.read(folder(name).checkpoint).tensors.mapValues { try $0.bytes() }
  }

  @Test func aFinishedRunGoesOnWithMoreEpochs() throws {
    let file = try recipe(stage(2))
    try host(["train", file, "--name", "parts"] + place)
    try host(["train", file, "--name", "whole", "--epochs", "4"] + place)
    let path = folder("parts").url.path
    let printed = try host("train", "--resume", path, "--epochs", "4")
    #expect(try model("parts") == model("whole"))
    #expect(printed.errors.contains("schedule") == false)
    let (one, other) = (try RunSummary.read(folder("parts").summary), try RunSummary.read(folder("whole").summary))
    #expect(one.epochs == 4 && one.testLosses == other.testLosses)
    #expect(try Recipe.read(folder("parts").recipe).recipe == Recipe.read(folder("whole").recipe).recipe)
    // All of its files are still its own.
    #expect(folder("parts").owns("figures/curves.png") && folder("parts").owns("summary.json"))
    #expect(
      message("train", "--resume", path, "--epochs", "3").contains("has trained 4 epochs of stage 'main', found 3"))
    #expect(
      message("train", "--resume", path, "--set", "encoder.latent=5").contains("but for more epochs of its last stage"))
    #expect(message("train", "--resume", "--epochs", "4").contains("--resume needs a run"))
    #expect(message("train", "--resume", scratch.path + "/gone").contains("there is no run in"))
  }

  @Test func aScheduleThatGoesByTheNumberOfEpochsIsMentioned() throws {
    let file = try recipe(stage(2).replacing("constant", with: "cosine"))
    try host(["train", file, "--name", "cosine"] + place)
    let printed = try host("train", "--resume", folder("cosine").url.path, "--epochs", "4")
    #expect(
      printed.errors.contains(
        "schedule 'cosine' goes by the number of epochs: the first 2 followed it over 2, the rest follow it over 4"))
  }

  @Test func ofSeveralStagesTheLastOneGoesOn() throws {
    let (first, second) = (stage(1, "name: a, "), stage(1, "name: b, "))
    try host(["train", try recipe("\(first), \(second)"), "--name", "two"] + place)
    let path = folder("two").url.path
    #expect(
      message("train", "--resume", path, "--epochs", "3").contains(
        "goes on with its last one only: name its epochs, as in --set stages.b.epochs=2"))
    try host("train", "--resume", path, "--set", "stages.b.epochs=3")
    #expect(try MetricsLog.read(folder("two").metrics).map(\.stage) == ["a", "b", "b", "b"])
  }

  @Test func whatWasMeasuredIsSaid() throws {
    let file = try recipe(stage(30, "stop: {patience: 2}, "))
    let printed = try host(["train", file, "--name", "stop", "--set", "optimizer.learningRate=0.05"] + place)
    let summary = try RunSummary.read(folder("stop").summary)
    let stop = try #require(summary.stops?.first)
    #expect(stop.epochs < 30 && summary.epochs == stop.epochs && stop.epoch < stop.epochs)
    let sentence = "the weights of epoch \(stop.epoch) of stage 'main', the best by 'total' on the validation part"
    #expect(printed.output.contains("stage 'main' stops after epoch \(stop.epochs) of 30"))
    #expect(printed.output.contains("measured \(sentence)"))
    #expect(
      try String(contentsOf: folder("stop").report, encoding: .utf8).contains(
        "the weights of epoch \(stop.epoch) of stage"))
    let again = try host("evaluate", folder("stop").url.path)
    #expect(again.errors.contains(sentence))
    let last = try host("evaluate", folder("stop").url.path, "--epoch", "\(stop.epochs)")
    #expect(last.output != again.output)
    #expect(
      message("train", "--resume", folder("stop").url.path, "--epochs", "40").contains(
        "when its patience of 2 was over; raise that"))
    #expect(
      message(["train", file, "--name", "no", "--set", "data.validation=0"] + place).contains(
        "test data choose nothing"))
  }

  @Test func aRunStandsWhereARecipeDoes() throws {
    let file = try recipe(stage(1))
    try host(["train", file, "--name", "one"] + place)
    let path = folder("one").url.path
    try host(["train", path, "--set", "seed=2", "--name", "other"] + place)
    var stored = try Recipe.read(folder("other").recipe).recipe
    #expect(stored.seed == 2)
    stored.seed = 0
    #expect(try stored == Recipe.read(folder("one").recipe).recipe)
    try host(
      [
        "train", "--encoder", path, "--freeze", "encoder", "--decoder", "mlp", "--set", "data.limit=120", "--epochs",
        "1", "--name", "third",
      ] + place)
    let (before, after) = (try model("one"), try model("third"))
    let names = before.keys.filter { $0.hasPrefix("model.encoder.") }
    #expect(!names.isEmpty && names.allSatisfy { before[$0] == after[$0] })
    #expect(message("train", scratch.path).contains("found a folder without a recipe.yaml"))
    // A text about what it reproduces is about its own data.
    let own = try host(["train", file, "--dry-run"])
    #expect(own.output.contains("about: a table of its own"))
    let others = try host(["train", file, "--dry-run", "--data", "fashion-mnist", "--set", "data.embedded=true"])
    #expect(!others.output.contains("about:"))
    let set = try host(["train", file, "--dry-run", "--set", "data=fashion-mnist", "--set", "data.embedded=true"])
    #expect(!set.output.contains("about:"))
  }

  @Test func eachRunOfAStudyIsMeasured() throws {
    try host(["train", try recipe(stage(1)), "--seeds", "1,2", "--name", "study"] + place)
    let values = try ["seed-1", "seed-2"].map {
      try #require(RunSummary.read(folder("study/\($0)").summary).testMetrics.first?.value)
    }
    let printed = try host("evaluate", folder("study").url.path)
    let mean = String(format: "accuracy %.2f %% ±", (values[0] + values[1]) / 2)
    #expect(printed.output.contains("over 2 runs of") && printed.output.contains(mean))
    #expect(message("sample", folder("study").url.path).contains("holds a study of 2 runs; name one of them, as in"))
    // Its runs stay as they are.
    #expect(
      message("train", "--resume", folder("study/seed-1").url.path, "--epochs", "2").contains(
        "is one of a study, which counts on its recipe"))
  }

  @Test func aRunThatGoesOnKeepsItsThreads() throws {
    try host(["train", try recipe(stage(1)), "--name", "run"] + place)
    let trained = try Checkpoint.read(folder("run").checkpoint).machine.threads
    var machine = Machine()
    machine.keep(folder("run"))
    #expect(machine.threads == trained && machine.device == .cpu)
    var other = Machine(threads: trained + 1)
    other.keep(folder("run"), threads: false)
    #expect(other.threads == trained + 1)
    var fresh = Machine()
    fresh.keep(folder("nothing"))
    #expect(fresh == Machine())
  }

  @Test func aCommandThatIsNoneHasASuggestion() {
    #expect(
      message("compse", "--encoder", "mlp").contains("there is no command 'compse'")
        && message("compse").contains("Did you mean 'compose'?"))
    #expect(message("data", "fecth", "mnist").contains("Did you mean 'fetch'?"))
  }
}
