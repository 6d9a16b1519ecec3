import Files
import Foundation
import LatentKit
import Recipes
import Runs
import Training

extension Study {
  /// Plans the repeats of one recipe. Run folders are inside the study's folder, to which the recipe and the repeats are
  /// written.
  ///
  /// - Parameters:
  ///   - recipe: The recipe, resolved or not.
  ///   - repeats: The seeds and folds.
  ///   - catalog: The parts that the recipe can name.
  ///   - folder: The study's folder.
  ///   - existing: The treatment of a run or a study in the folder. One is replaced only if the recipe fits its data.
  ///   - machine: The data folder, device and threads.
  ///   - draws: Whether its runs are to draw samples: a study is replaced only if they can.
  /// - Throws: `RecipeError` if its runs are of another recipe, `FileError` if there is one and `existing` refuses it, another
  ///   process works on it, or the folder cannot be written.
  public init(
    repeating recipe: Recipe, _ repeats: Repeats, catalog: Catalog, in folder: RunFolder,
    existing: Run.Existing = .refuse, machine: Machine = Machine(), draws: Bool = false
  ) throws {
    let composer = Composer(catalog)
    let recipe = try composer.resolve(recipe)
    let seeds = repeats.seeds ?? [recipe.seed]
    let runs = Study.runs(of: recipe, seeds: seeds, folds: repeats.folds) { _, seed, fold in
      RunFolder(folder.url.appendingPathComponent("seed-\(seed)" + (fold.map { "-fold-\($0)" } ?? "")))
    }
    // A study that cannot begin leaves nothing, and replaces nothing.
    if !folder.exists || existing == .replace {
      let session = try Session(runs[0].recipe, catalog: catalog, machine: machine)
      if folder.exists { try folder.requireNotOwned(session.inputs) }
      if draws, let refusal = session.drawRefusal { throw refusal }
    }
    let lock = try folder.lock(for: .study)
    for run in runs where !folder.owns("\(run.folder.name)/") && OutputPlace(run.folder.url, followsLinks: false) != nil
    {
      throw FileError(run.folder.url.path, "is no run of this study, which needs the name; move it away")
    }
    var kept: [String] = []
    switch existing {
    case .refuse: try folder.refuseRun()
    case .replace:
      for run in runs { try run.folder.requireNothingElse() }
      kept = try lock.clear()
    case .resume where folder.exists:
      guard try composer.resolve(Recipe.read(folder.recipe).recipe) == recipe else {
        throw RecipeError(
          "the flags or the recipe file differ from the study in \(folder.url.path), whose runs would be averaged with those of another recipe; leave them out, or start another study"
        )
      }
    case .resume: break
    }
    // First: by them a folder is known as a study's.
    let text = recipe.yaml()
    if folder.exists { try folder.mark(.study) } else { try folder.mark(.study, recipe: text) }
    if !folder.exists { try AtomicFile.write(text, to: folder.recipe) }
    try folder.note(runs.map(\.folder.url))
    try repeats.write(to: folder)
    self.init(
      title: recipe.name ?? folder.name, about: recipe.about ?? "",
      cells: [Cell(row: recipe.name ?? folder.name, column: "", published: [:], runs: runs)], measures: [], figures: [],
      folder: folder.url, catalog: catalog)
    (self.lock, self.machine, remark) = (lock, machine, RunFolder.note(keeping: kept))
  }

  /// A recipe with each seed on each fold.
  static func runs(
    of recipe: Recipe, seeds: [Int], folds: Int?, in folder: (Recipe, _ seed: Int, _ fold: Int?) throws -> RunFolder
  ) rethrows -> [PlannedRun] {
    try seeds.flatMap { seed in
      try (folds.map { Array(0..<$0) } ?? [nil] as [Int?]).map { fold in
        var recipe = recipe
        recipe.seed = seed
        if let fold, let folds {
          recipe[.data]?.with["folds"] = .int(folds)
          recipe[.data]?.with["fold"] = .int(fold)
        }
        return try PlannedRun(recipe: recipe, folder: folder(recipe, seed, fold), seed: seed, fold: fold)
      }
    }
  }
}
