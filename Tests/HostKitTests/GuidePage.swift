import Foundation
import LatentKit
import Testing

@testable import HostKit

/// A page of the guide, a README or another text that users follow.
struct GuidePage: CustomTestStringConvertible, Sendable {
  /// The path from the package's folder.
  let path: String
  let text: String

  init(_ path: String) {
    self.path = path
    // A page that cannot be read has nothing in it, which every test notices.
    let text = (try? String(contentsOf: packageRoot.appendingPathComponent(path), encoding: .utf8)) ?? ""
    // Templates have places for names.
    self.text = text.replacing("__host__", with: "host").replacing(/__[a-z]+__/, with: "made.yaml")
  }

  var testDescription: String { path }

  /// The pages under `Docs/`, without decisions.
  static let guide = names(in: "Docs").filter { $0.hasSuffix(".md") }.map { GuidePage("Docs/\($0)") }

  /// Those, the README and those of the plugins and of what is made from templates.
  static let all =
    guide + ["README.md", "Templates/Plugin/common/README.md", "Templates/Package/README.md"].map { GuidePage($0) }
    + names(in: "Plugins").map { GuidePage("Plugins/\($0)/README.md") }.filter { !$0.text.isEmpty }

  private static func names(in folder: String) -> [String] {
    let names = try? FileManager.default.contentsOfDirectory(atPath: packageRoot.appendingPathComponent(folder).path)
    return (names ?? []).sorted()
  }

  /// A stretch of code.
  struct Code {
    let text: String
    /// The language of a fenced block; empty for an indented one, nil for code inside a line.
    let language: String?
  }

  /// The code blocks, fenced and indented, and what stands between backticks.
  var code: [Code] {
    var found: [Code] = []
    var (prose, block) = ("", "")
    var fence: String?
    for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) + [""] {
      if line.hasPrefix("```") {
        if let language = fence { found.append(Code(text: block, language: language)) }
        fence = fence == nil ? String(line.dropFirst(3)) : nil
        block = ""
      } else if fence != nil {
        block += line + "\n"
      } else if line.hasPrefix("    ") {
        block += line.dropFirst(4) + "\n"
      } else {
        if !block.isEmpty { found.append(Code(text: block, language: "")) }
        block = ""
        prose += line + "\n"
      }
    }
    // Symbols that DocC links to stand in two.
    return found
      + prose.replacing("``", with: "`").matches(of: /`([^`]+)`/).map { Code(text: String($0.1), language: nil) }
  }

  /// The command lines of the program, whatever it is called, without its name.
  var commands: [(line: String, isInline: Bool)] {
    code.filter { ["", nil].contains($0.language) }.flatMap { code in
      code.text.replacing(/[ ]*\\\n[ ]*/, with: " ").replacing(code.language == nil ? /\s+/ : /[ ]+/, with: " ")
        .split(separator: "\n").flatMap { $0.split(separator: /&&|\|/) }.compactMap { line in
          line.wholeMatch(of: /\s*(?:\.build\/release\/)?(?:[a-z]+-)?host (.*)/)
            .map { (line: String($0.1), isInline: code.language == nil) }
        }
    }
  }

  /// The rows of the table whose first head is given: the cells of each.
  func rows(under head: String) -> [[String]] {
    text.components(separatedBy: "\n").drop { !$0.hasPrefix("| \(head) |") }.dropFirst(2)
      .prefix { $0.hasPrefix("|") }
      .map { $0.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) } }
  }

  /// What stands between backticks in the first cells of a table.
  func names(under head: String) -> [String] { rows(under: head).flatMap { Self.quoted($0.first ?? "") } }

  /// What stands between backticks.
  static func quoted(_ text: String) -> [String] { text.matches(of: /`([^`]+)`/).map { String($0.1) } }
}

/// Takes a command line apart as a shell does: quotes, and what comes after a '#'.
func words(_ line: String) -> [String] {
  var words: [String] = []
  var word: String?
  var quote: Character?
  for character in line {
    if let open = quote {
      if character == open { quote = nil } else { word?.append(character) }
    } else if character == "'" || character == "\"" {
      quote = character
      word = word ?? ""
    } else if character.isWhitespace {
      if let done = word { words.append(done) }
      word = nil
    } else if character == "#", word == nil {
      break
    } else {
      word = (word ?? "") + String(character)
    }
  }
  return words + (word.map { [$0] } ?? [])
}
