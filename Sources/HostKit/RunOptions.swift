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
  @Flag(
    help:
      "Go on with a run from its last checkpoint: the one of this name, or the folder that stands in place of a recipe. With more --epochs a finished run goes on, too."
  ) var resume = false

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
  /// - Parameter recipe: The recipe file, or in its place the folder of the run.
  /// - Throws: `ValidationError` where `--resume` lacks a run, `RecipeError` where there is none.
  func known(_ recipe: String?) throws -> RunFolder? {
    guard resume else { return nil }
    if overwrite { throw ValidationError("--resume goes on with a run, and --overwrite replaces it; leave one out") }
    let folder: RunFolder
    if let name {
      folder = RunFolder(URL(fileURLWithPath: runs).appendingPathComponent(name))
    } else if let recipe, OutputPlace(URL(fileURLWithPath: recipe), followsLinks: true) != .file {
      folder = RunFolder(URL(fileURLWithPath: recipe))
    } else {
      throw ValidationError("--resume needs a run: name its folder, as in --resume runs/demo, or add --name NAME")
    }
    try OutputPlace.requireReadable(folder.recipe)
    guard folder.exists else { throw noRun(in: folder) }
    return folder
  }

  private func noRun(in folder: RunFolder) -> RecipeError {
    RecipeError(
      "there is no run in \(folder.url.path) to resume; check its name, --name and --runs, or leave --resume out")
  }

  /// The folder of a new run.
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
    if folder.exists, !overwrite {
      throw RecipeError(
        "\(folder.url.path) holds a run already; choose another --name, --overwrite it, or --resume it")
    }
    return folder
  }
}
