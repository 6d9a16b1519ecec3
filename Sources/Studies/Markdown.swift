/// Markdown of results.
enum Markdown {
  /// A line of a table.
  private static func row(_ cells: [String]) -> String { "| " + cells.joined(separator: " | ") + " |" }

  /// A table: a head, and rows below it.
  ///
  /// - Parameter texts: How many of the first columns, and whether the last one, are no numbers.
  static func table(_ rows: [[String]], texts: Int = 1, endsInText: Bool = false) -> [String] {
    guard let head = rows.first else { return [] }
    let rule = head.indices.map { $0 < texts || endsInText && $0 == head.count - 1 ? "---" : "---:" }
    return [row(head), "|" + rule.joined(separator: "|") + "|"] + rows.dropFirst().map(row)
  }
}
