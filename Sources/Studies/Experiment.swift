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
///     rows:
///       - row: CSAE, beta 0.02
///         column: with linear
///         recipe: ../recipes/csae-l.yaml
///         set: [noise.beta=0.02]
///         published: {nearest-class-mean accuracy: 98.08}
///
/// Each row is run once for each seed, and for each fold where there are some.
public struct Experiment: Sendable {
  /// The name of its results: the file's name without its ending and, for a file in a folder `experiments`, the
  /// name of the plugin or project around that: `CSAE-table-2`.
  public let name: String
  /// The plan that holds for all rows.
  public let plan: Plan
  /// The rows, in the order of the file.
  public let rows: [Row]
  private let source: ConfigFile

  /// The plan that holds for all rows.
  public struct Plan: ComponentConfig {
    @Setting("What it reproduces.") public var title = ""
    @Setting("What a reader must know to compare the numbers.") public var about = ""
    @Setting("Each row is run with each of them.") public var seeds = [1]
    @Setting("Each row is cross-validated with so many folds; none unless said.") public var folds: Int? = nil
    @Setting("Changes to every recipe, as --set takes them.") public var set: [String] = []
    @Setting("What is compared: names of test metrics, or test/TERM, training/TERM, sampler/NAME; all unless said.")
    public var measures: [String] = []
    @Setting("Pictures of each run that are laid side by side: samples.png, reconstructions.png, ….")
    public var figures: [String] = []
    @Setting("A data set that no run was trained on, which they all reconstruct.") public var unseen: String? = nil
    public init() {}
  }

  /// One cell of a table, or one picture of a figure.
  public struct Row: ComponentConfig {
    @Setting("What it is called: the model, say.") public var row = ""
    @Setting("Where a table or figure has two ways: the column.") public var column = ""
    @Setting("A recipe file, seen from the experiment's file.") public var recipe = ""
    @Setting("Another data set than the recipe's.") public var data: String? = nil
    @Setting("Changes to the recipe, as --set takes them.") public var set: [String] = []
    @Setting("What the paper reports, by measure.") public var published: [String: Double] = [:]
    public init() {}

    /// The row and the column: `CSAE, with linear`.
    public var label: String { column.isEmpty ? row : "\(row), \(column)" }
  }

  /// Reads an experiment file.
  /// - Throws: `RecipeFileError` with the place of what is wrong.
  public init(_ url: URL) throws {
    let source = try ConfigFile(url, as: "experiment", with: "rows")
    self.source = source
    let folder = url.absoluteURL.standardizedFileURL.deletingLastPathComponent()
    let owner = folder.lastPathComponent == "experiments" ? folder.deletingLastPathComponent().lastPathComponent : ""
    name = (owner.isEmpty ? "" : "\(owner)-") + url.deletingPathExtension().lastPathComponent
    var fields = source.fields
    let listed = fields.removeValue(forKey: "rows")
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
    if let twice = plan.seeds.indices.first(where: { plan.seeds[..<$0].contains(plan.seeds[$0]) }) {
      throw source.error(
        "seeds[\(twice)]", "\(plan.seeds[twice]) is there twice; a run of the same seed is the same run")
    }
    if let folds = plan.folds, folds < 2 { throw source.error("folds", "found \(folds), expected 2 or more") }
    for (index, row) in rows.enumerated() where rows[..<index].contains(where: { $0.label == row.label }) {
      throw source.error("rows[\(index)]", "'\(row.label)' is there twice; give each row and column a name of its own")
    }
  }

  /// The recipe of a row as its file and the changes say it, before it is resolved, and those changes.
  /// - Throws: `RecipeFileError` where the recipe's file cannot be read.
  public func recipe(of row: Row) throws -> RecipeSource {
    let folder = source.url.deletingLastPathComponent()
    return try Recipe.read(
      row.recipe.hasPrefix("/") ? URL(fileURLWithPath: row.recipe) : folder.appendingPathComponent(row.recipe))
  }
}
