import Foundation
import LatentKit
import Testing

@testable import Datasets

/// Points whose label is the half of the line that they lie on.
private struct Points: ComponentConfig {
  @Setting("How many.", .atLeast(4)) var count = 8
}

private let line = DatasetEntry("line", "points on a line", .rows, own: Points.self) { points, request in
  let places = (0..<points.count).map { Float($0) }
  return try Dataset(
    name: "line", title: "Line",
    train: Examples(
      inputs: Tensor(places, shape: [points.count, 1]), labels: Tensor((0..<points.count).map { Int64($0 % 2) })),
    test: nil, classNames: ["even", "odd"], origin: .made("\(points.count) points"))
}

@Test func aSetMadeByACallerIsLoadedByName() throws {
  let shelf = try DatasetShelf.known.adding([line])
  let entry = try shelf.entry("line")
  #expect(try entry.load(["count": 20]).train.count == 20)
  #expect(try entry.load(["validation": 0.5]).train.count == 8)
  let shared = try entry.sharedSettings(["count": 20, "validation": 0.5, "labelled": 4])
  #expect(shared.validation == 0.5 && shared.labelled == .count(4))
  // What a run writes down is everything but a file of parts that is not set, and reads as the same.
  let resolved = try entry.resolved(["count": 20, "labelled": 4])
  #expect(Set(resolved.keys) == Set(entry.settings.map(\.name)).subtracting(["splitFile"]))
  #expect(resolved["count"] == 20 && resolved["labelled"] == 4 && resolved["pad"] == nil)
  #expect(try entry.resolved(resolved) == resolved)
  #expect(shelf.published.map(\.name) == DatasetLibrary.known.map(\.name))
}

@Test func aSetRefusesTheSettingsOfOthers() {
  func problem(_ values: [String: Value]) -> String? { message { _ = try line.load(values) } }
  #expect(problem(["pad": 2]) == "data.with.pad: is for images, and 'line' is a table; leave it out")
  #expect(
    problem(["missing": "keep"])
      == "data.with.missing: is for tables that are read from files, and 'line' is none; leave it out")
  #expect(problem(["count": 3]) == "data.with.count: found 3, expected 4 or more")
  #expect(problem(["cuont": 3])?.contains("Did you mean 'count'?") == true)
  #expect(problem(["fold": 2])?.hasPrefix("data.with.fold: found 2, expected a number of folds") == true)
}

@Test func everyKnownSetSaysWhatItIs() throws {
  let shelf = DatasetShelf.known
  #expect(shelf.entries.map(\.name) == DatasetLibrary.known.map(\.name) + ["table", "images"])
  #expect(try DatasetShelf(shelf.entries).entries.count == shelf.entries.count)
  for entry in shelf.entries {
    #expect(!entry.summary.isEmpty && entry.settings.allSatisfy { !$0.help.isEmpty })
  }
  func names(_ name: String) throws -> Set<String> { try Set(shelf.entry(name).settings.map(\.name)) }
  let parts: Set = [
    "validation", "limit", "labelled", "labelledShare", "holdOut", "classWeights", "test", "folds", "fold", "foldSeed",
    "splitFile",
  ]
  #expect(try names("mnist") == parts.union(["pad", "padTo", "range", "shift", "flip", "embedded"]))
  #expect(try names("olsson") == parts.union(["missing", "unpackLimit"]))
  #expect(
    try names("table")
      == parts.union([
        "missing", "unpackLimit", "path", "separator", "decimal", "samples", "header", "label", "id", "labelFile",
        "layer",
        "drop",
      ]))
  #expect(
    try names("images")
      == parts.union([
        "pad", "padTo", "range", "shift", "flip", "path", "unpackLimit", "size", "width", "fit", "colours",
        "background",
        "damaged",
        "megapixels",
      ]))
  #expect(try names("cifar10") == parts.union(["pad", "padTo", "range", "shift", "flip"]))
  // Every setting is of one group.
  #expect(DataSettings.settings.map(\.name).sorted() == DataSettingGroup.allCases.flatMap(\.names).sorted())
}

@Test func namesOfSetsAndSettingsAreTheirOwn() {
  #expect(
    message { _ = try DatasetShelf([line, line]) } == "there are two data sets called 'line'; rename one of them")
  struct Taken: ComponentConfig {
    @Setting("Twice declared.") var limit = 3
  }
  let taken = DatasetEntry("taken", "x", .rows, own: Taken.self) { _, request in try line.load(request) }
  #expect(
    message { _ = try DatasetShelf([taken]) }
      == "data 'taken' declares the setting 'limit', which all data have; rename it")
  #expect(message { _ = try DatasetShelf.known.entry("tabel") }?.contains("Did you mean 'table'?") == true)
  #expect(message { _ = try DatasetShelf.known.published("table") }?.contains("no published dataset 'table'") == true)
}
