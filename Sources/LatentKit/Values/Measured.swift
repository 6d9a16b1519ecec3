/// A measured value: a number, or a table.
public struct Measured: Sendable, Equatable, Codable {
  /// The name of the quantity.
  public var name: String
  /// Nil where there is no number: see `missing`.
  public var value: Double?
  /// `%`, `nats`, or empty.
  public var unit: String
  /// Why there is no value; nil where there is one.
  public var missing: String?
  /// A warning in a sentence that the value calls for, such as of a collapsed model; nil for none.
  public var warning: String?
  /// A table or a matrix beside the number, or in its place.
  public var table: MeasuredTable?

  /// Creates a number. One that is not finite is recorded as missing.
  public init(_ name: String, _ value: Double, unit: String = "") {
    self.name = name
    self.unit = unit
    self.value = value.isFinite ? value : nil
    if !value.isFinite { missing = "the value is \(value)" }
  }

  /// Creates a missing value with its reason.
  public init(_ name: String, missing: String, unit: String = "") {
    self.name = name
    self.unit = unit
    self.missing = missing
  }

  /// Creates a table: kept as a CSV file, and drawn where it is a matrix.
  public init(_ name: String, _ table: MeasuredTable, unit: String = "") {
    self.name = name
    self.unit = unit
    self.table = table
  }
}

extension Measured {
  /// What is impossible about one that was read from a file; nil where nothing is.
  public var problem: String? {
    if let value, !value.isFinite { return "the value \(value) of '\(name)'" }
    guard let table else { return nil }
    guard table.values.count == table.rows.count, table.values.allSatisfy({ $0.count == table.columns.count }) else {
      return "a table '\(name)' of \(table.values.count) rows, with \(table.rows.count) names of rows and "
        + "\(table.columns.count) of columns"
    }
    return nil
  }
}

/// Rows and columns of numbers with names: a confusion matrix, distances between classes.
public struct MeasuredTable: Sendable, Equatable, Codable {
  /// The title of the rows, `true class` say; the head of the first column.
  public var rowTitle: String
  /// The title of the columns, `predicted class` say.
  public var columnTitle: String
  /// The names of the rows.
  public var rows: [String]
  /// The names of the columns.
  public var columns: [String]
  /// Row by row; nil where there is no number.
  public var values: [[Double?]]
  /// Whether it is drawn as a heat map: its numbers are of one kind.
  public var isMatrix: Bool

  /// Creates a table.
  ///
  /// - Parameter values: One list for each row, with one number for each column; what is not finite becomes nil.
  public init(
    rowTitle: String, rows: [String], columnTitle: String, columns: [String], values: [[Double]], isMatrix: Bool = true
  ) {
    self.rowTitle = rowTitle
    self.columnTitle = columnTitle
    self.rows = rows
    self.columns = columns
    self.values = values.map { $0.map { $0.isFinite ? $0 : nil } }
    self.isMatrix = isMatrix
  }
}
