import ArgumentParser
import Files
import Foundation
import Testing
import Training

@testable import HostKit

/// A short run of few digits.
private func compose(_ scratch: Scratch, _ more: String...) -> [String] {
  [
    "compose", "--encoder", "mlp", "--prior", "pedcc", "--sampler", "class-gaussian", "--set", "encoder.hidden=[8]",
    "--set", "data.limit=60", "--set", "data.embedded=true", "--epochs", "1", "--per-class", "2", "--threads", "1",
    "--runs", "\(scratch.path)/runs", "--name", "run",
  ] + more
}

private func folder(_ scratch: Scratch) throws -> RunFolder {
  let folder = RunFolder(scratch.url.appendingPathComponent("runs/run"))
  try FileManager.default.createDirectory(at: folder.url, withIntermediateDirectories: true)
  return folder
}

/// A table of two classes.
private let table = "a,b,label\n" + (0..<12).map { "\($0),\($0 % 5),\($0 % 2)\n" }.joined()

@Suite struct ForeignFiles {
  @Test func aFolderWithARecipeOfOnesOwnIsNoRun() throws {
    let scratch = try Scratch()
    let mine = try folder(scratch)
    for name in ["recipe.yaml", "results.csv", "samples.csv", "files.txt", "keep.csv"] {
      _ = try scratch.write(name == "files.txt" ? "keep.csv\n" : "encoder: mlp\n", to: "runs/run/\(name)")
    }
    let before = try facts(scratch.url)
    for more in [["--overwrite"], ["--resume"], ["--overwrite", "--seeds", "1"], []] {
      let found = message(compose(scratch) + more)
      #expect(found.contains("and no run") || found.contains("there is no run in"), "\(more): \(found)")
      #expect(try differences(before, facts(scratch.url)) == [], "\(more)")
    }
    #expect(!mine.exists)
  }

  @Test func aTableThatARunReadsIsNotItsToReplace() throws {
    let scratch = try Scratch()
    let run = try folder(scratch)
    func train(_ path: String, _ more: String...) -> [String] {
      [
        "train", "--data", "table", "--set", "data.path=\(path)", "--encoder", "mlp", "--set", "encoder.hidden=[4]",
        "--epochs", "1", "--threads", "1", "--runs", "\(scratch.path)/runs", "--name", "run",
      ] + more
    }
    let outside = try scratch.write(table, to: "data.csv")
    try host(train(outside))
    // Where a table model has its draws; through a link too.
    let inside = try scratch.write(table, to: "runs/run/samples.csv")
    let link = scratch.url.appendingPathComponent("link.csv")
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: run.samples)
    let study = try scratch.write(table, to: "runs/run/results.csv")
    let before = try facts(scratch.url)
    for path in [inside, link.path, study] {
      for more in [[], ["--seeds", "1"]] {
        let found = message(train(path, "--overwrite") + more)
        #expect(
          found.contains("is read by the recipe") || found.contains("was not written by this run"),
          "\(path) \(more): \(found)")
        #expect(try differences(before, facts(scratch.url)) == [], "\(path) \(more)")
      }
    }
    // A table under a name of its own stays, and can be read.
    try FileManager.default.removeItem(at: run.samples)
    let own = try scratch.write(table, to: "runs/run/mine.csv")
    try host(train(own, "--overwrite"))
    #expect(try scratch.read("runs/run/mine.csv") == table)
  }

  @Test func aStudyIsReplacedWholeOrNotAtAll() throws {
    let scratch = try Scratch()
    let flags = compose(scratch, "--seeds", "1,7")
    try host(flags)
    let mine = try scratch.write("mine", to: "runs/run/seed-7/mine.txt")
    let before = try facts(scratch.url)
    let found = message(flags + ["--overwrite"])
    #expect(found.contains("seed-7/mine.txt: is no file of the run that would be replaced there"), "\(found)")
    #expect(try differences(before, facts(scratch.url)) == [])
    try FileManager.default.removeItem(atPath: mine)
    try host(flags + ["--overwrite"])
  }

  @Test func classesWithoutExamplesAreSaidBeforeAnythingIsDone() throws {
    let scratch = try Scratch()
    let few = ["--set", "data.limit=1"]
    for more in [[], ["--seeds", "1,2"], ["--sampler", "mh"], ["--sampler", "kde"]] {
      let found = message(compose(scratch) + few + more)
      #expect(found.contains("has none of classes 0,") || more.contains("--seeds"), "\(more): \(found)")
      #expect(!FileManager.default.fileExists(atPath: "\(scratch.path)/runs/run/checkpoints"), "\(more)")
    }
    try? FileManager.default.removeItem(at: scratch.url.appendingPathComponent("runs"))
    try host(compose(scratch))
    let before = try facts(scratch.url)
    for more in [["--overwrite"], ["--overwrite", "--seeds", "1"]] {
      #expect(message(compose(scratch) + few + more).contains("learns each class from training examples"), "\(more)")
      #expect(try differences(before, facts(scratch.url)) == [], "\(more)")
    }
    // Training draws nothing, and the prior's own draws need no examples.
    var train = compose(scratch) + few + ["--overwrite"]
    train[0] = "train"
    train.removeSubrange(train.firstIndex(of: "--per-class")!...train.firstIndex(of: "--per-class")! + 1)
    try host(train)
    try host(compose(scratch) + few + ["--sampler", "prior", "--overwrite"])
  }

  @Test func onlyThePictureThatIsNamedIsWritten() throws {
    let scratch = try Scratch()
    try host(compose(scratch))
    let run = "\(scratch.path)/runs/run"
    for (command, named, beside) in [
      (["sample", run, "--per-class", "2"], "x.png", "x.svg"), (["reconstruct", run], "y.svg", "y.png"),
      (["centroids", "pedcc", "--classes", "2"], "z.png", "z.svg"),
    ] {
      _ = try scratch.write("mine", to: beside)
      try host(command + ["--output", "\(scratch.path)/\(named)"])
      #expect(try scratch.read(beside) == "mine", "\(command)")
      let data = try Data(contentsOf: scratch.url.appendingPathComponent(named))
      #expect(data.starts(with: named.hasSuffix("png") ? [0x89, 0x50, 0x4E, 0x47] : Array("<?xml".utf8)), "\(command)")
    }
  }

  @Test func whatIsInThePlaceOfAFileIsNamed() throws {
    let scratch = try Scratch()
    try host(compose(scratch))
    let run = RunFolder(scratch.url.appendingPathComponent("runs/run"))
    for file in [run.recipe, run.checkpoint, run.latents] {
      let kept = try Data(contentsOf: file)
      try FileManager.default.removeItem(at: file)
      #expect(mkfifo(file.path, 0o600) == 0)
      let found = message("sample", run.url.path, "--output", "\(scratch.path)/x.png")
      #expect(found.contains("\(file.path): is a pipe, expected a file"), "\(found)")
      try FileManager.default.removeItem(at: file)
      try kept.write(to: file)
    }
    let pipe = scratch.url.appendingPathComponent("pipe")
    #expect(mkfifo(pipe.path, 0o600) == 0)
    var elsewhere = compose(scratch)
    elsewhere[elsewhere.firstIndex(of: "--runs")! + 1] = pipe.path
    #expect(message(elsewhere).contains("\(pipe.path): is a pipe, expected a folder"))
    // A link to a run is read, and not trained in.
    let link = scratch.url.appendingPathComponent("runs/link")
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: run.url)
    let before = try facts(run.url)
    var linked = compose(scratch)
    linked[linked.firstIndex(of: "--name")! + 1] = "link"
    for more in [["--overwrite"], ["--resume"]] {
      #expect(message(linked + more).contains("is a link, expected a folder"), "\(more)")
    }
    #expect(try differences(before, facts(run.url)) == [])
    try host("sample", link.path, "--per-class", "2", "--output", "\(scratch.path)/x.png")
  }

  @Test func theDataFolderIsCheckedByEveryCommand() throws {
    let scratch = try Scratch()
    let file = try scratch.write("x", to: "file")
    let commands = [compose(scratch), ["data", "list"], ["data", "verify", "mnist"], ["doctor"], ["evaluate", "x"]]
    for command in commands {
      #expect(message(command + ["--data-dir", ""]).contains("--data-dir is empty, expected"), "\(command)")
      #expect(message(command + ["--data-dir", file]).contains("is a file, expected a folder"), "\(command)")
      #expect(message(command + ["--data-dir", "/nonexistent"]).contains("there is no folder"), "\(command)")
    }
    #expect(message("data", "fetch", "mnist", "--data-dir", file).contains("is a file, expected a folder"))
    let options = try MachineOptions.parse([])
    #expect(options.environmentFault(["LATENTKIT_DATA": "/nonexistent"])?.contains("which is not there") == true)
    #expect(options.environmentFault(["LATENTKIT_DATA": file])?.contains("which is a file") == true)
    #expect(options.environmentFault(["LATENTKIT_DATA": scratch.path]) == nil)
    #expect(options.environmentFault(["LATENTKIT_DATA": ""]) == nil && options.environmentFault([:]) == nil)
    let named = try MachineOptions.parse(["--data-dir", scratch.path])
    #expect(named.environmentFault(["LATENTKIT_DATA": "/nonexistent"]) == nil)
  }

  @Test func controlCharactersInAMessageAreShown() throws {
    let scratch = try Scratch()
    let recipe = try scratch.write("name: \"a\\nb\\e[31m\"\nencoder: mlp\n", to: "r.yaml")
    var printed = ""
    do { try host("compose", recipe) } catch { printed = Host.message(for: error) }
    #expect(printed.contains(#"found 'a\nb\u{1B}[31m'"#) && !printed.contains("\n"), "\(printed)")
    do { try host("compose", "--encoder", "mlp", "--name", "a\nb") } catch { printed = Host.message(for: error) }
    #expect(printed.contains(#"--name is 'a\nb', which has the control character \n"#), "\(printed)")
    // The parser's own messages keep their lines.
    do { try host("compose", "--nonsense") } catch { printed = Host.message(for: error) }
    #expect(printed.contains("\n"))
  }
}
