import ArgumentParser
import Files
import Foundation
import LatentKit
import Training

struct RepeatOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp("Run with each of these seeds, as in 1,2,3 or 1-5: mean and spread.", valueName: "list"))
  var seeds: String?
  @Option(
    help: ArgumentHelp(
      "Cross-validate: cut the training examples into this many parts, stratified, and test on each in turn.",
      valueName: "count"))
  var folds: Int?

  /// The repeats of the flags, else those that a study was begun with; nil for a single run.
  func asked(orIn known: RunFolder?) throws -> Repeats? {
    if let folds, !(2...1000).contains(folds) { throw ValidationError("--folds is \(folds), expected 2 to 1000") }
    guard seeds != nil || folds != nil else { return try known.flatMap(Repeats.read) }
    return Repeats(seeds: try seeds.map(Self.list), folds: folds)
  }

  /// Reads `1,2,3` and `1-5`.
  static func list(_ text: String) throws -> [Int] {
    let seeds = try text.split(separator: ",", omittingEmptySubsequences: false).flatMap { part in
      guard let match = part.wholeMatch(of: /\s*(\d{1,9})(?:-(\d{1,9}))?\s*/), let first = Int(match.1) else {
        throw ValidationError("--seeds: found '\(part)', expected whole numbers, as in 1,2,3 or 1-5")
      }
      let last = match.2.flatMap { Int($0) } ?? first
      guard first <= last, last - first < 1000 else {
        throw ValidationError("--seeds: found '\(part)', expected the smaller number first and at most 1000 of them")
      }
      return Array(first...last)
    }
    if let twice = seeds.indices.first(where: { seeds[..<$0].contains(seeds[$0]) }) {
      throw ValidationError("--seeds: \(seeds[twice]) is there twice; a run of the same seed is the same run")
    }
    return seeds
  }
}

/// How often a recipe is run: with which seeds, on how many folds.
struct Repeats: Codable, Equatable {
  /// Nil for the recipe's own.
  var seeds: [Int]?
  /// Nil for the data's own test part.
  var folds: Int?

  private static func file(_ folder: RunFolder) -> URL { folder.url.appendingPathComponent("study.json") }

  /// What a study's folder says; nil for the folder of a single run.
  static func read(_ folder: RunFolder) throws -> Repeats? {
    guard let data = try? Data(contentsOf: file(folder)) else { return nil }
    do { return try JSONDecoder().decode(Repeats.self, from: data) } catch {
      throw FileError(file(folder).path, "is not a study's list of seeds and folds; give --seeds and --folds again")
    }
  }

  /// Removes what a study or a single run left in a folder, and nothing that LatentKit did not make.
  static func clear(_ folder: RunFolder) throws {
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

  func write(to folder: RunFolder) throws { try AtomicFile.write(JSONEncoder().encode(self), to: Repeats.file(folder)) }
}
