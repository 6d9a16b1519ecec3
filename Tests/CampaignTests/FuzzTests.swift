import Foundation
import Testing

@Suite(.serialized) struct Readers {
  @Test func damagedFilesAreReadOrRefusedWithAReason() throws {
    let ending = try Scratch().run("fuzz", ["--seed", "\(campaignSeed)", "--count", isFull ? "1000000" : "3000"])
    #expect(ending.isGood, "\(ending.text)")
  }

  @Test func costlyFilesTakeTimeAndMemoryInProportion() throws {
    let ending = try Scratch().run("fuzz", ["--bombs", "--scale", isFull ? "4" : "1"])
    #expect(ending.isGood, "\(ending.text)")
  }
}
