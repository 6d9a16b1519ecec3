import Datasets
import Files
import Foundation
import LatentKit
import Recipes
import Training

extension Session {
  /// Writes the decoded draws of a table model as CSV: a column for each feature, in the units of the data, then the class
  /// if draws are of classes. A file called `.h5ad` is one of AnnData, as `SampleFormat` says.
  ///
  /// - Returns: Whether the model decodes tables; if not, nothing is written.
  /// - Throws: `FileError` if the file cannot be written.
  public func writeTable(_ samples: Samples, to url: URL) throws -> Bool {
    guard let names = dataset.featureNames, let decoded = samples.images, decoded.rank == 2 else { return false }
    if url.pathExtension.lowercased() == SampleFormat.h5ad.rawValue {
      try writeAnnData(samples, to: url)
      return true
    }
    let classes = samples.areOfClasses ? try samples.labels?.ints().map(className) : nil
    try writeRows([(names, transforms.invert(decoded).to(.cpu))], classes: classes, to: url)
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
    let isLabelled = try chosen.isLabelled?.ints().map { $0 == 1 }
    let classes = try chosen.labels?.ints().enumerated().map { isLabelled?[$0] == false ? "" : className($1) }
    let blocks = [(names, chosen.inputs), (names.map { "\($0) reconstructed" }, made)]
    try writeRows(
      blocks.map { ($0, try transforms.invert($1).to(.cpu)) }, ids: chosen.rowNumbers().map(rowCells), classes: classes,
      to: url)
    return true
  }

  /// Writes a line for each example as CSV: the blocks side by side, then its class.
  ///
  /// - Parameters:
  ///   - blocks: The names of columns, and their values `[count, columns]`, on the CPU.
  ///   - ids: What stands before them: the cells of `rowTitles`; nil for examples that are in no data.
  ///   - classes: The cell of each example's class; nil for no such column.
  func writeRows(
    _ blocks: [(names: [String], rows: Tensor)], ids: [[String]]? = nil, classes: [String]?, to url: URL
  ) throws {
    let features = blocks.flatMap(\.names)
    let columns = (ids == nil ? [] : rowTitles.map { unused($0, among: features) }) + features
    let values = try blocks.map { (width: $0.names.count, cells: try $0.rows.floats()) }
    try AtomicFile.write(to: url) { append in
      try append(Data(CSV.row(columns + (classes == nil ? [] : [unused("label", among: columns)])).utf8))
      for row in try 0..<blocks[0].rows.size(0) {
        let cells = values.flatMap { block in
          block.cells[row * block.width..<(row + 1) * block.width].map { "\($0)" }
        }
        try append(Data(CSV.row((ids?[row] ?? []) + cells + (classes.map { [$0[row]] } ?? [])).utf8))
      }
    }
  }
}

/// The name, extended until no column has it.
func unused(_ name: String, among taken: [String]) -> String {
  taken.contains(name) ? unused("\(name)_", among: taken) : name
}
