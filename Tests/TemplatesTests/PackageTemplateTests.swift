import Files
import Foundation
import Testing

@testable import Templates

private func template(_ url: String, _ version: String = "0.1.0") throws -> PackageTemplate {
  try PackageTemplate(PluginTemplate(PluginName("RingModels")), url: url, version: version)
}

@Test(arguments: [
  "https://example.org/you/LatentKit.git", "https://example.org/LatentKit", "git@example.org:you/LatentKit.git",
  "git@example.org:LatentKit", "file:///srv/LatentKit/", "ssh://git@example.org/LatentKit.git",
])
func theLastWordOfTheAddressIsTheNameOfTheDependency(url: String) throws {
  #expect(try template(url).repository == "LatentKit")
}

@Test(arguments: ["", "LatentKit", "/srv/LatentKit", "https://", "https://example.org/\"x", "https://example.org/a b"])
func whatIsNoAddressIsRefused(url: String) {
  #expect(message { _ = try template(url) }.contains("expected that of LatentKit's repository"))
}

@Test(arguments: ["", "1", "1.0", "v1.0.0", "1.0.0-beta", "1.0.0\""])
func whatIsNoVersionIsRefused(version: String) {
  #expect(message { _ = try template("https://example.org/LatentKit", version) }.contains("expected three numbers"))
}

@Test func thePackageHasAPluginAProgramAndWhatBuildsThem() throws {
  let scratch = try Scratch()
  let files = try template("https://example.org/LatentKit.git", "1.2.3").write(into: scratch.url)
  #expect(scratch.files == files.map { "RingModels/\($0)" })
  #expect(Set([".gitignore", "Makefile", "Package.swift", "README.md", "Sources/Host/main.swift"]).isSubset(of: files))
  #expect(files.contains("Plugins/RingModels/Sources/RingModelsLoss.swift"))
  let manifest = try scratch.read("RingModels/Package.swift")
  #expect(manifest.contains("url: \"https://example.org/LatentKit.git\", from: \"1.2.3\""))
  for file in files { #expect(!(try scratch.read("RingModels/\(file)")).contains("__"), "\(file)") }
  // It is laid out as LatentKit is.
  let layout = packageRoot.appendingPathComponent(".swift-format")
  #expect(try scratch.read("RingModels/.swift-format") == String(contentsOf: layout, encoding: .utf8))
  // 'host new plugin' works there.
  let package = try #require(PluginFolder(at: scratch.url.appendingPathComponent("RingModels")))
  #expect(package.list.names == ["RingModels"] && package.findings == [] && !package.isLatentKit)
  #expect(package.program == ".build/release/ring-models-host")
  _ = try PluginTemplate(PluginName("Other"), slots: ["loss"]).write(into: package)
  #expect(try scratch.read("RingModels/Package.swift").contains("let plugins = [\"RingModels\", \"Other\"]\n"))
}

/// SwiftPM evaluates the manifest; nothing is fetched.
@Test func swiftPMReadsTheManifest() throws {
  let scratch = try Scratch()
  _ = try template("https://example.org/LatentKit.git").write(into: scratch.url)
  let result = try Command("swift", ["package", "dump-package"]).run(
    in: scratch.url.appendingPathComponent("RingModels"))
  let text = String(decoding: result.output, as: UTF8.self)
  #expect(result.status == 0, "\(result.messages)")
  for name in ["ring-models-host", "RingModels", "RingModelsTests"] { #expect(text.contains("\"name\" : \"\(name)\"")) }
}

@Test func aPackageIsMadeInNoOtherAndOverNone() throws {
  let scratch = try Scratch()
  let template = try template("https://example.org/LatentKit.git")
  #expect(message { _ = try template.write(into: packageRoot) }.contains("is inside the package"))
  #expect(message { _ = try template.write(into: scratch.url.appendingPathComponent("x")) }.contains("is not a folder"))
  try scratch.write("mine", to: "RingModels/notes.txt")
  #expect(message { _ = try template.write(into: scratch.url) }.contains("is there already"))
  #expect(scratch.files == ["RingModels/notes.txt"])
}
