import Files
import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Which files of a folder are a run's own. All else in it belongs to somebody else, and is left alone.
extension RunFolder {
  /// What a run or a study writes, beside what lies in folders.
  private static let files = [
    "recipe.yaml", "metrics.jsonl", "stages.jsonl", "features.csv", "events.out.tfevents.0.latentkit",
    "latents.safetensors", "samples.csv", "reconstructions.csv", "summary.json", "report.html", "study.json",
    "results.md", "results.csv",
  ]
  /// The pictures that a run draws; others have the name of a table.
  private static let figures = ["curves", "latents", "reconstructions", "samples", "class-distances"]
  private static let folders = ["checkpoints", "figures", "tables"]

  /// Whether a run writes the file at a path inside its folder: `recipe.yaml`, `figures/curves.svg`.
  public static func isWrittenByRuns(_ path: String) -> Bool {
    let steps = path.split(separator: "/").map(String.init)
    if steps.count == 1 { return files.contains(path) }
    guard steps.count == 2 else { return false }
    switch steps[0] {
    case "checkpoints": return steps[1] == "last.safetensors"
    case "tables": return steps[1].wholeMatch(of: /[a-z0-9-]+\.csv/) != nil
    case "figures":
      return steps[1].wholeMatch(of: /(.+)\.(png|svg)/).map { figures.contains(String($0.1)) } ?? false
    default: return false
    }
  }

  /// The same, and what commands write into the folder of a finished run: `figures/samples-2.png`.
  private func isOwn(_ path: String) -> Bool {
    if RunFolder.isWrittenByRuns(path) || path.wholeMatch(of: /samples-\d+\.csv/) != nil { return true }
    guard let match = path.wholeMatch(of: /figures\/([^\/]+)\.(png|svg)/) else { return false }
    let name = String(match.1)
    return name.wholeMatch(of: /samples-\d+|reconstructions-.+/) != nil
      || OutputPlace(url.appendingPathComponent("tables/\(name).csv"), followsLinks: false) == .file
  }

  /// The names in the folder and in those of a run inside it, links not followed.
  private func paths() -> [String] {
    (["."] + RunFolder.folders.filter { OutputPlace(url.appendingPathComponent($0), followsLinks: false) == .folder })
      .flatMap { folder in
        let names =
          (try? FileManager.default.contentsOfDirectory(atPath: url.appendingPathComponent(folder).path)) ?? []
        return names.sorted().map { folder == "." ? $0 : "\(folder)/\($0)" }
      }
  }

  /// Those that are regular files, no links among them, and what `isWanted` says.
  private func files(_ isWanted: (String) -> Bool) -> [String] {
    paths().filter { isWanted($0) && OutputPlace(url.appendingPathComponent($0), followsLinks: false) == .file }
  }

  /// Whether a killed program left a file of the run half written under this name.
  private func isTemporary(_ path: String) -> Bool {
    let (folder, name) = ((path as NSString).deletingLastPathComponent, (path as NSString).lastPathComponent)
    return AtomicFile.target(ofTemporary: name).map { isOwn(folder.isEmpty ? $0 : "\(folder)/\($0)") } ?? false
  }

  /// - Throws: `FileError` for a folder with other files and no run, and where something else is in the place of a run's file.
  func requireOwn() throws {
    for folder in RunFolder.folders { try OutputPlace.require(.folder, at: url.appendingPathComponent(folder)) }
    let fixed = RunFolder.files + ["checkpoints/last.safetensors"]
    let drawn = RunFolder.figures.flatMap { ["figures/\($0).png", "figures/\($0).svg"] }
    for file in fixed + drawn { try OutputPlace.require(.file, at: url.appendingPathComponent(file)) }
    guard !exists else { return }
    // A run that was killed at once leaves folders, and files half written.
    let temporaries = files(isTemporary)
    if let other = paths().first(where: { !temporaries.contains($0) && !RunFolder.folders.contains($0) }) {
      throw FileError(
        url.path, "holds '\(other)' and no run; choose another --name, or move what is in it somewhere else")
    }
  }

  /// Removes what programs left that were killed while they wrote.
  func removeTemporaries() throws { try remove(files(isTemporary)) }

  private func remove(_ paths: [String]) throws {
    for path in paths {
      let file = url.appendingPathComponent(path)
      guard unlink(file.path) == 0 || errno == ENOENT else {
        throw FileError(file.path, "cannot be removed: \(systemMessage()); or choose another --name")
      }
    }
  }
}

extension RunLock {
  /// Removes the files of an earlier run or study, and nothing that LatentKit did not make. Folders go where they are empty.
  ///
  /// - Parameter keepsRuns: Whether the runs of a study stay.
  /// - Throws: `FileError` where another program works on one of the study's runs, before anything is removed; and for what
  ///   cannot be removed.
  public func clear(keepsRuns: Bool = false) throws {
    let names = keepsRuns ? [] : (try? FileManager.default.contentsOfDirectory(atPath: folder.url.path)) ?? []
    let runs = names.filter { $0.wholeMatch(of: /seed-\d+(-fold-\d+)?/) != nil }.sorted()
      .map { RunFolder(folder.url.appendingPathComponent($0)) }
      .filter { OutputPlace($0.url, followsLinks: false) == .folder && $0.exists }
    let locks = try runs.map { try $0.lock() }
    for lock in locks {
      try lock.folder.removeOwn()
      // What is left in it was not ours.
      rmdir(lock.folder.url.path)
    }
    try folder.removeOwn()
  }
}

extension RunFolder {
  fileprivate func removeOwn() throws {
    // Tables go after the pictures that are known by them, and the recipe last: what a kill leaves is still known as a run.
    try remove(files { $0 != "recipe.yaml" && isOwn($0) })
    for name in RunFolder.folders { rmdir(url.appendingPathComponent(name).path) }
    try remove(files { $0 == "recipe.yaml" })
  }
}
