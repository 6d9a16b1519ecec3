import Foundation
import LatentKit
import Recipes
import Training

/// Runs that an experiment trains before its rows, for their parts to open.
extension Experiment {
  static func first(_ listed: Value?, in source: ConfigFile) throws -> [First] {
    guard let listed, listed != .null else { return [] }
    guard case .array(let items) = listed else {
      throw source.error("first", "found \(listed.text), expected a list of runs, as in '- {run: judge, recipe: …}'")
    }
    var names: Set<String> = []
    return try items.enumerated().map { index, item in
      let path = "first[\(index)]"
      guard case .object(let settings) = item else {
        throw source.error(path, "found \(item.text), expected a mapping, as in {run: judge, recipe: …}")
      }
      let run = try source.locating { try First(settings, at: path) }
      guard run.run.wholeMatch(of: /[A-Za-z][A-Za-z0-9-]*/) != nil else {
        throw source.error("\(path).run", "found '\(run.run)', expected letters, digits and hyphens, as in judge")
      }
      guard !run.recipe.isEmpty else { throw source.error(path, "found no 'recipe', expected a recipe file") }
      guard names.insert(run.run).inserted else {
        throw source.error("\(path).run", "'\(run.run)' is there twice; give each run a name of its own")
      }
      return run
    }
  }

  static func metrics(_ listed: Value?, in source: ConfigFile) throws -> [PartChoice] {
    guard let listed, listed != .null else { return [] }
    guard case .array(let items) = listed else {
      throw source.error("metrics", "found \(listed.text), expected a list of metrics, as in [psnr, ssim]")
    }
    return try items.enumerated().map { index, item in
      switch item {
      case .string(let name) where !name.isEmpty: return PartChoice(name)
      case .object(let fields):
        guard case .string(let name)? = fields["use"], fields.keys.allSatisfy({ ["use", "with"].contains($0) }) else {
          break
        }
        guard let settings = fields["with"] else { return PartChoice(name) }
        if case .object(let values) = settings { return PartChoice(name, with: values) }
      default: break
      }
      throw source.error(
        "metrics[\(index)]", "found \(item.text), expected the name of a metric, or {use: NAME, with: {…}}")
    }
  }

  /// Returns a change with the names of first runs in quotes, which YAML wants around '@'.
  func quotingNames(_ change: String) -> String {
    change.replacing(/['"]?@([A-Za-z][A-Za-z0-9-]*)['"]?/) { match in
      first.contains { $0.run == match.1 } ? "'@\(match.1)'" : String(match.0)
    }
  }

  /// Puts the folders of first runs in the place of their names.
  ///
  /// - Parameters:
  ///   - recipe: The resolved recipe of a row.
  ///   - row: The row, for messages.
  ///   - parent: The folder of run folders.
  /// - Returns: Those that the recipe names, with their data.
  /// - Throws: `RecipeError` for unknown names, and for a first run whose recipe or changes are wrong.
  func first(for recipe: inout Recipe, of row: Row, _ composer: Composer, in parent: URL) throws -> [Study.PlannedRun] {
    var runs: [String: Study.PlannedRun] = [:]
    let data = recipe[.data]
    try recipe.replaceTexts { text in
      guard text.hasPrefix("@") else { return text }
      let name = String(text.dropFirst())
      guard let run = first.first(where: { $0.run == name }) else {
        throw RecipeError("row '\(row.label)': \(UnknownName(name, among: first.map(\.run), of: "first run"))")
      }
      let planned = try runs[name] ?? plan(run, on: data, composer, in: parent)
      runs[name] = planned
      return planned.folder.url.relativePath
    }
    return first.compactMap { runs[$0.run] }
  }

  private func plan(_ run: First, on data: PartChoice?, _ composer: Composer, in parent: URL) throws -> Study.PlannedRun
  {
    let source = try recipe(of: run)
    var recipe = source.recipe
    do {
      recipe[.data] = data
      recipe = try composer.resolve(recipe)
      recipe = try composer.setting(run.set, in: recipe)
      recipe = try composer.resolve(recipe)
    } catch {
      let located = (error as? ConfigError).map { source.located($0, in: recipe) } ?? error
      throw RecipeError("first run '\(run.run)': \(located)")
    }
    recipe.name = run.run
    let folder = try RunFolder(named: recipe.folderName(), in: parent)
    return Study.PlannedRun(recipe: recipe, folder: folder, seed: recipe.seed, fold: nil)
  }
}

extension Recipe {
  /// Replaces the texts in the settings of all parts but the data.
  mutating func replaceTexts(_ replace: (String) throws -> String) rethrows {
    func part(_ choice: PartChoice) throws -> PartChoice {
      var choice = choice
      for (key, value) in choice.with {
        if case .string(let text) = value { choice.with[key] = .string(try replace(text)) }
      }
      return choice
    }
    func replaced(_ step: Step) throws -> Step {
      var changed = step
      changed.losses = try step.losses.map(part)
      changed.steps = try step.steps.map(replaced)
      return changed
    }
    for slot in Slot.all where slot.place != .step && slot != .data {
      self[slot] = try self[slot].map(part)
      self[all: slot] = try self[all: slot]?.map(part)
    }
    for index in (stages ?? []).indices { stages![index].steps = try stages![index].steps.map(replaced) }
  }
}
