import Foundation
import LatentKit

/// A part that was made for a check, with its parameters and what it was made for.
struct Made<Role> {
  let part: Role
  let scope: Scope
  let world: World
  /// The model that the part was made beside.
  let model: Model
  /// The parameters of that model.
  let modelStore: ParameterStore

  /// The part's parameters and buffers.
  var parameters: [Parameter] { scope.store.parameters }
  var weights: [Parameter] { parameters.filter { $0.role == .weight } }

  /// Adds a little noise to every weight, as training would.
  func changeWeights() throws {
    var noise = try Generator(seed: scope.seed, for: "changes of weights by checks")
    for weight in weights {
      let change = try noise.normal(weight.tensor.shape)
      try weight.tensor.addInPlace(change.to(weight.tensor.dtype, weight.tensor.device), times: 0.05)
    }
  }

  /// Runs `body` as in training.
  func training<Result>(_ body: () throws -> Result) rethrows -> Result {
    scope.mode.isTraining = true
    defer { scope.mode.isTraining = false }
    return try body()
  }
}

/// A part with the way of making it, for the checks of its slot.
struct Subject<Role> {
  let entry: Entry<Role>
  let slot: Slot
  let under: PartUnderTest
  var seed: UInt64 { under.seed }
  var device: Device { under.device }
  var title: String { "\(slot.name) '\(entry.name)'" }

  init(_ key: SlotKey<Role>, _ part: PartUnderTest) throws {
    (entry, slot, under) = (try part.catalog[key][part.name], key.slot, part)
  }

  /// Makes the part for a world, in evaluation mode.
  ///
  /// - Throws: `RecipeError` where the part does not fit, as the composer would say.
  func make(
    in world: World, _ settings: [String: Value] = [:], kind: StandIn.Kind = .pointsAndCentroids,
    seed: UInt64? = nil, dtype: DType = .float32, withCompanions: Bool = false,
    changing change: (inout Model) throws -> Void = { _ in }
  ) throws -> Made<Role> {
    let seed = seed ?? self.seed
    // An encoder that the part is for may have another latent size than the stand-in.
    let size =
      withCompanions ? try companionEncoder(world, in: ParameterStore(), seed: seed, dtype: dtype)?.latentSize : nil
    let world = size.map(world.with(latentSize:)) ?? world
    let standIn = try StandIn(world, kind, seed: seed, dtype: dtype, device: device)
    var model = standIn.model
    if withCompanions { try addCompanions(to: &model, world, in: standIn.store, seed: seed, dtype: dtype) }
    try change(&model)
    let scope = try Scope(path: slot.name, store: ParameterStore(), seed: seed, device: device, dtype: dtype)
    let isFirst = slot == .encoder
    var context = BuildContext(
      inputShape: world.inputShape, inputRange: world.inputRange, classCount: world.classCount,
      latentSize: isFirst ? 0 : world.latentSize, scope: scope, title: title,
      encoder: isFirst ? nil : model.encoder, model: isFirst || slot == .prior ? nil : model, trainingCount: 60)
    context.openRun = { path in
      TrainedModel(
        path: path, checksum: "none", model: standIn.model,
        inputs: InputDescription(shape: world.inputShape, range: world.inputRange), classCount: world.classCount,
        classNames: nil)
    }
    let part = try entry.make(settings, at: slot.name, in: context)
    try check((part as? any Part)?.needs ?? [], world)
    return Made(part: part, scope: scope, world: world, model: model, modelStore: standIn.store)
  }

  /// Settings that may have to be given: none; then a text for each that is unset by default, the path of a run say.
  var candidates: [[String: Value]] {
    let texts = entry.settings.filter { $0.fallback == .null && $0.type == .string && $0.choices == nil }
    return texts.isEmpty
      ? [[:]] : [[:], Dictionary(uniqueKeysWithValues: texts.map { ($0.name, .string("stand-in")) })]
  }

  /// Makes the encoder that the part names as companion; nil where it names none.
  private func companionEncoder(
    _ world: World, in store: ParameterStore, seed: UInt64, dtype: DType
  ) throws -> (any Encoder)? {
    guard let choice = entry.companions.parts[.encoder] else { return nil }
    let context = BuildContext(
      inputShape: world.inputShape, inputRange: world.inputRange, classCount: world.classCount,
      scope: try Scope(path: "companion.encoder", store: store, seed: seed, device: device, dtype: dtype),
      title: "encoder '\(choice.use)'")
    return try under.catalog[.encoder][choice.use].make(choice.with, at: "encoder", in: context)
  }

  /// Puts the parts that the part names as companions in place of stand-ins.
  private func addCompanions(
    to model: inout Model, _ world: World, in store: ParameterStore, seed: UInt64, dtype: DType
  ) throws {
    let catalog = under.catalog
    if let encoder = try companionEncoder(world, in: store, seed: seed, dtype: dtype) { model.encoder = encoder }
    func context(_ slot: Slot) throws -> BuildContext {
      BuildContext(
        inputShape: world.inputShape, inputRange: world.inputRange, classCount: world.classCount,
        latentSize: world.latentSize,
        scope: try Scope(path: "companion.\(slot.name)", store: store, seed: seed, device: device, dtype: dtype),
        title: slot.name, encoder: model.encoder, model: model)
    }
    func companion<Other>(_ key: SlotKey<Other>) throws -> Other? {
      try entry.companions.parts[key.slot].map {
        try catalog[key][$0.use].make($0.with, at: key.slot.name, in: context(key.slot))
      }
    }
    if let prior = try companion(.prior) { model.prior = prior }
    if let part = try companion(.decoder) { model[.decoder] = part }
    if let part = try companion(.classifier) { model[.classifier] = part }
    if let part = try companion(.discriminator) { model[.discriminator] = part }
  }

  private func check(_ needs: DataNeeds, _ world: World) throws {
    if needs.contains(.labels), world.classCount == nil { throw RecipeError.needsLabels(title) }
    if needs.contains(.images), world.inputShape.count != 3 {
      throw RecipeError.needsImages(title, found: world.inputShape)
    }
  }
}
