import ArgumentParser
import Datasets
import Files
import Foundation
import LatentKit
import Recipes
import Training

/// Runs that are measured together: a recipe with several seeds and folds, or all the rows of an experiment.
///
/// What is finished is kept and what is half done goes on, so a study that was stopped is started again with the same
/// command.
struct Study {
  let title: String
  let about: String
  /// How flags changed the recipes, as `--set` takes it.
  var changes: [String] = []
  let cells: [Cell]
  /// What is compared; everything that was measured, where it is empty.
  let measures: [String]
  /// Pictures of the runs that are laid side by side.
  let figures: [String]
  /// A data set that the runs reconstruct without having seen it.
  var unseen: String?
  /// Which cells are run; the others are shown as they are.
  var isWanted: (Cell) -> Bool = { _ in true }
  /// Where the results go.
  let folder: URL

  /// The runs of one recipe.
  struct Cell {
    let row: String
    let column: String
    let published: [String: Double]
    let runs: [Run]

    var label: String { [row, column].filter { !$0.isEmpty }.joined(separator: ", ") }
  }

  struct Run {
    let recipe: Recipe
    let folder: RunFolder
    let seed: Int
    /// Counted from 0; nil where the data's own test part is measured.
    let fold: Int?

    var label: String { "seed \(seed)" + (fold.map { ", fold \($0)" } ?? "") }
    var isFinished: Bool { FileManager.default.fileExists(atPath: folder.summary.path) }
    var isBegun: Bool { folder.exists }
  }

  /// Runs what is not finished, then reports.
  ///
  /// A run that fails does not cost the others: its reason is printed again at the end, and the exit code tells.
  /// - Throws: `ExitCode(130)` when the user stopped it, with everything saved.
  func run(_ purpose: Purpose, _ machine: MachineOptions, wayOn: String) throws {
    var failures: [Failure] = []
    let unseen = try unseen.map { try DatasetLibrary.load($0, from: machine.dataFolder) }
    let all = try cells.filter(isWanted).flatMap { cell in
      try check(cell, unseen, machine, &failures) ? cell.runs.map { (cell, $0) } : []
    }
    for (number, (cell, run)) in all.enumerated() where !run.isFinished {
      let title = [cell.label, run.label].filter { !$0.isEmpty }.joined(separator: ", ")
      say("== run \(number + 1) of \(all.count): \(title)")
      do {
        let session = try Session(run.recipe, machine: machine)
        let one = try TrainingRun(session, in: run.folder, resuming: run.isBegun, wayOn: wayOn)
        guard try one.train() else { throw ExitCode(130) }
        try one.finish(perClass: purpose.perClass)
      } catch let exit as ExitCode { throw exit } catch {
        failures.append(Failure(what: title, error))
      }
      say()
    }
    try report(machine, after: failures)
  }

  /// What could not be run or measured, and why. Said at once, and again at the end.
  struct Failure {
    let what: String
    let reason: String

    init(what: String, _ error: any Error) {
      (self.what, reason) = (what, "\(error)")
      warn("error: \(reason)")
    }
  }

  /// Looks for what would only come out after hours of training.
  ///
  /// - Returns: Whether the cell can be run.
  /// - Throws: `RecipeError` where the cell cannot be compared on the unseen data: that is a wrong flag.
  private func check(
    _ cell: Cell, _ unseen: Dataset?, _ machine: MachineOptions, _ failures: inout [Failure]
  ) throws -> Bool {
    let session: Session
    do {
      session = try Session(cell.runs[0].recipe, machine: machine)
      // Runs on a table that is no longer the same must not be averaged with new ones.
      for run in cell.runs where run.isFinished && session.dataset.digest != nil {
        try Checkpoint.read(run.folder.checkpoint).require(table: session.dataset.digest, from: run.folder.checkpoint)
      }
    } catch {
      failures.append(Failure(what: cell.label, error))
      return false
    }
    guard let unseen, session.composition.model.decoder != nil else { return true }
    guard unseen.name != session.dataset.name else {
      throw RecipeError(
        "unseen data '\(unseen.name)' are what '\(cell.label)' is trained on; name a set that no run has seen by --unseen"
      )
    }
    try Reconstructor(session, named: cell.label).require(unseen.inputShape, of: unseen.name)
    return true
  }

  /// Writes and prints what the finished runs came to.
  ///
  /// - Throws: `ExitCode.failure` where something failed, or a finished run's files are damaged: with all else reported.
  func report(_ machine: MachineOptions, after failures: [Failure] = []) throws {
    var failures = failures
    var results = StudyResults(self, &failures)
    do { results.unseen = try compareOnUnseen(machine) } catch {
      failures.append(Failure(what: "the comparison on \(unseen ?? "")", error))
    }
    try results.write(to: folder)
    results.print(folder: folder)
    for (index, failure) in failures.enumerated()
    where !failures[..<index].contains(where: { $0.reason == failure.reason }) {
      let others = failures[index...].count { $0.reason == failure.reason } - 1
      warn("failed: \(failure.what)" + (others > 0 ? ", and \(others) more" : "") + ": \(failure.reason)")
    }
    if !failures.isEmpty { throw ExitCode.failure }
  }

  /// The first finished run of each cell that has a decoder, on data that none has seen; nil where the study names none.
  private func compareOnUnseen(_ machine: MachineOptions) throws -> ReconstructionComparison? {
    guard let unseen else { return nil }
    let runs = try cells.compactMap { cell -> Reconstructor? in
      guard let run = cell.runs.first(where: \.isFinished) else { return nil }
      let session = try Session(run: run.folder.url.path, machine: machine)
      guard session.composition.model.decoder != nil else { return nil }
      return try Reconstructor(session, named: cell.label)
    }
    guard let first = runs.first else { return nil }
    let images = try UnseenImages(
      unseen, part: .test, classes: nil, for: first.session, dataFolder: machine.dataFolder)
    return try ReconstructionComparison(of: runs, on: images, count: 20)
  }
}

extension Study {
  /// One recipe, repeated. Its runs lie in the study's folder.
  ///
  /// - Parameter resuming: Whether to keep what has been run there.
  /// - Throws: `RecipeError` where that are runs of another recipe.
  init(repeating recipe: Recipe, _ repeats: Repeats, in folder: RunFolder, resuming: Bool) throws {
    let seeds = repeats.seeds ?? [recipe.seed]
    let runs = Study.runs(of: recipe, seeds: seeds, folds: repeats.folds) { _, seed, fold in
      RunFolder(folder.url.appendingPathComponent("seed-\(seed)" + (fold.map { "-fold-\($0)" } ?? "")))
    }
    if resuming, folder.exists {
      guard try Composer(Host.catalog).resolve(Recipe.read(folder.recipe).recipe) == recipe else {
        throw RecipeError(
          "the flags or the recipe file differ from the study in \(folder.url.path), whose runs would be averaged with those of another recipe; leave them out, or start another study"
        )
      }
    }
    try folder.create(inside: [])
    try AtomicFile.write(recipe.yaml(), to: folder.recipe)
    try repeats.write(to: folder)
    self.init(
      title: recipe.name ?? folder.name, about: recipe.about ?? "",
      cells: [Cell(row: recipe.name ?? folder.name, column: "", published: [:], runs: runs)], measures: [], figures: [],
      folder: folder.url)
  }

  /// A recipe with each seed on each fold.
  static func runs(
    of recipe: Recipe, seeds: [Int], folds: Int?, in folder: (Recipe, _ seed: Int, _ fold: Int?) -> RunFolder
  ) -> [Run] {
    seeds.flatMap { seed in
      (folds.map { Array(0..<$0) } ?? [nil] as [Int?]).map { fold in
        var recipe = recipe
        recipe.seed = seed
        if let fold, let folds {
          recipe.data?.with["folds"] = .int(folds)
          recipe.data?.with["fold"] = .int(fold)
        }
        return Run(recipe: recipe, folder: folder(recipe, seed, fold), seed: seed, fold: fold)
      }
    }
  }
}
