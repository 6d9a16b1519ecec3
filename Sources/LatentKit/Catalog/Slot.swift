/// A place in a recipe that a part can fill. A slot describes itself: recipes, overrides, lists and completions follow.
///
/// To add one to the core: a line here, its protocol with a `SlotKey` in a file under `Parts/`, and a flag in the command
/// line's options (a test says where it is missing).
public struct Slot: Hashable, Sendable {
  /// Where a recipe names the parts of a slot.
  public enum Place: Sendable {
    /// A key of the recipe: `encoder: mlp`.
    case model
    /// A key of the recipe that may be left out or say `none`: `noise: none`.
    case optional
    /// A list under the plural: `metrics: [accuracy]`.
    case list
    /// A key of a step or of an action.
    case step
  }

  public let name: String
  /// What the slot is for, in one line.
  public let summary: String
  public let place: Place
  /// Whether parts can have weights that a step trains.
  public let isTrainable: Bool

  private init(_ name: String, _ summary: String, _ place: Place = .model, isTrainable: Bool = false) {
    (self.name, self.summary, self.place, self.isTrainable) = (name, summary, place, isTrainable)
  }

  public static func == (a: Slot, b: Slot) -> Bool { a.name == b.name }
  public func hash(into hasher: inout Hasher) { hasher.combine(name) }

  public static let data = Slot("data", "the examples, and how they are cut, scaled and augmented")
  public static let transform = Slot("transform", "changes rows of numbers, fitted on the training part", .list)
  public static let encoder = Slot("encoder", "maps inputs to latents", isTrainable: true)
  public static let prior = Slot("prior", "the density that latents should follow", isTrainable: true)
  public static let decoder = Slot("decoder", "maps latents back to inputs", .optional, isTrainable: true)
  public static let classifier = Slot("classifier", "maps latents to class scores", .optional, isTrainable: true)
  public static let discriminator = Slot(
    "discriminator", "tells real inputs from generated ones", .optional, isTrainable: true)
  public static let noise = Slot(
    "noise", "disturbs latents on their way to the decoder, in training", .optional, isTrainable: true)
  public static let sampler = Slot("sampler", "draws latents to decode")
  public static let loss = Slot("loss", "an objective to minimise", .step)
  public static let constraint = Slot("constraint", "the set that weights are projected onto", .step)
  public static let metric = Slot("metric", "what is measured", .list)
  public static let optimizer = Slot("optimizer", "how a step changes weights", .step)
  public static let schedule = Slot("schedule", "how the learning rate changes over a stage", .step)

  /// Every slot, in the order in which recipes are written and models are built.
  public static let all: [Slot] = [
    .data, .transform, .encoder, .prior, .decoder, .classifier, .discriminator, .noise, .sampler, .metric, .loss,
    .constraint, .optimizer, .schedule,
  ]

  /// What a recipe's key is called: the name, or its plural for a list.
  public var key: String { place == .list ? "\(name)s" : name }

  /// Whether a recipe has one part there, under the slot's name.
  public var isSingle: Bool { place == .model || place == .optional }
}

/// A slot with the role that its parts play: `catalog[.encoder]` is a table of encoders.
public struct SlotKey<Role>: Sendable {
  public let slot: Slot
  public init(_ slot: Slot) { self.slot = slot }
}
