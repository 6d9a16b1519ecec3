import LatentKit

/// Rows of cells as lines of text, each column as wide as its widest cell.
///
/// - Parameter numbersFrom: The first column that is set to the right; nil for none.
func aligned(_ rows: [[String]], numbersFrom first: Int? = nil) -> [String] {
  let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
  return rows.map { row in
    let cells = zip(row, widths).enumerated().map { column, cell in
      let space = String(repeating: " ", count: cell.1 - cell.0.count)
      return column >= first ?? .max ? space + cell.0 : cell.0 + space
    }
    let line = cells.joined(separator: "  ")
    return String(line.reversed().drop { $0 == " " }.reversed())
  }
}
