import ArgumentParser
import Datasets
import Figures
import Files
import Foundation
import LatentKit
import Runs
import Statistics
import Training

extension OperatingCurve.Similarity: ExpressibleByArgument {}

struct Verify: PartCommand {
  static let configuration = CommandConfiguration(
    abstract: "Tell same from different and enrol classes by the latents of a trained run.",
    discussion: """
        host verify runs/open-set                     # the classes that data.holdOut held out
        host verify runs/demo --data fashion-mnist    # another data set of the same size
        host verify runs/demo --part test --enrol 1 --output curve.png
        host verify runs/demo --data fashion-mnist --predictions classes.csv

      Verification is over all pairs of a number of examples: the area under the \
      ROC curve (AUC) and the equal error rate (EER). Enrolment gives each class the mean \
      of a few of its examples, and the others the nearest of these; ten draws of them, \
      of which --predictions writes the first. Held-out classes are also enrolled beside \
      those of training.
      """)

  @Argument(help: ArgumentHelp("The folder of a run.", valueName: "run"), completion: .directory) var folder: String
  @Option(help: "Another data set than the run's, of the same size, whose classes were not seen.") var data: String?
  @Option(help: "train, validation or test; unless said the held-out classes, or test where none are.")
  var part: DataPart?
  @Option(help: "How alike two latents are: by their Euclidean distance (euclidean), or by their angle (cosine).")
  var similarity = OperatingCurve.Similarity.euclidean
  @Option(help: "Examples to compare, drawn at random; there are half their square of pairs.") var examples = 2000
  @Option(help: "Examples of each class that are enrolled.") var enrol = 5
  @Option(help: ArgumentHelp("A picture of the curve; none unless said.", valueName: "file.png")) var output: String?
  @Option(
    help: ArgumentHelp(
      "The class of each example by the first draw of enrolled ones; no file unless said.", valueName: "file.csv"))
  var predictions: String?
  @OptionGroup(title: "Parts in other languages") var foreign: ForeignOptions
  @OptionGroup(title: "Machine") var machine: MachineOptions

  func validate() throws {
    guard (2...20_000).contains(examples) else {
      throw ValidationError("--examples is \(examples), expected 2 to 20000")
    }
    guard (1...10_000).contains(enrol) else { throw ValidationError("--enrol is \(enrol), expected 1 to 10000") }
  }

  func run(in host: Host) throws {
    let console = host.console
    let output = try output.map { try OutputFile.named($0, by: "--output", endings: ["png", "svg"]) }
    if output != nil, let missing = FigurePrograms.missing { throw FigureError(missing) }
    let predictions = try predictions.map { try OutputFile.named($0, by: "--predictions", endings: ["csv"]) }
    let url = URL(fileURLWithPath: folder)
    let reading = try RunFolder(url).lockForReading()
    defer { withExtendedLifetime(reading) {} }
    let observer = ConsoleObserver(console)
    let session = try Session(opening: url, catalog: host.catalog, machine: machine.machine(), observer: observer)
    if let predictions { try OutputFile.require(predictions, besides: session.inputs, by: "--predictions") }
    let (source, title, names) = try source(session, observer)
    let encoded = try session.evaluator.encode(source)
    let set = try encoded.withLabels()
    guard let labels = set.labels else {
      throw RecipeError("\(title) have no labels, by which same and different are known; name other data")
    }
    let count = try labels.size(0)
    var generator = try Generator(seed: session.recipe.randomSeed, for: "verification")
    let chosen = try generator.permutation(count).slice(0..<min(count, examples)).sorted(axis: 0).values
      .to(labels.device)
    let (few, classes) = (try set.latents.rows(chosen), try labels.rows(chosen))
    let kinds = try Set(classes.ints()).count
    guard kinds > 1, try classes.size(0) > kinds else {
      throw RecipeError(
        "\(title): found \(try classes.size(0)) examples of \(kinds) classes, expected pairs of one class and of two; "
          + "compare more examples or other data")
    }
    let curve = try OperatingCurve(pairsOf: few, labels: classes, by: similarity)
    let retrieval = try Retrieval(of: few, labels: classes)
    console.say("\(title): \(count) examples of \(try Set(labels.ints()).count) classes, \(few.shape[0]) compared")
    let (measure, threshold) =
      similarity == .euclidean ? ("distance", -curve.equalErrorThreshold) : ("cosine", curve.equalErrorThreshold)
    var lines = [
      ["verification AUC", String(format: "%.5f", curve.area)], ["equal error rate", percent(curve.equalErrorRate)],
      ["\(measure) at that rate", String(format: "%.4g", threshold)],
      ["TAR at 1 % FAR", percent(curve.truePositiveRate(at: 0.01))],
      ["MAP@R", percent(retrieval.meanAveragePrecision)], ["precision at 1", percent(retrieval.precisionAtOne)],
    ]
    do {
      let draws = try (0..<10).map { _ in
        try Enrolment(set.latents, labels: labels, examples: enrol, order: generator.permutation(count).ints())
      }
      func accuracy(beside known: Tensor? = nil) throws -> String {
        percent(try draws.reduce(0) { try $0 + $1.accuracy(beside: known) } / 10)
      }
      lines.append(["accuracy of \(enrol) enrolled examples a class, mean of 10 draws", try accuracy()])
      if source === session.unseen, let classCount = session.dataset.classCount {
        let known = try session.encode(.train).classMeans(classCount)
        lines.append(["the same beside the \(classCount) classes of training", try accuracy(beside: known)])
      }
      if let predictions {
        let rows = try encoded.labelled?.nonzero().squeezed(1).ints()
        try write(draws[0], rows: rows, names, to: predictions)
      }
    } catch let error as RecipeError {
      guard predictions == nil else { throw error }
      console.warn("note: no enrolment: \(error)")
    }
    for line in aligned(lines, numbersFrom: 1) { console.say("  \(line)") }
    if let predictions { console.say("predictions  \(predictions.relativePath)") }
    if let output {
      try OutputFile.writePicture(output) { try draw(curve, title, to: $0) }
      console.say("picture  \(output.relativePath)")
    }
  }

  /// The examples that are compared, what they are in messages, and the names of their classes.
  private func source(_ session: Session, _ observer: ConsoleObserver) throws -> (BatchSource, String, [String]?) {
    guard let data else {
      if part == nil, let unseen = session.unseen {
        let names = session.dataset.unseenNames.map { " (\($0.joined(separator: ", ")))" } ?? ""
        return (unseen, "held-out classes of \(session.dataset.name)\(names)", session.dataset.unseenNames)
      }
      let title = "\((part ?? .test).rawValue) examples of \(session.dataset.name)"
      return (try session.part(part ?? .test), title, session.dataset.classNames)
    }
    let dataset = try session.dataset(named: data, observer: observer)
    guard dataset.inputShape == session.dataset.inputShape, dataset.train.areImages == session.dataset.train.areImages
    else {
      throw RecipeError(
        "the run reads inputs of shape \(session.dataset.inputShape), and \(data) has \(dataset.inputShape); name data of "
          + "the same size")
    }
    let wanted = part ?? .test
    let examples = wanted == .train ? dataset.train : wanted == .test ? dataset.test : dataset.validation
    guard let examples else { throw RecipeError("\(data) has no \(wanted.rawValue) part; name another by --part") }
    let source = try BatchSource(
      examples, settings: session.settings, classCount: dataset.classCount, device: session.device)
    return (source, "\(wanted.rawValue) examples of \(data)", dataset.classNames)
  }

  /// Writes the class of each example, and the nearest enrolled one where it was not enrolled itself.
  ///
  /// - Parameter rows: The place in the data of each that has a label; nil where all have.
  private func write(_ enrolment: Enrolment, rows: [Int]?, _ names: [String]?, to url: URL) throws {
    func name(_ place: Int) -> String {
      let label = enrolment.classes[place]
      return names.map { $0[label] } ?? "\(label)"
    }
    let (classes, found) = (try enrolment.places.ints(), try enrolment.nearest())
    var lines = enrolment.probeRows.indices.map {
      (row: enrolment.probeRows[$0], cells: [name(classes[$0]), "no", name(found[$0])])
    }
    for (place, enrolled) in enrolment.enrolledRows.enumerated() {
      lines += enrolled.map { (row: $0, cells: [name(place), "yes", ""]) }
    }
    let table =
      [["example", "class", "enrolled", "prediction"]]
      + lines.sorted { $0.row < $1.row }.map { ["\(rows?[$0.row] ?? $0.row)"] + $0.cells }
    try AtomicFile.write(table.map(CSV.row).joined(), to: url)
  }

  private func draw(_ curve: OperatingCurve, _ title: String, to url: URL) throws {
    // Two million pairs make as many points, of which a thousand draw the same line.
    let step = max(curve.thresholds.count / 1000, 1)
    let last = curve.thresholds.count - 1
    let places = Array(stride(from: 0, to: last, by: step)) + [last]
    let plot = LinePlot(
      title: title, xLabel: "false acceptance", yLabel: "true acceptance",
      series: [
        LinePlot.Series(
          String(format: "AUC %.4f, EER %.2f %%", curve.area, 100 * curve.equalErrorRate),
          places.map { (curve.falsePositiveRates[$0], curve.truePositiveRates[$0]) }),
        LinePlot.Series("chance", [(0, 0), (1, 1)]),
      ])
    try LinePlot.write([plot], to: url)
  }

  private func percent(_ share: Double) -> String { String(format: "%.2f %%", 100 * share) }
}
