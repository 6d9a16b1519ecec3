import Files
import Foundation
import Training

/// The seeds and folds that a recipe is run with.
public struct Repeats: Codable, Equatable, Sendable {
  /// The seeds, 0 or more; nil for the recipe's own.
  public var seeds: [Int]?
  /// The number of folds, 2 or more; nil for the data's own test part.
  public var folds: Int?

  /// Creates repeats.

  public init(seeds: [Int]? = nil, folds: Int? = nil) { (self.seeds, self.folds) = (seeds, folds) }

  private static func file(_ folder: RunFolder) -> URL { folder.url.appendingPathComponent("study.json") }

  /// Reads the repeats of a study's folder; nil for the folder of a single run.
  ///
  /// - Throws: `FileError` for a damaged `study.json`.
  public static func read(_ folder: RunFolder) throws -> Repeats? {
    guard let data = try? Data(contentsOf: file(folder)) else { return nil }
    do { return try JSONDecoder().decode(Repeats.self, from: data) } catch {
      throw FileError(file(folder).path, "is not a study's list of seeds and folds; give the seeds and folds again")
    }
  }

  /// Removes the files of a study or a single run from a folder, and only those that LatentKit wrote.
  ///
  /// - Throws: The file system's error if one cannot be removed.
  public static func clear(_ folder: RunFolder) throws {
    let manager = FileManager.default
    let names = (try? manager.contentsOfDirectory(atPath: folder.url.path)) ?? []
    func isRun(_ name: String) -> Bool { name.wholeMatch(of: /seed-\d+(-fold-\d+)?/) != nil }
    // Held before anything is removed.
    let runs = names.filter(isRun).map { RunFolder(folder.url.appendingPathComponent($0)) }
    let locks = try ([folder] + runs).map { try $0.lockIfThere() }
    defer { withExtendedLifetime(locks) {} }
    try folder.clear()
    for name in names {
      let url = folder.url.appendingPathComponent(name)
      if isRun(name) {
        try RunFolder(url).clear()
        // Other files in it are kept.
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
