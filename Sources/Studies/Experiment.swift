import Files
import Foundation
import LatentKit
import Recipes

/// The runs behind a table or a figure of a paper, with what the paper reports for each.
///
///     title: Accuracy on MNIST (Table 2)
///     seeds: [1, 2, 3]
///     set: [data.validation=0]
///     measures: [nearest-class-mean accuracy]
///     figures: [samples.png]
///     first:
///       - {run: judge, recipe: ../../Baseline/recipes/classifier.yaml, set: [epochs=4]}
///     metrics:
///       - {use: class-agreement, with: {classifier: "@judge"}}
///     rows:
///       - row: CSAE, beta 0.02
///         column: with linear
///         recipe: ../recipes/csae-l.yaml
///         set: [noise.beta=0.02]
///         published: {nearest-class-mean accuracy: 98.08}
///
/// Each row is run once for each seed and, with folds, for each fold.
///
/// `first` are runs that others open: `@judge`, in the settings of a part, stands for the folder of `judge`. Each is trained on the
/// data of the row that names it, with all of that row's data settings but those that its own `set` changes, so that there is
/// one for each data set; rows and seeds share it. `metrics` are measured in every row, beside those of its recipe.
public struct Experiment: Sendable {
  /// The name of the results' folder: the file's name without its extension and, for a file in a folder `experiments`, the
  /// name of the plugin or project around it: `CSAE-table-2`.
  public let name: String
  /// The settings of all rows.
  public let plan: Plan
  /// Runs that those of the rows open, in the order of the file.
  public let first: [First]
  /// Metrics of every row beside those of its recipe.
  public let metrics: [PartChoice]
  /// The rows, in the order of the file.
  public let rows: [Row]
  private let source: ConfigFile

  /// The settings of all rows.
  public struct Plan: ComponentConfig {
    @Setting("The table or figure that is reproduced.") public var title = ""
    @Setting("Remarks for comparing the numbers.") public var about = ""
    @Setting("The seeds of each row, 0 or more.") public var seeds = [1]
    @Setting("The number of folds to cross-validate each row with, 2 or more; unset: none.") public var folds: Int? =
      nil
    @Setting("Changes to every recipe, as in epochs=16.") public var set: [String] = []
    @Setting("The measures to compare: test metrics by name, test/TERM, training/TERM, sampler/NAME; empty: all.")
    public var measures: [String] = []
    @Setting("Pictures of the runs to lay side by side: samples.png, reconstructions.png, ….")
    public var figures: [String] = []
    @Setting("A data set that no run was trained on, for all of them to reconstruct.") public var unseen: String? = nil
    @Setting("How many classes of it, drawn by the first seed; unset: all of them.", .atLeast(1))
    public var unseenClasses: Int? = nil
    public init() {}
  }

  /// One cell of a table, or one picture of a figure.
  public struct Row: ComponentConfig {
    @Setting("The name of the row, such as the model.") public var row = ""
    @Setting("The name of the column in a table or figure of several columns.") public var column = ""
    @Setting("A recipe file, relative to the experiment's file.") public var recipe = ""
    @Setting("A data set in place of the recipe's.") public var data: String? = nil
    @Setting("Changes to the recipe, as in epochs=16.") public var set: [String] = []
    @Setting("The weight of an adversarial loss, where the experiment finds the regimes of it.", .atLeast(0))
    public var weight: Double? = nil
    @Setting("The rows whose regimes are found together, within a column.") public var curve = ""
    @Setting("The published value of each measure.") public var published: [String: Double] = [:]
    public init() {}

    /// The row and the column: `CSAE, with linear`.
    public var label: String { column.isEmpty ? row : "\(row), \(column)" }
  }

  /// A run that is trained before the rows, for their parts to open.
  public struct First: ComponentConfig {
    @Setting("The name by which rows call it, as in @judge.") public var run = ""
    @Setting("A recipe file, relative to the experiment's file. Its data are those of the row.") public var recipe = ""
    @Setting("Changes to the recipe, as in data.limit=null.") public var set: [String] = []
    public init() {}
  }

  /// Reads an experiment file.
  ///
  /// - Throws: `RecipeFileError` with the position of the mistake.
  public init(_ url: URL) throws {
    let source = try ConfigFile(url, as: "experiment", with: "rows")
    self.source = source
    let folder = url.absoluteURL.standardizedFileURL.deletingLastPathComponent()
    let owner = folder.lastPathComponent == "experiments" ? folder.deletingLastPathComponent().lastPathComponent : ""
    name = (owner.isEmpty ? "" : "\(owner)-") + url.deletingPathExtension().lastPathComponent
    var fields = source.fields
    let listed = fields.removeValue(forKey: "rows")
    first = try Self.first(fields.removeValue(forKey: "first"), in: source)
    metrics = try Self.metrics(fields.removeValue(forKey: "metrics"), in: source)
    plan = try source.locating { try Plan(fields, at: "") }
    guard case .array(let items)? = listed, !items.isEmpty else {
      throw source.error(
        "rows", "found \(listed?.text ?? "nothing"), expected a list of runs, as in '- {row: …, recipe: …}'")
    }
    rows = try items.enumerated().map { index, item in
      guard case .object(let settings) = item else {
        throw source.error("rows[\(index)]", "found \(item.text), expected a mapping, as in {row: …, recipe: …}")
      }
      let row = try source.locating { try Row(settings, at: "rows[\(index)]") }
      for (name, text) in [("row", row.row), ("recipe", row.recipe)] where text.isEmpty {
        throw source.error(
          "rows[\(index)]", "found no '\(name)', expected \(name == "row" ? "a name" : "a recipe file")")
      }
      return row
    }
    guard !plan.seeds.isEmpty, plan.seeds.allSatisfy({ $0 >= 0 }) else {
      throw source.error("seeds", "found \(plan.seeds), expected one whole number or more, each at least 0")
    }
    var seeds: Set<Int> = []
    if let twice = plan.seeds.indices.first(where: { !seeds.insert(plan.seeds[$0]).inserted }) {
      throw source.error(
        "seeds[\(twice)]", "\(plan.seeds[twice]) is there twice; a run of the same seed is the same run")
    }
    for (index, figure) in plan.figures.enumerated() {
      if let defect = FileName.defect(in: figure) {
        throw source.error("figures[\(index)]", "found '\(figure)', which \(defect), expected a name as in samples.png")
      }
    }
    if let folds = plan.folds, folds < 2 { throw source.error("folds", "found \(folds), expected 2 or more") }
    var labels: Set<String> = []
    for (index, row) in rows.enumerated() where !labels.insert(row.label).inserted {
      throw source.error("rows[\(index)]", "'\(row.label)' is there twice; give each row and column a name of its own")
    }
  }

  /// Returns the recipe of a row as its file has it, neither changed nor resolved.
  ///
  /// - Throws: `RecipeFileError` if the recipe's file cannot be read.
  public func recipe(of row: Row) throws -> RecipeSource { try recipe(row.recipe) }

  /// Returns the recipe of a first run as its file has it, neither changed nor resolved.
  ///
  /// - Throws: `RecipeFileError` if the recipe's file cannot be read.
  public func recipe(of run: First) throws -> RecipeSource { try recipe(run.recipe) }

  private func recipe(_ path: String) throws -> RecipeSource {
    let folder = source.url.deletingLastPathComponent()
    return try Recipe.read(path.hasPrefix("/") ? URL(fileURLWithPath: path) : folder.appendingPathComponent(path))
  }
}
