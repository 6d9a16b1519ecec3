import LatentKit
import Testing

@testable import Datasets

private func tiny(_ count: Int = 100, labels: [Int]? = nil) throws -> Dataset {
  try Dataset(
    name: "tiny", title: "Tiny", train: tinyExamples(count, labels: labels), test: tinyExamples(9), classCount: 3,
    origin: .made("test"))
}

private func settings(_ values: [String: Value]) throws -> DataSettings {
  try DataSettings(values, at: "data.with")
}

/// The positions of the examples that have a label; the bytes of tiny examples are their positions.
private func known(_ examples: Examples) throws -> [Int] {
  let mask = try #require(try examples.isLabelled?.ints())
  return try examples.inputs.ints().enumerated().filter { mask[$0.offset] == 1 }.map(\.element)
}

private func refusal(_ values: [String: Value], labels: [Int]? = nil) -> String? {
  message { _ = try tiny(labels: labels).prepared(settings(values), seed: 0) }
}

@Test(arguments: [("9", 9), (9, 9), ("10%", 9), ("3.4%", 3)] as [(Value, Int)])
func labelsAreHiddenEvenlyAndBySeed(labelled: Value, count: Int) throws {
  let plain = try tiny().prepared(settings([:]), seed: 3)
  let hidden = try tiny().prepared(settings(["labelled": labelled]), seed: 3)
  // 90 training examples; nothing else is changed.
  #expect(try hidden.train.inputs.bytes() == plain.train.inputs.bytes())
  #expect(hidden.validation?.isLabelled == nil && hidden.test?.isLabelled == nil)
  #expect(try hidden.validation?.labels?.ints() == plain.validation?.labels?.ints())
  let positions = try known(hidden.train)
  #expect(positions.count == count)
  #expect(try hidden.train.labelledCounts(3) == [count / 3, count / 3, count / 3])
  // Those that have one have their own; where it is hidden there stands 0.
  let mask = try #require(try hidden.train.isLabelled?.ints())
  let expected = zip(mask, try #require(try plain.train.labels?.ints())).map { $0 * $1 }
  #expect(try hidden.train.labels?.ints() == expected)

  func again(_ seed: UInt64) throws -> [Int] {
    var values: [String: Value] = ["labelled": labelled, "validation": 0]
    values["foldSeed"] = 1
    return try known(tiny().prepared(settings(values), seed: seed).train)
  }
  #expect(try again(1) == again(1))
  #expect(try again(1) != again(2))
}

@Test func hiddenLabelsAreNotThere() throws {
  // Whatever the hidden labels are, what is trained on is the same.
  let all = try tinyExamples(60)
  let hidden = try all.hidingLabels(exceptFor: 12, seed: 5, for: "test")
  let mask = try #require(try hidden.isLabelled?.ints())
  let own = try #require(try all.labels?.ints())
  let other = zip(mask, own).map { $0 == 1 ? $1 : ($1 + 1) % 3 }
  let changed = try Examples(
    inputs: all.inputs, labels: try Tensor(other.map(Int64.init)) * hidden.isLabelled!.to(.int64),
    isLabelled: hidden.isLabelled)
  let weighted = try [hidden, changed].map { try $0.weighted([1, 2, 4]) }
  for part in [weighted[0], try weighted[0].balanced(20, seed: 1, for: "x")] {
    let twin = part.count == 60 ? weighted[1] : try weighted[1].balanced(20, seed: 1, for: "x")
    #expect(try part.labels?.ints() == twin.labels?.ints())
    #expect(try part.weights?.floats() == twin.weights?.floats())
    #expect(try part.inputs.ints() == twin.inputs.ints())
  }
}

@Test func theMaskFollowsTheExamples() throws {
  let all = try tinyExamples(60).hidingLabels(exceptFor: 30, seed: 5, for: "test").weighted([1, 2, 4])
  let labelled = try Set(known(all))
  let weights = try #require(try all.weights?.floats())
  func isIntact(_ part: Examples) throws -> Bool {
    let positions = try part.inputs.ints()
    let mask = try #require(try part.isLabelled?.ints())
    let labels = try #require(try part.labels?.ints())
    return try zip(positions, mask).allSatisfy { labelled.contains($0) == ($1 == 1) }
      && part.weights?.floats() == positions.map { weights[$0] }
      && zip(positions, labels).allSatisfy { labelled.contains($0) ? $1 == $0 % 3 : $1 == 0 }
  }
  #expect(try isIntact(all))
  #expect(try isIntact(all.subset(Tensor([7, 2, 2, 59] as [Int64]))))
  #expect(try isIntact(all.slice(3..<9)))
  let (kept, held) = try all.split(share: 0.2, seed: 1, for: "test")
  #expect(try isIntact(kept) && isIntact(held))
  // As large a share of each part has labels.
  #expect(try known(held).count == 6)
  let few = try all.balanced(20, seed: 1, for: "test")
  #expect(try isIntact(few))
  #expect(try few.labelledCounts(3).reduce(0, +) == 10)
  #expect(try few.labelledCounts(3).allSatisfy { 3...4 ~= $0 })
  let folds = try (0..<5).map { try all.fold($0, of: 5, seed: 1, for: "test").fold }
  #expect(try folds.allSatisfy { try isIntact($0) && known($0).count == 6 })
  #expect(try folds.flatMap { try $0.inputs.ints() }.sorted() == Array(0..<60))

  let source = try BatchSource(all, settings: settings(["shift": 1]), classCount: 3)
  var generator = try Generator(seed: 1)
  let indices = try Tensor([5, 50, 20] as [Int64])
  for batch in [try source.batch(indices), try source.batch(indices, augmentedBy: &generator)] {
    #expect(try batch.labelled?.ints() == [5, 50, 20].map { labelled.contains($0) ? 1 : 0 })
    #expect(batch.labelled?.dtype == .bool)
    #expect(try batch.weights?.floats() == [5, 50, 20].map { weights[$0] })
  }
  #expect(try source.batch(4..<6).labelled?.ints() == [4, 5].map { labelled.contains($0) ? 1 : 0 })
  let plain = try BatchSource(tinyExamples(3)).batch(0..<3)
  #expect(plain.labelled == nil && plain.weights == nil)
}

@Test func theMaskFollowsTransformedRows() throws {
  let rows = try Examples(
    inputs: Tensor((0..<12).map(Float.init), shape: [6, 2]), labels: Tensor([0, 1, 0, 1, 0, 1] as [Int64]))
  var dataset = try Dataset(
    name: "rows", title: "Rows", train: rows.hidingLabels(exceptFor: 2, seed: 1, for: "test"), test: rows,
    classCount: 2,
    origin: .made("test"))
  let mask = try dataset.train.isLabelled?.ints()
  _ = try dataset.transform([])
  #expect(try dataset.train.isLabelled?.ints() == mask && mask?.reduce(0, +) == 2)
}

@Test func labelsThatCannotBeHiddenAreRefused() throws {
  #expect(
    refusal(["labelled": 91])
      == "data.with.labelled: found 91, and the training part of 'tiny' has 90 examples; lower it or leave it out")
  #expect(
    refusal(["labelled": "1%"])
      == "data.with.labelled: found 1%, which is 1 of 90 training examples, expected at least one for each of the 3 classes"
  )
  for wrong in [0, -3, "0", "0%", "101%", "some", "%", "-5%", "nan%", "inf%", 2.5, true] as [Value] {
    #expect(
      refusal(["labelled": wrong])?.contains("expected a number of examples such as 100, or a share such as '5%'")
        == true,
      "\(wrong)")
  }
  let unlabelled = try Dataset(
    name: "bare", title: "Bare", train: Examples(inputs: tinyExamples(20).inputs), test: nil, origin: .made("test"))
  for name in ["labelled", "classWeights"] {
    let values: [String: Value] = [name: name == "labelled" ? 5 : "balanced"]
    let found = message { _ = try unlabelled.prepared(settings(values), seed: 0) }
    #expect(found?.hasPrefix("data.with.\(name): ") == true && found?.contains("'bare' has no labels") == true)
  }
  #expect(
    message { _ = try tinyExamples(9).hidingLabels(exceptFor: 10, seed: 0, for: "x") }
      == "asked for labels of 10 examples, and 9 have one; ask for 1 to 9")
}

@Test func balancedWeightsAreThoseOfScikitLearn() throws {
  // compute_class_weight("balanced", classes=[0, 1, 2], y=[0] * 6 + [1] * 3 + [2]) of scikit-learn 1.7.
  let weights = try ClassWeights.balanced.values([6, 3, 1])
  for (found, expected) in zip(weights, [0.5555555555555556, 1.1111111111111112, 3.3333333333333335]) {
    #expect(abs(found - expected) < 1e-15)
  }
  // Every class counts as much as the others, and all together as many as there are.
  let labels = (0..<100).map { $0 < 60 ? 0 : $0 < 90 ? 1 : 2 }
  let dataset = try tiny(labels: labels).prepared(settings(["classWeights": "balanced", "validation": 0.1]), seed: 1)
  let found = try #require(try dataset.train.weights?.doubles())
  let parts = try #require(try dataset.train.labels?.ints())
  let totals = (0..<3).map { label in zip(found, parts).filter { $1 == label }.reduce(0) { $0 + $1.0 } }
  #expect(totals.allSatisfy { abs($0 - 30) < 1e-4 })
  #expect(dataset.classWeights?.count == 3)
  // The parts that are measured are weighted alike.
  let test = try #require(dataset.test)
  #expect(try test.weights?.floats() == test.labels?.ints().map { Float(dataset.classWeights?[$0] ?? .nan) })
}

@Test func balancedWeightsCountLabelledExamplesOnly() throws {
  let labels = (0..<100).map { $0 < 60 ? 0 : $0 < 90 ? 1 : 2 }
  let dataset = try tiny(labels: labels).prepared(
    settings(["classWeights": "balanced", "labelled": 33, "validation": 0]), seed: 1)
  // 33 of the classes' 60, 30 and 10, as evenly as there are enough.
  #expect(try dataset.train.labelledCounts(3).sorted() == [10, 11, 12])
  let counts = try dataset.train.labelledCounts(3)
  #expect(dataset.classWeights == counts.map { 33 / (3 * Double($0)) })
  let (mask, weights) = (try dataset.train.isLabelled?.ints(), try dataset.train.weights?.floats())
  let hidden = zip(mask ?? [], weights ?? []).filter { $0.0 == 0 }.map(\.1)
  #expect(hidden.count == 67 && hidden.allSatisfy { $0 == 1 })
}

@Test func weightsOfAListAreTaken() throws {
  let dataset = try tiny().prepared(settings(["classWeights": [0, 2, 0.5]]), seed: 1)
  #expect(try dataset.train.weights?.floats() == dataset.train.labels?.ints().map { [0, 2, 0.5][$0] })
}

@Test func weightsThatCannotBeAreRefused() {
  func text(_ value: Value) -> String { refusal(["classWeights": value]) ?? "none" }
  #expect(text([1, 2]) == "data.with.classWeights: found 2 weights, expected one for each of the 3 classes")
  #expect(text([1, -1, 2]) == "data.with.classWeights: found [1, -1, 2], expected 0 or more")
  #expect(text([1, .double(.infinity), 2]).hasPrefix("data.with.classWeights: found [1, inf, 2], expected"))
  #expect(text([0, 0, 0]).contains("expected at least one weight above 0"))
  for wrong in ["even", 3, ["a"], true] as [Value] {
    #expect(text(wrong).contains("expected 'balanced' or a list of one number for each class"), "\(wrong)")
  }
  let missing = refusal(["classWeights": "balanced"], labels: (0..<100).map { $0 % 2 })
  #expect(missing?.hasPrefix("data.with.classWeights: 'class 2' has no labelled training example") == true)
  for weights in [[1, .nan, 1], [1, -1, 1], [0, 0, 0], [1]] as [[Double]] {
    #expect(throws: DatasetError.self) { try ClassWeights.perClass(weights).values([1, 1, 1]) }
  }
}

@Test func labelledAndWeightsAreWrittenAsTheyAreRead() throws {
  for (name, value) in [
    ("labelled", 100), ("labelled", "5%"), ("labelled", "2.5%"), ("classWeights", "balanced"),
    ("classWeights", [1.5, 2.25]), ("labelled", .null), ("classWeights", .null),
  ] as [(String, Value)] {
    #expect(try settings([name: value]).values[name] == value)
  }
  #expect(try settings(["labelled": "100"]).values["labelled"] == 100)
}
