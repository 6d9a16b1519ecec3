import ArgumentParser
import Files
import Foundation
import Testing
import Training

@testable import HostKit

/// A finished run of a few digits with tables, in a folder `runs/run`.
private func flags(_ scratch: Scratch) -> [String] {
  [
    "compose", "--encoder", "mlp", "--prior", "pedcc", "--sampler", "class-gaussian", "--set", "encoder.hidden=[8]",
    "--set", "data.limit=60", "--set", "data.embedded=true", "--metric", "confusion", "--metric", "nearest-class-mean",
    "--epochs", "1", "--per-class", "2", "--threads", "1", "--runs", "\(scratch.path)/runs",
    "--name", "run",
  ]
}

private func trained(_ scratch: Scratch) throws -> RunFolder {
  try host(flags(scratch))
  return RunFolder(scratch.url.appendingPathComponent("runs/run"))
}

/// A copy of a run in which something is in the place of a file, or of a folder.
private func copy(_ run: RunFolder, to url: URL, with planted: Planted, at path: String) throws -> Bool {
  try? FileManager.default.removeItem(at: url)
  try FileManager.default.copyItem(at: run.url, to: url)
  let place = url.appendingPathComponent(path)
  try FileManager.default.removeItem(at: place)
  return try planted.put(at: place, beside: url.deletingLastPathComponent())
}

@Suite struct Ownership {
  /// Every file that a run has, found in the folder of one: new ones join by themselves.
  @Test func nothingButRegularFilesIsClearedOrWrittenInARunsFolder() throws {
    let scratch = try Scratch()
    let run = try trained(scratch)
    let places = try FileManager.default.subpathsOfDirectory(atPath: run.url.path).sorted()
    #expect(places.contains("tables/confusion.csv") && places.contains("figures/confusion.svg"), "\(places)")
    var count = 0
    for place in places where place != "recipe.yaml" {
      let isFolder = OutputPlace(run.url.appendingPathComponent(place), followsLinks: false) == .folder
      for planted in Planted.possible where !(isFolder && planted == .folder) {
        let parent = scratch.url.appendingPathComponent("planted")
        try? FileManager.default.removeItem(at: parent)
        try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
        let folder = RunFolder(parent.appendingPathComponent("run"))
        guard try copy(run, to: folder.url, with: planted, at: place) else { continue }
        let before = try facts(parent)
        let error = #expect(throws: FileError.self, "\(planted) at \(place)") { try folder.lock().clear() }
        #expect(error?.reason.contains("expected a") == true, "\(planted) at \(place): \(String(describing: error))")
        #expect(try differences(before, facts(parent)) == [], "\(planted) at \(place)")
        count += 1
        // The commands as well, for some of them.
        guard isFull || count % 40 == 1 else { continue }
        let again = flags(scratch).dropLast(4) + ["--runs", parent.path, "--name", "run", "--overwrite"]
        #expect(message(again.map { $0 }).contains("expected a"), "\(planted) at \(place)")
        #expect(try differences(before, facts(parent)) == [], "\(planted) at \(place)")
      }
    }
    #expect(count > 100)
  }

  /// Every option of every command that names a file to write, found in the commands' own help.
  @Test func optionsThatNameFilesTakeRegularFilesAndNewNamesOnly() throws {
    let scratch = try Scratch()
    let run = try trained(scratch)
    let bases = [
      "sample": ["sample", run.url.path, "--per-class", "2"], "reconstruct": ["reconstruct", run.url.path],
      "centroids": ["centroids", "pedcc", "--classes", "2"], "latents": ["latents", run.url.path],
      "verify": ["verify", run.url.path, "--part", "test"], "predict": ["predict", run.url.path],
    ]
    let options = outputOptions()
    #expect(options.count >= 5, "\(options)")
    for option in options {
      let base = try #require(bases[option.command], "\(option) is new: say here how to run its command")
      for planted in Planted.possible {
        for ending in isFull ? option.endings : [option.endings[0]] {
          let folder = scratch.url.appendingPathComponent("out")
          try? FileManager.default.removeItem(at: folder)
          try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
          let place = folder.appendingPathComponent("x.\(ending)")
          guard try planted.put(at: place, beside: folder) else { continue }
          let before = try facts(scratch.url)
          let found = message(base + [option.name, place.path])
          #expect(found.contains(", expected a file or a new name"), "\(option) \(planted): \(found)")
          #expect(try differences(before, facts(scratch.url)) == [], "\(option) \(planted)")
        }
      }
      // Every file of the run, by its name and through a link to its folder.
      let way = scratch.url.appendingPathComponent("way")
      try? FileManager.default.createSymbolicLink(at: way, withDestinationURL: run.url)
      let before = try facts(scratch.url)
      for file in try FileManager.default.subpathsOfDirectory(atPath: run.url.path)
      where OutputPlace(run.url.appendingPathComponent(file), followsLinks: false) == .file {
        for root in [run.url, way] {
          let found = message(base + [option.name, root.appendingPathComponent(file).path])
          #expect(found.contains("is a file of the run"), "\(option) \(root.lastPathComponent)/\(file): \(found)")
        }
      }
      #expect(try differences(before, facts(scratch.url)) == [], "\(option)")
    }
  }

  @Test func filesOfOthersStayInARunsFolderWhateverTheirNames() throws {
    let scratch = try Scratch()
    let run = try trained(scratch)
    try host("sample", run.url.path, "--per-class", "2", "--seed", "5")
    try host("reconstruct", run.url.path, "--part", "train", "--count", "4")
    let own = try Set(facts(run.url).keys)
    let mine = [
      "notes.txt", "figures/samples-mine.png", "figures/samples-7.png", "figures/reconstructions-mine.svg",
      "figures/curves-old.png", "tables/mine.csv", "checkpoints/best.safetensors", "samples-9.csv", "figures/mine.pdf",
      ".mine.12.partial", "seed-1/notes.txt", "files.txt.old",
    ]
    for path in mine {
      let file = run.url.appendingPathComponent(path)
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data("mine".utf8).write(to: file)
    }
    let linked = run.url.appendingPathComponent("figures/linked.png")
    try FileManager.default.createSymbolicLink(
      at: linked, withDestinationURL: run.url.appendingPathComponent("notes.txt"))
    try host(flags(scratch) + ["--overwrite"])
    let after = try facts(run.url)
    for path in mine { #expect(after[path] == Data("mine".utf8).base64EncodedString(), "\(path)") }
    #expect(after["figures/linked.png"] != nil)
    // What commands added to the earlier run went with it.
    let gone = own.subtracting(after.keys)
    #expect(
      gone
        == ["samples-2", "reconstructions-train"].reduce(into: []) {
          $0.formUnion(["figures/\($1).png", "figures/\($1).svg"])
        })
  }

  @Test func aFolderWithOtherFilesIsRefusedByEveryCommandThatTrains() throws {
    let scratch = try Scratch()
    for (place, more) in [
      ("runs/run/figures/mine.pdf", []), ("runs/run/a.txt", ["--overwrite"]), ("runs/run/b.txt", ["--seeds", "1,2"]),
      ("runs/run/tables/x.csv", ["--seeds", "1", "--overwrite"]), ("runs/run/c/d", ["--resume"]),
    ] as [(String, [String])] {
      try? FileManager.default.removeItem(at: scratch.url.appendingPathComponent("runs"))
      let file = scratch.url.appendingPathComponent(place)
      try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data("mine".utf8).write(to: file)
      let before = try facts(scratch.url)
      let found = message(flags(scratch) + more)
      #expect(found.contains("and no run") || found.contains("there is no run in"), "\(place) \(more): \(found)")
      #expect(try differences(before, facts(scratch.url)) == [], "\(place) \(more)")
    }
  }
}

private struct OutputOption: CustomStringConvertible {
  let command: String
  let name: String
  let endings: [String]
  var description: String { "\(command) \(name)" }
}

/// The options whose value is called `file.…` in the help of any command.
private func outputOptions() -> [OutputOption] {
  HostCommand.configuration.subcommands.flatMap { command -> [OutputOption] in
    let name = command._commandName
    let help = HostCommand.helpMessage(for: command, columns: 10_000)
    return help.matches(of: #/(--[a-z-]+) <file\.([a-z|]+)>/#).reduce(into: [String: [String]]()) {
      $0[String($1.1)] = $1.2.split(separator: "|").map(String.init)
    }.sorted { $0.key < $1.key }.map { OutputOption(command: name, name: $0.key, endings: $0.value) }
  }
}
