import Datasets
import Files
import Foundation
import LatentKit
import Recipes
import Training

/// A resolved recipe with its data and its model, ready to be trained, measured and sampled. A session writes no files.
public struct Session {
  /// The resolved recipe, with every part and every setting, those of the data too.
  public let recipe: Recipe
  /// The parts that recipes can name.
  public let catalog: Catalog
  /// The data folder, device and threads.
  public let machine: Machine
  /// The examples of all parts, after the transforms.
  public let dataset: Dataset
  /// The data's settings, such as padding and range.
  public let settings: DataSettings
  /// The transforms of the data, fitted on the training part; their inverse takes decoded examples to the data's units.
  public let transforms: TransformChain
  /// The model, its sampler and metrics, and the stages of its training.
  public let composition: Composition
  /// The training part.
  public let training: BatchSource
  /// The validation part; nil if the recipe holds out none.
  public let validation: BatchSource?
  /// The test part.
  public let test: BatchSource
  /// Examples of the classes that `data.holdOut` holds out; nil where it holds out none.
  public let unseen: BatchSource?
  /// Why the data are not here, where a run is opened without them; nil where they are. All parts are stand-ins then.
  let absence: String?
  /// False for weights of a run that are not those at its end.
  private(set) var hasFinalWeights = true
  /// Why draws of every class must fail, as the sampler learns from examples of each and training lacks some; nil where they
  /// need not.
  public let drawRefusal: RecipeError?
  /// Sentences for the summary on what the run builds on.
  package private(set) var remarks: [String] = []
  /// The checksums of the runs that this one builds on, by path.
  let trainedRuns: [String: String]

  /// Loads the data, checks that the parts fit each other and the data, and composes the model.
  ///
  /// - Parameters:
  ///   - recipe: The recipe, resolved or not.
  ///   - catalog: The parts that the recipe can name.
  ///   - machine: Applied to the whole process; see `Machine.apply`.
  ///   - observer: Notified of warnings, and if the data are not the full set.
  ///   - check: Called with the loaded data; may throw to refuse them.
  /// - Throws: `ConfigError` for unknown names and wrong settings, `RecipeError` for parts that do not fit the data or each
  ///   other, `DatasetError` and `FileError` for the data.
  public init(
    _ recipe: Recipe, catalog: Catalog, machine: Machine = Machine(), observer: (any RunObserver)? = nil,
    checking check: (Dataset) throws -> Void = { _ in }
  ) throws {
    try self.init(
      recipe, catalog: catalog, machine: machine, observer: observer, runs: TrainedRuns(catalog, machine),
      rehearsing: true, openedFrom: nil, checking: check)
  }

  /// - Parameters:
  ///   - runs: Opens the runs that this one builds on.
  ///   - rehearsing: Whether the model goes through a dry run.
  ///   - folder: That of the run which is opened; nil for one that is to be trained. Warnings about training are left out then.
  init(
    _ recipe: Recipe, catalog: Catalog, machine: Machine, observer: (any RunObserver)?, runs: TrainedRuns,
    rehearsing: Bool, openedFrom folder: RunFolder?, checking check: (Dataset) throws -> Void
  ) throws {
    try machine.apply()
    let isOpened = folder != nil
    let composer = Composer(catalog, openingRuns: { try runs.open($0) }, loadingParts: { try runs.part($0, of: $1) })
    let data = try PreparedData(
      of: composer.resolve(recipe), composer, machine, openedFrom: folder, observer: observer, checking: check)
    (dataset, settings, transforms, absence) = (data.dataset, data.settings, data.transforms, data.absence)
    let (recipe, shape) = (data.recipe, data.shape)
    let device = machine.device
    func source(_ examples: Examples, classCount: Int?) throws -> BatchSource {
      try BatchSource(examples, settings: data.settings, classCount: classCount, device: device)
    }
    let classCount = data.dataset.classCount
    training = try source(data.dataset.train, classCount: classCount)
    validation = try data.dataset.validation.map { try source($0, classCount: classCount) }
    test = try data.dataset.test.map { try source($0, classCount: classCount) } ?? training
    unseen = try data.dataset.unseen.map { try source($0, classCount: nil) }
    var refusal: RecipeError?
    if rehearsing {
      let warnings = try composer.dryRun(
        recipe, for: shape, device: device, isTrained: isOpened,
        announcing: { observer?.noticed(.note($0)) }, refusingDraws: { refusal = $0 })
      for warning in warnings { observer?.noticed(.warning(warning)) }
    }
    drawRefusal = refusal
    composition = try composer.compose(recipe, for: shape, device: device, loadsParts: !isOpened)
    self.recipe = composition.recipe
    (self.catalog, self.machine, trainedRuns) = (catalog, machine, runs.checksums)
    guard !isOpened else { return }
    for slot in Slot.all where slot.isSingle {
      guard let origin = self.recipe[slot]?.origin, origin.isRun, let rows = runs.rows(of: origin.folder),
        let warning = try rows.warning(about: slot.name, from: origin.folder, in: self)
      else { continue }
      observer?.noticed(.warning(warning))
      remarks.append(warning)
    }
  }

  /// Opens a finished or interrupted run with its weights.
  ///
  /// - Parameters:
  ///   - folder: The folder of the run.
  ///   - catalog: The parts that the recipe can name.
  ///   - machine: Applied to the whole process; see `Machine.apply`.
  ///   - observer: Notified of warnings, of metrics that this program cannot make, and if the run has not finished.
  ///   - checkpoint: The weights, one that `keepEpochs` kept say; nil for the last.
  ///   - change: Changes the run's recipe, such as its sampler; weights must still fit.
  /// - Throws: As the other init, `RecipeError` if the folder is not that of a run, `FileError` if its checkpoint is missing
  ///   or damaged, or the data are no longer those that the run was trained on.
  public init(
    opening folder: URL, catalog: Catalog, machine: Machine = Machine(), observer: (any RunObserver)? = nil,
    checkpoint url: URL? = nil, changing change: (inout Recipe) throws -> Void = { _ in }
  ) throws {
    let (path, folder) = (folder.relativePath, RunFolder(folder))
    try OutputPlace.requireReadable(folder.recipe)
    guard folder.exists else {
      throw RecipeError("\(path) is not the folder of a run: it has no recipe.yaml; name one that 'host compose' made")
    }
    try folder.refuseStudy(called: path)
    let source = try Recipe.read(folder.recipe)
    var recipe = source.recipe
    // What measures a model is no part of it.
    for reason in Composer(catalog).removeObsoleteMetrics(of: &recipe) {
      observer?.noticed(.warning("a metric is left out: \(source.located(reason))"))
    }
    try change(&recipe)
    let file = url ?? folder.checkpoint
    let checkpoint = try Checkpoint.read(file)
    do {
      try self.init(
        recipe, catalog: catalog, machine: machine, observer: observer, runs: TrainedRuns(catalog, machine),
        rehearsing: true, openedFrom: folder
      ) {
        try checkpoint.require(digest: $0.digest, from: file)
      }
    } catch let error as ConfigError { throw source.located(error, in: recipe) }
    try folder.require(trainedRuns: trainedRuns)
    try checkpoint.load(composition, from: file)
    hasFinalWeights = url == nil && checkpoint.position.isFinished
    if url != nil, recipe.stages?.indices.contains(checkpoint.position.stage) ?? false {
      let stage = recipe.stages?[checkpoint.position.stage].name ?? ""
      observer?.noticed(
        .note("these are the weights after epoch \(checkpoint.position.epoch) of stage '\(stage)', kept in \(path)"))
    }
    if url == nil, checkpoint.position.isFinished, let stop = recipe.stop(ofLastStageIn: checkpoint.position.stops) {
      observer?.noticed(.note("the run in \(path) has \(stop.weightsText)"))
    }
    if url == nil, !checkpoint.position.isFinished {
      observer?.noticed(.note("the run in \(path) has not finished; these are the weights of its last checkpoint"))
    }
  }

  /// The files and folders that the data were read from, and the runs and the parts of others that this one builds on.
  package var inputs: [URL] {
    var origin = dataset.origin
    while case .cut(let whole, _) = origin { origin = whole }
    let named = recipe[.data]?.with["path"].flatMap { value -> URL? in
      guard case .string(let path) = value, !path.isEmpty else { return nil }
      return URL(fileURLWithPath: path)
    }
    let parts =
      Slot.all.compactMap { $0.isSingle ? recipe[$0]?.origin?.folder : nil } + recipe.foreignManifests
    let others =
      [named].compactMap { $0 } + (trainedRuns.keys.sorted() + parts.sorted()).map { URL(fileURLWithPath: $0) }
    guard case .files(let files) = origin else { return others }
    return files + others
  }

  /// The device that the model computes on.
  public var device: Device { machine.device }

  /// An evaluator of the model: it encodes, reconstructs and measures.
  public var evaluator: Evaluator { Evaluator(composition) }

  /// The number of trainable scalars.
  public var weightCount: Int {
    composition.store.parameters.filter { $0.role == .weight }.reduce(0) { $0 + $1.tensor.count }
  }

  /// The index of the last stage, whose losses are measured at the end.
  public var lastStage: Int { composition.stages.count - 1 }

  /// Returns a part of the data.
  ///
  /// - Throws: `RecipeError` for the validation part if the recipe holds out none, and for a run without its data.
  public func part(_ name: DataPart) throws -> BatchSource {
    try requireData()
    switch name {
    case .train: return training
    case .test: return test
    case .validation:
      guard let validation else {
        throw RecipeError("the recipe holds out no validation part; set data.validation to a share above 0")
      }
      return validation
    }
  }

  /// - Throws: `RecipeError` for a run without its data.
  func requireData() throws {
    guard let absence else { return }
    throw RecipeError(
      "this needs the run's data as they were in training; put them back, or name the folder that has them by --data-dir: \(absence)"
    )
  }

  /// The number of training examples with a label if `data.labelled` hides others; nil if all or none have one.
  public var labelledCount: Int? {
    guard let mask = training.examples.isLabelled else { return nil }
    return (try? mask.ints())?.count { $0 == 1 }
  }

  /// Returns the name of a class in pictures and tables; its number if it has none.
  public func className(_ label: Int) -> String {
    guard let names = dataset.classNames, label < names.count else { return "\(label)" }
    return names[label]
  }
}

extension Session {
  /// Measures the model on a part of the data: the losses of the last stage and the recipe's metrics.
  ///
  /// - Throws: `RecipeError` if the part is missing or a metric cannot be measured on it.
  public func evaluate(_ part: DataPart = .test) throws -> EvaluationResult {
    try evaluator.evaluate(self.part(part), stage: lastStage, training: training, unseen: unseen)
  }

  /// Returns the latents (means of Gaussian codes) of every example of a part, in its order, `[count, latent]`.
  ///
  /// - Throws: `RecipeError` if the part is missing.
  public func encode(_ part: DataPart = .test) throws -> LatentSet { try evaluator.encode(self.part(part)) }
}

/// A part of the data: for training, for choosing settings, and for the final measurement.
public enum DataPart: String, CaseIterable, Sendable { case train, validation, test }
