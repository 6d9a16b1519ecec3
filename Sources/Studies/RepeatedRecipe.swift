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
  ///   - resuming: Whether to keep the runs in the folder.
  /// - Throws: `RecipeError` if those are of another recipe, `FileError` if the folder cannot be written.
  public init(
    repeating recipe: Recipe, _ repeats: Repeats, catalog: Catalog, in folder: RunFolder, resuming: Bool = false
  ) throws {
    let composer = Composer(catalog)
    let recipe = try composer.resolve(recipe)
    let seeds = repeats.seeds ?? [recipe.seed]
    let runs = Study.runs(of: recipe, seeds: seeds, folds: repeats.folds) { _, seed, fold in
      RunFolder(folder.url.appendingPathComponent("seed-\(seed)" + (fold.map { "-fold-\($0)" } ?? "")))
    }
    if resuming, folder.exists {
      guard try composer.resolve(Recipe.read(folder.recipe).recipe) == recipe else {
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
      folder: folder.url, catalog: catalog)
  }

  /// A recipe with each seed on each fold.
  static func runs(
    of recipe: Recipe, seeds: [Int], folds: Int?, in folder: (Recipe, _ seed: Int, _ fold: Int?) -> RunFolder
  ) -> [PlannedRun] {
    seeds.flatMap { seed in
      (folds.map { Array(0..<$0) } ?? [nil] as [Int?]).map { fold in
        var recipe = recipe
        recipe.seed = seed
        if let fold, let folds {
          recipe[.data]?.with["folds"] = .int(folds)
          recipe[.data]?.with["fold"] = .int(fold)
        }
        return PlannedRun(recipe: recipe, folder: folder(recipe, seed, fold), seed: seed, fold: fold)
      }
    }
  }
}
