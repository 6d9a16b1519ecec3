import Datasets
import Foundation
import LatentKit
import Recipes

/// Checks of every slot: what a part declares.
extension Check {
  static func declarations(of slot: Slot) -> [Check] {
    [
      Check(slot, "help", "The part has a summary, and each setting a help text of a few words.") { part in
        let description = part.description
        try require(
          description.summary.split(separator: " ").count >= 2,
          "its summary is '\(description.summary)', expected a few words")
        for setting in description.settings where setting.help.split(separator: " ").count < 2 {
          let words = setting.help.trimmingCharacters(in: .whitespaces)
          guard words.isEmpty || words.lowercased() == setting.name.lowercased() else {
            return .warning("the help of '\(setting.name)' is one word, '\(words)'; say what it changes")
          }
          throw Fault("the help of '\(setting.name)' says nothing; say what the setting changes")
        }
        return .passed
      },
      Check(slot, "config", "Settings are kept by a recipe: resolved, written and read again they are the same.") {
        part in
        let defaults = try part.description.resolved([:], at: slot.name)
        let again = try part.description.resolved(defaults, at: slot.name)
        try require(again == defaults, "defaults change when they are resolved again: \(difference(defaults, again))")
        let read = try RecipePlace.written(defaults, of: part)
        let reread = try part.description.resolved(read, at: slot.name)
        try require(
          reread == defaults, "settings change when they are written and read: \(difference(defaults, reread))")
        // Some of data are written down only where they are set.
        let settings = part.description.settings.filter {
          slot != .data || !DataSettings.onlyWhereSet.contains($0.name) || defaults[$0.name] != nil
        }
        let names = Set(settings.map(\.name))
        try require(
          names == Set(defaults.keys),
          "it describes the settings \(names.sorted()), and takes \(defaults.keys.sorted())")
        for setting in settings where defaults[setting.name] != setting.fallback {
          throw Fault(
            "the default of '\(setting.name)' is described as \(setting.fallback.text), and is \(defaults[setting.name]?.text ?? "none")"
          )
        }
        return try changes(part, defaults)
      },
      Check(slot, "unknown-settings", "An unknown setting and a value outside its range are refused.") { part in
        let name = "no-such-setting"
        do {
          _ = try part.description.resolved([name: 1], at: slot.name)
          throw Fault("it takes a setting '\(name)' that it does not declare")
        } catch let error as ConfigError {
          try require(error.description.contains(name), "the refusal of an unknown setting does not name it: \(error)")
        }
        for setting in part.description.settings {
          guard let range = setting.range, let value = outside(range) else { continue }
          do {
            _ = try part.description.resolved([setting.name: value], at: slot.name)
            throw Fault("'\(setting.name)' takes \(value.text), which is outside its range, \(range.text)")
          } catch is ConfigError {}
        }
        return .passed
      },
      Check(slot, "companions", "Parts that it names as companions exist, with the settings that it gives them.") {
        part in
        let companions = part.description.companions
        var choices = Slot.all.compactMap { slot in companions.parts[slot].map { (slot, $0) } }
        choices += (companions.losses ?? []).map { (.loss, $0) } + companions.metrics.map { (.metric, $0) }
        choices += companions.steps.flatMap(\.leaves).flatMap(\.losses).map { (.loss, $0) }
        choices += companions.steps.flatMap(\.leaves).flatMap { step in
          [(Slot.optimizer, step.optimizer), (.schedule, step.schedule)].compactMap { slot, choice in
            choice.map { (slot, $0) }
          }
        }
        choices += companions.joining.values.joined().map { (.loss, $0) }
        for case .project(let choice, _, _) in companions.after.values.joined() {
          choices.append((.constraint, choice))
        }
        for (slot, choice) in choices where choice.use != "none" {
          guard let other = part.catalog.descriptions(of: slot).first(where: { $0.name == choice.use }) else {
            return .warning("its companion \(slot.name) '\(choice.use)' is not in this catalog")
          }
          _ = try other.resolved(choice.with, at: "\(slot.name) '\(choice.use)'")
        }
        return .passed
      },
    ]
  }

  /// Sets each setting to another value and looks for it after resolving.
  private static func changes(_ part: PartUnderTest, _ defaults: [String: Value]) throws -> Verdict {
    for setting in part.description.settings {
      for value in SettingEnds.values(of: setting) {
        guard let resolved = try? part.description.resolved([setting.name: value], at: part.description.slot.name)
        else {
          continue
        }
        try require(
          resolved[setting.name] == value || resolved[setting.name]?.number == value.number && value.number != nil,
          "'\(setting.name)' is set to \(value.text), and resolves to \(resolved[setting.name]?.text ?? "nothing")")
        let again = try part.description.resolved(resolved, at: part.description.slot.name)
        try require(again == resolved, "'\(setting.name): \(value.text)' changes when it is resolved again")
      }
    }
    return .passed
  }

  private static func difference(_ one: [String: Value], _ other: [String: Value]) -> String {
    let name = Set(one.keys).union(other.keys).sorted().first { one[$0] != other[$0] } ?? ""
    return "'\(name)' was \(one[name]?.text ?? "missing") and is \(other[name]?.text ?? "missing")"
  }

  private static func outside(_ range: SettingRange) -> Value? {
    let candidates: [Value] = [.int(-1), .int(0), .int(2), .double(-0.5), .double(1.5)]
    return range.lengths == nil ? candidates.first { !range.admits($0) } : nil
  }
}

/// Values at which settings are tried.
enum SettingEnds {
  /// The bounds that a setting's range includes, each of its choices, and both truth values; sizes that are too large for a
  /// check are left out.
  static func values(of setting: SettingDescription) -> [Value] {
    if let choices = setting.choices { return choices.map { .string($0) } }
    switch setting.type {
    case .bool: return [.bool(false), .bool(true)]
    case .int: return (setting.range?.includedEnds ?? []).filter { abs($0) <= 16 }.map { .int(Int($0)) }
    case .double: return (setting.range?.includedEnds ?? []).filter { abs($0) <= 1e3 }.map { .double($0) }
    case .ints:
      guard let range = setting.range, let least = range.includedEnds.first, least <= 16 else { return [] }
      return [range.lengths?.lowerBound ?? 1].map { .array(Array(repeating: .int(Int(least)), count: $0)) }
    default: return []
    }
  }
}

/// A recipe that has one part, wherever its slot stands.
private enum RecipePlace {
  /// Returns settings as a recipe file gives them back.
  static func written(_ settings: [String: Value], of part: PartUnderTest) throws -> [String: Value] {
    let choice = PartChoice(part.name, with: settings)
    var recipe = Recipe()
    var step = Step(train: ["encoder"], losses: ["mse"])
    var stage = Recipe.Stage()
    switch part.description.slot {
    case .loss: step.losses = [choice]
    case .optimizer: step.optimizer = choice
    case .schedule: step.schedule = choice
    case .constraint: stage.then = [.project(choice)]
    case let slot where slot.place == .list: recipe[all: slot] = [choice]
    case let slot: recipe[slot] = choice
    }
    stage.steps = [step]
    recipe.stages = [stage]
    let text = recipe.yaml()
    let read = try Recipe.read(yaml: text, file: "recipe of checks")
    let slot = part.description.slot
    let found: PartChoice? =
      switch slot {
      case .loss: read.stages?.first?.steps.first?.losses.first
      case .optimizer: read.stages?.first?.steps.first?.optimizer
      case .schedule: read.stages?.first?.steps.first?.schedule
      case .constraint:
        if case .project(let choice, _, _)? = read.stages?.first?.then.first { choice } else { nil }
      default: slot.place == .list ? read[all: slot]?.first : read[slot]
      }
    guard let found, found.use == part.name else {
      throw Fault("written to a recipe, the part is not read again: \(text)")
    }
    return found.with
  }
}
