import Files
import Foundation
import Testing

@testable import Templates

/// Every piece of Swift on the pages of the guide is compiled: it stands in what the templates make, as `Instances` builds it, or
/// in a test.
@Suite struct Guide {
  private static let pages = ["loss", "prior", "sampler", "metric", "dataset", "package"].map { "Docs/\($0).md" }
  private static let all =
    ["README.md"]
    + ((try? FileManager.default.contentsOfDirectory(atPath: packageRoot.appendingPathComponent("Docs").path)) ?? [])
    .filter { $0.hasSuffix(".md") }.sorted().map { "Docs/\($0)" }

  /// The files of a plugin `Sparse` with all slots, and of a package of that name.
  private func made() throws -> [String] {
    let scratch = try Scratch()
    try scratch.write("let plugins = []\n", to: "checkout/Package.swift")
    let plugin = try PluginTemplate(PluginName("Sparse"))
    _ = try plugin.write(into: try #require(PluginFolder(at: scratch.url.appendingPathComponent("checkout"))))
    let url = "https://example.org/LatentKit.git"
    _ = try PackageTemplate(plugin, url: url, version: "0.1.0").write(into: scratch.url)
    return try scratch.files.filter { $0.hasSuffix(".swift") }.map(scratch.read)
  }

  /// A published data set, which no template has: its file would have to be fetched.
  private func swiftOfATest() throws -> String {
    try String(
      contentsOf: packageRoot.appendingPathComponent("Tests/DatasetsTests/PluginFileTests.swift"), encoding: .utf8)
  }

  @Test(arguments: pages + ["README.md"])
  func itsSwiftIsInTheFilesThatAreMade(page: String) throws {
    let text = try String(contentsOf: packageRoot.appendingPathComponent(page), encoding: .utf8)
    let blocks = text.matches(of: /```swift\n([\s\S]*?)```/).map { String($0.1) }
    let files = try made() + [swiftOfATest()]
    // The README has other Swift too: that of its own programs.
    let shown = page == "README.md" ? blocks.filter { $0.contains("Sparse") } : blocks
    #expect(!shown.isEmpty)
    for block in shown { #expect(files.contains { $0.contains(block) }, "\(page):\n\(block)") }
  }

  @Test(arguments: pages) func itsCommandNamesSlotsThatThereAre(page: String) throws {
    let text = try String(contentsOf: packageRoot.appendingPathComponent(page), encoding: .utf8)
    let command = try #require(text.firstMatch(of: /host new (plugin|package) Sparse(?: --slots ([a-z,]+))?/))
    let slots = command.2?.split(separator: ",").map(String.init)
    #expect(message { _ = try PluginTemplate(PluginName("Sparse"), slots: slots) } == "nothing thrown")
  }

  @Test func noOtherPageHasSwift() throws {
    let others = Set(Self.all).subtracting(Self.pages + ["README.md"])
    #expect(others.contains("Docs/recipes.md"))
    for page in others {
      let text = try String(contentsOf: packageRoot.appendingPathComponent(page), encoding: .utf8)
      #expect(!text.contains("```swift"), "\(page)")
    }
  }

  @Test(arguments: all) func itsLinksLeadSomewhere(page: String) throws {
    let file = packageRoot.appendingPathComponent(page)
    let text = try String(contentsOf: file, encoding: .utf8)
    for link in text.matches(of: /\]\(([^)#:]+)(?:#[^)]*)?\)/) {
      let target = file.deletingLastPathComponent().appendingPathComponent(String(link.1))
      #expect(FileManager.default.fileExists(atPath: target.path), "\(page): \(link.1)")
    }
  }
}
