import Datasets
import Files
import Foundation
import LatentKit
import Recipes
import Reports
import Training

/// One run: a recipe with its data and model, and the folder of its files.
///
///     let run = try Run(recipe, catalog: catalog, in: URL(fileURLWithPath: "runs/mine"))
///     try run.train()
///     print(try run.evaluate(.test).measurements)
///     try run.finish()
public final class Run {
  /// The recipe with its data and its model.
  public let session: Session
  /// The folder of its files.
  public let folder: RunFolder
  let observer: (any RunObserver)?
  /// What to do with a run that is in the folder when training begins.
  private var existing: Existing
  /// Held while this program works in the folder.
  var lock: RunLock?
  /// Sentences for the summary on how the run was trained.
  var remarks: [String] = []

  /// The treatment of a run that is in the folder already.
  public enum Existing: Sendable {
    /// Throw an error.
    case refuse
    /// Remove its files, and only those that LatentKit wrote.
    case replace
    /// Continue from its last checkpoint, or from the start if there is none.
    case resume
  }

  /// Loads the data and composes the model of a recipe; nothing is written before `train`.
  ///
  /// - Parameters:
  ///   - recipe: The recipe, resolved or not.
  ///   - catalog: The parts that the recipe can name.
  ///   - url: The run's folder, created if missing.
  ///   - existing: The treatment of a run that is in the folder already.
  ///   - machine: The data folder, device and threads.
  ///   - observer: Notified of progress, results and warnings.
  /// - Throws: As `Session`, and `FileError` if a run is in the folder and `existing` refuses it.
  public convenience init(
    _ recipe: Recipe, catalog: Catalog, in url: URL, existing: Existing = .refuse, machine: Machine = Machine(),
    observer: (any RunObserver)? = nil
  ) throws {
    let folder = RunFolder(url)
    if existing == .refuse { try folder.refuseRun() }
    let session = try Session(recipe, catalog: catalog, machine: machine, observer: observer)
    self.init(session, in: folder, existing: existing, observer: observer)
  }

  /// Opens a run that was trained before, with its weights.
  ///
  /// - Parameters:
  ///   - url: The run's folder.
  ///   - catalog: The parts that the recipe can name.
  ///   - machine: The data folder, device and threads.
  ///   - observer: Notified of warnings, and if the run has not finished.
  ///   - checkpoint: The weights, one that `keepEpochs` kept; nil for the last.
  ///   - change: Changes the run's recipe, such as its sampler; weights must still fit. A changed run can be measured and
  ///     sampled, but not trained.
  /// - Throws: As `Session.init(opening:)`.
  public convenience init(
    opening url: URL, catalog: Catalog, machine: Machine = Machine(), observer: (any RunObserver)? = nil,
    checkpoint: URL? = nil, changing change: (inout Recipe) throws -> Void = { _ in }
  ) throws {
    let session = try Session(
      opening: url, catalog: catalog, machine: machine, observer: observer, checkpoint: checkpoint, changing: change)
    self.init(session, in: RunFolder(url), existing: .resume, observer: observer)
  }

  /// Creates a run of a session. The folder is examined when training begins.
  public init(
    _ session: Session, in folder: RunFolder, existing: Existing = .refuse, observer: (any RunObserver)? = nil
  ) {
    (self.session, self.folder, self.observer, self.existing) = (session, folder, observer, existing)
  }

  /// Trains the model, from the start or from the run's last checkpoint.
  ///
  /// A run that was killed and resumed ends with the same bits as an uninterrupted one. Resumed with more epochs in its last stage,
  /// a finished run goes on, and ends as if it had had them from the start, where its schedule does not depend on their number.
  ///
  /// - Parameter shouldStop: Called after every iteration; true saves a checkpoint and ends training early.
  /// - Returns: Whether training finished or was stopped on request.
  /// - Throws: `RecipeError` if the folder holds a run of another recipe, `FileError` if another process works on it, it holds
  ///   files and no run, or a file cannot be written, `TrainingError` if training diverges.
  @discardableResult
  public func train(shouldStop: @escaping () -> Bool = { false }) throws -> TrainingOutcome {
    try session.requireData()
    // First: another process may work in the folder.
    let lock = try lock ?? folder.lock()
    self.lock = lock
    if existing == .refuse { try folder.refuseRun() }
    let continues = existing == .resume && folder.exists
    if continues, FileManager.default.fileExists(atPath: folder.summary.path),
      !FileManager.default.fileExists(atPath: folder.checkpoint.path)
    {
      throw FileError(
        folder.checkpoint.path,
        "is missing, and the run has finished: it cannot go on; restore the file, or train its recipe as a new run")
    }
    if continues { try adoptRecipe() }
    // A run that was killed before its first checkpoint starts again.
    let resuming = continues && FileManager.default.fileExists(atPath: folder.checkpoint.path)
    if !resuming {
      try begin(in: lock, keepsRuns: continues)
    } else {
      try folder.requireNotOwned(session.inputs)
      try folder.require(trainedRuns: session.trainedRuns)
      try folder.mark(.run)
    }
    existing = .resume
    observer?.began(self)
    let events = try EventFile(
      folder.events, keepingSteps: resuming ? try? Checkpoint.read(folder.checkpoint).position.totalIterations : nil)
    // Images before scalars, which hand all events of an epoch to the operating system.
    let images = try ImageObserver(session, in: folder, events: events, reportingTo: observer)
    let trainer = try trainer(
      reportingTo: [observer, images, EventObserver(events, reportingTo: observer)], shouldStop: shouldStop)
    let outcome = try trainer.run(resuming: resuming)
    try events.close()
    return outcome
  }

  /// Takes the first stages from another run, which has the same recipe up to their end; `train` goes on after them. The numbers of
  /// their epochs are copied.
  ///
  /// - Parameter other: A finished run of a recipe as `FirstStages` makes it.
  /// - Throws: `RecipeError` if the folder holds a run of another recipe, or the other run builds on runs that have changed;
  ///   `FileError` if the run has begun, another process works on it, or the other run has not finished or does not fit.
  public func start(afterStagesOf other: RunFolder) throws {
    let lock = try lock ?? folder.lock()
    self.lock = lock
    if folder.exists { try adoptRecipe() }
    guard !FileManager.default.fileExists(atPath: folder.checkpoint.path) else {
      throw FileError(folder.url.relativePath, "has begun to train; go on with it, or remove it")
    }
    let checkpoint = try Checkpoint.read(other.checkpoint)
    try other.require(trainedRuns: session.trainedRuns)
    try begin(in: lock, keepsRuns: folder.exists)
    let records = try MetricsLog.read(other.metrics)
    do { try AtomicFile.write(Data(contentsOf: other.metrics), to: folder.metrics) } catch let error as CocoaError {
      throw FileError(other.metrics.path, "cannot be read: \(systemReason(of: error))")
    }
    let events = try EventFile(folder.events)
    let writer = EventObserver(events, reportingTo: observer)
    for record in records {
      writer.finishedEpoch(
        record, of: session.composition.stages.first { $0.recipe.name == record.stage }?.recipe.epochs ?? 0)
    }
    try events.close()
    // Last, since a run with a checkpoint goes on from it.
    try trainer(reportingTo: [observer], shouldStop: { false }).start(after: checkpoint, of: other)
    existing = .resume
  }

  /// Clears the folder for training from the start.
  private func begin(in lock: RunLock, keepsRuns: Bool) throws {
    try requireNotBuiltOnItself()
    try folder.requireNotOwned(session.inputs)
    let kept = try lock.clear(keepsRuns: keepsRuns)
    if let note = RunFolder.note(keeping: kept) { observer?.noticed(.note(note)) }
    try folder.create()
    // First: by them a folder is known as a run's.
    let recipe = session.recipe.yaml()
    try folder.mark(.run, recipe: recipe)
    try AtomicFile.write(recipe, to: folder.recipe)
    try folder.write(trainedRuns: session.trainedRuns)
    try folder.note([folder.split, folder.data])
    try session.writeSplit(to: folder.split)
    try session.writeData(to: folder.data)
  }

  private func trainer(
    reportingTo observers: [(any TrainingObserver)?], shouldStop: @escaping () -> Bool
  ) throws -> Trainer {
    try Trainer(
      session.composition,
      data: TrainingData(
        training: session.training, validation: session.validation, test: session.test, digest: session.dataset.digest),
      folder: folder, observer: Observers(observers.compactMap { $0 }), featureNames: session.dataset.featureNames,
      shouldStop: shouldStop)
  }

  private func requireNotBuiltOnItself() throws {
    for path in session.trainedRuns.keys.sorted() where URL(fileURLWithPath: path).realPath == folder.url.realPath {
      throw RecipeError("the recipe builds on the run in \(path), which it would replace; choose another folder")
    }
  }

  // MARK: Measuring and drawing

  /// Measures the model on a part of the data: the losses of the last stage and the recipe's metrics.
  ///
  /// - Throws: `RecipeError` if the part is missing or a metric cannot be measured on it.
  public func evaluate(_ part: DataPart = .test) throws -> EvaluationResult { try session.evaluate(part) }

  /// Returns the latents (means of Gaussian codes) of every example of a part, in its order, `[count, latent]`.
  ///
  /// - Throws: `RecipeError` if the part is missing.
  public func encode(_ part: DataPart = .test) throws -> LatentSet { try session.encode(part) }

  /// Returns the images of a part and their reconstructions, brightness from 0 to 1, without padding.
  ///
  /// - Throws: `RecipeError` for a run on tables, and for one without a decoder.
  public func reconstruct(_ part: DataPart = .test) throws -> Reconstructor.Result {
    try Reconstructor(session, named: folder.name).reconstruct(session.part(part).examples, ownClasses: true)
  }

  /// Draws latents with the recipe's sampler and decodes them.
  ///
  /// - Parameters:
  ///   - classes: The classes, in this order; nil for all. Without labels, ten times `perClass` latents are drawn.
  ///   - perClass: Draws of each class.
  ///   - seed: The seed of the draws, 0 or more; by default the run's.
  /// - Throws: `RecipeError` for an unknown class or a negative seed, and for a sampler whose draws are not finite.
  public func sample(classes: [Int]? = nil, perClass: Int = 10, seed: Int? = nil) throws -> Samples {
    guard (seed ?? 0) >= 0 else { throw RecipeError("seed: found \(seed ?? 0), expected a whole number of at least 0") }
    var generator = try Generator(
      seed: UInt64(seed ?? session.recipe.seed), for: "samples", device: session.device)
    return try session.sample(classes: classes, perClass: perClass, reference: reference(), using: &generator)
  }

  /// The latents that samplers are fitted to: those stored with a finished run, else encoded anew.
  func reference() throws -> LatentSet {
    // Those of a run that has finished since it was opened are of other weights; so may latents without a summary be, which is
    // written last, and removed where a run goes on.
    guard session.hasFinalWeights,
      [folder.summary, folder.latents].allSatisfy({ FileManager.default.fileExists(atPath: $0.path) })
    else { return try encode(.train) }
    let tensors = try Safetensors.read(folder.latents).tensors
    guard let latents = tensors["latents"] else { return try encode(.train) }
    return LatentSet(
      latents: try latents.to(session.device), labels: try tensors["labels"]?.to(session.device),
      labelled: try tensors["labelled"]?.to(session.device))
  }
}

extension RunFolder {
  /// The sentence about files that stayed when the run in the folder was replaced; nil for none.
  package static func note(keeping paths: [String]) -> String? {
    guard !paths.isEmpty else { return nil }
    return
      "kept \(paths.listed(atMost: 10)): an earlier version listed them in files.txt without a proof that it wrote "
      + "them; remove what you do not need"
  }

  /// - Throws: `FileError` where a run is in the folder.
  package func refuseRun() throws {
    guard !exists else {
      throw FileError(url.relativePath, "holds a run already; choose another folder, replace the run or resume it")
    }
  }
}
