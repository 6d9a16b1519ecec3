import Datasets
import Files
import Foundation
import LatentKit
import Recipes
import Runs
import Training

/// Accuracy over the number of labels, for several contenders: what probes measure on finished runs.
///
/// A number belongs to a curve by its name: `logistic on mean at 100 labels` is of `logistic on mean`. Where rows of an experiment are
/// named so, `fine-tuned at 1,000 labels`, each is one point of a curve of the measure that is asked for. Runs of one recipe and
/// several seeds are one contender; runs of different recipes are never averaged.
public struct LabelCurves: Sendable {
  /// One number of one run.
  public struct Value: Sendable, Equatable {
    /// What was trained: an experiment's row, or a recipe.
    public var contender: String
    /// What was measured: `logistic on mean`.
    public var measure: String
    /// The number of labels.
    public var labels: Int
    /// The seed and, with folds, the fold of the run.
    public var run: String
    /// The accuracy in percent.
    public var value: Double
    /// The data and how they were split, by a name of any kind; empty where that is unknown.
    public var data: String

    /// Creates a value.
    public init(contender: String, measure: String, labels: Int, run: String, value: Double, data: String = "") {
      (self.contender, self.measure, self.labels, self.run) = (contender, measure, labels, run)
      (self.value, self.data) = (value, data)
    }
  }

  /// One number of labels of a curve.
  public struct Point: Sendable {
    /// The number of labels.
    public let labels: Int
    /// The value of each run, by its seed and fold.
    public let values: [String: Double]
    /// The data and split of each run, where they are known.
    let data: [String: String]

    /// The mean over runs.
    public var mean: Double { values.values.sorted().mean }
    /// The sample standard deviation over runs (divisor n − 1); nil of one.
    public var deviation: Double? { values.values.sorted().deviation }

    /// The difference from another point in each run that both have, unless it is known that their data or splits differ.
    func differences(from other: Point) -> [String: Double] {
      var shared: [String: Double] = [:]
      for (run, value) in values {
        guard let reference = other.values[run] else { continue }
        if let own = data[run], let theirs = other.data[run], own != theirs { continue }
        shared[run] = value - reference
      }
      return shared
    }
  }

  /// One contender under one measure.
  public struct Curve: Sendable {
    /// The name in the legend.
    public let name: String
    /// By rising numbers of labels.
    public let points: [Point]
  }

  /// The difference of two curves in runs that both have: of one seed and fold, and of the same data and split where these are known,
  /// so that they were given the same labelled examples.
  public struct Difference: Sendable {
    /// The name of the curve that is compared with the reference.
    public let name: String
    /// The number of labels.
    public let labels: Int
    /// The differences, of the curve less the reference, by seed and fold.
    public let values: [String: Double]

    /// The mean over runs.
    public var mean: Double { values.values.sorted().mean }
    /// The sample standard deviation over runs (divisor n − 1); nil of one.
    public var deviation: Double? { values.values.sorted().deviation }
  }

  /// In the order of the values.
  public let curves: [Curve]

  /// Creates the curves of some values. A run that has a number twice counts once.
  ///
  /// - Throws: `RecipeError` without values.
  public init(_ values: [Value]) throws {
    guard !values.isEmpty else {
      throw RecipeError(
        "there is no number of the kind 'accuracy at 100 labels' in these results; measure runs with metric probe, or name rows so"
      )
    }
    let contenders = unique(values.map(\.contender))
    let measures = unique(values.map(\.measure))
    func name(_ value: Value) -> String {
      // What all have in common is no name.
      if measures.count == 1, contenders.count > 1 { return value.contender }
      return contenders.count == 1 ? value.measure : "\(value.contender), \(value.measure)"
    }
    curves = unique(values.map(name)).map { curve in
      let own = values.filter { name($0) == curve }
      let points = Set(own.map(\.labels)).sorted().map { labels in
        let own = own.filter { $0.labels == labels }
        return Point(
          labels: labels, values: Dictionary(own.map { ($0.run, $0.value) }) { first, _ in first },
          data: Dictionary(own.filter { !$0.data.isEmpty }.map { ($0.run, $0.data) }) { first, _ in first })
      }
      return Curve(name: curve, points: points)
    }
  }

  /// Returns the differences of the other curves from one, where runs of the same seed, fold and data have both.
  public func differences(from reference: Curve) -> [Difference] {
    curves.filter { $0.name != reference.name }.flatMap { curve in
      curve.points.compactMap { point in
        guard let other = reference.points.first(where: { $0.labels == point.labels }) else { return nil }
        let shared = point.differences(from: other)
        return shared.isEmpty ? nil : Difference(name: curve.name, labels: point.labels, values: shared)
      }
    }
  }
}

// MARK: Reading

/// What of some results belongs to curves.
public struct LabelMeasures: Sendable {
  /// Texts of which a measure's name must contain one; empty for all.
  public var only: [String]
  /// The measure of rows that are named by a number of labels.
  public var ofRows: String
  /// Whether accuracies on the examples that were trained on are curves too.
  public var training: Bool

  /// Creates the choice.
  public init(only: [String] = [], ofRows: String = "accuracy", training: Bool = false) {
    (self.only, self.ofRows, self.training) = (only, ofRows, training)
  }

  /// The value that a number of a run is; nil where it belongs to no curve.
  func value(
    _ row: String, _ column: String, _ run: String, _ measure: String, _ value: Double, data: String = ""
  ) -> LabelCurves.Value? {
    func label(_ row: String) -> String { [row, column].filter { !$0.isEmpty }.joined(separator: ", ") }
    let isWanted = only.isEmpty || only.contains { measure.localizedCaseInsensitiveContains($0) }
    guard isWanted else { return nil }
    if let match = measure.wholeMatch(of: /(.+) at ([0-9]+) labels(, training)?/), let labels = Int(match.2) {
      guard training || match.3 == nil else { return nil }
      return .init(
        contender: label(row), measure: String(match.1) + (match.3.map(String.init) ?? ""), labels: labels, run: run,
        value: value, data: data)
    }
    let isOfTraining = measure == "training \(ofRows)"
    guard isOfTraining ? training : measure == ofRows,
      let match = row.wholeMatch(of: /(.+) at ([0-9,]+) labels?/), let labels = Int(match.2.replacing(",", with: ""))
    else { return nil }
    return .init(
      contender: label(String(match.1)), measure: isOfTraining ? "\(ofRows), training" : measure, labels: labels,
      run: run, value: value, data: data)
  }

  /// Returns the values in the `results.csv` of a study.
  ///
  /// - Throws: `FileError` for a file that cannot be read or is none.
  public func values(inResults file: URL) throws -> [LabelCurves.Value] {
    try EarlierResults(file).rows.compactMap { row in
      value(row.row, row.column, row.run, row.value.measured.name, row.value.measured.value ?? .nan)
    }
  }

  /// Returns the values of a study's finished runs: of the measures that it compares, unless others are named.
  public func values(of results: StudyResults) -> [LabelCurves.Value] {
    var compared = Set(results.lines.map(\.measure))
    if training { compared.formUnion(compared.map { "\($0), training" } + ["training \(ofRows)"]) }
    return results.values.filter { !only.isEmpty || compared.contains($0.measure) }
      .compactMap { value($0.cell.row, $0.cell.column, $0.run.label, $0.measure, $0.value) }
  }

  /// Returns the values of finished runs. Those whose recipes differ in nothing but the seed and the fold are one contender, named by the
  /// recipe.
  ///
  /// - Parameter leavingOut: Receives each folder whose run has no value.
  /// - Throws: `FileError` and `RecipeFileError` for a folder that is none of a finished run.
  public func values(
    ofRuns folders: [URL], leavingOut: (URL) -> Void = { _ in }
  ) throws -> [LabelCurves.Value] {
    var names: [(content: String, name: String)] = []
    return try folders.flatMap { url -> [LabelCurves.Value] in
      let folder = RunFolder(url)
      guard folder.exists else { throw FileError(url.path, "there is no run; name the folder of a finished one") }
      guard OutputPlace(folder.summary, followsLinks: true) == .file else {
        throw RecipeError(
          "the run in \(url.relativePath) has not finished; go on with it by 'host train \(url.relativePath) --resume', or leave it out"
        )
      }
      let summary = try RunSummary.read(folder.summary)
      var recipe = try Recipe.read(folder.recipe).recipe
      let run = Study.PlannedRun.label(seed: "\(recipe.seed)", fold: recipe.removeFold().map { "\($0)" })
      let split = FileManager.default.fileExists(atPath: folder.split.path)
      let data = split ? "\(summary.data) \(try Checksum(.sha256, of: folder.split))" : ""
      // The folder of a recipe with several seeds has a name, those of its runs have numbers.
      let study = RunFolder(url.absoluteURL.deletingLastPathComponent())
      let own = recipe.name ?? (study.runs.contains { $0.name == folder.name } ? study.name : folder.name)
      (recipe.seed, recipe.name, recipe.about) = (0, nil, nil)
      let content = recipe.yaml()
      if !names.contains(where: { $0.content == content }) {
        let isTaken = names.contains { $0.name == own }
        names.append((content, isTaken ? "\(own) (\(url.lastPathComponent))" : own))
      }
      let name = names.first { $0.content == content }?.name ?? own
      let values = summary.testMetrics.compactMap { metric in
        metric.value.flatMap { value(name, "", run, metric.name, $0, data: data) }
      }
      if values.isEmpty { leavingOut(url) }
      return values
    }
  }
}

extension Recipe {
  /// Takes the fold out of the data's settings and returns it; nil where there are no folds.
  fileprivate mutating func removeFold() -> Int? {
    guard case .int? = self[.data]?.with["folds"], case .int(let fold)? = self[.data]?.with.removeValue(forKey: "fold")
    else { return nil }
    return fold
  }
}

// MARK: Writing

extension LabelCurves {
  private static func text(_ value: Double, _ deviation: Double?) -> String {
    String(format: "%.2f", value) + (deviation.map { String(format: " ± %.2f", $0) } ?? "")
  }

  private static func signed(_ value: Double, _ deviation: Double?) -> String {
    (value > 0 ? "+" : "") + text(value, deviation)
  }

  /// All numbers of labels.
  private var sizes: [Int] { Set(curves.flatMap(\.points).map(\.labels)).sorted() }

  /// One line for each curve and number of labels, with its difference from the reference where there is one.
  public func csv(reference: Curve) -> String {
    let head = [
      "curve", "labels", "runs", "mean", "deviation", "difference_from", "difference_mean", "difference_deviation",
    ]
    let differences = differences(from: reference)
    let rows = curves.flatMap { curve in
      curve.points.map { point -> [String] in
        let other = differences.first { $0.name == curve.name && $0.labels == point.labels }
        return [
          curve.name, "\(point.labels)", "\(point.values.count)", "\(point.mean)",
          point.deviation.map { "\($0)" } ?? "",
          other == nil ? "" : reference.name, other.map { "\($0.mean)" } ?? "",
          other?.deviation.map { "\($0)" } ?? "",
        ]
      }
    }
    return ([head] + rows).map(CSV.row).joined()
  }

  /// The tables in Markdown: accuracies, then differences from the reference in pairs.
  public func markdown(title: String, reference: Curve) -> String {
    let runs = Set(curves.flatMap(\.points).map(\.values.count)).sorted().map(String.init)
    var lines = ["# \(title)", ""]
    lines += table(curves.map { ($0.name, $0.points.map { ($0.labels, Self.text($0.mean, $0.deviation)) }) })
    lines += [
      "",
      "Accuracy in percent by the number of labels: mean ± sample standard deviation over runs (\(runs.listed(atMost: 4)) each).",
    ]
    let differences = differences(from: reference)
    guard !differences.isEmpty else { return lines.joined(separator: "\n") + "\n" }
    let names = unique(differences.map(\.name))
    lines += ["", "## Less \(reference.name)", ""]
    lines += table(
      names.map { name in
        (name, differences.filter { $0.name == name }.map { ($0.labels, Self.signed($0.mean, $0.deviation)) })
      })
    lines += [
      "",
      "Differences in points between runs of the same seed and fold: of the same data, they were given the same labelled examples.",
    ]
    return lines.joined(separator: "\n") + "\n"
  }

  private func table(_ rows: [(name: String, cells: [(labels: Int, text: String)])]) -> [String] {
    let sizes = sizes
    let body = rows.map { row in
      [row.name] + sizes.map { size in row.cells.first { $0.labels == size }?.text ?? "-" }
    }
    return Markdown.table([["labels"] + sizes.map(String.init)] + body)
  }
}
