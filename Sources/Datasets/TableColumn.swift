import Files
import LatentKit

extension NameOrNumber {
  /// Returns the index, from 0, of the column that is so called, or has this number: from 1 as they stand in the file, -1 for the last; nil where none is.
  func place(in names: [String]) -> Int? {
    switch self {
    case .name(let name): return names.firstIndex(of: name)
    case .number(let number):
      let place = number < 0 ? names.count + number : number - 1
      return names.indices.contains(place) ? place : nil
    }
  }
}

extension TableFormat {
  /// Names of a column of labels where none is given; upper and lower case are the same.
  static let usualForLabels = ["label", "labels", "class", "target"]

  /// Returns the indices of the dropped columns among all columns, from 0.
  /// - Throws: `FileError` for one that is none of them.
  func droppedPlaces(_ names: [String], path: String) throws -> Set<Int> {
    Set(
      try drop.map { column in
        guard let place = column.place(in: names) else {
          throw TableFormat.nothingToDrop(column, "column", names, count: names.count, path: path)
        }
        return place
      })
  }

  /// The sentence about a column or row to leave out that is not there.
  static func nothingToDrop(
    _ column: NameOrNumber, _ noun: String, _ names: [String], count: Int, path: String
  ) -> FileError {
    switch column {
    case .name(let name):
      FileError(path, UnknownName(name, among: Array(names.prefix(10)), of: "\(noun) to drop").description)
    case .number(let number):
      FileError(
        path, "there is no \(noun) \(number) to drop among \(count); data.drop counts from 1, or -1 from the last")
    }
  }
}
