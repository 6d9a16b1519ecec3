import ArgumentParser
import Files
import Foundation
import LatentKit
import Recipes
import Runs
import Training

/// Where a run goes.
struct RunOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Name of the run's folder; made from the parts unless said.", valueName: "name")) var name:
    String?
  @Option(help: ArgumentHelp("Where run folders go.", valueName: "folder")) var runs = "runs"
  @Flag(help: "Replace a run of this name.") var overwrite = false
  @Flag(help: "Go on with the run of this name from its last checkpoint.") var resume = false

  func validate() throws {
    if let name, let defect = FileName.defect(in: name) {
      throw ValidationError(
        "--name is '\(name.shown())', which \(defect), expected the name of one folder; use --runs for where it goes")
    }
  }

  /// What to do with a run that is in the folder already.
  var existing: Run.Existing { resume ? .resume : overwrite ? .replace : .refuse }

  /// The run to resume; nil for a new run.
  ///
  /// - Throws: `ValidationError` where `--resume` lacks a name, `RecipeError` where no run has it.
  func known() throws -> RunFolder? {
    guard resume else { return nil }
    guard let name else { throw ValidationError("--resume needs the run's name: add --name NAME") }
    let folder = RunFolder(URL(fileURLWithPath: runs).appendingPathComponent(name))
    try OutputPlace.requireReadable(folder.recipe)
    guard folder.exists else { throw noRun(in: folder) }
    return folder
  }

  private func noRun(in folder: RunFolder) -> RecipeError {
    RecipeError("there is no run in \(folder.url.path) to resume; check --name and --runs, or leave --resume out")
  }

  /// The folder of a new run, or of the one to go on with.
  func folder(for recipe: Recipe) throws -> RunFolder {
    let parent = URL(fileURLWithPath: runs)
    guard let name else {
      if overwrite { throw ValidationError("--overwrite needs the run's name: add --name NAME") }
      let parts = [recipe[.data]?.use, recipe[.encoder]?.use, recipe[.prior]?.use, recipe[.sampler]?.use].compactMap {
        $0
      }
      return try RunFolder.claim(parts.joined(separator: "-"), in: parent)
    }
    let folder = RunFolder(parent.appendingPathComponent(name))
    if !resume, folder.exists, !overwrite {
      throw RecipeError(
        "\(folder.url.path) holds a run already; choose another --name, --overwrite it, or --resume it")
    }
    return folder
  }
}
