import Files
import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// What a run leaves behind: `runs/<name>/` with the resolved recipe, the numbers, checkpoints and figures.
public struct RunFolder: Sendable {
  public let url: URL

  public init(_ url: URL) { self.url = url }

  public var name: String { url.lastPathComponent }
  /// The resolved recipe; composing it again repeats the run.
  public var recipe: URL { url.appendingPathComponent("recipe.yaml") }
  /// One JSON object per epoch.
  public var metrics: URL { url.appendingPathComponent("metrics.jsonl") }
  /// One JSON object for each stage that projected or masked weights.
  public var stages: URL { url.appendingPathComponent("stages.jsonl") }
  /// The input features that survived, strongest first.
  public var features: URL { url.appendingPathComponent("features.csv") }
  /// TensorBoard's event file.
  public var events: URL { url.appendingPathComponent("events.out.tfevents.0.latentkit") }
  /// Everything that training needs to go on.
  public var checkpoint: URL { url.appendingPathComponent("checkpoints/last.safetensors") }
  /// Training latents and labels of the finished model: what samplers learn from.
  public var latents: URL { url.appendingPathComponent("latents.safetensors") }
  /// Draws of a model of tables, one in each row.
  public var samples: URL { url.appendingPathComponent("samples.csv") }
  /// Rows of a table beside their reconstructions.
  public var reconstructions: URL { url.appendingPathComponent("reconstructions.csv") }
  public var summary: URL { url.appendingPathComponent("summary.json") }
  public var report: URL { url.appendingPathComponent("report.html") }
  /// The seeds and folds of a study; a single run has none.
  public var repeats: URL { url.appendingPathComponent("study.json") }
  public func figure(_ name: String) -> URL { url.appendingPathComponent("figures/\(name)") }

  /// A table that a metric returned, by its name.
  public func table(_ name: String) -> URL {
    let plain = name.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
    return url.appendingPathComponent("tables/\(String(plain)).csv")
  }

  /// Whether a run, or a study, lives here.
  public var exists: Bool { FileManager.default.fileExists(atPath: recipe.path) }

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
      do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
        throw FileError(folder.path, "cannot be made; choose a place that you may write to with --runs")
      }
    }
  }

  /// The first of `name`, `name-2`, `name-3`, … that is free, made at once, so that two programs never get the same.
  public static func claim(_ name: String, in parent: URL) throws -> RunFolder {
    do { try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true) } catch {
      throw FileError(parent.path, "cannot be made; choose a place that you may write to with --runs")
    }
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
  /// - Throws: `FileError` where another program holds it, and for a folder that is not a run's: one with other files and
  ///   no recipe, or with links, pipes and the like where a run has files. Nothing in it has changed then.
  public func lock() throws -> RunLock {
    try create(inside: [])
    let lock = try RunLock(self, waits: false)
    try requireOwn()
    try removeTemporaries()
    return lock
  }

  /// The same for a folder of results, which programs share: waits until no other one writes there.
  ///
  /// - Parameter check: Refuses a folder of something else. Nothing in it has changed then.
  public func lockResults(checking check: (URL) throws -> Void) throws -> RunLock {
    try check(url)
    try create(inside: [])
    let lock = try RunLock(self, waits: true)
    try check(url)
    for name in try FileManager.default.contentsOfDirectory(atPath: url.path)
    where AtomicFile.target(ofTemporary: name) != nil {
      unlink(url.appendingPathComponent(name).path)
    }
    return lock
  }
}

/// One program's hold on a run folder. The system lets go of it when the program ends, however it ends.
public final class RunLock: Sendable {
  /// What is held.
  public let folder: RunFolder
  private let descriptor: Int32

  fileprivate init(_ folder: RunFolder, waits: Bool) throws {
    self.folder = folder
    descriptor = open(folder.url.path, O_RDONLY)
    guard descriptor >= 0 else { throw FileError(folder.url.path, "cannot be opened: \(systemMessage())") }
    guard flock(descriptor, waits ? LOCK_EX : LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw FileError(folder.url.path, "another program is working on this run; wait for it, or choose another --name")
    }
  }

  deinit { close(descriptor) }
}
