import Files
import LatentKit

extension DataTable {
  /// Names of inputs and labels in an archive.
  private static let inputNames = ["x", "data", "inputs", "features"]
  private static let labelNames = ["y"] + TableFormat.usualForLabels
  /// Names of arrays with the names of columns and of samples.
  private static let featureNameNames = ["feature_names", "var_names", "gene_names", "columns"]
  private static let idNames = ["ids", "id", "sample_ids", "sample_names", "obs_names"]

  /// A matrix of numbers `[samples, features]` with a column of labels by number, or without labels.
  init(array: NumpyArray, _ format: TableFormat, path: String) throws {
    let matrix = try NumpyMatrix(array, format, path: path)
    var label: Int?
    if let id = format.id, id != .name("none") {
      throw FileError(
        path, "holds numbers alone, and data.id names a column of ids; leave it out, or save them in an .npz file")
    }
    // Rows to predict may come without a label.
    if let wanted = format.features, wanted.count == matrix.names.count {
      self = try matrix.table(labels: nil, featureNames: wanted)
      return
    }
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
  /// `class` or `target`, or the name in `label`; names of features may be in `feature_names`, `var_names`, `gene_names` or
  /// `columns`, those of samples in `ids`, `id`, `sample_ids`, `sample_names` or `obs_names`.
  init(archive: NumpyArchive, _ format: TableFormat) throws {
    func find(_ wanted: [String]) -> String? { archive.names.first { wanted.contains($0.lowercased()) } }
    let known = archive.names.listed(atMost: 10)
    guard let inputs = find(DataTable.inputNames) else {
      throw FileError(
        archive.path, "holds arrays \(known), expected one called \(DataTable.inputNames.joined(separator: ", "))")
    }
    let matrix = try NumpyMatrix(archive.array(inputs), format, path: "\(archive.path), array '\(inputs)'")
    var name: String?
    var remarks: [String] = []
    /// The texts of an array; nil for one that is not there, or, with a remark, that does not fit.
    func names(_ wanted: [String], of count: Int, _ noun: String) -> [String]? {
      guard let name = find(wanted) else { return nil }
      func leftAside(_ reason: String) -> [String]? {
        remarks.append("array '\(name)' was left aside: \(reason)")
        return nil
      }
      do {
        let array = try archive.array(name)
        guard array.count == count else {
          return leftAside("it has the shape \(array.shape), and there are \(grouped(count)) \(noun)")
        }
        return array.classNames(at: 0..<count)
      } catch {
        return leftAside("it holds no text or numbers; save it as text, as in numpy.asarray(names, dtype=str)")
      }
    }
    var featureNames = names(DataTable.featureNameNames, of: matrix.names.count, "features")
    if let found = featureNames, Set(found).count < found.count {
      remarks.append("the names of features were left aside: some are there twice")
      featureNames = nil
    }
    let ids: [String]?
    switch format.id {
    case nil: ids = names(DataTable.idNames, of: matrix.count, "samples")
    case .name("none"): ids = nil
    case .name(let name) where archive.names.contains(name):
      ids = names([name.lowercased()], of: matrix.count, "samples")
    case let id?:
      throw FileError(archive.path, UnknownName("\(id)", among: archive.names, of: "array of ids").description)
    }
    func table(labels: [String]?) throws -> DataTable {
      var table = try matrix.table(labels: labels, featureNames: featureNames, ids: ids)
      table.remark = remarks.isEmpty ? nil : "\(archive.path): \(remarks.joined(separator: "; "))"
      return table
    }
    switch format.label {
    case .name("none"):
      self = try table(labels: nil)
      return
    case .name(let wanted):
      name = find([wanted.lowercased()])
      if name == nil, format.features == nil {
        throw FileError(
          archive.path,
          UnknownName(wanted, among: archive.names, of: "array of labels").description)
      }
    case .number(let number):
      throw FileError(
        archive.path,
        "holds arrays \(known), and data.label=\(number) is a number; give the name of the array of labels, or "
          + "data.label=none")
    case nil: name = find(DataTable.labelNames)
    }
    if name == nil, format.features != nil {
      self = try table(labels: nil)
      return
    }
    guard let name else {
      throw FileError(
        archive.path,
        "holds arrays \(known), and none of them is called \(DataTable.labelNames.joined(separator: ", ")) for the labels; "
          + "name it by data.label, a file of labels by data.labelFile, or set data.label=none")
    }
    let labels = try archive.array(name)
    guard labels.count == matrix.count else {
      throw FileError(
        archive.path,
        "holds \(grouped(matrix.count)) samples and labels of shape \(labels.shape), expected one label for each")
    }
    self = try table(labels: labels.classNames(at: 0..<labels.count))
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
  ///
  /// - Parameters:
  ///   - featureNames: Those of the columns; nil where they are numbered.
  ///   - ids: Those of the samples.
  func table(
    label: Int? = nil, labels: [String]?, featureNames: [String]? = nil, ids: [String]? = nil
  ) throws -> DataTable {
    try DataTable(
      values: values, names: featureNames ?? names, label: label, labels: labels, ids: ids, format, path: path
    ) { row, column in
      "row \(row + 1), \(names[column])" + (featureNames.map { " ('\($0[column])')" } ?? "")
    }
  }
}
