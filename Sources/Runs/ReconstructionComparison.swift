import Datasets
import Figures
import Foundation
import LatentKit
import Recipes
import Training

extension Session {
  /// Returns the session's own data, or another set with all its examples; rows like its own go through its transforms.
  ///
  /// - Parameters:
  ///   - name: The name of a data set; nil for the session's own.
  ///   - observer: Notified if the data are not the full set.
  /// - Throws: As `DatasetEntry.load`.
  public func dataset(named name: String?, observer: (any RunObserver)? = nil) throws -> Dataset {
    guard let name, name != dataset.name else {
      try requireData()
      return dataset
    }
    let other = try catalog.dataset(name).load(from: machine.dataFolder)
    if let note = other.note { observer?.noticed(.note(note)) }
    var prepared = try other.prepared(DataSettings(), seed: recipe.randomSeed)
    if !prepared.train.areImages, prepared.inputShape == dataset.inputShape { try prepared.apply(transforms) }
    return prepared
  }
}

/// Images for runs to reconstruct: of the first run's own data, or of an unseen set.
public struct UnseenImages {
  /// The data set of the images.
  public let dataset: Dataset
  /// The images, with labels if the set has some.
  public let examples: Examples
  /// The number and kind of the images: `20800 test images`.
  public let title: String
  /// The names of the classes that were chosen; nil for all.
  public let classNames: [String]?

  /// Selects images of a data set.
  ///
  /// - Parameters:
  ///   - dataset: The data set; see `Session.dataset(named:)`.
  ///   - part: The part of the data.
  ///   - classes: The classes; nil for all.
  /// - Throws: `RecipeError` for a missing part, or one without labels or without an example of the classes.
  public init(_ dataset: Dataset, part: DataPart = .test, classes: [Int]? = nil) throws {
    let all: Examples? =
      switch part {
      case .train: dataset.train
      case .validation: dataset.validation
      case .test: dataset.test
      }
    guard let all else {
      throw RecipeError("\(dataset.name) has no \(part.rawValue) part here; choose another part")
    }
    self.dataset = dataset
    guard let classes else {
      (examples, title, classNames) = (all, "\(all.count) \(part.rawValue) images", nil)
      return
    }
    guard let labels = try all.labels?.ints() else {
      throw RecipeError("\(dataset.name) has no labels, by which classes are chosen; leave them out")
    }
    let chosen = labels.indices.filter { classes.contains(labels[$0]) }
    guard !chosen.isEmpty else {
      throw RecipeError("the \(part.rawValue) part of \(dataset.name) has no example of these classes; choose others")
    }
    examples = try all.subset(Tensor(chosen.map(Int64.init)))
    let noun = classes.count == 1 ? "1 class" : "\(classes.count) classes"
    title = "\(examples.count) \(part.rawValue) images of \(noun)"
    classNames = classes.map { dataset.classNames?[$0] ?? "class \($0)" }
  }
}

/// A comparison of several runs that reconstruct the same images (Figure 9 of Zhu & Zhang 2019): a picture, and the errors
/// beside those on each run's own test part.
public struct ReconstructionComparison {
  /// The measure of all errors.
  public static let unit = "mean squared error of a pixel, brightness from 0 to 1, padding left out"

  /// The errors of one run.
  public struct Row: Sendable {
    /// The name of the run.
    public let run: String
    /// The mean squared error of a pixel on the images that are compared.
    public let error: Double
    /// The same on the run's own test part.
    public let ownError: Double
    /// The name and size of that part: `mnist, 10000 images`.
    public let own: String
  }

  /// The data set and number of the images: `fashion-mnist, 10000 test images`.
  public let title: String
  /// The errors, in the order of the runs.
  public let rows: [Row]
  /// Some of the images, with a row of reconstructions for each run.
  public let grid: ImageGrid
  /// Remarks on how the numbers of some runs were made.
  public let notes: [String]

  /// Reconstructs all images by all runs and draws some.
  ///
  /// - Parameters:
  ///   - runs: One run or more.
  ///   - source: The images.
  ///   - count: The number of images in the picture, balanced over classes.
  /// - Throws: `RecipeError` if there is no run, or one reads images of another size.
  public init(of runs: [Reconstructor], on source: UnseenImages, count: Int) throws {
    guard let first = runs.first else { throw RecipeError("there is no run to reconstruct with; name one") }
    let examples = source.examples
    for run in runs { try run.require(examples.inputShape, of: source.dataset.name) }
    let few = try examples.balanced(
      min(count, examples.count), seed: first.session.recipe.randomSeed, for: "reconstruction")
    var (rows, notes): ([Row], [String]) = ([], [])
    func isOwn(_ run: Reconstructor) -> Bool { run.session.dataset.name == source.dataset.name }
    let drawn = try runs.map { try $0.reconstruct(few, ownClasses: isOwn($0)) }
    for run in runs {
      let isOwn = isOwn(run)
      let test = try run.session.part(.test).examples
      rows.append(
        Row(
          run: run.name, error: try run.reconstruct(examples, ownClasses: isOwn).error,
          ownError: try run.reconstruct(test, ownClasses: true).error,
          own: "\(run.session.dataset.name), \(test.count) images"))
      if run.isConditional, !isOwn {
        notes.append(
          "'\(run.name)' is conditioned on the class; each image of \(source.dataset.name) is decoded as the class of least error"
        )
      }
    }
    let names = source.classNames?.joined(separator: ", ")
    if let names { notes.append("the classes of \(source.dataset.name): \(names)") }
    let caption =
      "\(few.count) of \(source.title) of \(source.dataset.name)\(names.map { " (\($0))" } ?? "") and their reconstructions"
    let pictures = zip(runs, drawn).map {
      (label: runs.count == 1 ? "reconstruction" : $0.name, images: $1.reconstructions)
    }
    grid = try ImageGrid.comparison(of: drawn[0].originals, with: pictures, caption: caption)
    (title, self.rows, self.notes) = ("\(source.dataset.name), \(source.title)", rows, notes)
  }

  /// The name of the errors of `rows` beside other measures.
  public var measure: String { "reconstruction error on \(title)" }

  /// A header, then a line for each run.
  public var table: [[String]] {
    [["run", title, "own test part"]]
      + rows.map { [$0.run, "\(number($0.error))", "\(number($0.ownError))  \($0.own)"] }
  }
}
