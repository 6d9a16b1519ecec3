import ArgumentParser
import Foundation
import LatentKit
import Recipes
import Runs
import Studies

/// The purpose of a run: `train` only measures the model, `compose` draws from it too.
struct Purpose {
  let command: String
  /// Samples to draw of each class; nil draws none.
  let perClass: Int?

  /// Returns the command line that goes on with a run.
  func wayOn(_ folder: RunFolder, _ options: some TrainingCommand) -> String {
    let (target, machine) = (options.target, options.machine)
    let isByName = folder.url.deletingLastPathComponent().path == URL(fileURLWithPath: target.runs).path
    let place =
      isByName
      ? "--name \(folder.name.quotedForShell)" + (target.runs == "runs" ? "" : " --runs \(target.runs.quotedForShell)")
      : folder.url.relativePath.quotedForShell
    return "host \(command) --resume \(place)" + machine.typed
      + options.foreign.typed.map { " \($0.quotedForShell)" }.joined()
      + (perClass.map { $0 == 10 ? "" : " --per-class \($0)" } ?? "")
  }
}

/// `compose` and `train`. Their options are not a group of groups: a debug build checks the inner ones again for each level.
protocol TrainingCommand: PartCommand {
  var parts: PartOptions { get }
  var target: RunOptions { get }
  var repeats: RepeatOptions { get }
  var machine: MachineOptions { get }
  /// Check and print the resolved recipe, and stop.
  var dryRun: Bool { get }
}

extension TrainingCommand {
  func run(_ purpose: Purpose, in host: Host) throws {
    // To go on, the recipe is the run's own, and flags may only repeat it.
    let known = try target.known(parts.recipe)
    var parts = parts
    if let known, parts.recipe == nil || target.name == nil { parts.recipe = known.recipe.path }
    let recipe = try parts.resolved(with: Composer(host.catalog))
    let machine = try known.map { try self.machine.machine(resuming: $0, host.console) } ?? self.machine.machine()
    if let repeats = try repeats.asked(orIn: known), !dryRun {
      host.warnAboutFigures()
      let folder = try known ?? target.folder(for: recipe)
      let study = try Study(
        repeating: recipe, repeats, catalog: host.catalog, in: folder, existing: target.existing,
        machine: machine, draws: purpose.perClass != nil)
      return try host.run(study, perClass: purpose.perClass, wayOn: purpose.wayOn(folder, self))
    }
    let observer = ConsoleObserver(host.console)
    let session = try Session(recipe, catalog: host.catalog, machine: machine, observer: observer)
    if dryRun { return host.console.say(lines: session.recipe.yaml()) }
    if purpose.perClass != nil, let refusal = session.drawRefusal { throw refusal }
    host.warnAboutFigures()
    let folder = try known ?? target.folder(for: session.recipe)
    let run = Run(session, in: folder, existing: target.existing, observer: observer)
    guard try interruptible({ try run.train(shouldStop: $0) }) == .finished else {
      throw host.stopped(wayOn: purpose.wayOn(folder, self))
    }
    try run.finish(perClass: purpose.perClass)
  }
}
