import Files
import Foundation
import Testing

@testable import Training

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

@Suite struct Ownership {
  private func inFolder(_ body: (URL) throws -> Void) throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("latentkit-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: url) }
    try body(url)
  }

  private func write(_ url: URL) throws {
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data("x".utf8).write(to: url)
  }

  private func exists(_ url: URL) -> Bool { FileManager.default.fileExists(atPath: url.path) }

  @Test func aFolderOfOtherFilesIsNoPlaceForARun() throws {
    try inFolder { url in
      let mine = url.appendingPathComponent("figures/mine.pdf")
      try write(mine)
      #expect(throws: FileError.self) { try RunFolder(url).requireOwn() }
      #expect(throws: FileError.self) { try RunFolder(url).clear() }
      #expect(exists(mine))
    }
  }

  @Test func clearingTakesTheFilesOfARunAndNothingElse() throws {
    try inFolder { url in
      let folder = RunFolder(url)
      try folder.create()
      let own = [
        folder.recipe, folder.summary, folder.checkpoint, folder.figure("samples.png"), folder.figure("samples.svg"),
        folder.table("confusion"), folder.figure("confusion.png"),
      ]
      let others = [url.appendingPathComponent("notes.txt"), folder.figure("mine.pdf"), folder.figure("mine.png")]
      for file in own + others { try write(file) }
      // A link to somebody's folder in the place of ours.
      let elsewhere = url.deletingLastPathComponent().appendingPathComponent("elsewhere-\(UUID().uuidString)")
      defer { try? FileManager.default.removeItem(at: elsewhere) }
      let kept = elsewhere.appendingPathComponent("curves.png")
      try write(kept)
      try folder.clear()
      #expect(own.allSatisfy { !exists($0) } && others.allSatisfy(exists))
      #expect(!exists(folder.checkpoint.deletingLastPathComponent()) && exists(folder.figure("mine.pdf")))

      try write(folder.recipe)
      try FileManager.default.removeItem(at: url.appendingPathComponent("figures"))
      try FileManager.default.createSymbolicLink(
        at: url.appendingPathComponent("figures"), withDestinationURL: elsewhere)
      try folder.clear()
      #expect(exists(kept))
    }
  }

  @Test func ignoredSignalsStayIgnored() {
    func isIgnored() -> Bool {
      let handler = signal(SIGHUP, SIG_IGN)
      defer { signal(SIGHUP, handler) }
      return unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
    }
    let before = signal(SIGHUP, SIG_IGN)
    defer { signal(SIGHUP, before) }
    Interrupt.listen()
    #expect(isIgnored())
    Interrupt.stopListening()
    #expect(isIgnored())
    signal(SIGHUP, SIG_DFL)
    Interrupt.listen()
    #expect(!isIgnored())
    Interrupt.stopListening()
    #expect(!isIgnored())
  }

  @Test(arguments: ["", ".", "..", "../escaped", "a/b", "-rf", "a\u{1B}[2J", "a\nb"]) func namesAreOfOneFolder(
    name: String
  ) {
    #expect(throws: (any Error).self) { try RunFolder.check(name: name) }
  }

  @Test func ordinaryNamesAreFine() throws {
    for name in ["csae-l", "Table 2, β 0.04", "x.y", "…"] { try RunFolder.check(name: name) }
  }
}
