import Files

/// An unknown name, with the known ones and the nearest.
public struct UnknownName: Error, CustomStringConvertible, Equatable {
  /// The unknown name.
  public let name: String
  /// The known names.
  public let known: [String]
  /// The kind of thing it names: `setting`.
  public let kind: String

  /// Creates the error for a name of a kind.
  public init(_ name: String, among known: [String], of kind: String) {
    self.name = name
    self.known = known
    self.kind = kind
  }

  /// The known name with the fewest changes, where they are few enough to be a slip.
  public var nearest: String? {
    // No name is so long: it is no slip, and comparing would take its time.
    guard name.utf8.count <= 200 else { return nil }
    let scored = known.map { ($0, editDistance(name.lowercased(), $0.lowercased())) }
    guard let best = scored.min(by: { $0.1 < $1.1 }), best.1 <= max(2, name.count / 3), best.1 < name.count
    else { return nil }
    return best.0
  }

  public var description: String {
    let advice = nearest.map { " Did you mean '\($0)'?" } ?? ""
    let list = known.isEmpty ? "there are none" : "known: \(known.listed())"
    return "there is no \(kind) '\(name.shortened())'; \(list).\(advice)"
  }
}

/// Returns the number of insertions, deletions, replacements and swaps of neighbours that turn one word into the other.
func editDistance(_ a: String, _ b: String) -> Int {
  let (a, b) = (Array(a), Array(b))
  var rows = [Array(0...b.count)]
  for i in 0..<a.count {
    var row = [i + 1]
    for j in 0..<b.count {
      var best = min(rows[i][j] + (a[i] == b[j] ? 0 : 1), rows[i][j + 1] + 1, row[j] + 1)
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, rows[i - 1][j - 1] + 1) }
      row.append(best)
    }
    rows.append(row)
  }
  return rows[a.count][b.count]
}
