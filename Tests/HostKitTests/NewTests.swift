import Files
import Foundation
import LatentKit
import Testing

@testable import HostKit

@Suite struct BeginningPlugins {
  @Test func aPluginIsMadeInTheNamedPackage() throws {
    let scratch = try Scratch()
    _ = try scratch.write("let plugins = []\n", to: "Package.swift")
    let printed = try host("new", "plugin", "RingLatents", "--slots", "loss, prior", "--folder", scratch.path)
    #expect(printed.output.contains("parts   prior 'ring-latents', loss 'ring-latents'\n"))
    #expect(printed.output.contains("make test ONLY=RingLatentsTests\n"))
    #expect(printed.output.contains("compose Plugins/RingLatents/recipes/ring-latents.yaml\n"))
    #expect(try scratch.read("Package.swift") == "let plugins = [\"RingLatents\"]\n")
    #expect(
      try scratch.read("Plugins/RingLatents/Sources/RingLatentsLoss.swift").contains("struct RingLatentsLoss: Loss"))
    #expect(
      message("new", "plugin", "RingLatents", "--folder", scratch.path).contains("lists a plugin 'RingLatents' already")
    )
  }

  @Test func aNameWhosePartsThereAreIsRefused() throws {
    let scratch = try Scratch()
    _ = try scratch.write("let plugins = []\n", to: "Package.swift")
    let said = message("new", "plugin", "Pedcc", "--slots", "prior", "--folder", scratch.path)
    #expect(said.contains("plugin CSAE has a prior 'pedcc' already"))
    let other = message("new", "plugin", "Mlp", "--slots", "encoder", "--folder", scratch.path)
    #expect(other.contains("plugin Baseline has an encoder 'mlp' already"))
    // The name is free in another slot.
    try host("new", "plugin", "Pedcc", "--slots", "loss", "--folder", scratch.path)
  }

  @Test func aFolderWithoutAListOfPluginsIsRefused() throws {
    let scratch = try Scratch()
    #expect(
      message("new", "plugin", "Ring", "--folder", scratch.path).contains("there is no Package.swift with a list"))
    _ = try scratch.write("let package = Package(name: \"x\")\n", to: "Package.swift")
    #expect(
      message("new", "plugin", "Ring", "--folder", scratch.path).contains("there is no Package.swift with a list"))
    #expect(message("new", "plugin", "ring", "--folder", scratch.path).contains("a capital first"))
  }

  /// An author whose parts are unknown is told that the plugin is not built.
  @Test func aPluginOutsideTheListIsPointedOut() throws {
    let scratch = try Scratch()
    _ = try scratch.write("let plugins = [\"Listed\"]\n", to: "Package.swift")
    let sources = scratch.url.appendingPathComponent("Plugins/Ring/Sources")
    try FileManager.default.createDirectory(at: sources, withIntermediateDirectories: true)
    for arguments in [["list"], ["doctor"], ["check", "Ring"], ["check", "schedule", "--worker", "0"]] {
      let printed = Printed()
      try? Host(plugins: plugins, console: printed.console, in: sources).run(arguments)
      let isWorker = arguments.contains("--worker")
      for sentence in ["Plugins/Ring is not built, as ", "lists 'Listed', and there is no Plugins/Listed/Sources"] {
        #expect((printed.output + printed.errors).contains(sentence) != isWorker, "\(arguments)")
      }
    }
  }

  @Test func aPackageDependsOnTheVersionOfTheProgramUnlessSaid() throws {
    let scratch = try Scratch()
    let url = "https://example.org/LatentKit.git"
    let printed = try host("new", "package", "RingModels", "--folder", scratch.path, "--url", url)
    #expect(printed.output.contains("LatentKit \(LatentKitVersion.current) or a later"))
    #expect(try scratch.read("RingModels/Package.swift").contains("from: \"\(LatentKitVersion.current)\""))
    try host("new", "package", "Others", "--folder", scratch.path, "--url", url, "--from", "0.2.1")
    #expect(try scratch.read("Others/Package.swift").contains("from: \"0.2.1\""))
    #expect(
      message("new", "package", "RingModels", "--folder", scratch.path, "--url", url).contains("is there already"))
  }

  /// SwiftPM finds a version by its tag.
  @Test(arguments: [
    ("0.1.0", true), ("v0.3.0", true), ("0.0.9", false), ("1.0.0", false), ("first", false), (nil, false),
  ]) func aRepositoryWithoutTheVersionIsSaid(tag: String?, isEnough: Bool) throws {
    let scratch = try Scratch()
    let repository = scratch.url.appendingPathComponent("LatentKit")
    try FileManager.default.createDirectory(at: repository, withIntermediateDirectories: true)
    func git(_ arguments: String...) throws {
      let author = ["-c", "user.name=test", "-c", "user.email=test@localhost"]
      #expect(try Command("git", author + arguments).run(in: repository).status == 0)
    }
    try git("init", "-q")
    try git("commit", "-q", "--allow-empty", "-m", "A version")
    if let tag { try git("tag", tag) }
    let printed = try host(
      "new", "package", "RingModels", "--folder", scratch.path, "--url", "file://\(repository.path)", "--from", "0.1.0")
    #expect(printed.errors.contains("run 'git -C \(repository.path) tag 0.1.0'") != isEnough)
    #expect(try !scratch.read("RingModels/README.md").contains("file://"))
  }

  @Test func withoutAnAddressItIsThatOfThisCheckout() throws {
    let scratch = try Scratch()
    let printed = try host("new", "package", "RingModels", "--folder", scratch.path)
    let address = try #require(printed.output.firstMatch(of: /from ([a-z]+:\/\/\S+|\S+@\S+)\n/)).1
    #expect(try scratch.read("RingModels/Package.swift").contains("url: \"\(address)\""))
  }
}
