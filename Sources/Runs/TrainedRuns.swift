import Datasets
import Files
import Foundation
import LatentKit
import Recipes
import Training

/// Opens finished runs for the parts of another, each once.
final class TrainedRuns: @unchecked Sendable {
  private let catalog: Catalog
  private let machine: Machine
  /// The folders that are being opened, outermost first.
  private let outer: [String]
  private let lock = NSRecursiveLock()
  private var models: [String: TrainedModel] = [:]
  /// The data of those runs, by path.
  private var data: [String: TrainingRows] = [:]
  /// What a part is taken from a run with, by path.
  private var exports: [String: (Slot) throws -> PartExport] = [:]

  init(_ catalog: Catalog, _ machine: Machine, inside outer: [String] = []) {
    (self.catalog, self.machine, self.outer) = (catalog, machine, outer)
  }

  /// The checksums of the runs that were opened, by path.
  var checksums: [String: String] { lock.withLock { models.mapValues(\.checksum) } }

  /// Opens a run with its weights: frozen, in evaluation mode.
  ///
  /// - Throws: `RecipeError` where there is none, it has not finished, or it opens itself.
  func open(_ path: String) throws -> TrainedModel {
    try lock.withLock {
      if let known = models[path] { return known }
      let model = try load(path)
      models[path] = model
      return model
    }
  }

  /// Loads a trained part of a run, with its weights.
  ///
  /// - Throws: As `open`, and `RecipeError` for a slot that the run leaves empty or that has no weights.
  func part(_ slot: Slot, of path: String) throws -> LoadedPart {
    try lock.withLock {
      let model = try open(path)
      guard let export = try exports[path]?(slot) else { throw RecipeError("the run in \(path) cannot be opened") }
      return export.loaded(from: path, checksum: model.checksum)
    }
  }

  /// What a run that was opened was trained on.
  func rows(of path: String) -> TrainingRows? { lock.withLock { data[path] } }

  private func load(_ path: String) throws -> TrainedModel {
    guard !path.isEmpty else { throw RecipeError("found no path of a run; set it to the folder of a finished one") }
    let folder = RunFolder(URL(fileURLWithPath: path))
    let place = folder.url.realPath
    guard !outer.contains(place) else { throw RecipeError("the run in \(path) builds on itself; name another run") }
    try OutputPlace.requireReadable(folder.recipe)
    guard folder.exists else {
      throw RecipeError("there is no run in \(path); name the folder of one that 'host compose' made")
    }
    try folder.refuseStudy(called: path)
    var recipe = try Recipe.read(folder.recipe).recipe
    // What measures it is no part of the model.
    recipe[all: .metric] = []
    let checkpoint = try Checkpoint.read(folder.checkpoint)
    guard checkpoint.position.isFinished else {
      throw RecipeError("the run in \(path) has not finished; let it finish, or name another")
    }
    let session = try Session(
      recipe, catalog: catalog, machine: machine, observer: nil,
      runs: TrainedRuns(catalog, machine, inside: outer + [place]), rehearsing: false, openedFrom: folder
    ) { try checkpoint.require(digest: $0.digest, from: folder.checkpoint) }
    let composition = session.composition
    try checkpoint.load(composition, from: folder.checkpoint)
    for mode in composition.modes.values { mode.isTraining = false }
    for parameter in composition.store.parameters where parameter.role == .weight {
      try parameter.tensor.requiringGradient(false)
    }
    // Not the session, which has the data.
    let (columns, transforms) = (session.dataset.featureNames, session.transforms)
    exports[path] = { [catalog, device = machine.device] slot in
      try PartExport(
        slot, of: composition, catalog, columns: columns, transforms: transforms, on: device, named: folder.name,
        withPython: false)
    }
    data[path] = TrainingRows(of: session, digest: checkpoint.digest, in: folder)
    return TrainedModel(
      path: path, checksum: try checksum(checkpoint, folder), model: composition.model, inputs: composition.data.inputs,
      classCount: composition.data.classCount, classNames: composition.data.classNames)
  }

  /// SHA-256 over the recipe and the names, shapes and bytes of the weights: neither times nor the machine count.
  private func checksum(_ checkpoint: Checkpoint, _ folder: RunFolder) throws -> String {
    var bytes: Data
    do { bytes = try Data(contentsOf: folder.recipe) } catch { throw FileError(folder.recipe.path, "cannot be read") }
    for (name, tensor) in checkpoint.tensors.sorted(by: { $0.key < $1.key })
    where name.hasPrefix("model.") || name.hasPrefix("prior.") {
      bytes += Data("\(name) \(tensor.shape) ".utf8)
      bytes += try tensor.bytes()
    }
    return try Checksum(.sha256, of: bytes).digits
  }
}

extension DataShape {
  /// The inputs as a model reads them.
  var inputs: InputDescription {
    InputDescription(shape: inputShape, range: inputRange, padding: padding, units: inputUnits)
  }
}

extension RunFolder {
  /// Refuses the folder of a study where one run is wanted.
  ///
  /// - Parameter path: How messages call the folder.
  /// - Throws: `RecipeError`.
  func refuseStudy(called path: String) throws {
    guard let run = runs.first else { return }
    throw RecipeError(
      "\(path) holds a study of \(counted(runs.count, "run")); name one of them, as in \(path)/\(run.name)")
  }

  /// Writes down the checksums of the runs that this one builds on; nothing where there are none.
  func write(trainedRuns checksums: [String: String]) throws {
    guard !checksums.isEmpty else { return }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try AtomicFile.write(encoder.encode(checksums) + Data("\n".utf8), to: trainedRuns)
  }

  /// Refuses a run that this one builds on and that is no longer what it was.
  ///
  /// - Parameter checksums: As the runs are now, by path. One that was not written down is not compared.
  /// - Throws: `RecipeError`.
  func require(trainedRuns checksums: [String: String]) throws {
    guard !checksums.isEmpty, let data = try? Data(contentsOf: trainedRuns) else { return }
    guard let before = try? JSONDecoder().decode([String: String].self, from: data) else {
      throw FileError(trainedRuns.path, "is not a list of runs with their checksums; compose the recipe again")
    }
    for (path, now) in checksums.sorted(by: { $0.key < $1.key }) {
      guard let then = before[path], then != now else { continue }
      throw RecipeError(
        "the run in \(path) has changed: found the checksum \(now.prefix(12)), expected \(then.prefix(12)) as when "
          + "\(name) was trained with it; put the old one back, or compose the recipe again as a new run")
    }
  }
}
