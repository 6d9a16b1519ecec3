/// Comma-separated values (RFC 4180).
public enum CSV {
  /// Returns one line. Cells with separators, quotes or line ends are quoted.
  public static func row(_ cells: [String]) -> String {
    cells.map { cell in
      let isPlain = !cell.unicodeScalars.contains { ",;\t\"\r\n".unicodeScalars.contains($0) }
      return isPlain
        ? cell : "\"" + cell.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }.joined(separator: ",") + "\r\n"
  }
}
