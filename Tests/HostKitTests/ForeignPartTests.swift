import Files
import Foundation
import LatentKit
import Testing
import Training

@testable import HostKit

/// Parts of other languages on the command line: `--foreign`.
@Suite struct ForeignParts {
  private let scratch: Scratch
  private let manifest: String

  init() throws {
    scratch = try Scratch()
    let fixtures = packageRoot.appendingPathComponent("Tests/ForeignPartsTests/Fixtures")
    let source = fixtures.appendingPathComponent("laplace.c").path
    let library = scratch.url.appendingPathComponent("liblaplace.so").path
    let result = try Command("cc", ["-O2", "-fPIC", "-shared", source, "-o", library, "-lm"]).run()
    try #require(result.status == 0, "\(result.messages)")
    manifest = try scratch.write(
      String(contentsOf: fixtures.appendingPathComponent("laplace.yaml"), encoding: .utf8), to: "laplace.yaml")
  }

  @Test func aForeignPartIsListedAndDescribedAsAnyOther() throws {
    #expect(try host("list", "--foreign", manifest).output.contains(", laplace\n"))
    #expect(try host("list", "prior", "--foreign", manifest).output.contains("Laplace densities, in C  [laplace.yaml]"))
    let one = try host("list", "prior", "laplace", "--foreign", manifest).output
    #expect(one.contains("prior 'laplace': independent Laplace densities, in C  [laplace.yaml]"))
    #expect(one.contains("scale  1.0  The scale b; the standard deviation is √2 b. [above 0]"))
    #expect(!(try host("list", "prior").output.contains("laplace")))
  }

  @Test func itsNameIsCompletedWithoutLoadingItsLibrary() throws {
    try FileManager.default.removeItem(at: scratch.url.appendingPathComponent("liblaplace.so"))
    func completions(_ command: String, _ words: String...) -> [String] {
      message(["---completion", command, "--", "--prior", "\(words.count)", "0"] + words).split(separator: "\n").map(
        String.init)
    }
    #expect(completions("compose", "host", "compose", "--foreign", manifest, "--prior").last == "laplace")
    #expect(completions("compose", "host", "compose", "--foreign=\(manifest)", "--prior").last == "laplace")
    #expect(!completions("compose", "host", "compose", "--prior").contains("laplace"))
    #expect(!completions("compose", "host", "compose", "--foreign", "none.yaml", "--prior").isEmpty)
  }

  @Test func aRunWithItIsComposedAndOpenedWithTheFlagAlone() throws {
    let (runs, name) = (["--runs", scratch.path], ["--name", "small"])
    try host(
      ["train", "--encoder", "mlp", "--prior", "laplace", "--set", "prior.scale=0.5", "--set", "encoder.hidden=[8]"]
        + ["--set", "encoder.latent=3", "--set", "data.limit=200", "--epochs", "1", "--foreign", manifest] + runs + name
    )
    let run = scratch.url.appendingPathComponent("small").path
    let recipe = try scratch.read("small/recipe.yaml")
    #expect(recipe.contains(/foreign: "?\S+laplace.yaml"?,?\s+checksum: "?[0-9a-f]{64}/), "\(recipe)")
    let sentence = "prior 'laplace' is of the foreign library that"
    for command in ["evaluate", "sample", "reconstruct", "latents"] {
      #expect(message(command, run).contains(sentence), "\(command)")
    }
    #expect(message(["train", "--resume"] + runs + name).contains("add --foreign"))
    #expect(message("evaluate", run, "--foreign", manifest) == "")
    #expect(message(["train", "--resume", "--foreign", manifest] + runs + name) == "")
    #expect(message("sample", run, "--foreign", manifest, "--per-class", "2") == "")
    // Another prior in its place needs no library.
    #expect(message(["compose", "\(run)/recipe.yaml", "--prior", "standard-normal", "--dry-run"]) == "")
    // What replaces the library is refused.
    let text = try scratch.read("laplace.yaml")
    _ = try scratch.write(text + "# another\n", to: "laplace.yaml")
    #expect(message("evaluate", run, "--foreign", manifest).contains("prior 'laplace' has changed"))
  }

  @Test func whatCannotBeLoadedIsRefusedInASentence() throws {
    #expect(message("list", "--foreign", "no-such.yaml").contains("no-such.yaml: cannot be read, expected a manifest"))
    #expect(message("list", "--foreign", "").contains("expected a file"))
    #expect(message("new", "plugin", "X", "--foreign", manifest).contains("Unknown option '--foreign'"))
  }

  @Test func theWayOnNamesTheLibraries() throws {
    let command = try HostCommand.parseAsRoot(
      ["compose", "--encoder", "mlp", "--foreign", "a b.yaml", "--foreign", "c.yaml"])
    let compose = try #require(command as? Compose)
    #expect(
      Purpose(command: "compose", perClass: 10).wayOn(RunFolder(URL(fileURLWithPath: "runs/x")), compose)
        == "host compose --resume --name x --foreign 'a b.yaml' --foreign c.yaml")
  }
}
