import Files
import Foundation

/// The list of plugins in a manifest: `let plugins = ["Ring"]`, or `let plugins: [Paper] = [Paper("Ring", tests: true)]`.
public struct PluginList {
  /// The names in the list, in order.
  public let names: [String]
  private let text: String
  /// Behind the last character of the list that is neither space nor comment: of its last word or comma, or its `[`.
  private let end: String.Index
  /// Whether that is a word, so that a comma must follow it.
  private let needsComma: Bool
  /// The places of its `[` and its `]`.
  private let open: String.Index
  private let close: String.Index
  /// Whether it is a list of `Paper`, whose tests are told by a flag.
  private let isOfPapers: Bool

  /// Finds the list in the text of a manifest; nil where there is none, or it does not end.
  public init?(manifest text: String) {
    guard let head = text.firstMatch(of: /(?m)^let plugins(?:\s*:\s*\[\s*([A-Za-z]+)\s*\])?\s*=\s*\[/) else {
      return nil
    }
    var (place, depth, last) = (head.range.upperBound, 1, text.index(before: head.range.upperBound))
    var names: [String] = []
    scan: while place < text.endIndex {
      let rest = text[place...]
      if rest.hasPrefix("//") {
        place = rest.firstIndex(where: \.isNewline) ?? text.endIndex
        continue
      }
      if rest.hasPrefix("/*") {
        guard let comment = rest.range(of: "*/") else { return nil }
        place = comment.upperBound
        continue
      }
      switch text[place] {
      case "\"":
        guard let word = rest.prefixMatch(of: /"([^"\\\n]*)"/) else { return nil }
        names.append(String(word.1))
        (last, place) = (text.index(before: word.range.upperBound), word.range.upperBound)
        continue
      case "[", "(": depth += 1
      case "]", ")": depth -= 1
      default: break
      }
      if depth == 0 { break scan }
      if !text[place].isWhitespace { last = place }
      place = text.index(after: place)
    }
    guard place < text.endIndex, text[place] == "]" else { return nil }
    (self.text, self.names, end) = (text, names, text.index(after: last))
    (open, close) = (text.index(before: head.range.upperBound), place)
    needsComma = text[last] != "," && !names.isEmpty
    isOfPapers = head.1 == "Paper"
  }

  /// Returns how the list says that there is a plugin with tests: `Paper("Ring", tests: true)`.
  public func word(for name: String) -> String { isOfPapers ? "Paper(\"\(name)\", tests: true)" : "\"\(name)\"" }

  /// Returns the manifest with one more plugin at the end of the list.
  public func manifest(adding name: String) -> String {
    let tail = text[end..<close]
    if !text[open...close].contains(where: \.isNewline) {
      return text[..<end] + (names.isEmpty ? "" : needsComma ? ", " : " ") + word(for: name) + text[close...]
    }
    let kept = tail.reversed().drop { $0.isWhitespace }.reversed()
    return text[..<end] + (needsComma ? "," : "") + String(kept) + "\n  \(word(for: name)),\n" + text[close...]
  }
}
