import Foundation
import LatentKit
import Testing

@testable import Datasets

/// The positions of tiny examples, which are their bytes.
private func positions(_ examples: Examples) throws -> [Int] { try examples.inputs.ints() }

private func histogram(_ examples: Examples, _ classes: Int) throws -> [Int] {
  var counts = [Int](repeating: 0, count: classes)
  for label in try examples.labels?.ints() ?? [] { counts[label] += 1 }
  return counts
}

@Test func aSubsetKeepsInputsAndLabelsTogether() throws {
  let subset = try tinyExamples(10).subset(Tensor([7, 2, 2] as [Int64]))
  #expect(try positions(subset) == [7, 2, 2])
  #expect(try subset.labels?.ints() == [1, 2, 2])
  #expect(throws: TensorError.self) { try tinyExamples(10).subset(Tensor([10] as [Int64])) }
  let slice = try tinyExamples(10).slice(3..<5)
  #expect(try positions(slice) == [3, 4])
}

@Test func examplesOfOtherShapesAreRefused() throws {
  let images = try Tensor.zeros([2, 1, 4, 4], dtype: .uint8)
  let three = try Tensor([0, 1, 2] as [Int64])
  #expect(message { _ = try Examples(inputs: images, labels: three) }?.contains("found 2 inputs and 3 labels") == true)
  #expect(message { _ = try Examples(inputs: images.to(.float32)) }?.contains("expected [count, channels") == true)
  #expect(message { _ = try Examples(inputs: images, labels: three.to(.uint8)) }?.contains("of int64") == true)
  let none = try Tensor.zeros([0, 1, 4, 4], dtype: .uint8)
  #expect(message { _ = try Examples(inputs: none) } == "found no examples, expected at least one")
}

@Test func aSplitIsDisjointCompleteAndStratified() throws {
  // 120, 60 and 20 of the classes.
  let labels = (0..<200).map { $0 % 10 < 6 ? 0 : $0 % 10 < 9 ? 1 : 2 }
  let all = try tinyExamples(200, labels: labels)
  let (kept, held) = try all.split(share: 0.1, seed: 5, for: "test")
  let (keptPositions, heldPositions) = (try positions(kept), try positions(held))
  #expect((keptPositions + heldPositions).sorted() == Array(0..<200))
  #expect(keptPositions == keptPositions.sorted())
  #expect(try histogram(held, 3) == [12, 6, 2])
  #expect(try kept.labels?.ints() == keptPositions.map { labels[$0] })

  #expect(try positions(all.split(share: 0.1, seed: 5, for: "test").held) == heldPositions)
  #expect(try positions(all.split(share: 0.1, seed: 6, for: "test").held) != heldPositions)
  #expect(try positions(all.split(share: 0.1, seed: 5, for: "other").held) != heldPositions)
}

@Test func aSplitWithoutLabelsHasTheSharesSize() throws {
  let examples = try Examples(inputs: Tensor((0..<50).map { UInt8($0) }, shape: [50, 1, 1, 1]))
  let (kept, held) = try examples.split(share: 0.3, seed: 1, for: "test")
  #expect(held.count == 15)
  #expect(try (positions(kept) + positions(held)).sorted() == Array(0..<50))
  #expect(throws: DatasetError.self) { try tinyExamples(1).split(share: 0.5, seed: 1, for: "test") }
}

@Test func balancedTakesAsManyOfEachClassAsThereAre() throws {
  let labels = (0..<100).map { $0 < 90 ? 0 : $0 < 96 ? 1 : 2 }  // 90, 6 and 4
  let all = try tinyExamples(100, labels: labels)
  #expect(try histogram(all.balanced(9, seed: 0, for: "test"), 3) == [3, 3, 3])
  #expect(try histogram(all.balanced(30, seed: 0, for: "test"), 3) == [20, 6, 4])
  #expect(try positions(all.balanced(100, seed: 0, for: "test")) == Array(0..<100))
  let ten = try histogram(all.balanced(10, seed: 0, for: "test"), 3)
  #expect(ten.sorted() == [3, 3, 4])
  #expect(
    message { _ = try all.balanced(101, seed: 0, for: "test") } == "asked for 101 of 100 examples; ask for 1 to 100")
}

@Test func aDatasetIsPreparedAsTheSettingsSay() throws {
  let dataset = try Dataset(
    name: "tiny", title: "Tiny", train: tinyExamples(100), test: tinyExamples(9), classCount: 3, origin: .made("test"))
  var settings = DataSettings()
  settings.validation = 0.2
  settings.limit = 30
  let prepared = try dataset.prepared(settings, seed: 3)
  let held = try #require(prepared.validation)
  #expect(held.count == 20)
  #expect(try histogram(prepared.train, 3) == [10, 10, 10])
  #expect(try Set(positions(prepared.train)).isDisjoint(with: positions(held)))
  #expect(prepared.test?.count == 9)

  settings.limit = nil
  let whole = try dataset.prepared(settings, seed: 3)
  // The limit takes nothing away from the validation part.
  #expect(try positions(try #require(whole.validation)) == positions(held))
  #expect(whole.train.count == 80)

  settings.validation = 0
  #expect(try dataset.prepared(settings, seed: 3).validation == nil)
  settings.limit = 101
  #expect(
    message { _ = try dataset.prepared(settings, seed: 3) }
      == "data.with.limit: found 101, and the training part of 'tiny' has 100 examples; lower it or leave it out")
}

@Test func aDatasetWhosePartsDoNotFitIsRefused() throws {
  func made(_ train: Examples, _ test: Examples, classes: Int? = 3) -> String? {
    message {
      _ = try Dataset(name: "x", title: "X", train: train, test: test, classCount: classes, origin: .made("test"))
    }
  }
  let wide = try Examples(inputs: Tensor.zeros([2, 1, 1, 2], dtype: .uint8))
  #expect(
    made(try tinyExamples(3), wide)
      == "x: found test inputs of shape [1, 1, 2], expected [1, 1, 1] as in the training part")
  let wrong = try tinyExamples(4, labels: [0, 1, 3, 2])
  #expect(made(try tinyExamples(3), wrong) == "x: found label 3.0 at position 2 of the test part, expected 0 to 2")
  #expect(made(try tinyExamples(3), try tinyExamples(3), classes: nil)?.contains("pass classCount") == true)
}

@Test func settingsAreReadAndRefused() throws {
  let settings = try DataSettings(["pad": 2, "range": "symmetric", "validation": 0, "embedded": true], at: "data.with")
  #expect(settings.pad == 2 && settings.range == .symmetric && settings.validation == 0 && settings.embedded == true)
  #expect(try DataSettings(settings.values, at: "data.with") == settings)
  #expect(Set(try DataSettings().values.keys) == Set(DataSettings.settings.map(\.name)))
  let refused = message { _ = try DataSettings(["range": "wide"], at: "data.with") }
  #expect(refused?.hasPrefix("data.with.range: found 'wide'") == true)
  #expect(refused?.contains("known: unit, symmetric") == true)
  #expect(message { _ = try DataSettings(["pda": 2], at: "data.with") }?.contains("Did you mean 'pad'?") == true)
  for (name, value) in [("pad", -1), ("shift", -1), ("validation", 1), ("limit", 0)] as [(String, Value)] {
    let refused = message { try DataSettings([name: value], at: "data.with").validate() }
    #expect(refused?.hasPrefix("data.with.\(name): found ") == true)
  }
}

@Test func aShareThatLeavesAPartEmptyIsRefusedWithTheLargestOne() throws {
  func problem(_ count: Int, _ share: Double) -> String {
    do {
      _ = try Examples(inputs: Tensor.zeros([count, 2])).split(share: share, seed: 1, for: "test")
    } catch { return "\(error)" }
    return "nothing thrown"
  }
  #expect(
    problem(10, 0.99)
      == "a share of 0.99 of 10 examples is all of them, and both parts need one; choose a share above 0 and at most 0.9"
  )
  #expect(problem(10, 0.9) == "nothing thrown")
  #expect(problem(10, 0).contains("is none of them"))
  #expect(problem(1, 0.5).hasPrefix("found 1 of the 2 or more examples"))
}
