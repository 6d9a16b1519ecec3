import Files
import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The files of a folder that are a run's own. All other files in it are kept.
extension RunFolder {
  /// The files of every run or study outside its folders.
  private static let files = [
    "recipe.yaml", "metrics.jsonl", "stages.jsonl", "features.csv", "events.out.tfevents.0.latentkit",
    "latents.safetensors", "samples.csv", "reconstructions.csv", "summary.json", "report.html", "study.json",
    "results.md", "results.csv", "trained-runs.json", "watched.safetensors",
  ]
  /// The pictures of every run.
  private static let figures = [
    "curves", "latents", "reconstructions", "samples", "class-distances", "latent-grid", "samples-by-epoch",
    "reconstructions-by-epoch",
  ]
  private static let folders = ["checkpoints", "figures", "tables"]

  /// The files whose names are the same in every run.
  private static let fixed = Set(
    files + ["checkpoints/last.safetensors"] + figures.flatMap { ["figures/\($0).png", "figures/\($0).svg"] })

  /// The list of the other files that programs wrote into the folder, one path per line: tables of metrics, pictures of them,
  /// draws beside the run's own, kept checkpoints.
  private var list: URL { url.appendingPathComponent("files.txt") }

  /// The files in the list; lines that no program writes are left out.
  private var listed: Set<String> {
    guard OutputPlace(list, followsLinks: false) == .file, let text = try? String(contentsOf: list, encoding: .utf8)
    else { return [] }
    return Set(text.split(separator: "\n").map(String.init).filter(RunFolder.canBeListed))
  }

  private static func canBeListed(_ path: String) -> Bool {
    path.wholeMatch(
      of: /(tables\/)?[^\/.][^\/]*\.csv|figures\/[^\/.][^\/]*\.(png|svg)|checkpoints\/[^\/.][^\/]*\.safetensors/) != nil
  }

  /// Notes files that are about to be written into the folder, so that they are cleared with the run. Files that the list or
  /// every run has already, and those elsewhere, are left out.
  ///
  /// - Throws: `FileError` if the list cannot be written, or is not a regular file.
  public func note(_ files: [URL]) throws {
    let root = url.absoluteURL.standardizedFileURL.path + "/"
    let listed = listed
    let paths = files.map(\.absoluteURL.standardizedFileURL.path).filter { $0.hasPrefix(root) }
      .map { String($0.dropFirst(root.count)) }
      .filter { !RunFolder.fixed.contains($0) && !listed.contains($0) && RunFolder.canBeListed($0) }
    guard !paths.isEmpty else { return }
    try OutputPlace.require(.file, at: list)
    try AtomicFile.append(paths.map { "\($0)\n" }.joined(), to: list)
  }

  /// Whether every run has a picture of a name, which is without its extension.
  public static func hasFigure(_ name: String) -> Bool { figures.contains(name) }

  /// Whether the file at a path inside the folder, such as `figures/curves.svg`, is the run's.
  public func owns(_ path: String) -> Bool {
    RunFolder.fixed.contains(path) || path == list.lastPathComponent || listed.contains(path)
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
    return AtomicFile.target(ofTemporary: name).map { owns(folder.isEmpty ? $0 : "\(folder)/\($0)") } ?? false
  }

  /// - Throws: `FileError` for a folder with other files and no run, and where something else is in the place of a run's file.
  func requireOwn() throws {
    for folder in RunFolder.folders { try OutputPlace.require(.folder, at: url.appendingPathComponent(folder)) }
    for file in RunFolder.fixed.union(listed).sorted() + [list.lastPathComponent] {
      try OutputPlace.require(.file, at: url.appendingPathComponent(file))
    }
    guard !exists else { return }
    // A run that was killed at once leaves folders, and files half written.
    let temporaries = files(isTemporary)
    if let other = paths().first(where: { !temporaries.contains($0) && !RunFolder.folders.contains($0) }) {
      throw FileError(
        url.path, "holds '\(other)' and no run; choose another name, or move what is in it somewhere else")
    }
  }

  /// - Throws: `FileError` for a folder that cannot be written, before hours of training.
  func requireWritable() throws {
    for folder in [url] + RunFolder.folders.map(url.appendingPathComponent)
    where OutputPlace(folder, followsLinks: true) == .folder && access(folder.path, W_OK | X_OK) != 0 {
      throw FileError(folder.path, "cannot be written: \(systemMessage()); choose a folder that you may write to")
    }
  }

  /// Removes what programs left that were killed while they wrote.
  func removeTemporaries() throws { try remove(files(isTemporary)) }

  private func remove(_ paths: [String]) throws {
    for path in paths {
      let file = url.appendingPathComponent(path)
      guard unlink(file.path) == 0 || errno == ENOENT else {
        throw FileError(file.path, "cannot be removed: \(systemMessage()); or choose another name")
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
    // The list and the recipe go last: what a kill leaves is still known as a run's.
    let last = [list.lastPathComponent, recipe.lastPathComponent]
    try remove(files { !last.contains($0) && owns($0) })
    for name in RunFolder.folders { rmdir(url.appendingPathComponent(name).path) }
    for name in last { try remove(files { $0 == name }) }
  }
}
