import Foundation
import Testing

/// What the guide shows of manifests and their sources is what the tests build.
@Suite struct ForeignGuide {
  private func page() throws -> (url: URL, text: String) {
    let url = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../Docs/foreign.md").standardizedFileURL
    return (url, try String(contentsOf: url, encoding: .utf8))
  }

  @Test func itsExamplesAreThoseOfTheTests() throws {
    let files = try FileManager.default.contentsOfDirectory(at: fixtures, includingPropertiesForKeys: nil).map {
      try String(contentsOf: $0, encoding: .utf8)
    }
    let blocks = try page().text.matches(of: /```(?:c|yaml)\n([\s\S]*?)```/).map { String($0.1) }
    let shown = blocks.filter { !$0.hasPrefix("prior:") }
    #expect(shown.count == 4 && blocks.count == 5)
    for block in shown { #expect(files.contains { $0.contains(block) }, "\(block)") }
  }

  @Test func itsLinksLeadSomewhere() throws {
    let (url, text) = try page()
    for link in text.matches(of: /\]\(([^)#:]+)\)/) {
      let target = url.deletingLastPathComponent().appendingPathComponent(String(link.1))
      #expect(FileManager.default.fileExists(atPath: target.path), "\(link.1)")
    }
  }
}
