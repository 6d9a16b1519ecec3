import Figures
import Foundation
import LatentKit
import Runs
import Testing
import Training

@testable import HostKit

/// A run on seven of ten digits, with the checkpoint of its first epoch.
private func run(in scratch: Scratch) throws -> String {
  try host(
    "train", "--encoder", "mlp", "--decoder", "none", "--classifier", "linear", "--prior", "learned-centroids",
    "--set", "encoder.latent=2", "--set", "encoder.hidden=[16]", "--set", "data.limit=200", "--set",
    "data.embedded=true", "--set", "data.holdOut=[1, 4, 7]", "--loss", "cross-entropy",
    "--loss", "intra-class-variance=0.1",
    "--metric", "accuracy", "--metric", "verification", "--metric", "enrolment", "--metric", "map-at-r", "--epochs",
    "2", "--set", "keepEpochs=[1]", "--runs",
    scratch.path, "--name", "open")
  return scratch.url.appendingPathComponent("open").path
}

@Suite struct OpenSets {
  @Test func heldOutClassesAreMeasuredOnAFinishedRun() throws {
    let scratch = try Scratch()
    let path = try run(in: scratch)
    let opened = try Run(opening: URL(fileURLWithPath: path), catalog: Catalog(plugins))
    #expect(opened.session.dataset.classCount == 7)
    let unseen = try #require(opened.session.unseen)
    #expect(try Set(#require(unseen.examples.labels).ints()) == [0, 1, 2])
    let found = try opened.evaluate().measurements
    let area = try #require(found.first { $0.name == "verification AUC" }?.value)
    #expect(area > 0 && area <= 1)
    let printed = try host("verify", path).output
    #expect(printed.contains("held-out classes of mnist") && printed.contains("of 3 classes"))
    #expect(printed.contains("verification AUC") && printed.contains("accuracy of 5 enrolled examples a class"))
    // The command and the metric compare the same pairs where all examples are compared.
    let all = try host("verify", path, "--examples", "20000").output
    let match = try #require(all.firstMatch(of: /verification AUC +([0-9.]+)/))
    let printedArea = try #require(Double(match.1))
    #expect(unseen.count > 2000 || abs(printedArea - area) < 1e-4)
    #expect(try host("verify", path, "--part", "test").output.contains("test examples of mnist"))
    #expect(try host("verify", path, "--data", "fashion-mnist", "--enrol", "1").output.contains("of 10 classes"))
    // What is written is the first of the ten draws.
    let file = scratch.url.appendingPathComponent("classes.csv")
    let said = try host("verify", path, "--enrol", "3", "--predictions", file.path).output
    #expect(said.contains("the same beside the 7 classes of training") && said.contains("distance at that rate"))
    let rows = try String(contentsOf: file, encoding: .utf8).split(separator: "\r\n").map { $0.split(separator: ",") }
    #expect(rows[0].joined(separator: ",") == "example,class,enrolled,prediction")
    #expect(rows.dropFirst().map { Int($0[0]) } == Array(0..<unseen.count).map { $0 })
    #expect(rows.filter { $0[2] == "yes" }.count == 9 && Set(rows.dropFirst().map { $0[1] }) == ["1", "4", "7"])
    #expect(rows.filter { $0[2] == "no" }.allSatisfy { ["1", "4", "7"].contains($0[3]) })
    #expect(message("verify", path, "--enrol", "5000", "--predictions", file.path).contains("enrol fewer"))
    #expect(message("verify", path, "--predictions", "classes.txt").contains("expected a name that ends in .csv"))
    #expect(message("verify", path, "--examples", "1").contains("--examples is 1, expected 2 to 20000"))
  }

  @Test(.enabled(if: FigurePrograms.missing == nil)) func latentsAreDrawnOverTheEpochs() throws {
    let scratch = try Scratch()
    let path = try run(in: scratch)
    let history = try LatentHistory(opening: URL(fileURLWithPath: path), catalog: Catalog(plugins))
    #expect(history.epochs == [1, 2])
    #expect(history.panels.map(\.title) == ["epoch 1", "epoch 2"])
    #expect(history.panels[0].groups.count == 8 && history.panels[0].groups[7].points.count == 7)
    // Two values are drawn as they are: the last centroids are those of the checkpoint, times the rate.
    let tensors = try Checkpoint.read(RunFolder(URL(fileURLWithPath: path)).checkpoint).tensors
    let centroids = try (#require(tensors["model.prior.centroids"]) * 10).doubles()
    for (place, point) in history.panels[1].groups[7].points.enumerated() {
      #expect(abs(point.x - centroids[2 * place]) < 1e-5 && abs(point.y - centroids[2 * place + 1]) < 1e-5)
    }
    let animation = scratch.url.appendingPathComponent("epochs.png")
    let printed = try host("latents", path, "--animation", animation.path).output
    #expect(printed.contains("epochs   1, 2"))
    #expect(try Data(contentsOf: animation).count > 1000)
    #expect(FileManager.default.fileExists(atPath: "\(path)/figures/latents-epochs.png"))
  }

  @Test func epochsOfAStoppedRunAreThoseThatItTrained() throws {
    let scratch = try Scratch()
    try host(
      "train", "--encoder", "mlp", "--decoder", "none", "--classifier", "linear", "--prior", "standard-normal",
      "--loss",
      "cross-entropy", "--metric", "accuracy", "--set", "encoder.latent=2", "--set", "encoder.hidden=[16]", "--set",
      "data.limit=200", "--set", "data.embedded=true", "--set", "encoder.code=point", "--epochs", "30", "--set",
      "stop={metric: accuracy, patience: 1}", "--runs", scratch.path, "--name", "stopped")
    let folder = RunFolder(scratch.url.appendingPathComponent("stopped"))
    let stop = try #require(RunSummary.read(folder.summary).stops?.first)
    try #require(stop.epochs < 30)
    let history = try LatentHistory(opening: folder.url, catalog: Catalog(plugins))
    #expect(history.epochs.last == stop.epoch)
  }
}
