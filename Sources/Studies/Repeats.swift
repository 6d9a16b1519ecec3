import Files
import Foundation
import Training

/// How often a recipe is run: with which seeds, on how many folds.
public struct Repeats: Codable, Equatable, Sendable {
  /// Nil for the recipe's own.
  public var seeds: [Int]?
  /// Nil for the data's own test part.
  public var folds: Int?

  /// Creates a value with these fields.
  public init(seeds: [Int]? = nil, folds: Int? = nil) { (self.seeds, self.folds) = (seeds, folds) }

  private static func file(_ folder: RunFolder) -> URL { folder.url.appendingPathComponent("study.json") }

  /// Reads the repeats of a study's folder; nil for the folder of a single run.
  /// - Throws: `FileError` for a damaged `study.json`.
  public static func read(_ folder: RunFolder) throws -> Repeats? {
    guard let data = try? Data(contentsOf: file(folder)) else { return nil }
    do { return try JSONDecoder().decode(Repeats.self, from: data) } catch {
      throw FileError(file(folder).path, "is not a study's list of seeds and folds; give --seeds and --folds again")
    }
  }

  /// Removes what a study or a single run left in a folder, and nothing that LatentKit did not make.
  public static func clear(_ folder: RunFolder) throws {
    try folder.clear()
    let manager = FileManager.default
    for name in (try? manager.contentsOfDirectory(atPath: folder.url.path)) ?? [] {
      let url = folder.url.appendingPathComponent(name)
      if name.wholeMatch(of: /seed-\d+(-fold-\d+)?/) != nil {
        try RunFolder(url).clear()
        // What is left in it was not ours.
        if try manager.contentsOfDirectory(atPath: url.path).isEmpty { try manager.removeItem(at: url) }
      } else if ["study.json", "results.md", "results.csv"].contains(name) {
        try manager.removeItem(at: url)
      }
    }
  }

  func write(to folder: RunFolder) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    try AtomicFile.write(encoder.encode(self), to: Repeats.file(folder))
  }
}
