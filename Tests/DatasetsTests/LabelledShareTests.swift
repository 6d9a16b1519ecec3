import LatentKit
import Testing

@testable import Datasets

/// 250 examples of 3 classes, of which some keep their label; the bytes of the first 250 tiny examples are their positions.
private func partly(_ labelled: Int) throws -> Examples {
  try tinyExamples(250).hidingLabels(exceptFor: labelled, seed: 4, for: "test")
}

private func order(_ examples: Examples, share: Double, batch: Int, seed: UInt64 = 1) throws -> [Int]? {
  var generator = try Generator(seed: seed)
  return try examples.order(labelledShare: share, batch: batch, using: &generator)?.ints()
}

private func batches(_ order: [Int], of size: Int) -> [ArraySlice<Int>] {
  stride(from: 0, to: order.count, by: size).map { order[$0..<min($0 + size, order.count)] }
}

@Suite struct LabelledShares {
  @Test(arguments: [(0.25, 32, 8, 7), (0.5, 100, 50, 25), (0.01, 64, 1, 1), (1, 64, 64, 58)])
  func everyBatchHasItsShareOfLabels(share: Double, size: Int, each: Int, last: Int) throws {
    let examples = try partly(9)
    let mask = try #require(try examples.isLabelled?.ints())
    let order = try #require(try order(examples, share: share, batch: size))
    #expect(order.count == 250)
    let counts = batches(order, of: size).map { $0.count { mask[$0] == 1 } }
    #expect(counts.dropLast().allSatisfy { $0 == each } && counts.last == last)
  }

  @Test func bothStreamsAreGoneThroughEvenly() throws {
    for labelled in [9, 31, 240] {
      let examples = try partly(labelled)
      let mask = try #require(try examples.isLabelled?.ints())
      let order = try #require(try order(examples, share: 0.4, batch: 50))
      for side in [0, 1] {
        let uses = mask.indices.filter { mask[$0] == side }.map { position in order.count { $0 == position } }
        // Nobody comes a third time before everybody came twice.
        #expect(uses.max()! - uses.min()! <= 1, "\(labelled), \(side)")
        #expect(uses.reduce(0, +) == (side == 1 ? 100 : 150))
      }
    }
  }

  @Test func labelledExamplesOfABatchHaveTheClassesEvenly() throws {
    let examples = try partly(30)
    let mask = try #require(try examples.isLabelled?.ints())
    let order = try #require(try order(examples, share: 0.3, batch: 50))
    for batch in batches(order, of: 50) {
      // 15 of 30: half a pass.
      let classes = batch.filter { mask[$0] == 1 }.map { $0 % 3 }
      #expect((0..<3).map { label in classes.count { $0 == label } } == [5, 5, 5])
    }
  }

  @Test func theOrderFollowsTheGenerator() throws {
    let examples = try partly(20)
    #expect(try order(examples, share: 0.5, batch: 16) == order(examples, share: 0.5, batch: 16))
    #expect(try order(examples, share: 0.5, batch: 16) != order(examples, share: 0.5, batch: 16, seed: 2))
  }

  @Test func withoutHiddenLabelsThereIsNoShare() throws {
    #expect(try order(tinyExamples(20), share: 0.5, batch: 4) == nil)
    #expect(try order(partly(250), share: 0.5, batch: 4) == nil)
  }

  @Test func aShareNeedsHiddenLabels() throws {
    func text(_ values: [String: Value]) -> String? {
      message { try DataSettings(values, at: "data.with").validate() }
    }
    #expect(text(["labelled": 9, "labelledShare": 0.5]) == nil)
    #expect(
      text(["labelledShare": 0.5])
        == "data.with.labelledShare: found 0.5, expected nothing while every example keeps its label; set data.labelled, '100%' say, or leave it out"
    )
    for wrong in [0, -0.5, 1.5] as [Value] {
      #expect(text(["labelled": 9, "labelledShare": wrong])?.hasPrefix("data.with.labelledShare: found") == true)
    }
  }
}
