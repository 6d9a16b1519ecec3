import ArgumentParser
import Foundation
import Studies
import Training

/// How often a command runs a recipe.
struct RepeatOptions: ParsableArguments {
  @Option(
    parsing: .unconditional,
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
