import ArgumentParser
import Foundation
import LatentKit
import Studies
import Testing

@testable import HostKit
@testable import Recipes

/// What the guide and the READMEs say is read by the program's own readers. `TemplatesTests` has their Swift.
@Suite struct Guide {
  /// Every command with its path: `["data", "fetch"]`.
  private static func paths(_ command: any ParsableCommand.Type, _ path: [String] = []) -> [[String]] {
    let inner = command.configuration.subcommands
    return [path] + inner.flatMap { paths($0, path + [$0._commandName]) }
  }

  @Test(arguments: GuidePage.all) func itsCommandLinesAreUnderstood(page: GuidePage) throws {
    #expect(!page.text.isEmpty)
    let known = Set(Self.paths(HostCommand.self).map { $0.joined(separator: " ") })
    for (line, isInline) in page.commands {
      let arguments = words(line).filter { $0 != "…" }
      // Prose names commands without their arguments.
      if isInline, known.contains(arguments.joined(separator: " ")) { continue }
      check(arguments, in: page.path)
    }
  }

  @Test func examplesInTheHelpAreUnderstood() throws {
    let texts = Self.types(HostCommand.self).map { $0.configuration.discussion.replacing(/[ ]*\\\n[ ]*/, with: " ") }
    let lines = texts.flatMap { $0.matches(of: /(?m)^ *host (.*)$/).map { String($0.1) } }
    #expect(lines.count > 20)
    for line in lines { check(words(line), in: "the help") }
  }

  private func check(_ arguments: [String], in place: String) {
    do { _ = try HostCommand.parseAsRoot(arguments) } catch {
      // To print help is no failure.
      if HostCommand.exitCode(for: error) == .success { return }
      Issue.record("\(place): host \(arguments.joined(separator: " ")): \(HostCommand.message(for: error))")
    }
  }

  private static func types(_ command: any ParsableCommand.Type) -> [any ParsableCommand.Type] {
    [command] + command.configuration.subcommands.flatMap { types($0) }
  }

  /// The flags of all commands, by their help.
  private static let known: Set<String> = {
    let help = paths(HostCommand.self).dropFirst().map { path in message(path + ["--help"]) }.joined()
    return Set(help.matches(of: /--[a-z-]+/).map { String($0.0) })
  }()

  @Test(arguments: GuidePage.all) func itsFlagsExist(page: GuidePage) throws {
    let known = Self.known
    #expect(known.contains("--per-class"))
    for code in page.code where code.language == nil && code.text.hasPrefix("--") {
      for flag in words(code.text).filter({ $0.hasPrefix("--") }) {
        let name = String(flag.prefix { $0 != "=" })
        #expect(known.contains(name), "\(page.path): `\(code.text)`")
      }
    }
  }

  @Test(arguments: GuidePage.all) func itsModelsCanBeComposed(page: GuidePage) throws {
    let composer = Composer(try Catalog(plugins))
    for (line, _) in page.commands {
      let arguments = words(line)
      // Parts of a plugin that the reader makes, and files that are the reader's.
      let isReaders = arguments.contains { word in
        let value = word.split(separator: "=").last.map(String.init) ?? ""
        let isFile = value.contains("/") || value.hasSuffix(".yaml")
        return isFile && (value.hasPrefix("runs/") || !there(value))
          || ["sparse", "robust"].contains { !isFile && word.contains($0) }
      }
      guard !isReaders, let command = try? HostCommand.parseAsRoot(arguments) else { continue }
      var parts = (command as? any TrainingCommand)?.parts
      if let recipe = parts?.recipe { parts?.recipe = packageRoot.appendingPathComponent(recipe).path }
      guard let parts, parts.recipe != nil || parts.encoder != nil else { continue }
      #expect(throws: Never.self, "\(page.path): host \(line)") {
        try composer.dryRun(parts.resolved(with: composer), for: shape(parts.resolved(with: composer)))
      }
    }
  }

  private func there(_ path: String) -> Bool {
    FileManager.default.fileExists(atPath: packageRoot.appendingPathComponent(path).path)
  }

  @Test(arguments: GuidePage.all) func itsRecipesCanBeComposed(page: GuidePage) throws {
    let composer = Composer(try Catalog(plugins))
    // Manifests of libraries, and parts from them, are for the tests of foreign parts.
    for block in page.code where block.language == "yaml" && !page.path.hasSuffix("foreign.md") {
      #expect(throws: Never.self, "\(page.path):\n\(block.text)") {
        let recipe = try composer.resolve(Recipe.read(yaml: block.text, file: page.path))
        try composer.dryRun(recipe, for: shape(recipe))
      }
    }
  }

  /// Data of the shape that a recipe's have.
  private func shape(_ recipe: Recipe) -> DataShape {
    if ["olsson", "table"].contains(recipe[.data]?.use) {
      return DataShape(title: "data", inputShape: [532], inputRange: nil, padding: 0, classCount: 9)
    }
    var padding = 0
    if case .int(let pad)? = recipe[.data]?.with["pad"] { padding = pad }
    // An encoder that halves images brings the multiple that their sides need.
    if padding == 0, case .int(let multiple)? = recipe[.data]?.with["padTo"] {
      padding = ((28 + multiple - 1) / multiple * multiple - 28) / 2
    }
    let side = 28 + 2 * padding
    return DataShape(title: "data", inputShape: [1, side, side], inputRange: 0...1, padding: padding, classCount: 10)
  }
}

/// `Docs/recipes.md` beside what recipes are read by.
@Suite struct LayoutOfRecipes {
  private let page = GuidePage("Docs/recipes.md")

  @Test func itHasEveryKeyAndNoOther() {
    #expect(page.names(under: "key of the recipe") == RecipeKey.recipe)
    #expect(
      page.names(under: "key of a part")
        == RecipeKey.part + RecipeKey.ofLoss + RecipeKey.origin + ["foreign"] + RecipeKey.ofProjection)
    #expect(page.names(under: "key of a stage") == RecipeKey.stage + ["steps", "then"])
    #expect(Set(RecipeKey.ofStage) == Set(RecipeKey.stage + ["steps", "then"] + RecipeKey.step))
    #expect(page.names(under: "key of stop") == RecipeKey.stop)
    #expect(page.names(under: "action") == RecipeKey.actions)
    #expect(page.names(under: "key of a step") == RecipeKey.step)
    #expect(page.names(under: "key of a group") == RecipeKey.group)
    let train = page.rows(under: "key of a step").first?.dropFirst().first ?? ""
    #expect(GuidePage.quoted(train) == RecipeKey.trained)
  }

  @Test func itsFirstRecipeUsesNearlyAllOfThem() throws {
    let example = try #require(page.code.first { $0.language == "yaml" }).text
    let recipe = try Recipe.read(yaml: example, file: "recipes.md")
    let text = try Composer(Catalog(plugins)).resolve(recipe).yaml()
    let keys = RecipeKey.recipe + RecipeKey.ofStage + RecipeKey.ofProjection + RecipeKey.ofLoss
    let missing = Set(keys).filter { key in text.firstMatch(of: try! Regex("\\b\(key):")) == nil }
    #expect(missing == ["transforms", "extends", "precision"])
  }

  @Test func whatStandsWhereNothingIsSaidIsTrue() throws {
    func fallback(_ head: String, _ key: String) -> String {
      page.rows(under: head).first { $0[0] == "`\(key)`" }?.last ?? ""
    }
    let stage = Recipe.Stage()
    #expect(fallback("key of a stage", "epochs") == "\(stage.epochs)")
    #expect(fallback("key of a stage", "batch") == "\(stage.batch)")
    let stop = Recipe.Stop()
    #expect(GuidePage.quoted(fallback("key of stop", "metric")) == [stop.metric])
    #expect(fallback("key of stop", "patience") == "\(stop.patience)")
    #expect(Double(fallback("key of stop", "improvement")) == stop.improvement)
    let recipe = try Composer(Catalog([Silent.self])).resolve(Recipe.read(yaml: "encoder: silent", file: "x"))
    for slot in [Slot.prior, .decoder, .sampler] {
      #expect(GuidePage.quoted(fallback("key of the recipe", slot.name)) == [recipe[slot]?.use])
    }
    let step = try #require(recipe.stages?.first?.steps.first)
    #expect(GuidePage.quoted(fallback("key of a step", "losses")) == step.losses.map(\.use))
    #expect(GuidePage.quoted(fallback("key of a step", "optimizer")) == [step.optimizer?.use])
    #expect(GuidePage.quoted(fallback("key of a step", "schedule")) == [step.schedule?.use])
    #expect(step.train == ["encoder", "decoder"])
  }

  @Test func itHasEveryKeyOfAnExperiment() throws {
    let (plan, row, first) = try (Experiment.Plan().values, Experiment.Row().values, Experiment.First().values)
    let lists = ["rows", "first", "metrics"]
    #expect(Set(page.names(under: "key of an experiment")) == Set(plan.keys).union(lists))
    #expect(Set(page.names(under: "key of a row")) == Set(row.keys))
    #expect(Set(page.names(under: "key of a first run")) == Set(first.keys))
  }
}

/// Parts of the names that recipes fall back to, which bring nothing.
private enum Silent: Plugin {
  static let paper: Paper? = nil
  static let contributions: [Contribution] = [
    part(.encoder, "silent"), part(.prior, "standard-normal"), part(.decoder, "mlp"), part(.sampler, "prior"),
    part(.loss, "mse"), part(.optimizer, "adam"), part(.schedule, "constant"),
  ]

  private static func part<Role>(_ key: SlotKey<Role>, _ name: String) -> Contribution {
    Contribution(key, Entry<Role>(name, "brings nothing") { _, _ in throw RecipeError("is never made") })
  }
}
