/// A place in a recipe that a part can fill. A slot describes itself: recipes, overrides, lists and completions follow.
///
/// To add one to the core: a line here, its protocol with a `SlotKey` in a file under `Parts/`, and a flag in the command
/// line's options (a test says where it is missing).
public struct Slot: Hashable, Sendable {
  /// The place of a slot's parts in a recipe.
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

  /// The name in recipes.
  public let name: String
  /// The purpose of the slot, in one line.
  public let summary: String
  /// The place of its parts in a recipe.
  public let place: Place
  /// Whether parts can have weights that a step trains.
  public let isTrainable: Bool

  private init(_ name: String, _ summary: String, _ place: Place = .model, isTrainable: Bool = false) {
    (self.name, self.summary, self.place, self.isTrainable) = (name, summary, place, isTrainable)
  }

  public static func == (a: Slot, b: Slot) -> Bool { a.name == b.name }
  public func hash(into hasher: inout Hasher) { hasher.combine(name) }

  /// The data set.
  public static let data = Slot("data", "the examples, and how they are cut, scaled and augmented")
  /// Transforms of rows of numbers.
  public static let transform = Slot("transform", "changes rows of numbers, fitted on the training part", .list)
  /// The encoder.
  public static let encoder = Slot("encoder", "maps inputs to latents", isTrainable: true)
  /// The prior.
  public static let prior = Slot("prior", "the density that latents should follow", isTrainable: true)
  /// The decoder.
  public static let decoder = Slot("decoder", "maps latents back to inputs", .optional, isTrainable: true)
  /// The classifier.
  public static let classifier = Slot("classifier", "maps latents to class scores", .optional, isTrainable: true)
  /// The discriminator.
  public static let discriminator = Slot(
    "discriminator", "distinguishes real inputs from generated ones", .optional, isTrainable: true)
  /// The latent noise.
  public static let noise = Slot(
    "noise", "perturbs latents before the decoder in training", .optional, isTrainable: true)
  /// The sampler.
  public static let sampler = Slot("sampler", "draws latents to decode")
  /// The losses of a step.
  public static let loss = Slot("loss", "an objective to minimise", .step)
  /// The constraint of a projection.
  public static let constraint = Slot("constraint", "the set that weights are projected onto", .step)
  /// The metrics.
  public static let metric = Slot("metric", "what is measured", .list)
  /// The optimiser of a step.
  public static let optimizer = Slot("optimizer", "how a step changes weights", .step)
  /// The learning-rate schedule of a step.
  public static let schedule = Slot("schedule", "how the learning rate changes over a stage", .step)

  /// Every slot, in the order in which recipes are written and models are built.
  public static let all: [Slot] = [
    .data, .transform, .encoder, .prior, .decoder, .classifier, .discriminator, .noise, .sampler, .metric, .loss,
    .constraint, .optimizer, .schedule,
  ]

  /// The recipe's key: the name, or its plural for a list.
  public var key: String { place == .list ? "\(name)s" : name }

  /// Whether a recipe has one part there, under the slot's name.
  public var isSingle: Bool { place == .model || place == .optional }
}

/// A slot with the role of its parts: `catalog[.encoder]` is a table of encoders.
public struct SlotKey<Role>: Sendable {
  /// The slot.
  public let slot: Slot
  /// Creates the key of a slot.
  public init(_ slot: Slot) { self.slot = slot }
}
