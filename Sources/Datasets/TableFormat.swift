import Foundation
import LatentKit

/// The format of a file of numbers.
public struct TableFormat: Sendable, Equatable {
  /// The character between cells; `auto` takes the one that is most frequent in the first row, where a decimal comma is none.
  /// `space` is that of R's `write.table`.
  public enum Separator: String, Choice { case auto, comma, semicolon, tab, space }
  /// The character before the fraction of a number.
  public enum Decimal: String, Choice { case point, comma }
  /// Whether each sample is a row or a column.
  public enum Direction: String, Choice { case rows, columns }
  /// The treatment of cells without a value: empty, `NA`, `N/A`, `NaN`, `null` or `?`.
  public enum Missing: String, Choice {
    case refuse
    /// They become NaN, which transform `impute` fills in.
    case keep
  }

  /// The character between cells.
  public var separator = Separator.auto
  /// The character before the fraction of a number.
  public var decimal = Decimal.point
  /// Whether samples are rows or columns.
  public var samples = Direction.rows
  /// nil: the first row is one where none of its cells is a number.
  public var header: Bool?
  /// nil: the column with one of the usual names; `none` for no labels.
  public var label: NameOrNumber?
  /// The column that names the samples; nil: a first column of texts that all differ; `none` for no ids.
  public var id: NameOrNumber?
  /// The columns to read, in this order; the others are left aside, and labels may be missing. Nil for all.
  public var features: [String]?
  /// A file of its own for the labels, in which `label` is then looked for.
  public var labelFile: URL?
  /// Of an `.h5ad` file, the layer that is read in place of X.
  public var layer: String?
  /// Columns that are left out.
  public var drop: [NameOrNumber] = []
  /// The treatment of cells without a value.
  public var missing = Missing.refuse
  /// The classes that labels of new rows may have: a text such as `NA` that is none of them is no label.
  var classes: [String] = []
  /// The limit of an unpacked file, in MiB.
  public var unpackLimit = UnpackLimit.usual.mebibytes

  public init() {}

  var limit: UnpackLimit { UnpackLimit(mebibytes: unpackLimit) }
}
