import Files
import Foundation

/// What a run leaves behind: `runs/<name>/` with the resolved recipe, the numbers, checkpoints and figures.
public struct RunFolder: Sendable {
  public let url: URL

  public init(_ url: URL) { self.url = url }

  public var name: String { url.lastPathComponent }
  /// The resolved recipe; composing it again repeats the run.
  public var recipe: URL { url.appendingPathComponent("recipe.yaml") }
  /// One JSON object per epoch.
  public var metrics: URL { url.appendingPathComponent("metrics.jsonl") }
  /// TensorBoard's event file.
  public var events: URL { url.appendingPathComponent("events.out.tfevents.latentkit") }
  /// Everything that training needs to go on.
  public var checkpoint: URL { url.appendingPathComponent("checkpoints/last.safetensors") }
  /// Training latents and labels of the finished model: what samplers learn from.
  public var latents: URL { url.appendingPathComponent("latents.safetensors") }
  public var summary: URL { url.appendingPathComponent("summary.json") }
  public var report: URL { url.appendingPathComponent("report.html") }
  public func figure(_ name: String) -> URL { url.appendingPathComponent("figures/\(name)") }

  /// Whether a run lives here.
  public var exists: Bool { FileManager.default.fileExists(atPath: recipe.path) }

  /// Makes the folder and those inside it.
  public func create() throws {
    for folder in [url, checkpoint.deletingLastPathComponent(), figure("x").deletingLastPathComponent()] {
      do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
        throw FileError(folder.path, "cannot be made; choose a place that you may write to with --runs")
      }
    }
  }

  /// Removes the files of an earlier run, and nothing that LatentKit did not make.
  public func clear() throws {
    let files = [
      recipe, metrics, events, latents, summary, report, checkpoint.deletingLastPathComponent(),
      figure("x").deletingLastPathComponent(),
    ]
    for file in files where FileManager.default.fileExists(atPath: file.path) {
      do { try FileManager.default.removeItem(at: file) } catch {
        throw FileError(file.path, "cannot be removed; choose another --name")
      }
    }
  }

  /// The first of `name`, `name-2`, `name-3`, … that is free.
  public static func unused(_ name: String, in parent: URL) -> RunFolder {
    var number = 1
    while true {
      let folder = RunFolder(parent.appendingPathComponent(number == 1 ? name : "\(name)-\(number)"))
      if !FileManager.default.fileExists(atPath: folder.url.path) { return folder }
      number += 1
    }
  }
}
