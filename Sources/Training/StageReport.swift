import Files
import Foundation
import LatentKit

/// The results of a stage that projected or masked weights, or trained masked ones: a line of `stages.jsonl`.
public struct StageReport: Codable, Sendable, Equatable {
  /// The sparsity of one weight matrix. A row belongs to one output, a column to one input.
  public struct Layer: Codable, Sendable, Equatable {
    /// The name of the parameter.
    public var name: String
    /// The number of weights.
    public var count: Int
    /// The share of weights that are zero, 0 to 1.
    public var zeros: Double
    /// The number of rows.
    public var rows: Int
    /// Rows with nothing but zeros.
    public var zeroRows: Int
    /// The number of columns.
    public var columns: Int
    /// Columns with nothing but zeros.
    public var zeroColumns: Int
  }

  /// An input with a weight other than zero in the encoder's first layer.
  public struct Feature: Codable, Sendable, Equatable {
    /// Its place in an input, from 0; images count row by row.
    public var index: Int
    /// `Σ |w|` over the weights of the encoder's first layer that it goes through.
    public var weight: Double
  }

  /// The recipe's metrics on a part of the data before the stage's projections, and after.
  public struct Effect: Codable, Sendable, Equatable {
    /// `training` or `test`.
    public var part: String
    /// With the weights as they were trained.
    public var before: [Measured]
    /// With the weights as they were projected.
    public var after: [Measured]
  }

  /// The name of the stage.
  public var stage: String
  /// The stage's place in the recipe, from 0.
  public var index: Int
  /// The layers that were projected or are masked, in the order of the model.
  public var layers: [Layer]
  /// The recipe's metrics on the validation part before the stage's projections; empty without such a part, or such actions.
  public var before: [Measured]
  /// The same with the weights that are reported here; empty without a validation part.
  public var after: [Measured]
  /// The number of values in one input.
  public var inputSize: Int
  /// The inputs whose weights in the encoder's first layer are not all zero, strongest first; nil where that layer is not
  /// among `layers`, or does not see each input by itself.
  public var features: [Feature]?
  /// What the stage's projections did on the training part and on the test part; nil where it projects nothing.
  public var effects: [Effect]?
}

extension StageReport: CheckedRecord {
  /// What is impossible about it; nil where nothing is.
  public var problem: String? {
    guard index >= 0, inputSize >= 0 else { return "stage number \(index) with \(inputSize) inputs" }
    for layer in layers {
      guard layer.count >= 0, (0...1).contains(layer.zeros), (0...max(layer.rows, 0)).contains(layer.zeroRows),
        (0...max(layer.columns, 0)).contains(layer.zeroColumns)
      else { return "impossible counts of layer '\(layer.name)'" }
    }
    for feature in features ?? [] where !(0..<inputSize).contains(feature.index) || !feature.weight.isFinite {
      return "feature \(feature.index) of weight \(feature.weight) among \(inputSize) inputs"
    }
    let measured = before + after + (effects ?? []).flatMap { $0.before + $0.after }
    return measured.lazy.compactMap(\.problem).first
  }
}

extension StageReport.Layer {
  init(_ parameter: Parameter) throws {
    let weights = parameter.tensor
    let (rows, columns) = try (weights.size(0), weights.size(1))
    let kept = try (weights.detached() .!= 0).to(.float64).reshaped([rows, columns, weights.count / (rows * columns)])
    func zeros(_ axis: Int) throws -> Int { try kept.sum(axis: 2).sum(axis: axis).doubles().count { $0 == 0 } }
    self.init(
      name: parameter.name, count: weights.count, zeros: 1 - (try kept.mean().item()), rows: rows,
      zeroRows: try zeros(1), columns: columns,
      zeroColumns: try zeros(0))
  }

  /// `encoder.hidden1.weight: 93.1 % zero, with 412 of 784 columns and 3 of 512 rows`.
  public var text: String {
    name + String(format: ": %.1f %% zero", 100 * zeros)
      + ", with \(zeroColumns) of \(columns) columns and \(zeroRows) of \(rows) rows"
  }
}

extension StageReport.Feature {
  /// Returns the inputs that the first layer of an encoder, `[outputs, inputs]`, has weights for, strongest first.
  static func surviving(_ weights: Tensor) throws -> [StageReport.Feature] {
    try weights.detached().to(.float64).abs().sum(axis: 0).doubles().enumerated()
      .filter { $0.element > 0 }.sorted { ($1.element, $0.offset) < ($0.element, $1.offset) }
      .map { StageReport.Feature(index: $0.offset, weight: $0.element) }
  }

  /// Returns its name where it has one, else its number.
  func title(_ names: [String]?) -> String { names.flatMap { index < $0.count ? $0[index] : nil } ?? "\(index)" }
}

extension StageReport {
  /// The metrics before and after, in a sentence: on the validation part, else on the training part; nil where there are none.
  public var metricsText: String? {
    if !after.isEmpty { return StageReport.text("validation", before, after) }
    return effects?.first.map { StageReport.text($0.part, $0.before, $0.after) }
  }

  /// The same on the test part, for the end of a run.
  public var testText: String? {
    effects?.last { $0.part == "test" }.map { StageReport.text($0.part, $0.before, $0.after) }
  }

  private static func text(_ part: String, _ before: [Measured], _ after: [Measured]) -> String {
    let now = after.map { "\($0.name) \($0.text)" }.joined(separator: ", ")
    guard !before.isEmpty else { return "\(part) \(now)" }
    return "\(part) \(before.map { "\($0.name) \($0.text)" }.joined(separator: ", ")) before, \(now) after"
  }

  /// Returns the number of surviving features and the strongest of them, in a sentence.
  public func featuresText(names: [String]?, count: Int = 8) -> String? {
    guard let features else { return nil }
    let strongest = features.prefix(count).map { "\($0.title(names)) (\(number($0.weight)))" }.joined(separator: ", ")
    return "\(features.count) of \(inputSize) input features survive" + (features.isEmpty ? "" : "; first \(strongest)")
  }

  /// Returns the whole ranking as comma-separated values.
  public func featureTable(names: [String]?) -> String {
    let rows = (features ?? []).enumerated().map { rank, feature in
      CSV.row(["\(rank + 1)", feature.title(names), "\(feature.index)", "\(feature.weight)"])
    }
    return CSV.row(["rank", "feature", "index", "weight"]) + rows.joined()
  }
}

/// `stages.jsonl`: one line for each stage that has something to report.
public struct StageLog {
  private let url: URL

  /// Creates the log of a file, which need not exist.
  public init(_ url: URL) { self.url = url }

  /// Returns the reports of a run, in the order of its stages; none where nothing was projected or masked.
  public static func read(_ url: URL) throws -> [StageReport] {
    guard FileManager.default.fileExists(atPath: url.path) else { return [] }
    return try JSONLines.read(url, as: "a report of a stage")
  }

  /// Adds a report. Those of its stage and of later ones are from before a run was killed, and go.
  public func add(_ report: StageReport) throws {
    let kept = try StageLog.read(url).filter { $0.index < report.index }
    try AtomicFile.write((kept + [report]).reduce(Data()) { try $0 + JSONLines.line($1) }, to: url)
  }
}
