import Files
import Foundation
import Testing

@testable import Templates

private func package(_ manifest: String = "let plugins = [\"A\"]\n") throws -> (scratch: Scratch, folder: PluginFolder)
{
  let scratch = try Scratch()
  try scratch.write(manifest, to: "Package.swift")
  try scratch.write("", to: "Plugins/A/Sources/A.swift")
  return (scratch, try #require(PluginFolder(at: scratch.url)))
}

private func template(_ name: String = "Ring", _ slots: [String]? = nil) throws -> PluginTemplate {
  try PluginTemplate(PluginName(name), slots: slots)
}

@Suite struct Choosing {
  @Test func linesOfOtherSlotsAreLeftOut() {
    let text = "{loss}a\n{!loss}b\n{loss,!prior}  c\n{use: x}\n{prior,loss}d\ne"
    #expect(Template.choose(text, ["loss"]) == "a\n  c\n{use: x}\ne")
    #expect(Template.choose(text, ["prior"]) == "b\n{use: x}\ne")
    #expect(Template.choose(text, ["loss", "prior"]) == "a\n{use: x}\nd\ne")
  }

  @Test func aKeyWithoutAValueIsSaid() throws {
    #expect(try Template.fill("a __name__ b", ["name": "ring"], in: "x") == "a ring b")
    #expect(message { _ = try Template.fill("__nam__", ["name": "ring"], in: "x") }.contains("'nam'"))
  }

  @Test func importsAreSortedWhereTheyStandTogether() {
    #expect(
      Template.sortImports("import B\nimport A\n\nimport Z\n@testable import C\nx")
        == "import A\nimport B\n\nimport Z\n@testable import C\nx")
  }

  @Test func slotsAreRefusedThatHaveNoExampleOrStandTwice() {
    #expect(
      message { _ = try template("Ring", ["loss", "priors"]) }.contains("'priors', expected some of data, encoder"))
    #expect(message { _ = try template("Ring", []) }.contains("found no slot"))
    #expect(message { _ = try template("Ring", ["loss", "loss"]) }.contains("'loss' twice"))
  }
}

@Suite struct Writing {
  @Test func eachSlotHasAPartATestAndALine() throws {
    let (scratch, folder) = try package()
    let files = try template().write(into: folder)
    #expect(Set(files).isSubset(of: Set(scratch.files)))
    let list = try scratch.read("Plugins/Ring/Sources/RingPlugin.swift")
    for slot in PluginTemplate.slots {
      let type = "Ring\(slot.capitalized)"
      #expect(
        files.contains("Plugins/Ring/Sources/\(type).swift") && files.contains("Plugins/Ring/Tests/\(type)Tests.swift"))
      #expect(list.contains("\(type)."))
      #expect(try scratch.read("Plugins/Ring/README.md").contains("| \(slot) | `ring` |"))
    }
    for file in files {
      let text = try scratch.read(file)
      #expect(!text.contains("__") && !text.contains(/(?m)^\{!?[a-z]+\}/), "\(file)")
    }
    #expect(PluginFolder(at: scratch.url)?.list.names == ["A", "Ring"])
    #expect(PluginFolder(at: scratch.url)?.findings == [])
  }

  @Test func onlyTheChosenSlotsAreWritten() throws {
    let (scratch, folder) = try package()
    let files = try template("Ring", ["prior"]).write(into: folder)
    #expect(
      files.filter { $0.contains("Sources/") } == [
        "Plugins/Ring/Sources/RingPlugin.swift", "Plugins/Ring/Sources/RingPrior.swift",
      ])
    let recipe = try scratch.read("Plugins/Ring/recipes/ring.yaml")
    #expect(recipe.contains("prior: ring\nsampler: prior\n") && !recipe.contains("centroid"))
    let plain = try template("Solo", ["loss"]).write(into: try #require(PluginFolder(at: scratch.url)))
    #expect(plain.contains("Plugins/Solo/recipes/solo.yaml"))
    #expect(try scratch.read("Plugins/Solo/recipes/solo.yaml").contains("prior: pedcc\nsampler: class-gaussian\n"))
    #expect(PluginFolder(at: scratch.url)?.list.names == ["A", "Ring", "Solo"])
  }

  @Test(arguments: ["A", "RING"])
  func aTakenNameIsRefusedAndNothingChanges(name: String) throws {
    let (scratch, folder) = try package()
    if name == "RING" { try scratch.write("mine", to: "Plugins/Ring/notes.txt") }
    let before = scratch.files
    #expect(message { _ = try template(name).write(into: folder) }.contains("already"))
    #expect(scratch.files == before && PluginFolder(at: scratch.url)?.list.names == ["A"])
  }

  @Test(arguments: [true, false])
  func whereTheManifestCannotBeWrittenNothingIsLeftBehind(hasPlugins: Bool) throws {
    let scratch = try Scratch()
    if hasPlugins { try scratch.write("", to: "Plugins/A/Sources/A.swift") }
    // A manifest whose folder is gone by the time that it is written.
    try scratch.write("let plugins = [\"A\"]\n", to: "Package.swift")
    let folder = try #require(PluginFolder(at: scratch.url))
    try FileManager.default.removeItem(at: folder.manifest)
    try FileManager.default.createDirectory(at: folder.manifest, withIntermediateDirectories: true)
    try scratch.write("", to: "Package.swift/x")
    let before = scratch.files
    let said = message { _ = try template().write(into: folder) }
    #expect(said.contains("Package.swift: is a folder, expected a file"), "\(said)")
    #expect(scratch.files == before)
    let plugins = scratch.url.appendingPathComponent("Plugins")
    #expect(FileManager.default.fileExists(atPath: plugins.path) == hasPlugins)
  }

  @Test func aFileInThePlaceOfThePluginsIsSaid() throws {
    let scratch = try Scratch()
    try scratch.write("let plugins = []\n", to: "Package.swift")
    try scratch.write("mine", to: "Plugins")
    let folder = try #require(PluginFolder(at: scratch.url))
    let said = message { _ = try template().write(into: folder) }
    #expect(said == "\(folder.url.appendingPathComponent("Plugins").path): is a file, expected a folder; move it away")
    #expect(scratch.files.sorted() == ["Package.swift", "Plugins"])
  }

  @Test func aProgramWithoutItsTemplatesSaysWhatToCopy() throws {
    let scratch = try Scratch()
    var template = Template()
    let said = message { try template.add("Plugin/loss", filling: [:], for: [], in: [scratch.url]) }
    #expect(said.contains("copy 'LatentKit_Templates.resources'") && said.contains(scratch.path))
  }
}
