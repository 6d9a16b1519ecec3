import Files
import Foundation
import Training

/// How often a recipe is run: with which seeds, on how many folds.
public struct Repeats: Codable, Equatable, Sendable {
  /// Nil for the recipe's own.
  public var seeds: [Int]?
  /// Nil for the data's own test part.
  public var folds: Int?

  public init(seeds: [Int]? = nil, folds: Int? = nil) { (self.seeds, self.folds) = (seeds, folds) }

  /// What a study's folder says; nil for the folder of a single run.
  /// - Throws: `FileError` for a damaged `study.json`.
  public static func read(_ folder: RunFolder) throws -> Repeats? {
    guard let data = try? Data(contentsOf: folder.repeats) else { return nil }
    do { return try JSONDecoder().decode(Repeats.self, from: data) } catch {
      throw FileError(folder.repeats.path, "is not a study's list of seeds and folds; give --seeds and --folds again")
    }
  }

  func write(to folder: RunFolder) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    try AtomicFile.write(encoder.encode(self), to: folder.repeats)
  }
}
