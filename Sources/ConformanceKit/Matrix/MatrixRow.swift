import LatentKit
import Recipes

/// Parts that are composed with each other. What is left open comes from their companions.
public struct MatrixRow: Sendable, Hashable {
  /// The slots that a composition varies, in the order of recipes.
  public static let slots: [Slot] = [.encoder, .prior, .decoder, .classifier, .discriminator, .sampler, .loss]
  /// The name of the part in each slot; a loss joins those that the other parts bring.
  public var parts: [Slot: String]

  /// Creates a row.
  public init(_ parts: [Slot: String]) { self.parts = parts }

  /// `encoder mlp, prior pedcc`.
  public var name: String {
    MatrixRow.slots.compactMap { slot in parts[slot].map { "\(slot.name) \($0)" } }.joined(separator: ", ")
  }

  /// Returns the resolved recipe of a few steps, without metrics.
  ///
  /// A loss joins those that the companions bring, and `cross-entropy` a classifier.
  /// - Throws: `ConfigError` and `RecipeError` where the parts' companions do not go together.
  func recipe(with composer: Composer, seed: UInt64) throws -> Recipe {
    var recipe = Recipe()
    recipe.seed = Int(seed)
    for (slot, name) in parts where slot != .loss { recipe[slot] = PartChoice(name) }
    if recipe[.encoder] == nil { recipe[.encoder] = "mlp" }
    var losses = parts[.loss].map { [$0] } ?? []
    let known = composer.catalog.descriptions(of: .loss).map(\.name)
    if parts[.classifier] != nil, known.contains("cross-entropy"), !losses.contains("cross-entropy") {
      losses.append("cross-entropy")
    }
    var choices = TrainingChoices()
    if !losses.isEmpty {
      var plain = recipe
      plain[.discriminator] = nil
      let steps = try composer.resolve(plain).stages?.flatMap(\.steps).flatMap(\.leaves) ?? []
      let brought = steps.first { $0.train.contains(Slot.encoder.name) }?.losses ?? []
      choices.losses =
        brought.map { (part: nil, loss: $0) }
        + losses.filter { name in !brought.contains { $0.use == name } }.map { (part: nil, loss: PartChoice($0)) }
    }
    recipe = try composer.resolve(recipe, choosing: choices)
    recipe[all: .metric] = []
    recipe.stages = recipe.stages.map { stages in
      stages.map { stage in
        var stage = stage
        (stage.epochs, stage.batch, stage.keepEpochs, stage.examples) = (1, 8, [], nil)
        return stage
      }
    }
    return recipe
  }
}
