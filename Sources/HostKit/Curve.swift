import ArgumentParser
import Figures
import Files
import Foundation
import LatentKit
import Recipes
import Studies
import Training

struct Curve: PartCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw accuracy over the number of labels, for finished runs.",
    discussion: """
        host curve runs/vae runs/autoencoder --output labels
        host curve Plugins/DownstreamVAE/experiments/table-2.yaml --measure logistic --output table-2
        host curve results.csv --only VAE --only 'raw pixels' --reference 'raw pixels' --output labels

      Metric probe measures it, and rows of an experiment that are named by a number of labels, 'fine-tuned at \
      1,000 labels'. Runs are given by their folders, the file of their experiment (of which nothing is run), or \
      its results.csv. An experiment's curves are of the measures that it compares, unless --measure names others. \
      Written are the picture as PNG and SVG with bars of one standard deviation over seeds, a table as \
      CSV and Markdown, and differences from one contender in pairs of runs of one seed, which were given the same \
      labelled examples where their data are the same.
      """)

  @Argument(
    help: ArgumentHelp("Folders of runs or studies, experiments, and results.csv of experiments.", valueName: "run"))
  var sources: [String]
  @Option(
    help: ArgumentHelp(
      "What to write, without its ending: NAME.png, NAME.svg, NAME.csv and NAME.md.", valueName: "name"))
  var output: String
  @Option(help: "The title of picture and tables.") var title = "Accuracy by the number of labels"
  @Option(
    parsing: .singleValue,
    help: ArgumentHelp("Only measures with this in their name. Repeat for more.", valueName: "text"))
  var measure: [String] = []
  @Option(
    parsing: .singleValue,
    help: ArgumentHelp("Only curves with this in their name. Repeat for more.", valueName: "text"))
  var only: [String] = []
  @Option(
    help: ArgumentHelp("The measure of rows that are named by a number of labels.", valueName: "name"))
  var ofRows = "accuracy"
  @Option(
    help: ArgumentHelp(
      "The curve from which the others' differences are taken, by a part of its name; the first unless said.",
      valueName: "text"))
  var reference: String?
  @Flag(help: "Also accuracy on the examples that were trained on.") var training = false
  @Option(help: ArgumentHelp("Where run folders of experiments are.", valueName: "folder")) var runs = "runs"
  @OptionGroup(title: "Parts in other languages") var foreign: ForeignOptions

  func run(in host: Host) throws {
    guard !sources.isEmpty else { throw ValidationError("name the folders of runs, an experiment or a results.csv") }
    guard !output.hasSuffix("/") else {
      throw ValidationError("--output: found '\(output)', expected a name in that folder")
    }
    let files = try ["png", "svg", "csv", "md"].map { try OutputFile.named("\(output).\($0)", by: "--output") }
    if let missing = FigurePrograms.missing { throw FigureError(missing) }
    let curves = try LabelCurves(wanted(values(in: host)))
    let first = try referenceCurve(of: curves)
    try LinePlot.write([plot(curves)], to: files[0], columns: 1)
    try AtomicFile.write(curves.csv(reference: first), to: files[2])
    try AtomicFile.write(curves.markdown(title: title, reference: first), to: files[3])
    for curve in curves.curves {
      let points = curve.points.map { "\($0.labels): " + String(format: "%.2f", $0.mean) }
      host.console.say("\(curve.name)  \(points.joined(separator: "  "))")
    }
    for file in files { host.console.say("written  \(file.relativePath)") }
  }

  private func values(in host: Host) throws -> [LabelCurves.Value] {
    let choice = LabelMeasures(only: measure, ofRows: ofRows, training: training)
    var values: [LabelCurves.Value] = []
    var folders: [URL] = []
    for source in sources {
      let url = URL(fileURLWithPath: source)
      let inner = url.appendingPathComponent("results.csv")
      if ["yaml", "yml"].contains(url.pathExtension) {
        let fields = try ConfigFile(url, as: "experiment", with: "rows").fields
        if fields["rows"] == nil, fields["encoder"] != nil || fields["extends"] != nil {
          let file = source.quotedForShell
          throw RecipeError(
            "\(source) is a recipe, expected finished runs; train it by 'host compose \(file) --seeds 1,2,3' and name the folder "
              + "of its runs, or list recipes as the rows of an experiment")
        }
        let study = try Study(Experiment(url), catalog: host.catalog, in: URL(fileURLWithPath: runs))
        values += choice.values(of: study.finished(observer: ConsoleObserver(host.console)).results)
      } else if url.pathExtension == "csv" {
        values += try choice.values(inResults: url)
      } else if !RunFolder(url).exists, OutputPlace(inner, followsLinks: true) == .file {
        values += try choice.values(inResults: inner)
      } else {
        let study = RunFolder(url).runs.map(\.url)
        folders += study.isEmpty ? [url] : study
      }
    }
    var leftOut: [URL] = []
    let ofRuns = try choice.values(ofRuns: folders) { leftOut.append($0) }
    guard !(values + ofRuns).isEmpty else {
      var all = choice
      all.only = []
      let known = try unique(all.values(ofRuns: folders).map(\.measure))
      if let text = measure.first, !known.isEmpty { throw UnknownName(text, among: known, of: "measure with") }
      return []
    }
    for folder in leftOut {
      ConsoleObserver(host.console).noticed(
        .note("\(folder.relativePath) has no accuracy over the number of labels: it is left out"))
    }
    return values + ofRuns
  }

  private func wanted(_ values: [LabelCurves.Value]) throws -> [LabelCurves.Value] {
    func name(_ value: LabelCurves.Value) -> String { "\(value.contender), \(value.measure)" }
    let names = unique(values.map(name))
    for text in only where !names.contains(where: { $0.localizedCaseInsensitiveContains(text) }) {
      throw UnknownName(text, among: names, of: "curve with")
    }
    return values.filter { value in
      only.isEmpty || only.contains { name(value).localizedCaseInsensitiveContains($0) }
    }
  }

  private func referenceCurve(of curves: LabelCurves) throws -> LabelCurves.Curve {
    guard let reference else { return curves.curves[0] }
    guard let found = curves.curves.first(where: { $0.name.localizedCaseInsensitiveContains(reference) }) else {
      throw UnknownName(reference, among: curves.curves.map(\.name), of: "curve with")
    }
    return found
  }

  private func plot(_ curves: LabelCurves) -> LinePlot {
    LinePlot(
      title: title, xLabel: "labels", yLabel: "accuracy, %",
      series: curves.curves.map { curve in
        .init(
          curve.name, curve.points.map { (x: Double($0.labels), y: $0.mean) },
          spread: curve.points.contains { $0.deviation != nil } ? curve.points.map { $0.deviation ?? .nan } : [])
      }, logX: true)
  }
}
