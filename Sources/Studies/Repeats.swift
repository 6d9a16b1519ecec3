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

  /// Reads the repeats of a study's folder; nil for the folder of a single run.
  ///
  /// - Throws: `FileError` for a damaged `study.json`.
  public static func read(_ folder: RunFolder) throws -> Repeats? {
    guard let data = try? Data(contentsOf: folder.repeats) else { return nil }
    guard let repeats = try? JSONDecoder().decode(Repeats.self, from: data), repeats.folds ?? 2 >= 2,
      repeats.seeds.map({ !$0.isEmpty && $0.allSatisfy { $0 >= 0 } && Set($0).count == $0.count }) ?? true
    else {
      throw FileError(folder.repeats.path, "is not a study's list of seeds and folds; give the seeds and folds again")
    }
    return repeats
  }

  func write(to folder: RunFolder) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    try AtomicFile.write(encoder.encode(self), to: folder.repeats)
  }
}
