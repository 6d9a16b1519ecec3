import Datasets
import Files
import Foundation

/// The list of what programs wrote into a run's folder: `.latentkit-files`.
///
/// A header, the SHA-256 of the run's recipe, then a line for each path with a digest of the path under that recipe. A list
/// is believed only beside the recipe that it was begun with, and only those lines that have their digest: a file of
/// somebody else's, or one that was edited, makes nothing the run's.
struct RunList {
  /// The name of the file.
  static let name = ".latentkit-files"
  private static let header = "LatentKit: the files that a run wrote into this folder; do not edit"

  /// The SHA-256 of the run's recipe.
  let recipe: String
  /// Paths inside the folder; those of folders end in `/`.
  private(set) var paths: Set<String> = []

  /// An empty list of the run with a recipe.
  init(recipe: String) throws { self.recipe = try Checksum(.sha256, of: Data(recipe.utf8)).digits }

  /// Reads a list; nil for a file that is none.
  init?(_ text: String) {
    let lines = text.split(separator: "\n").map(String.init)
    guard lines.count >= 2, lines[0] == RunList.header, lines[1].wholeMatch(of: /recipe [0-9a-f]{64}/) != nil else {
      return nil
    }
    recipe = String(lines[1].dropFirst(7))
    for line in lines.dropFirst(2) {
      guard let space = line.firstIndex(of: " ") else { continue }
      let path = String(line[line.index(after: space)...])
      if (try? digest(path)) == String(line[..<space]) { paths.insert(path) }
    }
  }

  /// The text of the list with some paths.
  func text(_ paths: Set<String>) throws -> String { try "\(RunList.header)\nrecipe \(recipe)\n" + lines(paths) }

  /// Returns the lines of paths.
  func lines(_ paths: Set<String>) throws -> String { try paths.sorted().map { try "\(digest($0)) \($0)\n" }.joined() }

  private func digest(_ path: String) throws -> String {
    String(try Checksum(.sha256, of: Data("\(recipe)\n\(path)".utf8)).digits.prefix(32))
  }
}

extension RunFolder {
  /// What a folder holds: which files are going to be written.
  public enum Kind: Sendable {
    /// One run.
    case run
    /// The runs of one recipe with several seeds and folds.
    case study

    /// The files that all have.
    var always: Set<String> {
      switch self {
      case .run:
        [
          "recipe.yaml", "metrics.jsonl", "stages.jsonl", "events.out.tfevents.0.latentkit", "latents.safetensors",
          "summary.json", "report.html", "trained-runs.json", "watched.safetensors", "checkpoints/last.safetensors",
        ]
      case .study:
        [
          "recipe.yaml", "study.json", "results.md", "results.csv", "features.csv", "predictions.csv", "confusion.csv",
          "report.html",
        ]
      }
    }

    /// Those and the files that some have, under the same names in each.
    var all: Set<String> {
      guard self == .run else { return always }
      return always.union([
        "features.csv", "samples.csv", "reconstructions.csv", "predictions.csv", "latents.csv", "split.csv",
        "data.safetensors",
      ])
      .union(
        RunFolder.figures.flatMap { ["figures/\($0).png", "figures/\($0).svg"] })
    }
  }

  var listFile: URL { url.appendingPathComponent(RunList.name) }

  /// The folder's list, whether it is believed or not; nil where there is none.
  private var storedList: RunList? { text(of: listFile).flatMap(RunList.init) }

  /// Whether there is a list, of whichever recipe.
  var hasList: Bool { storedList != nil }

  /// The list; nil where there is none of the recipe in the folder.
  var list: RunList? {
    guard let list = storedList, let text = text(of: recipe), (try? RunList(recipe: text))?.recipe == list.recipe else {
      return nil
    }
    return list
  }

  private func text(of file: URL) -> String? {
    guard OutputPlace(file, followsLinks: true) == .file else { return nil }
    return try? String(contentsOf: file, encoding: .utf8)
  }

  /// Begins the list of a new run or study, or that of one that an earlier version wrote, with the files that all have.
  ///
  /// - Parameter text: The recipe that is about to be written; nil for the one that is there.
  /// - Throws: `FileError` if the list cannot be written, or is not a regular file.
  public func mark(_ kind: Kind, recipe text: String? = nil) throws {
    guard text != nil || list == nil else { return }
    let new = try RunList(recipe: text ?? self.text(of: recipe) ?? "")
    try OutputPlace.require(.file, at: listFile)
    try AtomicFile.write(new.text(kind.always.union(text == nil ? earlierFiles : [])), to: listFile)
  }

  /// Gives the run another recipe, with which it goes on: it has not finished any more, and its files stay its own.
  ///
  /// - Throws: `FileError` if a file cannot be written.
  public func replaceRecipe(by text: String) throws {
    let new = try RunList(recipe: text)
    // A program that was killed between the two files has written the list already.
    let stored = storedList.flatMap { $0.recipe == new.recipe ? $0.paths : nil }
    let paths = (stored ?? owned).subtracting([RunList.name])
    try removeSummary()
    try OutputPlace.require(.file, at: listFile)
    try AtomicFile.write(new.text(paths), to: listFile)
    try AtomicFile.write(text, to: recipe)
  }

  /// Adds paths to the list, which is begun if need be.
  func list(_ paths: Set<String>) throws {
    try mark(.run)
    let known = storedList?.paths ?? []
    let new = paths.subtracting(known)
    guard let stored = storedList, !new.isEmpty else { return }
    try OutputPlace.require(.file, at: listFile)
    // A killed program may have left a line half written.
    let isWhole = self.text(of: listFile)?.hasSuffix("\n") ?? true
    try AtomicFile.append((isWhole ? "" : "\n") + stored.lines(new), to: listFile)
  }
}

/// What earlier versions left, which kept no list with digests.
extension RunFolder {
  /// Their list. It is not believed: what it names is kept.
  private var earlierList: URL { url.appendingPathComponent("files.txt") }

  /// The paths in it that a program may have written, with its own.
  var earlierPaths: Set<String> {
    guard OutputPlace(earlierList, followsLinks: false) == .file, let text = text(of: earlierList) else { return [] }
    return Set(text.split(separator: "\n").map(String.init).filter(RunFolder.canBeListed)).union(["files.txt"])
  }

  /// The files of a run or a study of an earlier version; empty unless the folder holds one, which has more than a recipe.
  var earlierFiles: Set<String> {
    guard OutputPlace(recipe, followsLinks: true) == .file else { return [] }
    struct Repeats: Decodable {
      var seeds: [Int]?
      var folds: Int?
    }
    var files: Set<String> = []
    if [events, checkpoint].contains(where: { OutputPlace($0, followsLinks: false) == .file }) {
      files = Kind.run.all
    }
    if OutputPlace(repeats, followsLinks: false) == .file, let data = try? Data(contentsOf: repeats),
      let found = try? JSONDecoder().decode(Repeats.self, from: data)
    {
      let names = ((try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []).filter { name in
        guard let match = name.wholeMatch(of: /seed-(\d+)(?:-fold-(\d+))?/), let seed = Int(match.1) else {
          return false
        }
        let fold = match.2.flatMap { Int($0) }
        return found.seeds?.contains(seed) ?? true && fold.map { $0 < found.folds ?? 0 } ?? (found.folds == nil)
      }
      files.formUnion(Kind.study.all.union(names.map { "\($0)/" }))
    }
    return files
  }
}
