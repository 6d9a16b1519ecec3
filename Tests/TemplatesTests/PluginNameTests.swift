import Foundation
import Testing

@testable import Templates

@Test(arguments: [
  ("Ring", "ring"), ("RingLatents", "ring-latents"), ("CSAE", "csae"), ("MyVAEModel", "my-vae-model"), ("VAE2", "vae2"),
  ("L1Ball", "l1-ball"),
])
func partNamesAreTheWordsOfTheName(name: String, part: String) throws {
  #expect(try PluginName(name).partName == part)
}

@Test(arguments: [
  "", "ring", "1Ring", "Ring Latents", "Ring-Latents", "../Ring", "Ring/", "Ring\n", "Ring\"", "Größe", "_Ring",
  String(repeating: "R", count: 65),
])
func namesThatAreNoModulesAreRefused(name: String) {
  #expect(message { _ = try PluginName(name) }.contains("expected up to 64 letters and digits"))
}

@Test(arguments: ["Any", "SELF", "Foundation", "Latentkit", "Loss", "Testing"])
func namesThatWouldHideSomethingAreRefused(name: String) {
  #expect(message { _ = try PluginName(name) }.contains("is taken"))
}

@Test(arguments: ["String", "Error", "Data", "Result", "Task", "Set", "Date", "Tensor", "Device", "Suite"])
func namesOfTypesAreRefused(name: String) {
  #expect(
    message { _ = try PluginName(name) }.contains("'\(name)' is a word of Swift, of its libraries or of LatentKit"))
}

/// A module would hide a type of its name from the files of the template.
@Test func everyTypeThatTheTemplateUsesIsRefused() throws {
  let folder = packageRoot.appendingPathComponent("Templates/Plugin")
  let walk = try #require(FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
  var names: Set<String> = []
  for case let file as URL in walk where file.pathExtension == "swift" {
    let text = try String(contentsOf: file, encoding: .utf8).replacing(/\/\/.*/, with: "").replacing(
      /"[^"]*"/, with: "")
    names.formUnion(text.matches(of: /\b[A-Z][A-Za-z0-9]*\b/).map { String($0.0) })
  }
  #expect(names.count > 40 && names.contains("Tensor"))
  for name in names.sorted() {
    #expect(message { _ = try PluginName(name) }.contains("is taken"), "\(name)")
  }
}

@Test(arguments: ["RingPlugin", "RingTests", "RingNative"])
func anEndThatIsAddedAnywayIsRefused(name: String) {
  #expect(message { _ = try PluginName(name) }.hasSuffix("leave it out: Ring"))
}
