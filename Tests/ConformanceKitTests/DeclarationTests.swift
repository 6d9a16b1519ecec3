import ConformanceKit
import Datasets
import LatentKit
import Testing

/// What is wrong with how a part is declared, and the check that finds it.
private enum DeclarationFlaw: String, Flaw {
  case blankHelp = "help"
  case oneWord = "help/summary"
  case forgetsWhatIsSet = "config"
  case driftsWhenResolved = "config/again"
  case otherDefault = "config/default"
  case undescribed = "config/names"
  case takesEverything = "unknown-settings"
  case unknownSettingOfCompanion = "companions"

  var settings: [SettingDescription] {
    self == .blankHelp ? [SettingDescription("rate", default: 0.5, " ")] : [DeclarationFlaw.rate]
  }
  var summary: String { self == .oneWord ? "part" : "a part of a test" }
  static let rate = SettingDescription("rate", default: 0.5, "Share that is kept of it.", .within(0...1))

  func companions(_ slot: Slot) -> Companions {
    guard self == .unknownSettingOfCompanion else { return Companions() }
    let choice = PartChoice("part", with: ["wrong": 1])
    return switch slot {
    case .loss: Companions(losses: [choice])
    case .constraint: Companions(after: [.encoder: [.project(choice)]])
    case .optimizer: Companions(steps: [Step(train: ["encoder"], losses: [], optimizer: choice)])
    case .schedule: Companions(steps: [Step(train: ["encoder"], losses: [], schedule: choice)])
    default: Companions([slot: choice])
    }
  }

  /// Resolves settings by itself; nil for what an entry does.
  var resolve: (@Sendable ([String: Value], String) throws -> [String: Value])? {
    switch self {
    case .forgetsWhatIsSet: { _, _ in ["rate": 0.5] }
    case .driftsWhenResolved: { given, _ in given.isEmpty ? ["rate": 0.5] : ["rate": 0.25] }
    case .otherDefault: { _, _ in ["rate": 0.25] }
    case .undescribed: { _, _ in ["rate": 0.5, "other": 1] }
    case .takesEverything: { given, _ in ["rate": 0.5].merging(given) { $1 } }
    case .blankHelp, .oneWord, .unknownSettingOfCompanion: nil
    }
  }

  /// A part that is never made: what it declares is enough.
  func contribution<Role>(_ key: SlotKey<Role>) -> Contribution {
    let companions = companions(key.slot)
    if let resolve {
      return Contribution(
        key,
        Entry("part", summary, settings: settings, with: companions, resolve: resolve) { _, _, context in
          throw RecipeError("\(context.title) is not made")
        })
    }
    return Contribution(
      key,
      Entry("part", summary, settings: settings, with: companions) { _, context in
        throw RecipeError("\(context.title) is not made")
      })
  }

  /// The contribution to any slot.
  func contribution(to slot: Slot) -> Contribution {
    switch slot {
    case .data: contribution(.data)
    case .transform: contribution(.transform)
    case .encoder: contribution(.encoder)
    case .prior: contribution(.prior)
    case .decoder: contribution(.decoder)
    case .classifier: contribution(.classifier)
    case .discriminator: contribution(.discriminator)
    case .noise: contribution(.noise)
    case .sampler: contribution(.sampler)
    case .metric: contribution(.metric)
    case .loss: contribution(.loss)
    case .constraint: contribution(.constraint)
    case .optimizer: contribution(.optimizer)
    case .schedule: contribution(.schedule)
    default: preconditionFailure("a test of the slot '\(slot.name)' is missing")
    }
  }
}

extension BrokenPart {
  static let declarations: [BrokenPart] = Slot.all.flatMap { slot in
    DeclarationFlaw.allCases.map { flaw in
      BrokenPart(slot, flaw.check, "\(flaw)") { flaw.contribution(to: slot) }
    }
  }
}

@Suite struct DeclarationChecks {
  private func schedule(_ companions: Companions = Companions()) throws -> [String: Finding] {
    struct Constant: LearningRateSchedule {
      func factor(step: Int, stepsPerEpoch: Int, epochs: Int) -> Double { 1 }
    }
    let entry = Entry<any LearningRateSchedule>(
      "part", "a schedule of a test", settings: [DeclarationFlaw.rate], with: companions
    ) { _, _ in Constant() }
    return try findings(Contribution(.schedule, entry), of: .schedule)
  }

  @Test func soundDeclarationsConform() throws { expectConforming(try schedule()) }

  @Test func aCompanionThatIsNotThereIsAWarning() throws {
    #expect(try schedule(Companions([.optimizer: "nowhere"]))["companions"]?.outcome == .warning)
  }
}
