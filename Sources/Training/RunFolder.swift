import Files
import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The folder of a run: `runs/<name>/` with the resolved recipe, the numbers, checkpoints and figures.
public struct RunFolder: Sendable {
  /// The folder.
  public let url: URL

  /// Creates the description of a folder, which need not exist.
  public init(_ url: URL) { self.url = url }

  /// The name of the folder.
  public var name: String { url.lastPathComponent }
  /// The resolved recipe; composing it again repeats the run.
  public var recipe: URL { url.appendingPathComponent("recipe.yaml") }
  /// One JSON object per epoch.
  public var metrics: URL { url.appendingPathComponent("metrics.jsonl") }
  /// One JSON object for each stage that projected or masked weights.
  public var stages: URL { url.appendingPathComponent("stages.jsonl") }
  /// The input features that survived, strongest first.
  public var features: URL { url.appendingPathComponent("features.csv") }
  /// The checksums of the runs that this one builds on, by path: JSON.
  public var trainedRuns: URL { url.appendingPathComponent("trained-runs.json") }
  /// TensorBoard's event file.
  public var events: URL { url.appendingPathComponent("events.out.tfevents.0.latentkit") }
  /// Everything that training needs to go on.
  public var checkpoint: URL { url.appendingPathComponent("checkpoints/last.safetensors") }
  /// The checkpoint that is kept after an epoch of a stage, counted from 1, where `keepEpochs` lists it. It opens as the last
  /// one does.
  public func checkpoint(of stage: String, epoch: Int) -> URL {
    url.appendingPathComponent("checkpoints/\(stage)-epoch-\(epoch).safetensors")
  }
  /// Latents and labels of the finished model: those of the training part are what samplers learn from.
  public var latents: URL { url.appendingPathComponent("latents.safetensors") }
  /// The latents of all parts of a table, one in each row.
  public var latentTable: URL { url.appendingPathComponent("latents.csv") }
  /// Which rows of the data are in which part.
  public var split: URL { url.appendingPathComponent("split.csv") }
  /// What the model knows of its data: none of the examples, but what transforms were fitted to.
  public var data: URL { url.appendingPathComponent("data.safetensors") }
  /// What the finished model predicts of each example.
  public var predictions: URL { url.appendingPathComponent("predictions.csv") }
  /// Images of some epochs of a run that is watched.
  public var watched: URL { url.appendingPathComponent("watched.safetensors") }
  /// Draws of a model of tables, one in each row.
  public var samples: URL { url.appendingPathComponent("samples.csv") }
  /// Rows of a table beside their reconstructions.
  public var reconstructions: URL { url.appendingPathComponent("reconstructions.csv") }
  /// The results of a finished run.
  public var summary: URL { url.appendingPathComponent("summary.json") }
  /// The page about the run.
  public var report: URL { url.appendingPathComponent("report.html") }
  /// The seeds and folds of a study; a single run has none.
  public var repeats: URL { url.appendingPathComponent("study.json") }
  /// The folders of a study's runs, in the order of their seeds and folds; none for a run.
  public var runs: [RunFolder] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []
    return names.filter { owns("\($0)/") }.sorted { $0.compare($1, options: .numeric) == .orderedAscending }.map {
      RunFolder(url.appendingPathComponent($0))
    }
  }
  /// Returns the place of a picture by its file name.
  public func figure(_ name: String) -> URL { url.appendingPathComponent("figures/\(name)") }

  /// Returns the files of tables that metrics returned, by the tables' names. Where two names would be one file's, the later
  /// table's has a number: `class-distances-2.csv`. So it has where a file that is not the run's has the name.
  public func tables(_ names: [String]) -> [URL] {
    var taken: Set<String> = []
    return names.map { name in
      let plain = String(name.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" })
      var (stem, number) = (plain, 1)
      while !taken.insert(stem).inserted || hasForeign(url.appendingPathComponent("tables/\(stem).csv")) {
        number += 1
        stem = "\(plain)-\(number)"
      }
      return url.appendingPathComponent("tables/\(stem).csv")
    }
  }

  /// The folder of a run by name.
  /// - Throws: `FileError` for a name that would not be that of one folder inside `parent`.
  public init(named name: String, in parent: URL) throws {
    // Names that are put together may be longer than those that people choose.
    if let defect = FileName.defect(in: name, longest: 240) {
      throw FileError(parent.path, "cannot hold a run called '\(name)': the name \(defect); choose another")
    }
    self.init(parent.appendingPathComponent(name))
  }

  /// Makes the folder and those inside it that a run fills.
  public func create() throws {
    try create(inside: [checkpoint.deletingLastPathComponent(), figure("x").deletingLastPathComponent()])
  }

  /// Makes the folder and some inside it.
  public func create(inside folders: [URL]) throws {
    for folder in [url] + folders {
      try RunFolder.make(folder)
    }
  }

  /// Makes a folder with those that it is in.
  private static func make(_ folder: URL) throws {
    do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
      // What is in the way may be above it.
      var place = folder.absoluteURL.standardizedFileURL
      while place.path != "/" {
        if let found = OutputPlace(place, followsLinks: true) {
          guard found != .folder else { break }
          throw FileError(place.path, "is \(found.rawValue), expected a folder; move it away, or choose another name")
        }
        place.deleteLastPathComponent()
      }
      throw FileError(folder.path, "cannot be made; choose a folder that you may write to")
    }
  }

  /// The first of `name`, `name-2`, `name-3`, … that is free, made at once, so that two programs never get the same.
  public static func claim(_ name: String, in parent: URL) throws -> RunFolder {
    try make(parent)
    for number in 1... {
      let folder = try RunFolder(named: number == 1 ? name : "\(name)-\(number)", in: parent)
      if mkdir(folder.url.path, 0o755) == 0 { return folder }
      guard errno == EEXIST else { throw FileError(folder.url.path, "cannot be made: \(systemMessage())") }
    }
    throw FileError(parent.path, "has no free name left")
  }

  /// Makes the folder if need be, keeps other programs out of it until the lock goes, and removes what killed programs
  /// left half written.
  ///
  /// - Parameter kind: What is going to be written.
  /// - Throws: `FileError` where another program holds it, where it cannot be written, for a link, and for a folder that is
  ///   not a run's: one with other files and no run, with links, pipes and the like where a run has files, or with files
  ///   that have the name of a run's and that no run wrote. Nothing in it has changed then.
  public func lock(for kind: Kind = .run) throws -> RunLock {
    try OutputPlace.require(.folder, at: url)
    try create(inside: [])
    let lock = try RunLock(self, .exclusive)
    try requireOwn(for: kind)
    try requireWritable()
    try removeTemporaries()
    return lock
  }

  /// Whether another program is training the run now.
  public var isInUse: Bool {
    do { return try lockForReading() == nil && OutputPlace(url, followsLinks: true) == .folder } catch { return false }
  }

  /// Keeps the run from being trained again or cleared until the lock goes, for those that read it.
  ///
  /// - Returns: Nil where there is no folder, and where a program that trains the run holds it: what is there is read then.
  /// - Throws: `FileError` where the folder cannot be opened.
  public func lockForReading() throws -> RunLock? {
    guard OutputPlace(url, followsLinks: true) == .folder else { return nil }
    do { return try RunLock(self, .shared) } catch RunLock.Taken.byAnother { return nil }
  }

  /// Makes programs that add files to the folder of a run, such as pictures, do so one after the other. It is held for the
  /// time of choosing a name and writing.
  ///
  /// - Throws: `FileError` where the folder of figures is not the run's, or cannot be made.
  public func lockForAdding() throws -> RunLock {
    let figures = figure("x").deletingLastPathComponent()
    try OutputPlace.require(.folder, at: figures)
    try create(inside: [figures])
    return try RunLock(RunFolder(figures), .waiting)
  }

  /// The same as `lock` for a folder of results, which programs share: waits until no other one writes there.
  ///
  /// - Parameters:
  ///   - check: Refuses a folder of something else. Nothing in it has changed then.
  ///   - owns: Whether a name is that of a file of results.
  public func lockResults(checking check: (URL) throws -> Void, owning owns: (String) -> Bool) throws -> RunLock {
    try check(url)
    try create(inside: [])
    let lock = try RunLock(self, .waiting)
    try check(url)
    for name in try FileManager.default.contentsOfDirectory(atPath: url.path)
    where AtomicFile.target(ofTemporary: name).map(owns) == true
      && OutputPlace(url.appendingPathComponent(name), followsLinks: false) == .file
    {
      unlink(url.appendingPathComponent(name).path)
    }
    return lock
  }
}

extension FileError {
  fileprivate static let inUse = "another program is working on this run; wait for it, or choose another name"
  /// Whether the file is a folder of a run that another program is working on.
  public var isOfRunInUse: Bool { reason == FileError.inUse }
}

/// A program's exclusive lock on a run folder. The system releases it when the program ends, however it ends.
public final class RunLock: Sendable {
  /// The folder that is held.
  public let folder: RunFolder
  private let descriptor: Int32

  enum Mode { case exclusive, shared, waiting }
  enum Taken: Error { case byAnother }

  fileprivate init(_ folder: RunFolder, _ mode: Mode) throws {
    self.folder = folder
    while true {
      let descriptor = open(folder.url.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
      guard descriptor >= 0 else { throw FileError(folder.url.path, "cannot be opened: \(systemMessage())") }
      let operation =
        switch mode {
        case .exclusive: LOCK_EX | LOCK_NB
        case .shared: LOCK_SH | LOCK_NB
        case .waiting: LOCK_EX
        }
      if flock(descriptor, operation) == 0 {
        // A folder that was removed and made again meanwhile is another one.
        var (held, there) = (stat(), stat())
        if fstat(descriptor, &held) == 0, stat(folder.url.path, &there) == 0, held.st_ino == there.st_ino,
          held.st_dev == there.st_dev
        {
          self.descriptor = descriptor
          return
        }
        close(descriptor)
        continue
      }
      let code = errno
      close(descriptor)
      if code == EINTR { continue }
      guard code == EWOULDBLOCK else {
        throw FileError(folder.url.path, "cannot be locked: \(systemMessage(code))")
      }
      if mode == .shared { throw Taken.byAnother }
      throw FileError(folder.url.path, FileError.inUse)
    }
  }

  deinit { close(descriptor) }
}
