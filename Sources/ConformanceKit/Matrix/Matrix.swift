import Datasets
import Foundation
import LatentKit
import Recipes
import Training

/// Compositions of the parts of a catalog, trained for a few steps on a few small images.
public struct Matrix: Sendable {
  private let catalog: Catalog
  private let seed: UInt64
  private let device: Device
  private let names: [Slot: [String]]

  /// Creates the compositions of a catalog's parts.
  ///
  /// - Parameter seed: The seed of images, weights and draws, and of the rows that `drawn` chooses.
  public init(_ catalog: Catalog, seed: UInt64 = 1, device: Device = .cpu) {
    (self.catalog, self.seed, self.device) = (catalog, seed, device)
    names = Dictionary(
      uniqueKeysWithValues: MatrixRow.slots.map { slot in (slot, catalog.descriptions(of: slot).map(\.name)) })
  }

  /// Every two parts of different slots together; what else a model needs comes from their companions.
  public var pairs: [MatrixRow] {
    var rows: [MatrixRow] = []
    for (index, one) in MatrixRow.slots.enumerated() {
      for other in MatrixRow.slots.dropFirst(index + 1) {
        for a in names[one] ?? [] { for b in names[other] ?? [] { rows.append(MatrixRow([one: a, other: b])) } }
      }
    }
    return rows
  }

  /// How many compositions of one part from each slot there are, those without a classifier or a discriminator among
  /// them.
  public var count: Int { MatrixRow.slots.reduce(1) { $0 * options($1).count } }

  /// The composition of one part from each slot that a number stands for, from 0 up to `count`.
  public subscript(_ number: Int) -> MatrixRow {
    var rest = number
    var parts: [Slot: String] = [:]
    for slot in MatrixRow.slots {
      let options = options(slot)
      parts[slot] = options[rest % options.count]
      rest /= options.count
    }
    return MatrixRow(parts)
  }

  /// Returns compositions of one part from each slot, drawn by the seed.
  public func drawn(_ count: Int) throws -> [MatrixRow] {
    guard count > 0, self.count > 0 else { return [] }
    var generator = try Generator(seed: seed, for: "rows of the matrix")
    return try generator.integers(0..<self.count, [count]).ints().map { self[$0] }
  }

  /// Nil for the companions' choice: no classifier or discriminator, or the losses that the other parts bring.
  private func options(_ slot: Slot) -> [String?] {
    ([.classifier, .discriminator, .loss].contains(slot) ? [nil] : []) + (names[slot] ?? [])
  }

  /// The check of one composition.
  public func task(_ row: MatrixRow) -> CheckTask {
    CheckTask(name: row.name) {
      finding(of: row)
    } crashed: {
      finding(about: row, .crashed, $0)
    }
  }

  private func finding(about row: MatrixRow, _ outcome: Outcome, _ reason: String) -> Finding {
    Finding(
      slot: "composition", part: row.name, check: "trains",
      fact: "Parts that fit train, encode and draw; parts that do not are refused before training, with a reason.",
      outcome,
      reason, seed: seed)
  }

  /// Composes and trains a row: passed where it trains, skipped where it is refused before.
  public func finding(of row: MatrixRow) -> Finding {
    let composer = Composer(catalog)
    let (recipe, composition, source): (Recipe, Composition, BatchSource)
    do {
      recipe = try row.recipe(with: composer, seed: seed)
      source = try images()
      let shape = DataShape(
        title: "images of checks", inputShape: source.inputShape, inputRange: source.inputRange, classCount: 3,
        trainingCount: source.count)
      try composer.dryRun(recipe, for: shape, device: device)
      composition = try composer.compose(recipe, for: shape, device: device)
    } catch let refusal as RecipeError {
      return finding(about: row, .skipped, refusal.description)
    } catch let refusal as ConfigError {
      return finding(about: row, .skipped, refusal.description)
    } catch {
      return finding(about: row, .failed, "it is refused by \(type(of: error)), expected a RecipeError: \(error)")
    }
    do {
      try train(composition, source)
      return finding(about: row, .passed, "")
    } catch let fault as Fault { return finding(about: row, .failed, fault.reason) } catch {
      return finding(about: row, .failed, "it was not refused before training, and then: \(error)")
    }
  }

  private func train(_ composition: Composition, _ source: BatchSource) throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("latentkit-matrix-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: url) }
    let folder = RunFolder(url)
    try folder.create()
    let before = try snapshot(composition.store.parameters)
    let trainer = try Trainer(
      composition, data: TrainingData(training: source, validation: nil), folder: folder, shouldStop: { false })
    _ = try trainer.run()
    let parameters = composition.store.parameters
    try require(try areFinite(parameters.map(\.tensor)), "after three steps a parameter is not finite")
    if composition.stages.contains(where: { $0.steps.contains { !$0.parameters.isEmpty } }) {
      try require(try !sameBits(before, snapshot(parameters)), "training changed no parameter")
    }
    for mode in composition.modes.values { mode.isTraining = false }
    try withoutGradients {
      let latents = try Evaluator(composition).encode(source)
      try require(try areFinite([latents.latents]), "after three steps latents are not finite")
      guard composition.model.decoder != nil else { return }
      var generator = try Generator(seed: seed, for: "draws of the matrix", device: device)
      let set: SampleSet
      do {
        set = try composition.samples(
          SampleRequest(count: 6, ofClasses: true), reference: latents, using: &generator, isRehearsal: true)
      } catch let refusal as RecipeError { throw Fault("it trains, and then the sampler refuses: \(refusal)") }
      try require(try areFinite([set.inputs]), "decoded draws are not finite")
    }
  }

  /// 24 images `[1, 16, 16]` of three classes: a bright bar for each class at its place, on noise.
  private func images() throws -> BatchSource {
    var noise = try Generator(seed: seed, for: "images of the matrix")
    let random = try noise.integers(0..<100, [24, 1, 16, 16]).ints()
    var bytes: [UInt8] = []
    for (index, value) in random.enumerated() {
      let (image, row) = (index / 256, index / 16 % 16)
      bytes.append(UInt8(value + (row / 5 == image % 3 ? 150 : 0)))
    }
    let examples = try Examples(
      inputs: Tensor(bytes, shape: [24, 1, 16, 16]), labels: Tensor((0..<24).map { Int64($0 % 3) }))
    return try BatchSource(examples, classCount: 3, device: device)
  }
}
