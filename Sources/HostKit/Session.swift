import Datasets
import Foundation
import LatentKit
import Recipes
import Training

/// A resolved recipe with its data and its model, ready to run.
struct Session {
  let recipe: Recipe
  let dataset: Dataset
  let settings: DataSettings
  /// What the data went through, fitted on the training part; it takes made examples back to the data's units.
  let transforms: TransformChain
  let composition: Composition
  let device: Device
  let training: BatchSource
  let validation: BatchSource?
  let test: BatchSource

  /// Loads the data, checks that the parts fit each other and the data, and composes the model.
  ///
  /// - Parameter check: Looks at the data before anything is made of them.
  init(
    _ resolved: Recipe, machine: MachineOptions, checking check: (Dataset) throws -> Void = { _ in }
  ) throws {
    let device = try machine.apply()
    var recipe = resolved
    guard let choice = recipe.data else { throw RecipeError("the recipe names no data; add 'data: mnist'") }
    var settings = try DataSettings(choice.with, at: "data.with")
    let loaded = try DatasetLibrary.load(choice.use, settings: settings, from: machine.dataFolder)
    try check(loaded)
    if case .embedded = loaded.origin {
      if settings.embedded != true, let note = loaded.note { warn("note: \(note)") }
      settings.embedded = true
    } else if loaded.train.areImages {
      settings.embedded = false
    }
    recipe.data = PartChoice(choice.use, with: try settings.values(for: loaded))

    let composer = Composer(try Host.catalog)
    var dataset = try loaded.prepared(settings, seed: recipe.randomSeed)
    let title = "data '\(choice.use)'"
    transforms = try dataset.transform(
      composer.transforms(
        of: composer.resolve(recipe),
        for: DataShape(title: title, inputShape: dataset.inputShape, inputRange: nil, classCount: dataset.classCount)))
    guard let held = dataset.test else { throw RecipeError("\(title) has no test part; set data.test to a share") }
    func source(_ examples: Examples) throws -> BatchSource {
      try BatchSource(examples, settings: settings, classCount: dataset.classCount, device: device)
    }
    training = try source(dataset.train)
    validation = try dataset.validation.map(source)
    test = try source(held)
    let shape = DataShape(
      title: title, inputShape: training.inputShape, inputRange: transforms.outputRange ?? training.inputRange,
      classCount: dataset.classCount)
    try composer.dryRun(recipe, for: shape, device: device)
    composition = try composer.compose(recipe, for: shape, device: device)
    (self.recipe, self.dataset, self.settings, self.device) = (composition.recipe, dataset, settings, device)
  }

  /// A finished (or interrupted) run with its weights.
  ///
  /// A table must be the one that the run was trained on.
  ///
  /// - Parameter change: What to say differently from the run's recipe, the sampler for example; weights must still fit.
  init(run path: String, machine: MachineOptions, changing change: (inout Recipe) throws -> Void = { _ in }) throws {
    let folder = RunFolder(URL(fileURLWithPath: path))
    guard folder.exists else {
      throw RecipeError("\(path) is not the folder of a run: it has no recipe.yaml; name one that 'host compose' made")
    }
    var recipe = try Recipe.read(folder.recipe).recipe
    try change(&recipe)
    let checkpoint = try Checkpoint.read(folder.checkpoint)
    try self.init(try Composer(Host.catalog).resolve(recipe), machine: machine) {
      try checkpoint.require(table: $0.digest, from: folder.checkpoint)
    }
    try checkpoint.load(composition, from: folder.checkpoint)
    if !checkpoint.position.isFinished {
      warn("note: the run in \(path) has not finished; these are the weights of its last checkpoint")
    }
  }

  var evaluator: Evaluator { Evaluator(composition) }

  /// Numbers that training can change.
  var weightCount: Int {
    composition.store.parameters.filter { $0.role == .weight }.reduce(0) { $0 + $1.tensor.count }
  }

  /// The stage whose losses are measured at the end: the last one.
  var lastStage: Int { composition.stages.count - 1 }

  /// The part of the data of a name.
  func part(_ name: DataPart) throws -> BatchSource {
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

  /// What a class is called in pictures and tables.
  func className(_ label: Int) -> String {
    guard let names = dataset.classNames, label < names.count else { return "\(label)" }
    return names[label]
  }
}

enum DataPart: String, CaseIterable { case train, validation, test }
