import Files
import Foundation
import Testing
import Training

private func write(_ paths: [String], in folder: RunFolder) throws {
  for path in paths {
    let file = folder.url.appendingPathComponent(path)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(path.utf8).write(to: file)
  }
}

private func paths(_ folder: RunFolder) throws -> [String] {
  try FileManager.default.subpathsOfDirectory(atPath: folder.url.path).sorted()
}

@Suite struct RunFolders {
  @Test func onlyWhatARunWroteIsCleared() throws {
    let scratch = try Scratch()
    let folder = RunFolder(scratch.url.appendingPathComponent("run"))
    let own = [
      "recipe.yaml", "metrics.jsonl", "summary.json", "report.html", "checkpoints/last.safetensors",
      "figures/curves.png", "figures/curves.svg", "study.json", "results.md", "seed-1/recipe.yaml",
      "seed-2-fold-0/figures/latents.png", "seed-2-fold-0/recipe.yaml", ".recipe.yaml.7.partial",
      "checkpoints/.last.safetensors.123.partial",
    ]
    // Names that runs differ in: on the list of the run.
    let noted = [
      "samples-2.csv", "figures/samples-3.png", "figures/reconstructions-train.svg", "figures/confusion.png",
      "tables/confusion.csv",
    ]
    let others = [
      "notes.txt", "figures/mine.pdf", "figures/mine.png", "checkpoints/best.safetensors", "tables/My table.csv",
      "seed-2-fold-0/notes.txt", ".mine.1.partial", "seed-x/recipe.yaml",
      "figures/samples-4.png", "figures/reconstructions-mine.png", "tables/mine.csv", "samples-3.csv",
    ]
    try write(own + noted + others, in: folder)
    // What is none of a run's names is not taken on.
    try folder.note((noted + ["notes.txt", "../notes.txt"]).map(folder.url.appendingPathComponent))
    #expect(noted.allSatisfy(folder.owns) && !others.contains(where: folder.owns))
    do {
      let lock = try folder.lock()
      #expect(try !paths(folder).contains { $0.contains("recipe.yaml.7") || $0.contains("123") })
      try lock.clear()
    }
    let left = try paths(folder).filter { path in
      OutputPlace(folder.url.appendingPathComponent(path), followsLinks: false) == .file
    }
    #expect(left == others.sorted())
    #expect(try !paths(folder).contains("seed-1"))
    // Now it holds no run, and other files.
    let error = #expect(throws: FileError.self) { try folder.lock() }
    #expect(error?.reason.contains("and no run") == true)
  }

  @Test func aFolderOfOthersIsLeftAsItIs() throws {
    let scratch = try Scratch()
    let folder = RunFolder(scratch.url.appendingPathComponent("paper"))
    try write(["figures/samples.png"], in: folder)
    let error = #expect(throws: FileError.self) { try folder.lock() }
    #expect(error?.reason.contains("holds 'figures/samples.png' and no run") == true)
    #expect(try paths(folder) == ["figures", "figures/samples.png"])
    // What a run leaves that was killed at once is no reason to refuse.
    let killed = RunFolder(scratch.url.appendingPathComponent("killed"))
    try killed.create()
    try write([".recipe.yaml.12.partial"], in: killed)
    _ = try killed.lock()
    #expect(try paths(killed) == ["checkpoints", "figures"])
  }

  @Test func nothingIsTouchedThroughALink() throws {
    let scratch = try Scratch()
    let mine = RunFolder(scratch.url.appendingPathComponent("mine"))
    try write(["figures/samples.png", "last.safetensors"], in: mine)
    let run = RunFolder(scratch.url.appendingPathComponent("run"))
    for (name, target) in [("figures", "figures"), ("metrics.jsonl", "last.safetensors")] {
      try write(["recipe.yaml"], in: run)
      let link = run.url.appendingPathComponent(name)
      try FileManager.default.createSymbolicLink(
        at: link, withDestinationURL: mine.url.appendingPathComponent(target))
      let error = #expect(throws: FileError.self) { try run.lock() }
      #expect(error?.reason.contains("is a link, expected") == true)
      try FileManager.default.removeItem(at: link)
    }
    // A study's run that is a link to a folder elsewhere.
    let link = run.url.appendingPathComponent("seed-1")
    try write(["recipe.yaml"], in: mine)
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: mine.url)
    try run.lock().clear()
    #expect(try paths(mine) == ["figures", "figures/samples.png", "last.safetensors", "recipe.yaml"])
    // A pipe in the place of a file is refused rather than opened.
    #expect(mkfifo(run.metrics.path, 0o600) == 0)
    #expect(throws: FileError.self) { try run.lock() }
  }

  @Test func aStudyWhoseRunIsBeingTrainedIsNotCleared() throws {
    let scratch = try Scratch()
    let study = RunFolder(scratch.url.appendingPathComponent("study"))
    try write(["recipe.yaml", "seed-1/recipe.yaml", "seed-2/recipe.yaml", "seed-2/summary.json"], in: study)
    let before = try paths(study)
    let other = try RunFolder(study.url.appendingPathComponent("seed-2")).lock()
    let error = #expect(throws: FileError.self) { try study.lock().clear() }
    #expect(error?.reason.contains("another program") == true)
    withExtendedLifetime(other) {}
    #expect(try paths(study) == before)
  }

  @Test(arguments: ["../../escaped", "", "a\u{1B}b", "-x", ".."]) func foldersStayInside(name: String) throws {
    let scratch = try Scratch()
    #expect(throws: FileError.self) { try RunFolder(named: name, in: scratch.url) }
    #expect(throws: FileError.self) { try RunFolder.claim(name, in: scratch.url) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: scratch.url.path).isEmpty)
  }
}
