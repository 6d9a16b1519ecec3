import Foundation
import Testing

@testable import Files

@Suite struct SystemReasons {
  private let missing = URL(fileURLWithPath: "/nonexistent/latentkit/file")

  /// What Foundation says of itself quotes the file, and is a dump where it is interpolated.
  @Test func foundationsErrorsAreTheSystemsWords() {
    func reason(_ body: () throws -> Void) -> String {
      do { try body() } catch { return systemReason(of: error) }
      return "nothing thrown"
    }
    let known = ["No such file or directory", "there is no such file"]
    #expect(known.contains(reason { _ = try Data(contentsOf: missing) }))
    #expect(known.contains(reason { _ = try FileHandle(forReadingFrom: missing) }))
    #expect(known.contains(reason { _ = try FileManager.default.contentsOfDirectory(atPath: missing.path) }))
    let place = URL(fileURLWithPath: "/dev/null/folder")
    let refused = reason {
      try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
    }
    #expect(refused.count < 60 && !refused.contains("/dev/null") && !refused.contains("Error"), "\(refused)")
  }

  @Test func aMissingFileHasNoChecksumAndOneSentence() {
    #expect { try Checksum(.sha256, of: missing) } throws: { error in
      let said = "\(error)"
      return said.hasPrefix("\(missing.path): cannot be read for its checksum: ") && !said.contains("Domain")
    }
  }
}
