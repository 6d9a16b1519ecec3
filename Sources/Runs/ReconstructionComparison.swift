import Datasets
import Figures
import Foundation
import LatentKit
import Recipes
import Training

extension Session {
  /// The session's own data, or another set, with all its examples.
  ///
  /// - Parameters:
  ///   - name: A data set by name; nil for the session's own.
  ///   - observer: Hears where the data come from, when that is not the full set.
  /// - Throws: As `DatasetEntry.load`.
  public func dataset(named name: String?, observer: (any RunObserver)? = nil) throws -> Dataset {
    guard let name, name != dataset.name else { return dataset }
    let other = try catalog.dataset(name).load(from: machine.dataFolder)
    if let note = other.note { observer?.noticed(.note(note)) }
    return try other.prepared(DataSettings(), seed: recipe.randomSeed)
  }
}

/// Images that runs are to reconstruct: of the first run's own data, or of a set that none has seen.
public struct UnseenImages {
  /// Where the images come from.
  public let dataset: Dataset
  /// The images, with labels where the set has some.
  public let examples: Examples
  /// How many of what they are: `20800 test images`.
  public let title: String

  /// - Parameters:
  ///   - dataset: Where the images come from; see `Session.dataset(named:)`.
  ///   - classes: Which classes; nil for all.
  /// - Throws: `RecipeError` for a part that is not there, and where it has no example of the classes.
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
    guard let classes, let labels = try all.labels?.ints() else {
      (examples, title) = (all, "\(all.count) \(part.rawValue) images")
      return
    }
    let chosen = labels.indices.filter { classes.contains(labels[$0]) }
    guard !chosen.isEmpty else {
      throw RecipeError("the \(part.rawValue) part of \(dataset.name) has no example of these classes; choose others")
    }
    examples = try all.subset(Tensor(chosen.map(Int64.init)))
    let noun = classes.count == 1 ? "1 class" : "\(classes.count) classes"
    title = "\(examples.count) \(part.rawValue) images of \(noun)"
  }
}

/// Several runs reconstruct the same images (Figure 9 of Zhu & Zhang 2019): a picture, and the errors beside those on each
/// run's own test part.
public struct ReconstructionComparison {
  /// The unit of the errors.
  public static let unit = "mean squared error of a pixel, brightness from 0 to 1, padding left out"

  /// One run's mean squared error of a pixel.
  public struct Row: Sendable {
    /// The name of the run.
    public let run: String
    /// On the images that are compared.
    public let error: Double
    /// On the run's own test part.
    public let ownError: Double
    /// The part in words: `mnist, 10000 images`.
    public let own: String
  }

  /// The images in words: `fashion-mnist, 10000 test images`.
  public let title: String
  /// The errors, in the order of the runs.
  public let rows: [Row]
  /// The images that were drawn, with a row of reconstructions for each run.
  public let grid: ImageGrid
  /// Notes on some runs.
  public let notes: [String]

  /// - Parameter count: How many images to draw, of each class alike.
  /// - Throws: `RecipeError` where a run reads images of another size.
  public init(of runs: [Reconstructor], on source: UnseenImages, count: Int) throws {
    let examples = source.examples
    for run in runs { try run.require(examples.inputShape, of: source.dataset.name) }
    let few = try examples.balanced(
      min(count, examples.count), seed: runs[0].session.recipe.randomSeed, for: "reconstruction")
    var (rows, notes): ([Row], [String]) = ([], [])
    var pictures: [(label: String, images: Tensor)] = []
    var originals: Tensor?
    for run in runs {
      let isOwn = run.session.dataset.name == source.dataset.name
      let drawn = try run.reconstruct(few, ownClasses: isOwn)
      originals = drawn.originals
      pictures.append((runs.count == 1 ? "reconstruction" : run.name, drawn.reconstructions))
      let test = run.session.test.examples
      rows.append(
        Row(
          run: run.name, error: try run.reconstruct(examples, ownClasses: isOwn).error,
          ownError: try run.reconstruct(test, ownClasses: true).error,
          own: "\(run.session.dataset.name), \(test.count) images"))
      if run.isConditional, !isOwn {
        notes.append(
          "'\(run.name)' is conditioned on the class; each image of \(source.dataset.name) is decoded as the class of least error")
      }
    }
    guard let originals else { throw RecipeError("there is no run to reconstruct with; name one") }
    let caption = "\(few.count) of \(source.title) of \(source.dataset.name) and their reconstructions"
    grid = try ImageGrid.comparison(of: originals, with: pictures, caption: caption)
    (title, self.rows, self.notes) = ("\(source.dataset.name), \(source.title)", rows, notes)
  }

  /// The name of the errors of `rows` beside other measures.
  public var measure: String { "reconstruction error on \(title)" }

  /// A line of heads, then one for each run.
  public var table: [[String]] {
    [["run", title, "own test part"]]
      + rows.map { [$0.run, "\(number($0.error))", "\(number($0.ownError))  \($0.own)"] }
  }
}
