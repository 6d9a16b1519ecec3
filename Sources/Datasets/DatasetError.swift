/// Something about a dataset that cannot be used: what was found, what was expected, what to do. One sentence.
public struct DatasetError: Error, CustomStringConvertible, Equatable {
  /// One sentence: found, expected, what to do.
  public let description: String
  /// Whether naming another data folder may help.
  public let isAboutFolder: Bool
  /// Creates an error from one sentence.
  public init(_ description: String, isAboutFolder: Bool = false) {
    (self.description, self.isAboutFolder) = (description, isAboutFolder)
  }
}

/// Returns `60000` as `60,000`, in any locale.
func grouped(_ count: Int) -> String {
  let digits = Array(String(count))
  return digits.indices.map { (($0 > 0 && (digits.count - $0) % 3 == 0) ? "," : "") + String(digits[$0]) }.joined()
}
