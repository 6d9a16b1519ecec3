/// Names that people choose and that become the names of files and folders.
public enum FileName {
  /// The longest name, in bytes of UTF-8; it leaves room for what is put after it.
  public static let maximumLength = 128

  /// The reason why a text cannot be the name of one file or folder; nil where it can.
  ///
  /// A name is one step of a path, is seen, and is never taken for an option: it has no separators and no control
  /// characters, and begins with no `.`, `-` or space.
  ///
  /// - Parameter length: The longest that it may be, in bytes of UTF-8.
  public static func defect(in name: String, longest length: Int = maximumLength) -> String? {
    if name.isEmpty { return "is empty" }
    if name.utf8.count > length { return "has \(name.utf8.count) bytes, more than \(length)" }
    if let bad = name.unicodeScalars.first(where: { $0 == "/" || $0 == "\\" || $0.isUnseen }) {
      return "has \(bad.isUnseen ? "the control character \(bad.shown)" : "a '\(bad)'")"
    }
    if let first = name.first, first == "." || first == "-" || first.isWhitespace { return "begins with '\(first)'" }
    return nil
  }
}

extension Unicode.Scalar {
  /// Whether a terminal obeys it rather than showing it: control characters, and those that turn the direction of writing.
  var isUnseen: Bool {
    switch properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator, .surrogate: true
    case .format:
      (0x200E...0x200F).contains(value) || (0x202A...0x202E).contains(value) || (0x2066...0x2069).contains(value)
    default: false
    }
  }

  /// As Swift writes it: `\n`, `\u{1B}`.
  fileprivate var shown: String {
    switch self {
    case "\n": "\\n"
    case "\r": "\\r"
    case "\t": "\\t"
    default: "\\u{\(String(value, radix: 16, uppercase: true))}"
    }
  }
}

extension String {
  /// The text with everything that a terminal would obey written out: `\u{1B}` for an escape, `\n` for an end of line.
  ///
  /// - Parameter kept: What is left as it is.
  public func shown(keeping kept: Set<Unicode.Scalar> = []) -> String {
    guard unicodeScalars.contains(where: { $0.isUnseen && !kept.contains($0) }) else { return self }
    return unicodeScalars.reduce(into: "") { text, scalar in
      if scalar.isUnseen, !kept.contains(scalar) {
        text += scalar.shown
      } else {
        text.unicodeScalars.append(scalar)
      }
    }
  }
}
