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
        throw FileError(folder.path, "cannot be made; choose a place that you may write to with --runs")
      }
    }
  }

  /// Removes the files of an earlier run, and nothing that LatentKit did not make.
  public func clear() throws {
    let files = [
      recipe, metrics, stages, features, events, latents, samples, reconstructions, summary, report,
      checkpoint.deletingLastPathComponent(),
      figure("x").deletingLastPathComponent(), table("x").deletingLastPathComponent(),
    ]
    for file in files where FileManager.default.fileExists(atPath: file.path) {
      do { try FileManager.default.removeItem(at: file) } catch {
        throw FileError(file.path, "cannot be removed; choose another --name")
      }
    }
  }

  /// Creates the first free folder of `name`, `name-2`, `name-3`, … atomically, so that two programs never get the same.
  public static func claim(_ name: String, in parent: URL) throws -> RunFolder {
    do { try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true) } catch {
      throw FileError(parent.path, "cannot be made; choose a place that you may write to with --runs")
    }
    for number in 1... {
      let folder = RunFolder(parent.appendingPathComponent(number == 1 ? name : "\(name)-\(number)"))
      if mkdir(folder.url.path, 0o755) == 0 { return folder }
      guard errno == EEXIST else { throw FileError(folder.url.path, "cannot be made: \(systemMessage())") }
    }
    throw FileError(parent.path, "has no free name left")
  }

  /// Makes the folder if need be and keeps other programs out of it until the lock goes.
  public func lock() throws -> RunLock {
    try create()
    return try RunLock(self)
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
      throw FileError(folder.url.path, "another program is working on this run; wait for it, or choose another --name")
    }
  }

  deinit { close(descriptor) }
}
