/// The version of LatentKit.
public enum LatentKitVersion {
  /// Major, minor and patch: `0.1.0`.
  public static let current = "0.1.0"

  /// Whether a version is newer than this one in its major or minor number.
  public static func isOlder(than other: String) -> Bool {
    func numbers(_ text: String) -> [Int] { text.split(separator: ".").prefix(2).map { Int($0) ?? 0 } }
    return numbers(current).lexicographicallyPrecedes(numbers(other))
  }
}
