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
  /// The pictures of every run.
  static let figures = [
    "curves", "latents", "reconstructions", "samples", "latent-grid", "samples-by-epoch", "reconstructions-by-epoch",
  ]
  private static let folders = ["checkpoints", "figures", "tables"]

  /// The files whose names are the same in every run or study.
  private static let fixed = Kind.run.all.union(Kind.study.all)

  static func canBeListed(_ path: String) -> Bool {
    fixed.contains(path)
      || path.wholeMatch(
        of:
          /(tables\/)?[^\/.][^\/]*\.csv|figures\/[^\/.][^\/]*\.(png|svg)|checkpoints\/[^\/.][^\/]*\.safetensors|seed-\d+(-fold-\d+)?\//
      ) != nil
  }

  /// Notes files that are about to be written into the folder, so that they are cleared with the run. Those that are listed
  /// already, and those elsewhere, are left out.
  ///
  /// - Parameter files: Files, or the folders of a study's runs.
  /// - Throws: `FileError` if the list cannot be written, or is not a regular file; and, before anything is listed, for what
  ///   is in the place of one and no run wrote.
  public func note(_ files: [URL]) throws {
    let paths = files.compactMap(path).map { $0.hasPrefix("seed-") ? "\($0)/" : $0 }.filter(RunFolder.canBeListed)
    try requireNoOther(than: owned, at: paths)
    if !paths.isEmpty { try list(Set(paths)) }
  }

  /// The path inside the folder; nil for files elsewhere.
  private func path(_ file: URL) -> String? {
    let (root, path) = (url.absoluteURL.standardizedFileURL.path + "/", file.absoluteURL.standardizedFileURL.path)
    return path.hasPrefix(root) ? String(path.dropFirst(root.count)) : nil
  }

  /// Whether there is something in the place of a file that no run wrote.
  public func hasForeign(_ file: URL) -> Bool {
    OutputPlace(file, followsLinks: false) != nil && !(path(file).map(owns) ?? false)
  }

  /// - Throws: `FileError` where one of the paths is a file that is not owned.
  private func requireNoOther(than owned: Set<String>, at paths: some Sequence<String>) throws {
    for path in paths where !owned.contains(path) {
      let place = url.appendingPathComponent(path)
      guard OutputPlace(place, followsLinks: false) != nil else { continue }
      throw FileError(
        place.path, "was not written by this run, which would replace it; move it away, or choose another name")
    }
  }

  /// Whether every run has a picture of a name, which is without its extension.
  public static func hasFigure(_ name: String) -> Bool { figures.contains(name) }

  /// The paths of what is the run's: by its list, or as those of an earlier version.
  var owned: Set<String> { (list?.paths ?? earlierFiles).union(hasList ? [RunList.name] : []) }

  /// Whether a run, or a study, lives here: a recipe, and what only programs write beside one.
  public var exists: Bool {
    FileManager.default.fileExists(atPath: recipe.path) && (list != nil || !earlierFiles.isEmpty)
  }

  /// Whether the file at a path inside the folder, such as `figures/curves.svg`, is the run's.
  public func owns(_ path: String) -> Bool { owned.contains(path) }

  /// Whether the file at a path inside the folder of a run is the run's, or may be: what commands that write elsewhere keep.
  public func mayOwn(_ path: String) -> Bool {
    RunFolder.fixed.contains(path) || path == RunList.name || owns(path) || earlierPaths.contains(path)
  }

  /// Refuses inputs of a run that it would remove or replace.
  ///
  /// - Parameter inputs: Files and folders that the run reads.
  /// - Throws: `FileError` for one of the run's own files, or of the runs of a study in the folder.
  public func requireNotOwned(_ inputs: [URL]) throws {
    let root = url.realPath + "/"
    for input in inputs.map(\.realPath) where "\(input)/".hasPrefix(root) {
      let path = String(input.dropFirst(root.count))
      let (folder, inner) = (path.prefix { $0 != "/" }, path.drop { $0 != "/" }.dropFirst())
      let isOfStudy =
        owns("\(folder)/")
        && (inner.isEmpty || RunFolder(url.appendingPathComponent(String(folder))).mayOwn(String(inner)))
      let isFolder = path.isEmpty || RunFolder.folders.contains(path)
      guard isFolder || RunFolder.fixed.contains(path) || owns(path) || isOfStudy else { continue }
      throw FileError(
        input,
        "is read by the recipe, and has the place of a file of the run in \(url.path); move it away, or choose "
          + "another folder for the run")
    }
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
    guard let target = AtomicFile.target(ofTemporary: name) else { return false }
    let file = folder.isEmpty ? target : "\(folder)/\(target)"
    return RunFolder.fixed.contains(file) || file == RunList.name || owned.contains(file)
  }

  /// - Throws: `FileError` for a folder with other files and no run, where something else is in the place of a run's file,
  ///   and for files that have the name of one and that no run wrote.
  func requireOwn(for kind: Kind) throws {
    for folder in RunFolder.folders { try OutputPlace.require(.folder, at: url.appendingPathComponent(folder)) }
    let listed = (list?.paths ?? []).filter { !$0.hasSuffix("/") }
    for file in RunFolder.fixed.union(listed).sorted() + [RunList.name] {
      try OutputPlace.require(.file, at: url.appendingPathComponent(file))
    }
    let owned = owned
    guard !exists else { return try requireNoOther(than: owned, at: kind.all.sorted()) }
    if let other = foreign(than: owned) {
      throw FileError(
        url.path, "holds '\(other)' and no run; choose another name, or move what is in it somewhere else")
    }
  }

  /// The first path in the folder that is none of those owned. A run that was killed at once leaves folders, its list, and
  /// files half written.
  private func foreign(than owned: Set<String>) -> String? {
    let temporaries = files(isTemporary)
    return paths().first { !temporaries.contains($0) && !RunFolder.folders.contains($0) && !owned.contains($0) }
  }

  /// Refuses to replace a run beside which there are other files, where the run has to leave nothing behind: in a study.
  ///
  /// - Throws: `FileError` with the first such file.
  public func requireNothingElse() throws {
    guard OutputPlace(url, followsLinks: false) == .folder, let other = foreign(than: owned) else { return }
    throw FileError(
      url.appendingPathComponent(other).path,
      "is no file of the run that would be replaced there; move it away, or choose another name")
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

  /// Removes the checkpoint of an epoch, if it is the run's.
  func removeCheckpoint(of kept: KeptEpoch) throws {
    let path = "checkpoints/\(checkpoint(of: kept).lastPathComponent)"
    if owns(path) { try remove([path]) }
  }

  /// Removes the results of a run that goes on, by which it counts as finished.
  func removeSummary() throws {
    if OutputPlace(summary, followsLinks: false) == .file { try remove([summary.lastPathComponent]) }
  }

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
  /// - Returns: The paths of files that an earlier version listed, without a proof that it wrote them. They stay.
  /// - Throws: `FileError` where another program works on one of the study's runs, before anything is removed; and for what
  ///   cannot be removed.
  @discardableResult
  public func clear(keepsRuns: Bool = false) throws -> [String] {
    let names = keepsRuns ? [] : (try? FileManager.default.contentsOfDirectory(atPath: folder.url.path)) ?? []
    // Read once: it has a digest for each path.
    let owned = folder.owned
    let runs = names.filter { owned.contains("\($0)/") }.sorted().map {
      RunFolder(folder.url.appendingPathComponent($0))
    }
    .filter { OutputPlace($0.url, followsLinks: false) == .folder && $0.exists }
    let locks = try runs.map { try $0.lock() }
    var kept: [String] = []
    for lock in locks {
      kept += try lock.folder.removeOwn().map { "\(lock.folder.name)/\($0)" }
      // What is left in it was not ours.
      rmdir(lock.folder.url.path)
    }
    return try folder.removeOwn() + kept
  }
}

extension RunFolder {
  /// - Returns: The paths that an earlier version listed and that stay.
  fileprivate func removeOwn() throws -> [String] {
    let owned = owned
    // The recipe and the list go last: what a kill leaves is still known as a run's.
    let last = ["recipe.yaml", RunList.name]
    let kept = earlierPaths.subtracting(owned).filter {
      OutputPlace(url.appendingPathComponent($0), followsLinks: false) != nil
    }
    try remove(files { !last.contains($0) && owned.contains($0) })
    for name in RunFolder.folders { rmdir(url.appendingPathComponent(name).path) }
    for name in last where owned.contains(name) { try remove(files { $0 == name }) }
    return kept.sorted()
  }
}
