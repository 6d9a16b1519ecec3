import LatentKit
import Recipes

/// The first stages of a recipe as a recipe of their own, which runs that agree so far share.
///
/// It has every part that these stages train or use. Those that they do without are `none`, so that recipes which differ in them
/// only later have the same first stages: parts get their first weights by name and seed, whatever others there are.
public struct FirstStages: Sendable, Equatable {
  /// The number of stages, 1 or more.
  public let count: Int
  private let unused: [Slot]
  private let keepsMetrics: Bool

  /// Parts that some stages may do without.
  private static let optional: [Slot] = [.discriminator, .decoder, .classifier]

  /// - Parameters:
  ///   - count: From 1, and fewer than the recipe's stages.
  ///   - session: The session of the whole recipe.
  public init(_ count: Int, of session: Session) {
    self.count = count
    // Metrics are measured after epochs only where there is a validation part; nothing else of training depends on them.
    keepsMetrics = session.validation != nil
    var unused: [Slot] = []
    let runs = TrainedRuns(session.catalog, session.machine)
    let composer = Composer(session.catalog) { try runs.open($0) }
    for slot in Self.optional where session.recipe.has(slot) && !session.recipe.trains(slot, inFirst: count) {
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
    for slot in optional where unused.contains(slot) || !recipe.has(slot) { recipe[slot] = "none" }
    if !keepsMetrics { recipe[all: .metric] = [] }
    return recipe
  }

  /// Returns a text that is the same for recipes which may have their first stages in common, and different for others that
  /// cannot; nil where there are no further stages, and where the first ones end in actions or keep checkpoints, which concern the
  /// whole model.
  ///
  /// - Parameter recipe: A resolved recipe.
  public static func key(of recipe: Recipe, count: Int) -> String? {
    guard let stages = recipe.stages, count < stages.count,
      stages.prefix(count).allSatisfy({ $0.then.isEmpty && $0.keepEpochs.isEmpty })
    else { return nil }
    let untrained = optional.filter { !recipe.trains($0, inFirst: count) }
    var first = Self.recipe(recipe, count, without: untrained, keepsMetrics: false)
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
