import Foundation
import LatentKit

/// A YAML file of keys and values, with the position of each value for errors.
package struct ConfigFile: Sendable {
  package let url: URL
  /// The values by their keys.
  package let fields: [String: Value]
  private let places: [String: TextPosition]

  /// - Parameters:
  ///   - noun: The name of such a file in messages, `experiment`.
  ///   - key: A required key, for messages.
  /// - Throws: `RecipeFileError` for a file that cannot be read, or that is not YAML with keys.
  package init(_ url: URL, as noun: String, with key: String) throws {
    self.url = url
    let file = url.relativePath
    let noun = ("aeiou".contains(noun.first ?? "x") ? "an " : "a ") + noun
    guard let data = try? Data(contentsOf: url) else {
      throw RecipeFileError(file: file, "cannot be read, expected \(noun) file; check its name and folder")
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      throw RecipeFileError(file: file, "found bytes that are not UTF-8 text, expected \(noun) in YAML")
    }
    do {
      guard let tree = try Tree(yaml: text), case .object(let fields) = tree.value else {
        throw TreeProblem(reason: "found no keys, expected \(noun) with '\(key)'")
      }
      self.fields = fields
      places = tree.places
    } catch let problem as TreeProblem {
      throw RecipeFileError(file: file, position: problem.position, path: problem.path, problem.reason)
    }
  }

  /// Returns an error about the value at a path, or about the nearest enclosing value in the file.
  package func error(_ path: String, _ reason: String) -> RecipeFileError {
    var place = path[...]
    while places[String(place)] == nil, let end = place.lastIndex(where: { $0 == "." || $0 == "[" }) {
      place = place[..<end]
    }
    return RecipeFileError(file: url.relativePath, position: places[String(place)], path: path, reason)
  }

  /// Returns the keys of the mapping at a path in the order in which the file has them.
  package func keys(of values: [String: Value], at path: String) -> [String] {
    func place(_ key: String) -> (Int, Int) { places["\(path).\(key)"].map { ($0.line, $0.column) } ?? (0, 0) }
    return values.keys.sorted { place($0) < place($1) }
  }

  /// Runs `body` and adds the position in the file to its `ConfigError`.
  package func locating<Result>(_ body: () throws -> Result) throws -> Result {
    do { return try body() } catch let problem as ConfigError {
      throw error(String(problem.path.drop { $0 == "." }), problem.reason)
    }
  }
}

extension Tree {
  /// The position of each value of a document, by its path: `rows[1].recipe`.
  fileprivate var places: [String: TextPosition] {
    var found: [String: TextPosition] = [:]
    func visit(_ tree: Tree, _ path: String) {
      found[path] = tree.position
      switch tree.content {
      case .scalar: break
      case .list(let items): for (index, item) in items.enumerated() { visit(item, "\(path)[\(index)]") }
      case .mapping(let fields):
        for field in fields { visit(field.tree, path.isEmpty ? field.key : "\(path).\(field.key)") }
      }
    }
    visit(self, "")
    return found
  }
}
