import Files
import Foundation
import LatentKit
import Recipes

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
  /// Training latents and labels of the finished model: what samplers learn from.
  public var latents: URL { url.appendingPathComponent("latents.safetensors") }
  /// Draws of a model of tables, one in each row.
  public var samples: URL { url.appendingPathComponent("samples.csv") }
  /// Rows of a table beside their reconstructions.
  public var reconstructions: URL { url.appendingPathComponent("reconstructions.csv") }
  /// The results of a finished run.
  public var summary: URL { url.appendingPathComponent("summary.json") }
  /// The page about the run.
  public var report: URL { url.appendingPathComponent("report.html") }
  /// Returns the place of a picture by its file name.
  public func figure(_ name: String) -> URL { url.appendingPathComponent("figures/\(name)") }

  /// Returns the file of a table that a metric returned, by the table's name.
  public func table(_ name: String) -> URL {
    let plain = name.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "-" }
    return url.appendingPathComponent("tables/\(String(plain)).csv")
  }

  /// Whether the folder holds a run.
  public var exists: Bool { FileManager.default.fileExists(atPath: recipe.path) }

  /// Makes the folder and those inside it that a run fills.
  public func create() throws {
    try create(inside: [checkpoint.deletingLastPathComponent(), figure("x").deletingLastPathComponent()])
  }

  /// Makes the folder and some inside it.
  public func create(inside folders: [URL]) throws {
    for folder in [url] + folders {
      do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
        throw FileError(folder.path, "cannot be made; choose a folder that you may write to")
      }
    }
  }

  /// Removes the files of an earlier run, and nothing that LatentKit did not make. Links are removed, never followed.
  ///
  /// - Throws: `FileError` for a folder that holds other files and no run, and where a file cannot be removed.
  public func clear() throws {
    try requireOwn()
    let tables = names(in: "tables").filter { $0.hasSuffix(".csv") }
    let stems = RunFolder.figureStems + tables.map { String($0.dropLast(4)) }
    let pictures = names(in: "figures").filter { name in
      (name.hasSuffix(".png") || name.hasSuffix(".svg")) && stems.contains { name.hasPrefix($0) }
    }
    let checkpoints = names(in: "checkpoints").filter {
      $0.hasPrefix(checkpoint.lastPathComponent) || $0.wholeMatch(of: /.+-epoch-\d+\.safetensors/) != nil
    }
    let files = [
      recipe, metrics, stages, features, trainedRuns, events, latents, samples, reconstructions, summary, report,
    ]
    let inside =
      checkpoints.map { "checkpoints/\($0)" } + pictures.map { "figures/\($0)" } + tables.map { "tables/\($0)" }
    for file in files + inside.map(url.appendingPathComponent) where RunFolder.kind(of: file) != nil {
      do { try FileManager.default.removeItem(at: file) } catch {
        throw FileError(file.path, "cannot be removed; choose another name")
      }
    }
    for name in RunFolder.folders where RunFolder.kind(of: url.appendingPathComponent(name)) == .typeDirectory {
      // Stays where something is left in it.
      rmdir(url.appendingPathComponent(name).path)
    }
  }

  private static let folders = ["checkpoints", "figures", "tables"]
  private static let figureStems = ["curves", "latents", "reconstructions", "class-distances", "samples", "unseen"]

  /// The type of a file, of a link itself; nil where there is none.
  private static func kind(of file: URL) -> FileAttributeType? {
    (try? FileManager.default.attributesOfItem(atPath: file.path))?[.type] as? FileAttributeType
  }

  /// The names in a folder of the run; none where that is a link.
  private func names(in folder: String) -> [String] {
    let place = url.appendingPathComponent(folder)
    guard RunFolder.kind(of: place) == .typeDirectory else { return [] }
    return (try? FileManager.default.contentsOfDirectory(atPath: place.path))?.sorted() ?? []
  }

  /// - Throws: `FileError` for a folder that holds files and no run.
  public func requireOwn() throws {
    guard !exists, let names = try? FileManager.default.contentsOfDirectory(atPath: url.path) else { return }
    let foreign = names.filter { name in
      !(RunFolder.folders.contains(name) && self.names(in: name).isEmpty) && !name.hasSuffix(".partial")
    }
    guard let first = foreign.sorted().first else { return }
    throw FileError(
      url.path, "holds '\(first)' and no run; choose another name, or an empty folder, so that nothing is lost")
  }

  /// Creates the first free folder of `name`, `name-2`, `name-3`, … atomically, so that two programs never get the same.
  public static func claim(_ name: String, in parent: URL) throws -> RunFolder {
    do { try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true) } catch {
      throw FileError(parent.path, "cannot be made; choose a folder that you may write to")
    }
    for number in 1... {
      let folder = RunFolder(parent.appendingPathComponent(number == 1 ? name : "\(name)-\(number)"))
      if mkdir(folder.url.path, 0o755) == 0 { return folder }
      guard errno == EEXIST else { throw FileError(folder.url.path, "cannot be made: \(systemMessage())") }
    }
    throw FileError(parent.path, "has no free name left")
  }

  /// Makes the folder if need be and keeps other programs out of it until the lock goes.
  ///
  /// - Throws: `FileError` where another program holds it, or it cannot be made.
  public func lock() throws -> RunLock {
    try create(inside: [])
    let lock = try RunLock(self)
    try create()
    return lock
  }

  /// A lock on the folder as it is; nil where there is none.
  ///
  /// - Throws: `FileError` where another program holds it.
  public func lockIfThere() throws -> RunLock? {
    FileManager.default.fileExists(atPath: url.path) ? try RunLock(self) : nil
  }

  /// Checks what is to be the name of one folder.
  ///
  /// - Throws: `RecipeError` for an empty one, one of dots alone, and one with separators, control characters or a leading
  ///   dash.
  public static func check(name: String) throws {
    guard let fault = Recipe.fault(inName: name) else { return }
    throw RecipeError("found the name \(fault), expected the name of one folder, without the path to it")
  }
}

/// A program's exclusive lock on a run folder. The system releases it when the program ends, however it ends.
public final class RunLock: Sendable {
  private let descriptor: Int32

  init(_ folder: RunFolder) throws {
    descriptor = open(folder.url.path, O_RDONLY)
    guard descriptor >= 0 else { throw FileError(folder.url.path, "cannot be opened: \(systemMessage())") }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw FileError(folder.url.path, "another program is working on this run; wait for it, or choose another name")
    }
  }

  deinit { close(descriptor) }
}
