import Foundation
import Testing

@testable import fuzz

@Suite(.serialized) struct Readers {
  /// Otherwise the changes to a file that is refused anyway would try nothing.
  @Test func everyReaderTakesAFileAsItIs() throws {
    let scratch = try Scratch()
    for reader in allReaders {
      let file = scratch.at(reader.file)
      let isTaken = try reader.originals().contains { original in
        (0..<20).contains { seed in
          var noise = Noise(UInt64(seed))
          do {
            try Data(original.assemble(original.pieces)).write(to: file)
            try reader.read(file, &noise)
            return true
          } catch { return false }
        }
      }
      #expect(isTaken, "\(reader.name)")
    }
  }

  @Test func damagedFilesAreReadOrRefusedWithAReason() throws {
    let scratch = try Scratch()
    let ending = try scratch.start(
      "fuzz", ["--seed", "\(campaignSeed)", "--count", isFull ? "1000000" : "3000"]
    ).end(within: isFull ? 6 * 3600 : 240)
    #expect(ending.isGood, "\(ending.text)")
  }

  @Test func costlyFilesTakeTimeAndMemoryInProportion() throws {
    let scratch = try Scratch()
    let ending = try scratch.start("fuzz", ["--bombs", "--scale", isFull ? "4" : "1"]).end(
      within: isFull ? 3600 : 240)
    #expect(ending.isGood, "\(ending.text)")
  }
}
