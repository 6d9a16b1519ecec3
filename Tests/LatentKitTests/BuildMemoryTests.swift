import LatentKit
import Testing

private struct Key: Hashable { let name: String }
private struct OtherKey: Hashable { let name: String }
private struct Failure: Error {}

@Test func aMemoryMakesEachValueOnce() throws {
  let memory = BuildMemory()
  var made: [String] = []
  func value(_ name: String) -> Int {
    memory.value(for: Key(name: name)) {
      made.append(name)
      return made.count
    }
  }
  #expect([value("a"), value("b"), value("a"), value("b")] == [1, 2, 1, 2])
  #expect(made == ["a", "b"])
  // Keys of another part, and values of another type, are not confused.
  #expect(memory.value(for: OtherKey(name: "a")) { 7 } == 7)
  #expect(memory.value(for: Key(name: "a")) { "text" } == "text")
}

@Test func aMemoryForgetsWhatFailed() throws {
  let memory = BuildMemory()
  #expect(throws: Failure.self) { try memory.value(for: Key(name: "a")) { () throws -> Int in throw Failure() } }
  #expect(memory.value(for: Key(name: "a")) { 3 } == 3)
}
