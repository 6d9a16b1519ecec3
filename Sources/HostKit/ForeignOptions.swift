import ArgumentParser
import ForeignParts
import LatentKit

/// Parts of libraries in other languages.
struct ForeignOptions: ParsableArguments {
  @Option(
    name: .customLong("foreign"), parsing: .singleValue,
    help: ArgumentHelp(
      "Loads a shared library in any language and adds its parts, as its manifest describes them: --foreign laplace.yaml. Its code runs in this process: name what you trust. Repeat for more.",
      valueName: "manifest.yaml"),
    completion: .file(extensions: ["yaml", "yml"]))
  var manifests: [String] = []

  /// The options as they were typed, for a command that goes on with a run and for processes that check parts.
  var typed: [String] { manifests.flatMap { ["--foreign", $0] } }
}

/// A command that uses parts of a catalog, those of foreign libraries among them.
protocol PartCommand: HostSubcommand {
  var foreign: ForeignOptions { get }
}

extension Host {
  /// The host with the parts of the libraries that a command names.
  func loading(_ manifests: [String]) throws -> Host {
    manifests.isEmpty ? self : try Host(self, catalog: catalog.adding(foreign: manifests))
  }

  /// The names of a slot's parts, for completions: those of the manifests that a command line names as well. Nothing is loaded.
  static func names(in slot: Slot, on words: [String]) -> [String] {
    let named =
      zip(words, words.dropFirst()).filter { $0.0 == "--foreign" }.map(\.1)
      + words.filter { $0.hasPrefix("--foreign=") }.map { String($0.dropFirst("--foreign=".count)) }
    return names(in: slot) + named.flatMap { (try? ForeignManifest($0))?.names(in: slot) ?? [] }
  }
}
