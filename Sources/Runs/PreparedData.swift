import Datasets
import Files
import Foundation
import LatentKit
import Recipes
import Training

/// The data of a recipe as its model takes them.
struct PreparedData {
  /// The recipe, with every setting of the data.
  var recipe: Recipe
  /// The examples of all parts, after the transforms.
  let dataset: Dataset
  let settings: DataSettings
  /// Fitted on the training part.
  let transforms: TransformChain
  let shape: DataShape
  /// Why the examples are not here; nil where they are.
  var absence: String?

  /// Loads the data; those of a run that are not here, or have changed, are known by what it kept of them.
  ///
  /// - Parameters:
  ///   - recipe: Resolved.
  ///   - folder: That of the run which is opened; nil for one that is to be trained.
  ///   - check: Called with the loaded data; may throw to refuse them.
  init(
    of recipe: Recipe, _ composer: Composer, _ machine: Machine, openedFrom folder: RunFolder?,
    observer: (any RunObserver)?, checking check: (Dataset) throws -> Void
  ) throws {
    guard let choice = recipe[.data] else { throw RecipeError("the recipe names no data; add 'data: mnist'") }
    let entry = try composer.catalog.dataset(choice.use)
    let settings = try entry.sharedSettings(choice.with)
    let loaded: Dataset
    do {
      loaded = try entry.load(choice.with, from: machine.dataFolder, seed: recipe.randomSeed)
      try check(loaded)
    } catch {
      guard error is FileError || error is DatasetError, let folder,
        FileManager.default.fileExists(atPath: folder.data.path)
      else { throw error }
      try self.init(recipe, choice, keptIn: folder.data, composer, absence: "\(error)")
      observer?.noticed(.note("the run's data are not here as they were: \(error)"))
      return
    }
    // What is to be said of files was said in training.
    let isOfFiles = if case .embedded = loaded.origin { false } else { true }
    if settings.embedded != true, !(folder != nil && isOfFiles), let note = loaded.note {
      observer?.noticed(.note(note))
    }
    try self.init(recipe, choice, loaded, entry, settings, composer, machine)
  }

  // MARK: From their files

  /// Cuts loaded data into parts and transforms them.
  ///
  /// - Parameters:
  ///   - recipe: Resolved.
  ///   - loaded: As its entry loads them, uncut.
  ///   - written: The settings of the recipe.
  private init(
    _ recipe: Recipe, _ choice: PartChoice, _ loaded: Dataset, _ entry: DatasetEntry, _ written: DataSettings,
    _ composer: Composer, _ machine: Machine
  ) throws {
    var settings = written
    if case .embedded = loaded.origin {
      settings.embedded = true
    } else if loaded.train.areImages {
      settings.embedded = false
    }
    if loaded.train.areImages, choice.with["pad"] == nil {
      settings.pad = settings.padding(toMultiplesFor: loaded.inputShape)
    }
    var values = try entry.resolved(choice.with)
    if values["pad"] != nil { values["pad"] = .int(settings.pad) }
    // So that the run opens without the flag that named the folder.
    if values["path"] == .null, let folder = machine.dataFolder { values["path"] = .string(folder.relativePath) }
    if values["embedded"] != nil { values["embedded"] = settings.embedded.map { .bool($0) } ?? .null }
    self.recipe = recipe
    self.recipe[.data]?.with = values

    var dataset = try loaded.prepared(settings, seed: recipe.randomSeed)
    let title = "data '\(choice.use)'"
    transforms = try dataset.transform(
      composer.transforms(
        of: composer.resolve(self.recipe),
        for: DataShape(title: title, inputShape: dataset.inputShape, inputRange: nil, classCount: dataset.classCount)))
    guard dataset.test != nil else { throw RecipeError("\(title) has no test part; set data.test to a share") }
    shape = try DataShape(of: dataset, title: title, settings, transforms)
    (self.dataset, self.settings) = (dataset, settings)
  }
}

extension DataShape {
  /// - Parameter dataset: After the transforms.
  fileprivate init(of dataset: Dataset, title: String, _ settings: DataSettings, _ transforms: TransformChain) throws {
    let training = try BatchSource(dataset.train, settings: settings, classCount: dataset.classCount)
    self.init(
      title: title, inputShape: training.inputShape, inputRange: transforms.outputRange ?? training.inputRange,
      padding: dataset.train.areImages ? settings.pad : 0, classCount: dataset.classCount,
      classNames: dataset.classNames, isPartlyLabelled: dataset.train.isLabelled != nil,
      isWeighted: dataset.train.weights != nil, trainingCount: dataset.train.count)
    validationCount = dataset.validation?.count ?? 0
    if settings.labelledShare == nil {
      labelledByChance = try dataset.train.isLabelled.map { try $0.to(.int64).sum().ints()[0] }
    }
    inputUnits = try DataShape.units(dataset, transforms)
    missingClasses = try dataset.train.missingClasses(dataset.classCount)
    if !dataset.train.areImages {
      let largest = try dataset.train.inputs.abs().max().item()
      largestInput = largest.isFinite ? largest : nil
    }
  }

  /// What rows of numbers are made of: the names of their columns, and the fitted transforms.
  private static func units(_ dataset: Dataset, _ transforms: TransformChain) throws -> String {
    guard !dataset.train.areImages else { return "" }
    var bytes = Data((dataset.featureNames ?? []).joined(separator: "\n").utf8)
    for link in transforms.links {
      bytes += Data("\n\(link.name)".utf8)
      for (name, values) in link.transform.parameters.sorted(by: { $0.key < $1.key }) {
        bytes += Data(" \(name) ".utf8)
        bytes += try values.to(.cpu).bytes()
      }
    }
    return try Checksum(.sha256, of: bytes).digits
  }
}

// MARK: - From what a run kept of them

/// What `data.safetensors` holds beside what the transforms were fitted to.
private struct KeptData: Codable {
  static let key = "data"
  let outline: DatasetOutline
  let shape: DataShape
}

extension Session {
  /// Writes what a model needs to be used where its data are not: no examples, but what is known of them, and what transforms were
  /// fitted to.
  func writeData(to url: URL) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let kept = try encoder.encode(KeptData(outline: DatasetOutline(of: dataset), shape: composition.data))
    try Safetensors.write(
      transforms.parameters(), metadata: [KeptData.key: String(decoding: kept, as: UTF8.self)], isChecked: true, to: url
    )
  }
}

extension PreparedData {
  /// Reads what a run kept of its data.
  ///
  /// - Parameters:
  ///   - recipe: The run's.
  ///   - absence: Why the data are not here.
  /// - Throws: `FileError` for a file that is damaged or of another version.
  init(_ recipe: Recipe, _ choice: PartChoice, keptIn url: URL, _ composer: Composer, absence: String) throws {
    let (tensors, metadata) = try Safetensors.read(url, isChecked: true)
    guard
      let kept = try? JSONDecoder().decode(KeptData.self, from: Data((metadata[KeptData.key] ?? "").utf8))
    else {
      throw FileError(url.path, "does not describe data as this version does; put the run's data back")
    }
    (dataset, shape) = (try kept.outline.dataset(), kept.shape)
    settings = try composer.catalog.dataset(choice.use).sharedSettings(choice.with)
    let known = DataShape(
      title: shape.title, inputShape: dataset.inputShape, inputRange: nil, classCount: dataset.classCount)
    transforms = try TransformChain(
      composer.transforms(of: composer.resolve(recipe), for: known), restoredFrom: tensors)
    (self.recipe, self.absence) = (recipe, absence)
  }
}
