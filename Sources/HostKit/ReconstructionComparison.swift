import Datasets
import Figures
import LatentKit
import Foundation
import Recipes
import Training

/// Images that runs are to reconstruct: of the first run's own data, or of a set that none has seen.
struct UnseenImages {
  let dataset: Dataset
  let examples: Examples
  /// How many of what they are: `20800 test images`.
  let title: String

  /// - Parameters:
  ///   - data: A data set by name; nil for the session's own.
  ///   - classes: Which classes, as in `0,3,Sneaker`; nil for all.
  /// - Throws: `RecipeError` for a part or a class that is not there.
  init(_ data: String?, part: DataPart, classes: String?, for session: Session, dataFolder: URL?) throws {
    var dataset = session.dataset
    if let data, data != dataset.name {
      dataset = try DatasetLibrary.load(data, from: dataFolder)
      if let note = dataset.note { warn("note: \(note)") }
      dataset = try dataset.prepared(DataSettings(), seed: session.recipe.randomSeed)
    }
    let all: Examples? =
      switch part {
      case .train: dataset.train
      case .validation: dataset.validation
      case .test: dataset.test
      }
    guard let all else {
      throw RecipeError("\(dataset.name) has no \(part.rawValue) part here; choose another --part")
    }
    self.dataset = dataset
    guard let asked = try classes.map({ try dataset.classes(named: $0) }), let labels = try all.labels?.ints() else {
      (examples, title) = (all, "\(all.count) \(part.rawValue) images")
      return
    }
    let chosen = labels.indices.filter { asked.contains(labels[$0]) }
    guard !chosen.isEmpty else {
      throw RecipeError("--classes: the \(part.rawValue) part of \(dataset.name) has no example of these classes")
    }
    examples = try all.subset(Tensor(chosen.map(Int64.init)))
    let noun = asked.count == 1 ? "1 class" : "\(asked.count) classes"
    title = "\(examples.count) \(part.rawValue) images of \(noun)"
  }
}

/// Several runs reconstruct the same images (Figure 9 of Zhu & Zhang 2019): a picture, and the errors beside those on each
/// run's own test part.
struct ReconstructionComparison {
  static let unit = "mean squared error of a pixel, brightness from 0 to 1, padding left out"

  /// One run's mean squared error of a pixel.
  struct Row {
    let run: String
    let error: Double
    /// On the run's own test part, and what that is.
    let ownError: Double
    let own: String
  }

  /// What the images are: `fashion-mnist, 10000 test images`.
  let title: String
  let rows: [Row]
  let grid: ImageGrid
  /// What a reader must know about some runs.
  let notes: [String]

  /// - Parameter count: How many images to draw, of each class alike.
  /// - Throws: `RecipeError` where a run reads images of another size.
  init(of runs: [Reconstructor], on source: UnseenImages, count: Int) throws {
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
          "'\(run.name)' is told the class; each image of \(source.dataset.name) has the class that suits it best")
      }
    }
    guard let originals else { throw RecipeError("there is no run to reconstruct with; name one") }
    let caption = "\(few.count) of \(source.title) of \(source.dataset.name) and their reconstructions"
    grid = try ImageGrid.comparison(of: originals, with: pictures, caption: caption)
    (title, self.rows, self.notes) = ("\(source.dataset.name), \(source.title)", rows, notes)
  }

  /// What the errors of `rows` are called beside other measures.
  var measure: String { "reconstruction error on \(title)" }

  /// A line of heads, then one for each run.
  var table: [[String]] {
    [["run", title, "own test part"]]
      + rows.map { [$0.run, "\(number($0.error))", "\(number($0.ownError))  \($0.own)"] }
  }
}

extension Dataset {
  /// The classes of a list such as `0,3,Sneaker`, in its order: names, or numbers where no class is called so.
  ///
  /// - Throws: `RecipeError` for a class that is not there.
  func classes(named list: String) throws -> [Int] {
    guard let classCount else { throw RecipeError("--classes: \(name) has no labels; leave it out") }
    guard list.contains(where: { $0 != "," && $0 != " " }) else {
      throw RecipeError("--classes: found '\(list)', expected classes by number or name, as in 0,3,7")
    }
    return try
      (list.split(separator: ",").map { piece in
        let text = piece.trimmingCharacters(in: .whitespaces)
        if let label = classNames?.firstIndex(where: { $0.lowercased() == text.lowercased() }) { return label }
        if let label = Int(text), (0..<classCount).contains(label) { return label }
        let known = classNames.map { ": " + $0.joined(separator: ", ") } ?? ""
        throw RecipeError("--classes: found '\(text)', expected classes 0 to \(classCount - 1) of \(name)\(known)")
      })
  }
}
