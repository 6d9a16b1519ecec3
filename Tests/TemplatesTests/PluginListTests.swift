import Foundation
import Testing

@testable import Templates

private let manifests: [(text: String, names: [String])] = [
  ("let plugins = []", []),
  ("let plugins = [\n]\n", []),
  ("let plugins = [\"A\"]", ["A"]),
  ("let plugins = [\"A\",]", ["A"]),
  ("let plugins = [\"A\", \"B\"]\nlet other = [\"C\"]", ["A", "B"]),
  ("let plugins: [Paper] = [\n  Paper(\"A\", tests: true), Paper(\"B\"),\n  \"C\",\n]\n", ["A", "B", "C"]),
  ("let plugins: [String] = [\n  \"A\"  // \"X\" ] is no word\n  /* nor \"Y\" ] */\n]\n", ["A"]),
  ("// let plugins = [\"X\"]\nlet plugins = [\n  // first\n  \"A\",\n  // last\n]\n", ["A"]),
]

@Test(arguments: manifests.indices)
func aNameIsAddedAtTheEndAndTheRestStays(index: Int) throws {
  let (text, names) = manifests[index]
  let list = try #require(PluginList(manifest: text))
  #expect(list.names == names)
  let changed = list.manifest(adding: "New")
  #expect(PluginList(manifest: changed)?.names == names + ["New"])
  // In one line where the list is, else on a line of its own.
  let isShort = !text.contains("[\n")
  let word = text.contains("[Paper]") ? "Paper(\"New\", tests: true)" : "\"New\""
  #expect(changed.contains(isShort ? "\(word)]" : "\n  \(word),\n]"))
  // Without the new word and the commas it is the text that it was.
  func plain(_ text: String) -> String { text.filter { !$0.isWhitespace && $0 != "," } }
  #expect(plain(changed).replacing(plain(word), with: "") == plain(text))
}

@Test(arguments: ["", "let names = [\"A\"]", "let plugins = [\"A\"", "let plugins = [\"A)", "let plugins = [\"A\\n\"]"])
func aManifestWithoutAListThatEndsIsNotTaken(text: String) {
  #expect(PluginList(manifest: text) == nil)
}

@Test func theManifestListsThePluginsThatThereAre() throws {
  let checkout = try #require(PluginFolder(at: packageRoot))
  #expect(checkout.isLatentKit && checkout.findings == [])
  #expect(Set(checkout.list.names) == Set(checkout.folders) && checkout.folders.contains("CSAE"))
  #expect(PluginFolder.around(packageRoot.appendingPathComponent("Tests/TemplatesTests"))?.url.path == packageRoot.path)
}

@Test func pluginsInTheListAloneOrInTheFolderAloneArePointedOut() throws {
  let scratch = try Scratch()
  try scratch.write("let plugins = [\"A\", \"Listed\"]\n", to: "Package.swift")
  for name in ["A/Sources/A.swift", "Present/Sources/P.swift", "Notes/README.md", ".hidden/Sources/x.swift"] {
    try scratch.write("", to: "Plugins/\(name)")
  }
  let findings = try #require(PluginFolder(at: scratch.url)).findings
  #expect(findings.count == 2)
  #expect(findings[0].contains("Plugins/Present is not built") && findings[0].contains("add \"Present\""))
  #expect(findings[1].contains("lists 'Listed', and there is no Plugins/Listed/Sources"))
}
