import Files
import LatentKit

extension TableFormat {
  /// A column of a file, or a row, for samples in columns.
  public enum Column: Codable, Equatable, Sendable, CustomStringConvertible {
    case name(String)
    /// From 1, as they stand in the file; -1 is the last.
    case number(Int)

    /// Names of a column of labels where none is given; upper and lower case are the same.
    static let usualForLabels = ["label", "labels", "class", "target"]

    /// The name, or the number.
    public var description: String {
      switch self {
      case .name(let name): name
      case .number(let number): "\(number)"
      }
    }

    public init(from decoder: any Swift.Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let number = try? container.decode(Int.self) {
        self = .number(number)
      } else if let name = try? container.decode(String.self) {
        self = .name(name)
      } else {
        throw DecodingError.dataCorruptedError(
          in: container, debugDescription: "expected the name or the number of a column")
      }
    }

    public func encode(to encoder: any Swift.Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .name(let name): try container.encode(name)
      case .number(let number): try container.encode(number)
      }
    }

    /// Returns its index among all columns, from 0; nil where it is none of them.
    func place(in names: [String]) -> Int? {
      switch self {
      case .name(let name): return names.firstIndex(of: name)
      case .number(let number):
        let place = number < 0 ? names.count + number : number - 1
        return names.indices.contains(place) ? place : nil
      }
    }
  }

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
    _ column: Column, _ noun: String, _ names: [String], count: Int, path: String
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
