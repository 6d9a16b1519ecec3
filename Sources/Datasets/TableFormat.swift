import LatentKit

/// How a file of numbers is to be read.
public struct TableFormat: Sendable, Equatable {
  /// What stands between cells; `auto` takes the one that is most frequent in the first row.
  public enum Separator: String, Choice { case auto, comma, semicolon, tab }
  /// What stands before the fraction of a number.
  public enum Decimal: String, Choice { case point, comma }
  /// Whether each sample is a row or a column.
  public enum Direction: String, Choice { case rows, columns }
  /// What is done about cells without a value: empty, `NA`, `N/A`, `NaN`, `null` or `?`.
  public enum Missing: String, Choice {
    case refuse
    /// They become NaN, which transform `impute` fills in.
    case keep
  }

  /// The column (or row, for samples in columns) that holds the labels.
  public enum Label: Codable, Equatable, Sendable {
    case name(String)
    /// From 1, as they stand in the file; -1 is the last.
    case number(Int)

    /// What a label column may be called where none is named; upper and lower case are the same.
    static let usual = ["label", "labels", "class", "target"]

    public init(from decoder: any Swift.Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let number = try? container.decode(Int.self) {
        self = .number(number)
      } else if let name = try? container.decode(String.self) {
        self = .name(name)
      } else {
        throw DecodingError.dataCorruptedError(
          in: container, debugDescription: "expected the name or the number of a column, or 'none'")
      }
    }

    public func encode(to encoder: any Swift.Encoder) throws {
      var container = encoder.singleValueContainer()
      switch self {
      case .name(let name): try container.encode(name)
      case .number(let number): try container.encode(number)
      }
    }
  }

  public var separator = Separator.auto
  public var decimal = Decimal.point
  public var samples = Direction.rows
  /// nil: the first row is one where none of its cells is a number.
  public var header: Bool?
  /// nil: the column with one of the usual names; `none` for no labels.
  public var label: Label?
  /// Columns that are left out, by name.
  public var drop: [String] = []
  public var missing = Missing.refuse

  public init() {}
}
