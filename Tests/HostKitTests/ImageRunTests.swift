import Datasets
import Figures
import Files
import Foundation
import LatentKit
import Recipes
import Runs
import Testing
import Training

@testable import HostKit

/// Writes pictures of one colour each, of `side` pixels, in folders of two classes.
private func writePictures(_ folder: URL, side: Int, count: Int = 12) throws {
  for (label, name) in ["Kätzchen", "toy car"].enumerated() {
    let place = folder.appendingPathComponent(name)
    try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    for number in 0..<count {
      let shade = UInt8(20 * number)
      let color = label == 0 ? Color(255, shade, 0) : Color(0, shade, 255)
      try Picture(width: side, height: side, color: color).write(to: place.appendingPathComponent("\(number).png"))
    }
  }
}

@Suite struct RunsOnPictures {
  @Test func aFolderThatHasChangedIsNotOpenedWithARunOnIt() throws {
    let scratch = try Scratch()
    let pictures = scratch.url.appendingPathComponent("pictures")
    try writePictures(pictures, side: 8)
    let run = scratch.url.appendingPathComponent("run").path
    let printed = try host(
      "train", "--data", "images", "--data-dir", pictures.path, "--encoder", "mlp", "--prior", "pedcc", "--epochs", "1",
      "--set", "encoder.hidden=[8]", "--set", "keepEpochs=[1]", "--runs", scratch.path, "--name", "run")
    #expect(printed.output.contains("images   8x8 colour, 2 classes: Kätzchen, toy car\n"))
    let commands = [
      ["evaluate", run], ["evaluate", run, "--epoch", "1"], ["sample", run], ["reconstruct", run],
      ["train", "--resume", "--name", "run", "--runs", scratch.path],
    ]
    for command in commands { try host(command) }
    let changed = pictures.appendingPathComponent("toy car/3.png")
    let old = try Data(contentsOf: changed)
    try Picture(width: 8, height: 8, color: Color(1, 2, 3)).write(to: changed)
    // What takes no example goes on, and says so.
    #expect(try host(commands[2]).errors.contains("note: the run's data are not here as they were"))
    for command in commands where command[0] != "sample" {
      let found = message(command)
      #expect(found.contains("found data with checksum") && found.contains("put the old files back"), "\(found)")
    }
    try old.write(to: changed)
    try host(commands[0])
    // The same files elsewhere are the same data.
    let elsewhere = scratch.url.appendingPathComponent("elsewhere")
    try FileManager.default.createDirectory(at: elsewhere, withIntermediateDirectories: true)
    try FileManager.default.moveItem(at: pictures, to: elsewhere.appendingPathComponent("pictures"))
    #expect(message("evaluate", run).contains("there is no such folder or file; name one by data.path or --data-dir"))
    try host("evaluate", run, "--data-dir", elsewhere.path)
    try host("evaluate", run, "--data-dir", elsewhere.appendingPathComponent("pictures").path)
  }

  @Test func imagesArePaddedAsFarAsTheEncoderWantsAndNoFurther() throws {
    let scratch = try Scratch()
    func padding(_ side: Int, _ more: String...) throws -> String {
      let pictures = scratch.url.appendingPathComponent("\(side)")
      try writePictures(pictures, side: side)
      let recipe = try host(
        ["compose", "--data", "images", "--data-dir", pictures.path, "--encoder", "resnet", "--dry-run"] + more)
      let match = try #require(recipe.output.firstMatch(of: /pad: ([0-9]+)/))
      return String(match.1)
    }
    #expect(try padding(32) == "0" && padding(28) == "2" && padding(36) == "2" && padding(16) == "0")
    // What a person says is kept.
    #expect(try padding(28, "--set", "data.pad=6") == "6")
    #expect(message("compose", "--encoder", "resnet", "--set", "data.pad=0", "--dry-run").contains("multiples of 8"))
    #expect(try host("compose", "--encoder", "resnet", "--dry-run").output.contains("pad: 2"))
  }
}

@Suite struct KeptEpochsOfRuns {
  private let scratch: Scratch
  private let folder: RunFolder

  init() throws {
    scratch = try Scratch()
    try host(
      "compose", "--encoder", "mlp", "--prior", "pedcc", "--sampler", "class-gaussian", "--set", "data.limit=300",
      "--set", "encoder.hidden=[16]", "--set", "keepEpochs=[1,2]", "--epochs", "3", "--per-class", "2", "--runs",
      scratch.path, "--name", "run")
    folder = RunFolder(scratch.url.appendingPathComponent("run"))
  }

  @Test func commandsTakeTheWeightsOfAKeptEpoch() throws {
    func errors(_ more: String...) throws -> [Substring] {
      try host(["evaluate", folder.url.path] + more).output.split(separator: "\n").filter { $0.hasPrefix("mse") }
    }
    func expected(_ epoch: Int) throws -> String {
      let run = try Run(
        opening: folder.url, catalog: Catalog(plugins), checkpoint: folder.checkpoint(of: "main", epoch: epoch))
      return try "mse \(number(#require(run.evaluate().losses["mse"])))"
    }
    let first = try errors("--epoch", "1")
    #expect(try first == [Substring(expected(1))] && errors("--epoch", "main:2") == [Substring(expected(2))])
    #expect(try Set(errors() + first + errors("--epoch", "2")).count == 3)
    let note = "these are the weights after epoch 1 of stage 'main'"
    #expect(try host("evaluate", folder.url.path, "--epoch", "1").errors.contains(note))
    #expect(try !host("evaluate", folder.url.path).errors.contains("these are the weights"))

    // Pictures say the epoch, and the run keeps its own.
    let own = try Data(contentsOf: folder.figure("samples.png"))
    try host("sample", folder.url.path, "--epoch", "1", "--per-class", "2")
    try host("reconstruct", folder.url.path, "--epoch", "1", "--count", "4")
    #expect(try Data(contentsOf: folder.figure("samples.png")) == own)
    #expect(try Data(contentsOf: folder.figure("samples-main-epoch-1.png")) != own)
    #expect(FileManager.default.fileExists(atPath: folder.figure("reconstructions-main-epoch-1.png").path))
    #expect(folder.owns("figures/samples-main-epoch-1.png"))
  }

  @Test func anEpochThatWasNotKeptIsRefusedWithThoseThatWere() throws {
    func refused(_ epoch: String) -> String { message("evaluate", folder.url.path, "--epoch", epoch) }
    #expect(refused("3").contains("kept no checkpoint of epoch 3; it kept epochs 1, 2 of stage 'main'"))
    #expect(refused("other:1").contains("kept no checkpoint of epoch other:1; it kept"))
    for wrong in ["0", "last", "a:b:1", ":1", ""] {
      #expect(refused(wrong).contains("found epoch '\(wrong)', expected a number from 1"), "\(wrong)")
    }
    // Two stages that kept the same epoch.
    try Data().write(to: folder.checkpoint(of: "other-stage", epoch: 2))
    #expect(folder.keptEpochs.map(\.description) == ["main:1", "main:2", "other-stage:2"])
    #expect(refused("2").contains("kept epoch 2 of 2 stages; choose one of: main:2, other-stage:2"))
    #expect(try folder.keptEpoch("other-stage:2") == folder.keptEpochs[2])
    try FileManager.default.removeItem(at: folder.checkpoint(of: "other-stage", epoch: 2))
    for epoch in [1, 2] { try FileManager.default.removeItem(at: folder.checkpoint(of: "main", epoch: epoch)) }
    #expect(refused("5").contains("it kept none: train with --set keepEpochs=[5] to keep it"))
    #expect(message("sample", "/nowhere", "--epoch", "1").contains("/nowhere is not the folder of a run"))
  }

  @Test func completionsNameTheKeptEpochs() {
    let words = ["host", "evaluate", folder.url.path, "--epoch"]
    let found = message(["---completion", "evaluate", "--", "--epoch", "\(words.count)", "0"] + words)
    #expect(found.split(separator: "\n") == ["main:1", "main:2"])
  }
}
