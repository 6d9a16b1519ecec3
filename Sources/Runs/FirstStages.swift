import LatentKit
import Recipes

/// The first stages of a recipe, or all of them, as a recipe of their own, which runs that agree so far share.
///
/// It has every part that these stages train or use. Those that they do without are `none`, and the sampler is `prior`, so that
/// recipes which differ in them only later, or in the sampler alone, have the same first stages: parts get their first weights by
/// name and seed, whatever others there are.
public struct FirstStages: Sendable, Equatable {
  /// The number of stages, 1 or more.
  public let count: Int
  private let unused: [Slot]
  private let keepsMetrics: Bool

  /// Parts that some stages may do without.
  private static let optional: [Slot] = [.discriminator, .decoder, .classifier]
  /// What stands for a part that the stages do without. Training draws from no sampler; metrics after its epochs may.
  private static func stand(in slot: Slot) -> PartChoice { slot == .sampler ? "prior" : "none" }

  /// - Parameters:
  ///   - count: From 1 to the number of the recipe's stages.
  ///   - session: The session of the whole recipe.
  public init(_ count: Int, of session: Session) {
    self.count = count
    // Metrics are measured after epochs only where there is a validation part; nothing else of training depends on them.
    keepsMetrics = session.validation != nil
    var unused: [Slot] = []
    let runs = TrainedRuns(session.catalog, session.machine)
    let composer = Composer(
      session.catalog, openingRuns: { try runs.open($0) }, loadingParts: { try runs.part($0, of: $1) })
    let spared = Self.optional.filter { session.recipe.has($0) && !session.recipe.trains($0, inFirst: count) }
    for slot in spared + (keepsMetrics ? [] : [.sampler]) {
      let without = Self.recipe(session.recipe, count, without: unused + [slot], keepsMetrics: keepsMetrics)
      // A loss that needs the part refuses to do without it.
      let fits: ()? = try? { _ = try composer.dryRun(without, for: session.composition.data, device: session.device) }()
      if fits != nil { unused.append(slot) }
    }
    self.unused = unused
  }

  /// Returns the first stages of a resolved recipe, which differs from the session's in its seed, fold and names at most.
  public func recipe(of recipe: Recipe) -> Recipe {
    Self.recipe(recipe, count, without: unused, keepsMetrics: keepsMetrics)
  }

  private static func recipe(_ recipe: Recipe, _ count: Int, without unused: [Slot], keepsMetrics: Bool) -> Recipe {
    var recipe = recipe
    recipe.stages = recipe.stages.map { Array($0.prefix(count)) }
    for slot in unused + optional.filter({ !recipe.has($0) }) { recipe[slot] = stand(in: slot) }
    if !keepsMetrics { recipe[all: .metric] = [] }
    // Pictures are no part of what is shared.
    recipe.watch = false
    return recipe
  }

  /// Returns a text that is the same for recipes which may have their first stages in common, and different for others that
  /// cannot; nil where the stages end in actions, by a `stop`, or keep checkpoints, which concern the whole model, and where pictures are made of
  /// all of them, which are no part of what is shared.
  ///
  /// - Parameter recipe: A resolved recipe.
  public static func key(of recipe: Recipe, count: Int) -> String? {
    guard let stages = recipe.stages, count < stages.count || recipe.watch != true,
      stages.prefix(count).allSatisfy({ $0.then.isEmpty && $0.keepEpochs.isEmpty && $0.stop == nil })
    else { return nil }
    let untrained = optional.filter { !recipe.trains($0, inFirst: count) }
    var first = Self.recipe(recipe, count, without: untrained + [.sampler], keepsMetrics: false)
    (first.name, first.about) = (nil, nil)
    return first.yaml()
  }
}

extension Recipe {
  fileprivate func trains(_ slot: Slot, inFirst count: Int) -> Bool {
    func trains(_ step: Step) -> Bool { step.train.contains(slot.name) || step.steps.contains(where: trains) }
    return (stages ?? []).prefix(count).contains { $0.steps.contains(where: trains) }
  }
}
