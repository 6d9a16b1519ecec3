import Files
import LatentKit

extension DataTable {
  /// What inputs and labels may be called in an archive.
  private static let inputNames = ["x", "data", "inputs", "features"]
  private static let labelNames = ["y"] + TableFormat.Label.usual

  /// A matrix of numbers `[samples, features]` with a column of labels by number, or without labels.
  init(array: NumpyArray, _ format: TableFormat, path: String) throws {
    let (values, width) = try DataTable.matrix(array, format, path)
    var labelPlace: Int?
    switch format.label {
    case .name("none"): break
    case .number(let number) where (1...width).contains(number) || (-width ... -1).contains(number):
      labelPlace = number < 0 ? width + number : number - 1
    default:
      throw FileError(
        path,
        "has no names, so its labels need a column's number from 1 to \(width), as in data.label=-1 for the last, or "
          + "data.label=none")
    }
    let features = (0..<width).filter { $0 != labelPlace }
    let rows = stride(from: 0, to: values.count, by: width)
    let chosen = labelPlace == nil ? values : rows.flatMap { row in features.map { values[row + $0] } }
    self.init(
      inputs: try DataTable.checked(chosen, features.count, format, path),
      featureNames: features.map { "column \($0 + 1)" },
      labels: labelPlace.map { place in rows.map { DataTable.text(values[$0 + place]) } })
  }

  /// An archive with a matrix called `x`, `data`, `inputs` or `features` and labels called `y`, `label`, `labels`,
  /// `class` or `target`, or as `label` says.
  init(archive: NumpyArchive, _ format: TableFormat) throws {
    func find(_ wanted: [String]) -> String? { archive.names.first { wanted.contains($0.lowercased()) } }
    let known = archive.names.joined(separator: ", ")
    guard let inputs = find(DataTable.inputNames) else {
      throw FileError(
        archive.path, "holds arrays \(known), expected one called \(DataTable.inputNames.joined(separator: ", "))")
    }
    let place = "\(archive.path), array '\(inputs)'"
    let (values, width) = try DataTable.matrix(archive.array(inputs), format, place)
    let count = values.count / max(width, 1)
    var labels: [String]?
    if format.label != .name("none") {
      var name: String?
      if case .name(let wanted) = format.label {
        name = find([wanted.lowercased()])
      } else {
        name = find(DataTable.labelNames)
      }
      guard let name else {
        throw FileError(
          archive.path,
          "holds arrays \(known), and none of them is called \(DataTable.labelNames.joined(separator: ", ")) for the labels; "
            + "name it by data.label, or set data.label=none")
      }
      let array = try archive.array(name)
      switch array.values {
      case .texts(let texts): labels = texts
      case .numbers(let numbers): labels = numbers.map(DataTable.text)
      }
      guard array.shape.reduce(1, *) == count else {
        throw FileError(
          archive.path, "holds \(grouped(count)) samples and labels of shape \(array.shape), expected as many")
      }
    }
    self.init(
      inputs: try DataTable.checked(values, width, format, place),
      featureNames: (1...max(width, 1)).map { "column \($0)" }, labels: labels)
  }

  /// The values of a matrix by samples, and how many features they have.
  private static func matrix(_ array: NumpyArray, _ format: TableFormat, _ path: String) throws -> ([Float], Int) {
    guard case .numbers(let values) = array.values else {
      throw FileError(path, "holds text, expected numbers")
    }
    guard array.shape.count == 2, !array.shape.contains(0) else {
      throw FileError(path, "has the shape \(array.shape), expected [samples, features]")
    }
    let (rows, columns) = (array.shape[0], array.shape[1])
    guard format.samples == .columns else { return (values, columns) }
    return ((0..<columns).flatMap { column in (0..<rows).map { values[$0 * columns + column] } }, rows)
  }

  /// - Throws: `FileError` for infinities, and for NaN where missing values are refused.
  private static func checked(_ values: [Float], _ width: Int, _ format: TableFormat, _ path: String) throws -> Tensor {
    if let bad = values.firstIndex(where: { !$0.isFinite && !($0.isNaN && format.missing == .keep) }) {
      let advice = values[bad].isNaN ? "; set data.missing=keep and add the transform 'impute'" : ""
      throw FileError(
        path,
        "row \(bad / width + 1), column \(bad % width + 1): found \(values[bad]), expected a finite number\(advice)")
    }
    return try Tensor(values, shape: [values.count / width, width])
  }

  /// A class by its number: `3` for 3.0.
  private static func text(_ value: Float) -> String {
    Int(exactly: value).map(String.init) ?? "\(value)"
  }
}
