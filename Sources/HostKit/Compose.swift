import ArgumentParser
import Datasets
import Figures
import Files
import Foundation
import LatentKit
import Recipes
import Training

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
      let parts = [recipe.data?.use, recipe.encoder?.use, recipe.prior?.use, recipe.sampler?.use].compactMap { $0 }
      return try RunFolder.claim(parts.joined(separator: "-"), in: parent)
    }
    guard !name.isEmpty, !name.contains("/"), !name.hasPrefix(".") else {
      throw ValidationError("--name is '\(name)', expected the name of one folder; use --runs for where it goes")
    }
    let folder = RunFolder(parent.appendingPathComponent(name))
    if resume {
      guard folder.exists else { throw ValidationError("there is no run in \(folder.url.path) to go on with") }
    } else if folder.exists && !overwrite {
      throw ValidationError(
        "\(folder.url.path) holds a run already; choose another --name, --overwrite it, or --resume it")
    }
    return folder
  }
}

struct Compose: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a model of parts by name, measure it, sample it and draw it.",
    discussion: """
      Exactly as typed, this trains on the embedded digits and leaves a folder to look at:

        host compose --encoder resnet --prior pedcc --sampler mh

      On a full data set, with other numbers:

        host compose --encoder resnet --prior pedcc --data mnist --epochs 5
        host compose recipe.yaml --sampler mh --set encoder.latent=16 --seed 3

      Several times, for mean and spread:

        host compose recipe.yaml --seeds 1,2,3
        host compose recipe.yaml --seeds 1,2,3 --folds 5
      """)

  @OptionGroup var options: TrainingOptions
  @Option(help: "Samples to draw of each class.") var perClass = 10

  func validate() throws {
    guard (1...1000).contains(perClass) else {
      throw ValidationError("--per-class is \(perClass), expected 1 to 1000")
    }
  }

  func run() throws { try options.run(Purpose(command: "compose", perClass: perClass)) }
}

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a recipe and measure it, without sampling.",
    discussion: """
        host train Plugins/CSAE/recipes/csae-l.yaml --name csae-l
        host train --resume --name csae-l

      To go on with a run needs its name only: its folder has the recipe.
      """)

  @OptionGroup var options: TrainingOptions

  func run() throws { try options.run(Purpose(command: "train", perClass: nil)) }
}

/// What a command wants of a run: `train` only measures the model, `compose` draws from it too.
struct Purpose {
  let command: String
  /// Samples to draw of each class; nil draws none.
  let perClass: Int?

  /// What to type to go on with a run of a name.
  func wayOn(_ name: String, _ target: RunOptions, _ machine: MachineOptions) -> String {
    "host \(command) --resume --name \(name)" + (target.runs == "runs" ? "" : " --runs \(target.runs)") + machine.typed
      + (perClass.map { $0 == 10 ? "" : " --per-class \($0)" } ?? "")
  }
}

/// What `compose` and `train` can be told.
struct TrainingOptions: ParsableArguments {
  @OptionGroup(title: "Parts") var parts: PartOptions
  @OptionGroup(title: "Run") var target: RunOptions
  @OptionGroup(title: "Repeats") var repeats: RepeatOptions
  @OptionGroup(title: "Machine") var machine: MachineOptions
  @Flag(help: "Check and print the resolved recipe, and stop.") var dryRun = false

  func run(_ purpose: Purpose) throws {
    // To go on, the recipe is the run's own, and flags may only repeat it.
    let known = target.known
    var parts = parts
    if let known, parts.recipe == nil { parts.recipe = known.recipe.path }
    let recipe = try parts.resolved(with: Composer(Host.catalog))
    if let repeats = try repeats.asked(orIn: known), !dryRun {
      let folder = try target.folder(for: recipe)
      if !target.resume { try Repeats.clear(folder) }
      let study = try Study(repeating: recipe, repeats, in: folder, resuming: target.resume)
      return try study.run(purpose, machine, wayOn: purpose.wayOn(folder.name, target, machine))
    }
    let session = try Session(recipe, machine: machine)
    if dryRun { return say(session.recipe.yaml()) }
    let folder = try target.folder(for: session.recipe)
    if !target.resume { try Repeats.clear(folder) }
    let run = try TrainingRun(
      session, in: folder, resuming: target.resume, wayOn: purpose.wayOn(folder.name, target, machine))
    guard try run.train() else { throw ExitCode(130) }
    try run.finish(perClass: purpose.perClass)
  }
}
