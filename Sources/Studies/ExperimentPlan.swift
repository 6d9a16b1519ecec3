import Datasets
import Foundation
import LatentKit
import Recipes
import Training

/// How a study of an experiment differs from what the experiment says.
public struct ExperimentOptions: Sendable, Equatable {
  /// Only rows with one of these texts in their label are run; all, where it is empty.
  public var only: [String]
  /// Other seeds than the experiment's.
  public var seeds: [Int]?
  /// Changes to every recipe, as `Recipe.set` takes them. The results go to a folder of their own.
  public var changes: [String]
  /// Another data set than the experiment's for all runs to reconstruct without having seen it.
  public var unseen: String?

  /// Creates a value with these fields.
  public init(only: [String] = [], seeds: [Int]? = nil, changes: [String] = [], unseen: String? = nil) {
    self.only = only
    self.seeds = seeds
    self.changes = changes
    self.unseen = unseen
  }
}

extension Study {
  /// The rows of an experiment. Runs lie beside each other, named by what is in their recipes, so that experiments share
  /// them. Nothing is written.
  ///
  /// - Parameters:
  ///   - parent: Where run folders and the results go.
  ///   - options: How to change the experiment.
  /// - Throws: `UnknownName` where no row has a wanted text, `RecipeFileError`, `ConfigError` and `RecipeError` for what is
  ///   wrong in a recipe or a change.
  public init(
    _ experiment: Experiment, catalog: Catalog, in parent: URL, options: ExperimentOptions = ExperimentOptions()
  ) throws {
    let composer = Composer(catalog)
    func isWanted(_ label: String) -> Bool {
      options.only.isEmpty || options.only.contains { label.localizedCaseInsensitiveContains($0) }
    }
    guard experiment.rows.contains(where: { isWanted($0.label) }) else {
      throw UnknownName(options.only.joined(separator: "', '"), among: experiment.rows.map(\.label), of: "row with")
    }
    let seeds = options.seeds ?? experiment.plan.seeds
    let unseen = options.unseen ?? experiment.plan.unseen
    if let unseen { _ = try catalog.dataset(unseen) }
    let title = experiment.plan.title.isEmpty ? experiment.name : experiment.plan.title
    let cells = try experiment.rows.compactMap { row -> Cell? in
      var recipe: Recipe
      do { recipe = try experiment.resolved(row, by: options.changes, composer) } catch {
        // Rows that are left out need not have what an option changes.
        guard isWanted(row.label) else { return nil }
        throw error
      }
      recipe.about = "\(title): \(row.label)"
      let hasSmallPart = try recipe[.data].map { try catalog.dataset($0.use).published?.isEmbedded ?? false } ?? false
      if hasSmallPart, recipe[.data]?.with["embedded"].map({ $0 == .null }) ?? true {
        recipe[.data]?.with["embedded"] = false
      }
      let runs = Study.runs(of: recipe, seeds: seeds, folds: experiment.plan.folds) { recipe, _, _ in
        RunFolder(parent.appendingPathComponent(recipe.folderName))
      }
      return Cell(row: row.row, column: row.column, published: row.published, runs: runs)
    }
    let digest = String(Generator.seed(0, for: options.changes.joined(separator: "\n")), radix: 36)
    self.init(
      title: title, about: experiment.plan.about, changes: options.changes, cells: cells,
      measures: experiment.plan.measures, figures: experiment.plan.figures,
      unseen: unseen, isWanted: { isWanted($0.label) },
      folder: parent.appendingPathComponent(
        experiment.name + (options.changes.isEmpty ? "" : "-changed-\(digest.prefix(6))")), catalog: catalog)
  }
}

extension Experiment {
  /// The resolved recipe of a row, with the changes of the experiment, of the row and of the options, in this order.
  fileprivate func resolved(_ row: Row, by changes: [String], _ composer: Composer) throws -> Recipe {
    let source = try recipe(of: row)
    var recipe = source.recipe
    do {
      if let data = row.data { recipe.use(data: data) }
      recipe = try composer.resolve(recipe)
      for change in plan.set + row.set + changes {
        guard Recipe.path(of: change) != "seed" else {
          throw ConfigError(path: "seed", "'\(change)' changes nothing: each run has a seed of 'seeds', or of --seeds")
        }
        try recipe.set(change)
      }
      return try composer.resolve(recipe)
    } catch {
      let located = (error as? ConfigError).map { source.located($0, in: recipe) } ?? error
      throw located is RecipeFileError ? located : RecipeError("row '\(row.label)': \(located)")
    }
  }
}

extension Recipe {
  /// A name for its run's folder that differs where anything differs that the run depends on.
  fileprivate var folderName: String {
    var content = self
    (content.name, content.about) = (nil, nil)
    let digest = Generator.seed(0, for: content.yaml())
    return "\(name ?? "run")-\(self[.data]?.use ?? "")-seed-\(seed)-" + String(digest, radix: 36)
  }
}
