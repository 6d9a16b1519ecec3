import Datasets
import Foundation
import LatentKit
import Recipes
import Training

/// Changes to an experiment.
public struct ExperimentOptions: Sendable, Equatable {
  /// Texts of which a row's label must contain one for the row to be run; empty for all rows.
  public var only: [String]
  /// Seeds in place of the experiment's.
  public var seeds: [Int]?
  /// Changes to every recipe, as `Recipe.set` takes them. The results go to a folder of their own.
  public var changes: [String]
  /// A data set in place of the experiment's for all runs to reconstruct without having seen it.
  public var unseen: String?

  /// Creates changes; by default there are none.
  public init(only: [String] = [], seeds: [Int]? = nil, changes: [String] = [], unseen: String? = nil) {
    self.only = only
    self.seeds = seeds
    self.changes = changes
    self.unseen = unseen
  }
}

extension Study {
  /// Plans the runs of an experiment. Run folders are named by a digest of their recipes, so that experiments share runs.
  /// Nothing is written.
  ///
  /// - Parameters:
  ///   - experiment: The experiment.
  ///   - catalog: The parts that recipes can name.
  ///   - parent: The folder of run folders and results.
  ///   - options: Changes to the experiment.
  /// - Throws: `UnknownName` if no row has a wanted text; `RecipeFileError`, `ConfigError` and `RecipeError` for mistakes in
  ///   a recipe or a change.
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
    var first: [PlannedRun] = []
    let cells = try experiment.rows.compactMap { row -> Cell? in
      var recipe: Recipe
      do { recipe = try experiment.resolved(row, by: options.changes, composer) } catch {
        // Changes need not apply to rows that are left out.
        guard isWanted(row.label) else { return nil }
        throw error
      }
      recipe.about = "\(title): \(row.label)"
      let hasSmallPart = try recipe[.data].map { try catalog.dataset($0.use).published?.isEmbedded ?? false } ?? false
      if hasSmallPart, recipe[.data]?.with["embedded"].map({ $0 == .null }) ?? true {
        recipe[.data]?.with["embedded"] = false
      }
      let opened = try experiment.first(for: &recipe, of: row, composer, in: parent)
      first += opened.filter { run in !first.contains { $0.folder.name == run.folder.name } }
      let runs = try Study.runs(of: recipe, seeds: seeds, folds: experiment.plan.folds) { recipe, _, _ in
        try RunFolder(named: recipe.folderName(opening: opened.map(\.folder)), in: parent)
      }
      return Cell(
        row: row.row, column: row.column, published: row.published, runs: runs, first: opened.map(\.folder.name),
        weight: row.weight, curve: row.curve)
    }
    let digest = String(Generator.seed(0, for: options.changes.joined(separator: "\n")), radix: 36)
    try self.init(
      title: title, about: experiment.plan.about, changes: options.changes, cells: cells,
      measures: experiment.plan.measures, figures: experiment.plan.figures,
      unseen: unseen, isWanted: { isWanted($0.label) },
      folder: RunFolder(
        named: experiment.name + (options.changes.isEmpty ? "" : "-changed-\(digest.prefix(6))"), in: parent
      ).url, catalog: catalog)
    (self.first, stagesFolder, unseenClasses) = (first, parent, experiment.plan.unseenClasses)
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
      // Settings that the one leaves out and the other names may be the same.
      recipe[all: .metric] = (recipe[all: .metric] ?? []) + metrics
      recipe = try composer.resolve(recipe)
      recipe[all: .metric] = recipe[all: .metric]?.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
      for change in plan.set + row.set + changes {
        guard Recipe.path(of: change) != "seed" else {
          throw ConfigError(
            path: "seed", "'\(change)' changes nothing: each run has one of the study's seeds; change 'seeds'")
        }
      }
      let plain = recipe
      recipe =
        try changed([plan.set, row.set, changes]) { try composer.setting($0.map(quotingNames), in: plain) } ?? plain
      return try composer.resolve(recipe)
    } catch {
      let located = (error as? ConfigError).map { source.located($0, in: recipe) } ?? error
      throw located is RecipeFileError ? located : RecipeError("row '\(row.label)': \(located)")
    }
  }
}

extension Experiment {
  /// Returns a recipe with lists of changes, one after the other; nil where all are empty. Changes by which something that an earlier
  /// list sets is gone, with a part that another replaced or a stage that is left out, are refused: the row would no longer be what it
  /// says. Setting it again behind the change is enough.
  ///
  /// - Parameter setting: Returns the recipe with all of some changes.
  private func changed(_ lists: [[String]], setting: ([String]) throws -> Recipe) throws -> Recipe? {
    var (own, before): ([String], Recipe?) = ([], nil)
    for changes in lists where !changes.isEmpty {
      let after = try setting(own + changes)
      if let before { try refuseLosses(of: own, in: before, by: changes, in: after, setting: setting) }
      (own, before) = (own + changes, after)
    }
    return before
  }

  private func refuseLosses(
    of own: [String], in before: Recipe, by changes: [String], in after: Recipe,
    setting: ([String]) throws -> Recipe
  ) throws {
    func has(_ recipe: Recipe, _ assignment: String) -> Bool {
      let values = recipe.values(at: Recipe.path(of: assignment))
      return !values.isEmpty && !values.contains(nil)
    }
    let lost = own.filter { has(before, $0) && !has(after, $0) }
    guard let first = lost.first else { return }
    // The last change after which it is gone for good.
    let number = try changes.indices.last { try has(setting(own + changes.prefix($0)), first) } ?? 0
    let left = try setting(own + changes.prefix(number + 1))
    let dropped = lost.filter { !has(left, $0) }
    let again = (try? setting(own + changes + [first])) != nil
    let advice =
      again
      ? "set it again, as in --set \(changes[number]) --set \(first)"
      : "leave the change out, or train the row's recipe with 'host compose'"
    throw RecipeError(
      "'\(changes[number])' drops what the experiment sets, \(dropped.joined(separator: " and ")); \(advice)")
  }
}

extension Recipe {
  /// Returns the name of the run's folder, with a digest of everything that the run depends on, wherever its folder lies.
  ///
  /// - Parameter others: Runs that its parts open, beside its own folder.
  func folderName(opening others: [RunFolder] = []) -> String {
    var content = self
    (content.name, content.about) = (nil, nil)
    content.replaceTexts { text in others.first { $0.url.relativePath == text }?.name ?? text }
    let digest = Generator.seed(0, for: content.yaml())
    return "\(name ?? "run")-\(self[.data]?.use ?? "")-seed-\(seed)-" + String(digest, radix: 36)
  }
}
