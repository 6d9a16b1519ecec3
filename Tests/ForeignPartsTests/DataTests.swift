import Datasets
import Foundation
import LatentKit
import Testing

@testable import ForeignParts

/// Data sets that other languages read.
@Suite struct DataSets {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  @Test func aTextFileIsReadInC() throws {
    let catalog = try Catalog([]).adding(foreign: [scratch.example("points.c")])
    let file = try scratch.write("0.5 1.25 2\n-3 4e1 0\n0 0 1\n", to: "points.txt")
    let set = try catalog.dataset("points").load(["file": .string(file)])
    #expect(set.classCount == 3 && set.inputShape == [2] && set.test == nil)
    #expect(try set.train.inputs.floats() == [0.5, 1.25, -3, 40, 0, 0])
    #expect(try set.train.labels?.ints() == [2, 0, 1])
    // It is known again by its content.
    #expect(try catalog.dataset("points").load(["file": .string(file)]).digest == set.digest)
    try scratch.write("0.5 1.25 2\n-3 4e1 0\n0 1 1\n", to: "points.txt")
    #expect(try catalog.dataset("points").load(["file": .string(file)]).digest != set.digest)
    // It is cut as any other.
    let settings = try catalog.dataset("points").sharedSettings(["file": .string(file), "test": 0.34])
    #expect(try set.prepared(settings, seed: 1).test?.count == 1)
  }

  @Test func aFileThatIsNotThereOrNotSaidIsRefused() throws {
    let points = try Catalog([]).adding(foreign: [scratch.example("points.c")]).dataset("points")
    #expect(problem(in: scratch) { _ = try points.load() } == "data 'points': 'file' is unset; set it")
    #expect(
      problem(in: scratch) { _ = try points.load(["file": "/no/such/file"]) }
        == "data 'points': 'points_size' of ./libpoints.so failed: it returned the status 1")
    #expect(
      problem(in: scratch) { _ = try points.load(["file": "a\0b"]) }
        == "data 'points': 'file' has a zero byte, which ends a text of C")
    let empty = try scratch.write("", to: "empty.txt")
    #expect(
      problem(in: scratch) { _ = try points.load(["file": .string(empty)]) }
        == "data 'points': 'points_size' of ./libpoints.so said 0 for 'classes', expected 1 to 268435456")
  }

  private func images(wrong: Int = 0) throws -> DatasetEntry {
    try scratch.hostile(
      """
      - data: bytes
        summary: images that count
        settings: {wrong: {default: \(wrong), help: "whether labels are wrong"}}
        size:
          call: image_size
          takes: [count: int64_t*, channels: int64_t*, height: int64_t*, width: int64_t*, classes: int32_t*]
        read:
          call: image_read
          takes: [inputs: uint8_t*, labels: int32_t*, count: int64_t, seed: uint32_t, wrong: int]
      """
    ).dataset("bytes")
  }

  @Test func imagesAreBytesAndFollowTheSeed() throws {
    let set = try images().load(seed: 3)
    #expect(set.train.areImages && set.inputShape == [1, 3, 2] && set.classCount == 3)
    #expect(try set.train.inputs.ints() == (0..<72).map { $0 + 3 })
    #expect(try images().load(seed: 4).train.inputs.ints()[0] == 4)
    #expect(
      problem(in: scratch) { _ = try images(wrong: 1).load() }
        == "bytes: found label 5.0 at position 0 of the training part, expected 0 to 2")
  }

  private func rows(_ size: String, _ read: String = "no_read") throws -> DatasetEntry {
    try scratch.hostile(
      """
      - data: rows
        summary: rows that are not there
        size: {call: \(size), takes: [count: int64_t*, features: int64_t*]}
        read: {call: \(read), takes: [inputs: float*, count: int64_t], returns: {status: int}}
      """
    ).dataset("rows")
  }

  @Test func sizesThatNoMemoryHoldsAndThoseThatAreNotSaidAreRefused() throws {
    #expect(
      problem(in: scratch) { _ = try rows("huge_size").load() }
        == "data 'rows': 'huge_size' of ./libhostile.so said 1099511627776 for 'count', expected 1 to 268435456")
    #expect(
      problem(in: scratch) { _ = try rows("no_size").load() }
        == "data 'rows': 'no_size' of ./libhostile.so said nothing for 'features', expected 1 to 268435456")
  }
}
