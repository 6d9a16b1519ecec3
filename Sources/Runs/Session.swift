import Datasets
import Foundation
import LatentKit
import Recipes
import Training

/// A resolved recipe with its data and its model, ready to be trained, measured and sampled. It writes no files.
public struct Session {
  /// With every part and every setting, those of the data too.
  public let recipe: Recipe
  /// Every part that recipes can name.
  public let catalog: Catalog
  /// Where data sets are looked for, and what computes.
  public let machine: Machine
  /// The examples of all parts, after the transforms.
  public let dataset: Dataset
  /// How examples are presented to the model.
  public let settings: DataSettings
  /// The transforms of the data, fitted on the training part; it takes made examples back to the data's units.
  public let transforms: TransformChain
  /// The model, its sampler and metrics, and the stages of its training.
  public let composition: Composition
  /// The training part.
  public let training: BatchSource
  /// Nil where the recipe holds out no validation part.
  public let validation: BatchSource?
  /// The test part.
  public let test: BatchSource

  /// Loads the data, checks that the parts fit each other and the data, and composes the model.
  ///
  /// - Parameters:
  ///   - recipe: Resolved first where it is not.
  ///   - machine: Applied to the whole process, as `Machine.apply` says.
  ///   - observer: Hears where the data come from, when that is not what the recipe asks for.
  ///   - check: Looks at the data before anything is made of them.
  /// - Throws: `ConfigError` for names and settings of the recipe, `RecipeError` for parts that cannot work with the data or
  ///   with each other, `DatasetError` and `FileError` for data.
  public init(
    _ recipe: Recipe, catalog: Catalog, machine: Machine = Machine(), observer: (any RunObserver)? = nil,
    checking check: (Dataset) throws -> Void = { _ in }
  ) throws {
    try machine.apply()
    let composer = Composer(catalog)
    var recipe = try composer.resolve(recipe)
    guard let choice = recipe[.data] else { throw RecipeError("the recipe names no data; add 'data: mnist'") }
    let entry = try catalog.dataset(choice.use)
    var settings = try entry.sharedSettings(choice.with)
    let loaded = try entry.load(choice.with, from: machine.dataFolder, seed: recipe.randomSeed)
    try check(loaded)
    if case .embedded = loaded.origin {
      if settings.embedded != true, let note = loaded.note { observer?.noticed(.note(note)) }
      settings.embedded = true
    } else if loaded.train.areImages {
      settings.embedded = false
    }
    var values = try entry.resolved(choice.with)
    if values["embedded"] != nil { values["embedded"] = settings.embedded.map { .bool($0) } ?? .null }
    recipe[.data] = PartChoice(choice.use, with: values)

    var dataset = try loaded.prepared(settings, seed: recipe.randomSeed)
    let title = "data '\(choice.use)'"
    transforms = try dataset.transform(
      composer.transforms(
        of: composer.resolve(recipe),
        for: DataShape(title: title, inputShape: dataset.inputShape, inputRange: nil, classCount: dataset.classCount)))
    guard let held = dataset.test else { throw RecipeError("\(title) has no test part; set data.test to a share") }
    func source(_ examples: Examples) throws -> BatchSource {
      try BatchSource(examples, settings: settings, classCount: dataset.classCount, device: machine.device)
    }
    training = try source(dataset.train)
    validation = try dataset.validation.map(source)
    test = try source(held)
    let shape = DataShape(
      title: title, inputShape: training.inputShape, inputRange: transforms.outputRange ?? training.inputRange,
      padding: dataset.train.areImages ? settings.pad : 0, classCount: dataset.classCount,
      classNames: dataset.classNames, isPartlyLabelled: dataset.train.isLabelled != nil)
    for warning in try composer.dryRun(recipe, for: shape, device: machine.device) {
      observer?.noticed(.warning(warning))
    }
    composition = try composer.compose(recipe, for: shape, device: machine.device)
    (self.recipe, self.dataset, self.settings) = (composition.recipe, dataset, settings)
    (self.catalog, self.machine) = (catalog, machine)
  }

  /// A finished (or interrupted) run with its weights.
  ///
  /// A table must be the one that the run was trained on.
  ///
  /// - Parameters:
  ///   - folder: The folder of the run.
  ///   - observer: Hears whether the run has not finished.
  ///   - change: What to say differently from the run's recipe, the sampler for example; weights must still fit.
  /// - Throws: As the other init, and `RecipeError` for a folder that is none of a run, `FileError` for one that lacks its
  ///   checkpoint, has a damaged one, or whose table has changed.
  public init(
    opening folder: URL, catalog: Catalog, machine: Machine = Machine(), observer: (any RunObserver)? = nil,
    changing change: (inout Recipe) throws -> Void = { _ in }
  ) throws {
    let (path, folder) = (folder.relativePath, RunFolder(folder))
    guard folder.exists else {
      throw RecipeError("\(path) is not the folder of a run: it has no recipe.yaml; name one that 'host compose' made")
    }
    var recipe = try Recipe.read(folder.recipe).recipe
    try change(&recipe)
    let checkpoint = try Checkpoint.read(folder.checkpoint)
    try self.init(recipe, catalog: catalog, machine: machine, observer: observer) {
      try checkpoint.require(table: $0.digest, from: folder.checkpoint)
    }
    try checkpoint.load(composition, from: folder.checkpoint)
    if !checkpoint.position.isFinished {
      observer?.noticed(.note("the run in \(path) has not finished; these are the weights of its last checkpoint"))
    }
  }

  /// The device that the model computes on.
  public var device: Device { machine.device }

  /// Encodes, reconstructs and measures in evaluation mode.
  public var evaluator: Evaluator { Evaluator(composition) }

  /// Numbers that training can change.
  public var weightCount: Int {
    composition.store.parameters.filter { $0.role == .weight }.reduce(0) { $0 + $1.tensor.count }
  }

  /// The stage whose losses are measured at the end: the last one.
  public var lastStage: Int { composition.stages.count - 1 }

  /// The part of the data of a name.
  ///
  /// - Throws: `RecipeError` for the validation part where the recipe holds out none.
  public func part(_ name: DataPart) throws -> BatchSource {
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

  /// How many training examples have a label, where `data.labelled` hides others; nil where all or none have.
  public var labelledCount: Int? {
    guard let mask = training.examples.isLabelled else { return nil }
    return (try? mask.ints())?.count { $0 == 1 }
  }

  /// Returns the name of a class in pictures and tables.
  public func className(_ label: Int) -> String {
    guard let names = dataset.classNames, label < names.count else { return "\(label)" }
    return names[label]
  }
}

extension Session {
  /// Measures the model on a part of the data: the losses of the last stage and the recipe's metrics.
  public func evaluate(_ part: DataPart = .test) throws -> EvaluationResult {
    try evaluator.evaluate(self.part(part), stage: lastStage, training: training)
  }

  /// Latents (means, where codes are distributions) of every example of a part, in its order.
  public func encode(_ part: DataPart = .test) throws -> LatentSet { try evaluator.encode(self.part(part)) }
}

/// A part of the data: what a model learns from, what is held out to choose by, and what it is measured on at the end.
public enum DataPart: String, CaseIterable, Sendable { case train, validation, test }
