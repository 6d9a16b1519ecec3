import Files
import LatentKit

extension DataTable {
  /// Names of inputs and labels in an archive.
  private static let inputNames = ["x", "data", "inputs", "features"]
  private static let labelNames = ["y"] + TableFormat.Column.usualForLabels

  /// A matrix of numbers `[samples, features]` with a column of labels by number, or without labels.
  init(array: NumpyArray, _ format: TableFormat, path: String) throws {
    let matrix = try NumpyMatrix(array, format, path: path)
    var label: Int?
    if format.label != .name("none") {
      guard let place = format.label?.place(in: matrix.names) else {
        throw FileError(
          path,
          "has no names, so its labels need a column's number from 1 to \(matrix.names.count), as in data.label=-1 for "
            + "the last, or data.label=none")
      }
      label = place
    }
    self = try matrix.table(label: label, labels: label.map { array.classNames(at: matrix.positions(ofColumn: $0)) })
  }

  /// An archive with a matrix called `x`, `data`, `inputs` or `features` and labels called `y`, `label`, `labels`,
  /// `class` or `target`, or the name in `label`.
  init(archive: NumpyArchive, _ format: TableFormat) throws {
    func find(_ wanted: [String]) -> String? { archive.names.first { wanted.contains($0.lowercased()) } }
    let known = archive.names.listed(atMost: 10)
    guard let inputs = find(DataTable.inputNames) else {
      throw FileError(
        archive.path, "holds arrays \(known), expected one called \(DataTable.inputNames.joined(separator: ", "))")
    }
    let matrix = try NumpyMatrix(archive.array(inputs), format, path: "\(archive.path), array '\(inputs)'")
    var name: String?
    switch format.label {
    case .name("none"):
      self = try matrix.table(labels: nil)
      return
    case .name(let wanted): name = find([wanted.lowercased()])
    case .number(let number):
      throw FileError(
        archive.path,
        "holds arrays \(known), and data.label=\(number) is a number; give the name of the array of labels, or "
          + "data.label=none")
    case nil: name = find(DataTable.labelNames)
    }
    guard let name else {
      throw FileError(
        archive.path,
        "holds arrays \(known), and none of them is called \(DataTable.labelNames.joined(separator: ", ")) for the labels; "
          + "name it by data.label, or set data.label=none")
    }
    let labels = try archive.array(name)
    guard labels.count == matrix.count else {
      throw FileError(
        archive.path,
        "holds \(grouped(matrix.count)) samples and labels of shape \(labels.shape), expected one label for each")
    }
    self = try matrix.table(labels: labels.classNames(at: 0..<labels.count))
  }
}

/// A matrix of numbers that is to become a table. Its columns have no names and are numbered.
private struct NumpyMatrix {
  private let format: TableFormat
  private let path: String
  /// `[samples, columns]`, row by row.
  private let values: [Float]
  /// Samples.
  let count: Int
  let names: [String]

  /// - Throws: `FileError` for text, for another shape, and for settings that mean nothing to a file of this kind.
  init(_ array: NumpyArray, _ format: TableFormat, path: String) throws {
    let ofText = [
      ("separator", format.separator != .auto), ("decimal", format.decimal != .point), ("header", format.header != nil),
    ]
    if let setting = ofText.first(where: \.1)?.0 {
      throw FileError(path, "is of NumPy, and data.\(setting) is for delimited text; leave it out")
    }
    guard let values = array.numbers else { throw FileError(path, "holds text, expected numbers") }
    guard array.shape.count == 2, !array.shape.contains(0) else {
      throw FileError(path, "has the shape \(array.shape), expected [samples, features]")
    }
    (self.format, self.path) = (format, path)
    let (rows, columns) = (array.shape[0], array.shape[1])
    if format.samples == .rows {
      (self.values, count) = (values, rows)
    } else {
      self.values = (0..<columns).flatMap { column in (0..<rows).map { values[$0 * columns + column] } }
      count = columns
    }
    names = (1...(format.samples == .rows ? columns : rows)).map { "column \($0)" }
  }

  /// Returns the positions of a column's values in the array, from 0: one for each sample.
  func positions(ofColumn column: Int) -> [Int] {
    (0..<count).map { format.samples == .rows ? $0 * names.count + column : column * count + $0 }
  }

  /// Returns the table of all columns but those that are dropped and that of the labels.
  /// - Throws: `FileError` where nothing is left, for a column to drop that is not there, for infinities, and for NaN
  ///   where missing values are refused.
  func table(label: Int? = nil, labels: [String]?) throws -> DataTable {
    let dropped = try format.droppedPlaces(names, path: path)
    let features = names.indices.filter { $0 != label && !dropped.contains($0) }
    guard !features.isEmpty else { throw FileError(path, "has no column of numbers beside the labels") }
    let chosen =
      features.count == names.count
      ? values : (0..<count).flatMap { row in features.map { values[row * names.count + $0] } }
    if let bad = chosen.firstIndex(where: { !$0.isFinite && !($0.isNaN && format.missing == .keep) }) {
      let advice = chosen[bad].isNaN ? "; set data.missing=keep and add the transform 'impute'" : ""
      throw FileError(
        path,
        "row \(bad / features.count + 1), \(names[features[bad % features.count]]): found \(chosen[bad]), expected a "
          + "finite number\(advice)")
    }
    return DataTable(
      inputs: try Tensor(chosen, shape: [count, features.count]), featureNames: features.map { names[$0] },
      labels: labels)
  }
}
