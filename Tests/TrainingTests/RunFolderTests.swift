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

/// Makes a folder that of a run or a study which has only begun.
private func begin(_ kind: RunFolder.Kind, in folder: RunFolder, _ recipe: String = "recipe") throws {
  try folder.create()
  try folder.mark(kind, recipe: recipe)
  try Data(recipe.utf8).write(to: folder.recipe)
}

private func paths(_ folder: RunFolder) throws -> [String] {
  try FileManager.default.subpathsOfDirectory(atPath: folder.url.path).sorted()
}

@Suite struct RunFolders {
  @Test func onlyWhatARunWroteIsCleared() throws {
    let scratch = try Scratch()
    let folder = RunFolder(scratch.url.appendingPathComponent("run"))
    let own = [
      "metrics.jsonl", "summary.json", "report.html", "checkpoints/last.safetensors", "results.md",
      "seed-2-fold-0/summary.json", ".recipe.yaml.7.partial", "checkpoints/.last.safetensors.123.partial",
    ]
    // Names that runs differ in: on the list of the run.
    let noted = [
      "samples-2.csv", "figures/samples-3.png", "figures/reconstructions-train.svg", "figures/confusion.png",
      "tables/confusion.csv", "figures/samples.png", "samples.csv",
    ]
    let others = [
      "notes.txt", "figures/mine.pdf", "figures/mine.png", "checkpoints/best.safetensors", "tables/My table.csv",
      "seed-2-fold-0/notes.txt", ".mine.1.partial", "seed-x/recipe.yaml",
      "figures/samples-4.png", "figures/reconstructions-mine.png", "tables/mine.csv", "samples-3.csv",
    ]
    try begin(.study, in: folder)
    try folder.note([RunFolder(folder.url).checkpoint, folder.metrics, folder.summary])
    // What is none of a run's names is not taken on.
    let runs = ["seed-1", "seed-2-fold-0"].map(folder.url.appendingPathComponent)
    try folder.note(runs + (noted + ["notes.txt", "../notes.txt"]).map(folder.url.appendingPathComponent))
    for run in runs { try begin(.run, in: RunFolder(run)) }
    // A run of the user's own inside, which has a name like those of the study's.
    let mine = RunFolder(folder.url.appendingPathComponent("seed-7"))
    try begin(.run, in: mine)
    try write(own + noted + others, in: folder)
    #expect(noted.allSatisfy(folder.owns) && !others.contains(where: folder.owns))
    do {
      let lock = try folder.lock(for: .study)
      #expect(try !paths(folder).contains { $0.contains("recipe.yaml.7") || $0.contains("123") })
      #expect(try lock.clear() == [])
    }
    let left = try paths(folder).filter { path in
      OutputPlace(folder.url.appendingPathComponent(path), followsLinks: false) == .file
    }
    #expect(left == (others + ["seed-7/.latentkit-files", "seed-7/recipe.yaml"]).sorted())
    #expect(try !paths(folder).contains("seed-1"))
    // Now it holds no run, and other files.
    let error = #expect(throws: FileError.self) { try folder.lock() }
    #expect(error?.reason.contains("and no run") == true)
  }

  @Test func aListThatNoRunWroteIsNotBelieved() throws {
    let scratch = try Scratch()
    let run = RunFolder(scratch.url.appendingPathComponent("run"))
    try begin(.run, in: run)
    try run.note([run.tables(["mine"])[0], run.samples])
    let list = run.url.appendingPathComponent(".latentkit-files")
    let text = try String(contentsOf: list, encoding: .utf8)
    let line = try #require(text.split(separator: "\n").first { $0.hasSuffix("tables/mine.csv") })
    #expect(run.exists && run.owns("tables/mine.csv"))
    // The list of another run, beside a recipe of one's own.
    let mine = RunFolder(scratch.url.appendingPathComponent("mine"))
    try write(["recipe.yaml", "tables/mine.csv", "samples.csv", "results.csv"], in: mine)
    try FileManager.default.copyItem(at: list, to: mine.url.appendingPathComponent(".latentkit-files"))
    #expect(!mine.exists && !mine.owns("tables/mine.csv") && !mine.owns("samples.csv"))
    let error = #expect(throws: FileError.self) { try mine.lock() }
    #expect(error?.reason.contains("'recipe.yaml' and no run") == true)
    // Lines that were added or changed.
    for edited in [
      text + "tables/added.csv\n", text + "\(line.prefix(32)) tables/added.csv\n",
      text.replacing("tables/mine.csv", with: "tables/added.csv"),
    ] {
      try Data(edited.utf8).write(to: list)
      #expect(run.exists && !run.owns("tables/added.csv"))
    }
    // A folder that was renamed is the same run; one whose line was cut off by a kill goes on.
    try Data((text + "0123456789").utf8).write(to: list)
    let renamed = RunFolder(scratch.url.appendingPathComponent("renamed"))
    try FileManager.default.moveItem(at: run.url, to: renamed.url)
    try renamed.note([renamed.tables(["more"])[0]])
    #expect(renamed.exists && renamed.owns("tables/mine.csv") && renamed.owns("tables/more.csv"))
  }

  @Test func filesThatNoRunWroteStayUnderAnyName() throws {
    let scratch = try Scratch()
    let run = RunFolder(scratch.url.appendingPathComponent("run"))
    try begin(.run, in: run)
    // Those of a study in the folder of a run; and such as a run may have later, which is refused.
    try write(["results.csv", "results.md", "study.json"], in: run)
    for path in ["samples.csv", "figures/curves.png"] {
      try write([path], in: run)
      let before = try paths(run)
      for _ in 0..<2 {
        let error = #expect(throws: FileError.self) { try run.lock() }
        #expect(error?.description.contains("\(path): was not written by this run") == true)
      }
      #expect(throws: FileError.self) { try run.note([run.url.appendingPathComponent(path)]) }
      #expect(try paths(run) == before && !run.owns(path))
      try FileManager.default.removeItem(at: run.url.appendingPathComponent(path))
    }
    try run.lock().clear()
    #expect(try paths(run) == ["results.csv", "results.md", "study.json"])
    // A metric's table goes beside one that is there.
    try write(["tables/confusion.csv"], in: run)
    #expect(
      run.tables(["confusion", "other", "Confusion"]).map(\.lastPathComponent)
        == ["confusion-2.csv", "other.csv", "confusion-3.csv"])
  }

  @Test func runsOfEarlierVersionsAreKnownAndTheirUnprovenFilesStay() throws {
    let scratch = try Scratch()
    let run = RunFolder(scratch.url.appendingPathComponent("run"))
    let own = ["recipe.yaml", "checkpoints/last.safetensors", "summary.json", "figures/curves.png"]
    try write(own + ["tables/mine.csv", "results.csv"], in: run)
    try Data("tables/mine.csv\n../x.csv\ntables/gone.csv\n".utf8).write(to: run.url.appendingPathComponent("files.txt"))
    #expect(run.exists && own.allSatisfy(run.owns) && !run.owns("tables/mine.csv") && run.mayOwn("tables/mine.csv"))
    #expect(try run.lock().clear() == ["files.txt", "tables/mine.csv"])
    #expect(try paths(run) == ["files.txt", "results.csv", "tables", "tables/mine.csv"])
    // The runs of a study are those of its seeds.
    let study = RunFolder(scratch.url.appendingPathComponent("study"))
    try write(["recipe.yaml"] + ["seed-1", "seed-7"].flatMap { name in own.map { "\(name)/\($0)" } }, in: study)
    try Data("{\"seeds\":[1,2]}".utf8).write(to: study.repeats)
    #expect(study.exists && study.owns("seed-1/") && !study.owns("seed-7/"))
    try study.lock(for: .study).clear()
    #expect(try FileManager.default.contentsOfDirectory(atPath: study.url.path) == ["seed-7"])
    // A recipe alone is no run, and one that goes on gets a list.
    let mine = RunFolder(scratch.url.appendingPathComponent("mine"))
    try write(["recipe.yaml", "results.csv"], in: mine)
    #expect(!mine.exists && throwsError { try mine.lock() })
    try write(own, in: run)
    try run.mark(.run)
    #expect(run.owns("figures/curves.png") && run.owns("samples.csv") && !run.owns("tables/mine.csv"))
  }

  @Test func whatARunReadsIsNotItsToReplace() throws {
    let scratch = try Scratch()
    let study = RunFolder(scratch.url.appendingPathComponent("study"))
    try begin(.study, in: study)
    try study.note([study.url.appendingPathComponent("seed-1")])
    try begin(.run, in: RunFolder(study.url.appendingPathComponent("seed-1")))
    let link = scratch.url.appendingPathComponent("link")
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: study.url)
    for (path, isRefused) in [
      ("results.csv", true), ("samples.csv", true), ("seed-1/samples.csv", true), ("data.csv", false),
      ("seed-2/samples.csv", false), ("seed-1/data.csv", false), ("seed-1", true), ("seed-2", false), ("figures", true),
      ("", true), ("pictures", false),
    ] {
      // What is read is there.
      let file = study.url.appendingPathComponent(path)
      if file.pathExtension == "csv" {
        try FileManager.default.createDirectory(
          at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data().write(to: file)
      }
      for root in [study.url, link] {
        let found = throwsError { try study.requireNotOwned([root.appendingPathComponent(path)]) }
        #expect(found == isRefused, "\(path)")
      }
    }
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
      try begin(.run, in: run)
      try? FileManager.default.removeItem(at: run.url.appendingPathComponent(name))
      let link = run.url.appendingPathComponent(name)
      try FileManager.default.createSymbolicLink(
        at: link, withDestinationURL: mine.url.appendingPathComponent(target))
      let error = #expect(throws: FileError.self) { try run.lock() }
      #expect(error?.reason.contains("is a link, expected") == true)
      try FileManager.default.removeItem(at: link)
    }
    // A study's run that is a link to a folder elsewhere.
    let link = run.url.appendingPathComponent("seed-1")
    try begin(.run, in: run)
    try run.note([link])
    try FileManager.default.removeItem(at: mine.url.appendingPathComponent("figures/samples.png"))
    try begin(.run, in: mine)
    try FileManager.default.createSymbolicLink(at: link, withDestinationURL: mine.url)
    let before = try paths(mine)
    try run.lock().clear()
    #expect(try paths(mine) == before && before.contains("recipe.yaml"))
    // A run's own folder; one that is above it may be.
    let error = #expect(throws: FileError.self) { try RunFolder(link).lock() }
    #expect(error?.reason.contains("is a link, expected a folder") == true)
    let above = scratch.url.appendingPathComponent("above")
    try FileManager.default.createSymbolicLink(at: above, withDestinationURL: scratch.url)
    _ = try RunFolder(above.appendingPathComponent("mine")).lock()
    // A pipe in the place of a file is refused rather than opened.
    try begin(.run, in: run)
    #expect(mkfifo(run.metrics.path, 0o600) == 0)
    #expect(throws: FileError.self) { try run.lock() }
  }

  @Test func aStudyWhoseRunIsBeingTrainedIsNotCleared() throws {
    let scratch = try Scratch()
    let study = RunFolder(scratch.url.appendingPathComponent("study"))
    try begin(.study, in: study)
    let runs = ["seed-1", "seed-2"].map(study.url.appendingPathComponent)
    try study.note(runs)
    for run in runs { try begin(.run, in: RunFolder(run)) }
    try write(["seed-2/summary.json"], in: study)
    let before = try paths(study)
    let other = try RunFolder(study.url.appendingPathComponent("seed-2")).lock()
    let error = #expect(throws: FileError.self) { try study.lock(for: .study).clear() }
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

private func throwsError(_ body: () throws -> some Any) -> Bool {
  do { _ = try body() } catch { return true }
  return false
}
