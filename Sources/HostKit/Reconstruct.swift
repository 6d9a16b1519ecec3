import ArgumentParser
import Datasets
import Figures
import Foundation
import LatentKit
import Recipes
import Training

struct Reconstruct: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw examples above their reconstructions by trained runs, and measure the error.",
    discussion: """
        host reconstruct runs/demo
        host reconstruct runs/demo --data fashion-mnist     # data that the model never saw
        host reconstruct runs/csae-l runs/csae-c runs/cvae --data emnist-letters --classes 0,3,7

      The error is the mean squared difference of a pixel, brightness from 0 to 1, \
      padding left out, so that runs with other inputs compare. A decoder that is told \
      the class gets the class of the run's own data; for other data, whichever class \
      reconstructs an image best.
      """)

  @Argument(help: ArgumentHelp("The folders of one run or more.", valueName: "run"), completion: .directory)
  var folders: [String]
  @Option(help: "Another data set than the first run's, of the same size.") var data: String?
  @Option(help: "train, validation or test.") var part = DataPart.test
  @Option(help: "How many examples to draw.") var count = 20
  @Option(
    help: ArgumentHelp(
      "Classes of the data, by number or name, as in 0,3,7; all unless said.", valueName: "list")) var classes: String?
  @Option(
    help: ArgumentHelp(
      "The picture; figures/reconstructions.png of the first run unless said, with the data's name where they are not its own.",
      valueName: "file.png"))
  var output: String?
  @OptionGroup(title: "Machine") var machine: MachineOptions

  func validate() throws {
    guard (1...10_000).contains(count) else { throw ValidationError("--count is \(count), expected 1 to 10000") }
  }

  func run() throws {
    if folders.count == 1, data == nil, let table = try tableOfReconstructions() { return say("table    \(table)") }
    let runs = try folders.map { try Reconstructor(run: $0, machine: machine) }
    let own = runs[0].session.dataset.name
    let source = try source(for: runs[0].session)
    for run in runs where run.imageShape != source.examples.inputShape {
      throw RecipeError(
        """
        run '\(run.name)' reads images of \(run.imageShape), and \(source.dataset.name) has \
        \(source.examples.inputShape); name data or runs of the same size
        """)
    }
    let few = try source.examples.balanced(
      min(count, source.examples.count), seed: runs[0].session.recipe.randomSeed, for: "reconstruction")

    var table = [["run", "\(source.dataset.name), \(source.title)", "own test part"]]
    var rows: [(label: String, images: Tensor)] = []
    var originals: Tensor?
    for run in runs {
      let isOwn = run.session.dataset.name == source.dataset.name
      let drawn = try run.reconstruct(few, ownClasses: isOwn)
      originals = drawn.originals
      rows.append((runs.count == 1 ? "reconstruction" : run.name, drawn.reconstructions))
      let test = run.session.test.examples
      table.append([
        run.name, "\(number(try run.reconstruct(source.examples, ownClasses: isOwn).error))",
        "\(number(try run.reconstruct(test, ownClasses: true).error))  \(run.session.dataset.name), \(test.count) images",
      ])
      if run.isConditional, !isOwn {
        say(
          "note: '\(run.name)' is told the class; each image of \(source.dataset.name) has the class that suits it best"
        )
      }
    }
    guard let originals else { return }
    say("mean squared error of a pixel, brightness from 0 to 1, padding left out")
    for line in aligned(table) { say("  \(line)") }

    let caption = "\(few.count) of \(source.title) of \(source.dataset.name) and their reconstructions"
    let picture = try ImageGrid.comparison(of: originals, with: rows, caption: caption).picture
    let name = source.dataset.name == own ? "reconstructions.png" : "reconstructions-\(source.dataset.name).png"
    let url = output.map { URL(fileURLWithPath: $0) } ?? RunFolder(URL(fileURLWithPath: folders[0])).figure(name)
    try picture.write(to: url)
    say("picture  \(url.relativePath)")
  }

  /// Writes rows and their reconstructions side by side, for a model of tables; nil for a model of images.
  private func tableOfReconstructions() throws -> String? {
    let session = try Session(run: folders[0], machine: machine)
    let url = output.map { URL(fileURLWithPath: $0) } ?? RunFolder(URL(fileURLWithPath: folders[0])).reconstructions
    return try session.writeReconstructions(of: session.part(part), count: count, to: url) ? url.relativePath : nil
  }

  /// The images to reconstruct, and how many of what they are.
  private func source(for session: Session) throws -> (dataset: Dataset, examples: Examples, title: String) {
    var dataset = session.dataset
    if let data, data != dataset.name {
      dataset = try DatasetLibrary.load(data, from: machine.dataFolder)
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
      throw RecipeError("\(dataset.name) has no validation part here; choose --part train or test")
    }
    guard let asked = try classes.map({ try dataset.classes(named: $0) }), let labels = try all.labels?.ints() else {
      return (dataset, all, "\(all.count) \(part.rawValue) images")
    }
    let chosen = labels.indices.filter { asked.contains(labels[$0]) }
    guard !chosen.isEmpty else {
      throw RecipeError("--classes: the \(part.rawValue) part of \(dataset.name) has no example of these classes")
    }
    let some = try all.subset(Tensor(chosen.map(Int64.init)))
    let noun = asked.count == 1 ? "1 class" : "\(asked.count) classes"
    return (dataset, some, "\(some.count) \(part.rawValue) images of \(noun)")
  }
}

extension Dataset {
  /// The classes of a list such as `0,3,Sneaker`: numbers or names.
  ///
  /// - Throws: `RecipeError` for a class that is not there.
  func classes(named list: String) throws -> Set<Int> {
    guard let classCount else { throw RecipeError("--classes: \(name) has no labels; leave it out") }
    return try Set(
      list.split(separator: ",").map { piece in
        let text = piece.trimmingCharacters(in: .whitespaces)
        if let label = classNames?.firstIndex(where: { $0.lowercased() == text.lowercased() }) { return label }
        if let label = Int(text), (0..<classCount).contains(label) { return label }
        let known = classNames.map { ": " + $0.joined(separator: ", ") } ?? ""
        throw RecipeError("--classes: found '\(text)', expected classes 0 to \(classCount - 1) of \(name)\(known)")
      })
  }
}
