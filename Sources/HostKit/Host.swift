import ArgumentParser
import Datasets
import Files
import Foundation
import LatentKit
import Templates

/// The `host` program: `Host.main(plugins:)` is all of its executable.
public struct Host: Sendable {
  let plugins: [any Plugin.Type]
  /// Every part that the commands know.
  let catalog: Catalog
  let console: Console
  /// The folder that the program is run in.
  let place: URL

  /// - Throws: `CatalogError` where two plugins bring a part of one name.
  init(
    plugins: [any Plugin.Type], console: Console = .standard,
    in place: URL = URL(fileURLWithPath: FileManager.default.currentDirectoryPath)
  ) throws {
    (self.plugins, self.console, self.place) = (plugins, console, place)
    catalog = try Catalog(plugins)
  }

  /// A host of the same program with other parts.
  init(_ host: Host, catalog: Catalog) {
    (plugins, console, place, self.catalog) = (host.plugins, host.console, host.place, catalog)
  }

  /// Plugins that are in the folder `Plugins/` around here alone, or in its manifest's list alone, a sentence each: why a part is
  /// unknown, perhaps.
  var misplacedPlugins: [String] { PluginFolder.around(place)?.findings ?? [] }

  /// Runs the command line with the parts of these plugins, and ends the program where it fails.
  public static func main(plugins: [any Plugin.Type]) {
    Torch.keepLargeBlocks()
    // A reader that goes away, 'host compose … | head' say, must not end a training run.
    signal(SIGPIPE, SIG_IGN)
    do { try Host(plugins: plugins).run(Array(CommandLine.arguments.dropFirst())) } catch {
      let code = exitCode(for: error)
      if code == .success {
        print(HostCommand.fullMessage(for: error))
        leave(code)
      }
      let text = message(for: error)
      if !text.isEmpty { Console.standard.errors(text + "\n") }
      if code == .validationFailure { leave(code) }
      exit(code.rawValue)
    }
  }

  /// Ends the program after help or a mistake of the command line, without waiting for libtorch to tear down its table of operators: a
  /// quarter of the time that help takes.
  private static func leave(_ code: ExitCode) -> Never {
    fflush(nil)
    _exit(code.rawValue)
  }

  /// The exit code of an error: 64 for mistakes of the command line, which the parser finds or a command.
  static func exitCode(for error: any Error) -> ExitCode {
    error is CommandRefusal ? .validationFailure : HostCommand.exitCode(for: error)
  }

  /// What is printed of an error. It may quote a label, a name or a file: what a terminal would obey is shown. The parser's
  /// messages have several lines, with the usage; others are one.
  static func message(for error: any Error) -> String {
    let isOfParser = HostCommand.exitCode(for: error) == .validationFailure
    return HostCommand.fullMessage(for: error).shown(keeping: isOfParser ? ["\n", "\t"] : ["\t"])
  }

  /// Parses a command line and runs its command.
  func run(_ arguments: [String]) throws {
    try Host.$completing.withValue(catalog) {
      try HostCommand.requireKnown(arguments)
      var command = try HostCommand.parseAsRoot(arguments)
      do {
        if let command = command as? any PartCommand {
          try command.run(in: loading(command.foreign.manifests))
        } else if let command = command as? any HostSubcommand {
          try command.run(in: self)
        } else {
          try command.run()
        }
      } catch let error as DatasetError where error.isAboutFolder {
        // The library speaks of a data folder; here a flag names it.
        throw DatasetError("\(error); --data-dir names the data folder")
      } catch let error as CocoaError {
        throw FileError(error.filePath ?? "a file", systemReason(of: error))
      } catch let error as ValidationError {
        // The parser would put the usage of the whole program behind it.
        throw CommandRefusal(description: error.message)
      }
    }
  }

  /// The program whose parts completions may name. The parser asks for them by closures that know nothing of the program;
  /// everything else is passed the host.
  @TaskLocal static var completing: Catalog?

  /// Completions by the names of a slot's parts.
  static func names(in slot: Slot) -> [String] { completing?.descriptions(of: slot).map(\.name) ?? [] }
}

/// Arguments that a command refuses once it runs. One sentence.
struct CommandRefusal: Error, CustomStringConvertible {
  let description: String
}

/// A command that is run with the parts of a program.
protocol HostSubcommand: ParsableCommand {
  func run(in host: Host) throws
}

struct HostCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "host",
    abstract: "Compose, train, measure and sample autoencoders from the parts of many papers.",
    discussion: """
      A model is a recipe: an encoder, a decoder, a prior, losses and a sampler by name, from any plugin.

        host compose --encoder resnet --prior pedcc --sampler mh
        host compose --encoder mlp --data fashion-mnist --set encoder.latent=16
        host compose runs/demo/recipe.yaml --seed 1

      What is not said comes from the parts that were chosen; the resolved recipe in \
      the run's folder shows all of it. See which parts there are with 'host list', \
      what a part can be set to with 'host list prior pedcc', and what this machine \
      has with 'host doctor'.
      """,
    version: "LatentKit \(LatentKitVersion.current) on libtorch \(Torch.version)",
    subcommands: [
      Compose.self, Train.self, Reproduce.self, Curve.self, Evaluate.self, Predict.self, Sample.self, Reconstruct.self,
      Verify.self,
      Latents.self,
      Centroids.self, Export.self, List.self, New.self, CheckCommand.self, DataCommand.self, Doctor.self,
    ])
}

extension ParsableCommand {
  /// Refuses the name of a command that is none, with the nearest one: the parser would call it an unexpected argument.
  fileprivate static func requireKnown(_ arguments: [String]) throws {
    let commands = configuration.subcommands
    guard let name = arguments.first, !name.hasPrefix("-"), !commands.isEmpty else { return }
    if let command = commands.first(where: { $0._commandName == name }) {
      return try command.requireKnown(Array(arguments.dropFirst()))
    }
    let known = commands.map { $0._commandName }
    guard name != "help" else { return }
    throw CommandRefusal(description: "\(UnknownName(name, among: known, of: "command"))")
  }
}
