import Datasets
import Files
import Foundation
import LatentKit
import Recipes
import Training

extension Session {
  /// Writes the decoded draws of a table model as CSV: a column for each feature, in the units of the data, then the class
  /// if draws are of classes.
  ///
  /// - Returns: Whether the model decodes tables; if not, nothing is written.
  /// - Throws: `FileError` if the file cannot be written.
  public func writeTable(_ samples: Samples, to url: URL) throws -> Bool {
    guard let names = dataset.featureNames, let decoded = samples.images, decoded.rank == 2 else { return false }
    try write([decoded], columns: names, labels: samples.areOfClasses ? samples.labels : nil, to: url)
    return true
  }

  /// Writes the first `count` examples of a part, each class in turn, and their reconstructions beside them as CSV, in the
  /// units of the data.
  ///
  /// - Returns: Whether the model decodes tables; if not, nothing is written.
  /// - Throws: `FileError` if the file cannot be written.
  public func writeReconstructions(of data: BatchSource, count: Int, to url: URL) throws -> Bool {
    guard let names = dataset.featureNames, composition.model.decoder != nil else { return false }
    let chosen = try data.examples.balanced(min(count, data.count), seed: recipe.randomSeed, for: "reconstruction")
    let made = try evaluator.reconstruct(
      Batch(inputs: chosen.inputs, labels: chosen.labels, labelled: chosen.isLabelled))
    try write(
      [chosen.inputs, made], columns: names + names.map { "\($0) reconstructed" }, labels: chosen.labels,
      labelled: chosen.isLabelled, to: url)
    return true
  }

  /// - Parameters:
  ///   - blocks: Rows in the model's units, `[count, features]` each, side by side.
  ///   - labelled: `[count]`, which rows have a label; the cells of the others are empty. Nil where all have.
  private func write(
    _ blocks: [Tensor], columns: [String], labels: Tensor?, labelled: Tensor? = nil, to url: URL
  ) throws {
    let labelName = unused("label", among: columns)
    let rows = try blocks.map { try transforms.invert($0).to(.cpu) }
    let values = try Tensor.concatenate(rows, axis: 1).floats()
    let isLabelled = try labelled?.ints().map { $0 == 1 }
    let classes = try labels?.ints().enumerated().map { isLabelled?[$0] == false ? "" : className($1) }
    var text = CSV.row(columns + (classes == nil ? [] : [labelName]))
    for (row, start) in stride(from: 0, to: values.count, by: columns.count).enumerated() {
      let cells = values[start..<start + columns.count].map { "\($0)" }
      text += CSV.row(cells + (classes.map { [$0[row]] } ?? []))
    }
    try AtomicFile.write(text, to: url)
  }
}

/// The name, extended until no column has it.
func unused(_ name: String, among taken: [String]) -> String {
  taken.contains(name) ? unused("\(name)_", among: taken) : name
}
