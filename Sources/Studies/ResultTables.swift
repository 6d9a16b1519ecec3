import Foundation

/// The tables of a study in Markdown.
extension StudyResults {
  private var isCompared: Bool { lines.contains { $0.published != nil } }

  /// A header and a row for each measure of each cell. Without any published value there are no columns for it and the difference.
  public var table: [[String]] {
    let columns = isCompared ? Array(Self.heads.indices) : Self.heads.indices.filter { !Self.comparison.contains($0) }
    return ([Self.heads] + lines.map(\.columns)).map { row in columns.map { row[$0] } }
  }

  /// The tables of `results.md`: the long one where there are published values, and for a single cell. Else the cells' rows by
  /// measures, one table for each of the cells' columns and each few measures.
  var markdownTables: String {
    guard !isCompared, study.cells.count > 1 else {
      let rows = isCompared ? table : table.map { Array($0.dropFirst()) }
      return Markdown.table(rows, texts: isCompared ? 2 : 1).joined(separator: "\n")
    }
    return unique(lines.map(\.column)).map { column in
      let own = lines.filter { $0.column == column }
      let measures = unique(own.map(\.measure))
      let few = stride(from: 0, to: measures.count, by: Self.width).map {
        pivot(own, Array(measures[$0..<min($0 + Self.width, measures.count)]), counts: $0 == 0)
      }
      return ((column.isEmpty ? [] : ["## \(column)"]) + few.map { Markdown.table($0).joined(separator: "\n") })
        .joined(separator: "\n\n")
    }.joined(separator: "\n\n")
  }

  /// Measures side by side.
  private static let width = 7
  /// The places in `heads` of what published values alone fill.
  private static let comparison: Set<Int> = [2, 4]

  /// Rows by measures.
  ///
  /// - Parameter counts: Whether the numbers of runs, epochs and examples stand behind.
  private func pivot(_ lines: [Line], _ measures: [String], counts: Bool) -> [[String]] {
    let heads = measures.map { measure in
      let unit = lines.first { $0.measure == measure }?.unit ?? ""
      return unit.isEmpty ? measure : "\(measure), \(unit)"
    }
    let rows = unique(lines.map(\.row)).map { row in
      let own = lines.filter { $0.row == row }
      // Some measures are missing in some runs.
      let most = own.max { $0.values.count < $1.values.count } ?? own[0]
      let values = measures.map { measure in own.first { $0.measure == measure }?.valueText ?? "-" }
      return [row] + values + (counts ? most.counts : [])
    }
    return [["row"] + heads + (counts ? Array(Self.heads.suffix(3)) : [])] + rows
  }
}
