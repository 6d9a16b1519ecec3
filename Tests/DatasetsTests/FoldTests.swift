import LatentKit
import Testing

@testable import Datasets

/// Each example's position, which is its byte.
private func positions(_ examples: Examples) throws -> [Int] { try examples.inputs.ints() }

/// 200 examples of three classes: 121, 59 and 20.
private let unevenLabels = (0..<200).map { $0 < 121 ? 0 : $0 < 180 ? 1 : 2 }

@Test(arguments: [2, 3, 4, 7, 20]) func foldsAreDisjointCompleteAndStratified(count: Int) throws {
  let all = try tinyExamples(200, labels: unevenLabels)
  var seen: [Int] = []
  var sizes: [Int] = []
  var perClass: [[Int]] = [[], [], []]
  for index in 0..<count {
    let (rest, fold) = try all.fold(index, of: count, seed: 5, for: "test")
    let found = try positions(fold)
    #expect(found == found.sorted())
    #expect(try (positions(rest) + found).sorted() == Array(0..<200))
    #expect(try fold.labels?.ints() == found.map { unevenLabels[$0] })
    seen += found
    sizes.append(fold.count)
    for label in 0..<3 { perClass[label].append(found.count { unevenLabels[$0] == label }) }
  }
  #expect(seen.sorted() == Array(0..<200))
  for counts in perClass + [sizes] { #expect((counts.max() ?? 0) - (counts.min() ?? 0) <= 1, "\(counts)") }
}

@Test func foldsFollowTheirSeed() throws {
  let all = try tinyExamples(200, labels: unevenLabels)
  func fold(_ seed: UInt64, _ use: String = "test") throws -> [Int] {
    try positions(all.fold(1, of: 4, seed: seed, for: use).fold)
  }
  #expect(try fold(5) == fold(5))
  #expect(try fold(5) != fold(6))
  #expect(try fold(5) != fold(5, "other"))
}

@Test func foldsWithoutLabelsHaveTheSameSizes() throws {
  let examples = try Examples(inputs: Tensor((0..<50).map { UInt8($0) }, shape: [50, 1, 1, 1]))
  let sizes = try (0..<4).map { try examples.fold($0, of: 4, seed: 1, for: "test").fold.count }
  #expect(sizes.sorted() == [12, 12, 13, 13])
}

private func made(_ labels: [Int] = unevenLabels) throws -> Dataset {
  try Dataset(
    name: "tiny", title: "Tiny", train: tinyExamples(labels.count, labels: labels), test: tinyExamples(9),
    classNames: ["a", "b", "c"], origin: .made("by hand"))
}

@Test func aFoldBecomesTheTestPartAndValidationIsTakenFromTheRest() throws {
  var settings = DataSettings()
  settings.folds = 4
  var tests: [Int] = []
  for fold in 0..<4 {
    settings.fold = fold
    let prepared = try made().prepared(settings, seed: 3)
    let held = try positions(try #require(prepared.validation))
    let test = try positions(try #require(prepared.test))
    #expect(try (positions(prepared.train) + held + test).sorted() == Array(0..<200))
    #expect(held.count == 15)
    #expect(prepared.origin.description == "by hand; test = fold \(fold) of 4, counted from 0, by seed 3")
    tests += test
  }
  // The set's own nine test examples would come twice.
  #expect(tests.sorted() == Array(0..<200))
}

@Test func runsOfSeveralSeedsCanShareFolds() throws {
  var settings = DataSettings()
  settings.folds = 4
  let own = try (0..<2).map { try positions(try #require(made().prepared(settings, seed: $0).test)) }
  #expect(own[0] != own[1])
  settings.foldSeed = 0
  let shared = try (0..<2).map { try made().prepared(settings, seed: $0) }
  #expect(try shared.map { try positions(try #require($0.test)) } == [own[0], own[0]])
  // What is held out for validation still follows the run.
  #expect(try positions(try #require(shared[0].validation)) != positions(try #require(shared[1].validation)))
}

@Test func foldsThatCannotBeAreRefused() throws {
  func refused(_ settings: [String: Value], _ labels: [Int] = unevenLabels) -> String? {
    message { _ = try made(labels).prepared(DataSettings(settings, at: "data.with"), seed: 0) }
  }
  #expect(refused(["folds": 1])?.hasPrefix("data.with.folds: found 1, expected 2 or more") == true)
  #expect(refused(["folds": 4, "fold": 4]) == "data.with.fold: found 4, expected 0 to 3, as there are 4 folds")
  #expect(refused(["fold": 1])?.hasSuffix("set data.folds") == true)
  #expect(
    refused(["folds": 21])
      == "data.with.folds: 'c' has 20 examples, fewer than 21 folds; choose 20 folds or fewer, or leave 'c' out by data.holdOut"
  )
}

@Test func theNumberOfFoldsThatIsNamedWorks() throws {
  func refused(_ folds: Int, _ labels: [Int], without: [Value] = []) -> String? {
    message {
      _ = try made(labels).prepared(
        DataSettings(["folds": .int(folds), "holdOut": .array(without)], at: "data.with"), seed: 0)
    }
  }
  // The smaller of two classes that are too small.
  let labels = (0..<40).map { $0 < 4 ? 0 : $0 < 7 ? 1 : 2 }
  #expect(
    refused(5, labels)
      == "data.with.folds: 'b' has 3 examples, fewer than 5 folds; choose 3 folds or fewer, or leave 'a', 'b' out by data.holdOut"
  )
  #expect(refused(3, labels) == nil)
  let single = [0] + (1..<40).map { 1 + $0 % 2 }
  #expect(
    refused(4, single)
      == "data.with.folds: 'a' has 1 example, fewer than 4 folds; no number of folds works with that; leave 'a' out by data.holdOut"
  )
  #expect(refused(4, single, without: ["a"]) == nil)
}
