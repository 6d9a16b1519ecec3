import ArgumentParser
import Foundation
import Recipes
import Training

/// Where a run goes.
struct RunOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Name of the run's folder; made from the parts unless said.", valueName: "name")) var name:
    String?
  @Option(help: ArgumentHelp("Where run folders go.", valueName: "folder")) var runs = "runs"
  @Flag(help: "Replace a run of this name.") var overwrite = false
  @Flag(help: "Go on with the run of this name from its last checkpoint.") var resume = false

  /// The run to go on with, where there is one of this name.
  var known: RunFolder? {
    guard resume, let name else { return nil }
    let folder = RunFolder(URL(fileURLWithPath: runs).appendingPathComponent(name))
    return folder.exists ? folder : nil
  }

  /// The folder of a new run, or of the one to go on with.
  func folder(for recipe: Recipe) throws -> RunFolder {
    let parent = URL(fileURLWithPath: runs)
    guard let name else {
      if resume || overwrite {
        throw ValidationError("--\(resume ? "resume" : "overwrite") needs the run's name: add --name NAME")
      }
      let parts = [recipe[.data]?.use, recipe[.encoder]?.use, recipe[.prior]?.use, recipe[.sampler]?.use].compactMap {
        $0
      }
      return try RunFolder.claim(parts.joined(separator: "-"), in: parent)
    }
    if let fault = Recipe.fault(inName: name) ?? (name.hasPrefix(".") ? "'\(name)'" : nil) {
      throw ValidationError("--name is \(fault), expected the name of one folder; use --runs for where it goes")
    }
    let folder = RunFolder(parent.appendingPathComponent(name))
    if !resume { try folder.requireOwn() }
    if resume {
      guard folder.exists else { throw ValidationError("there is no run in \(folder.url.path) to resume") }
    } else if folder.exists && !overwrite {
      throw ValidationError(
        "\(folder.url.path) holds a run already; choose another --name, --overwrite it, or --resume it")
    }
    return folder
  }
}
