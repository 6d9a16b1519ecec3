import Files
import Foundation
import LatentKit

/// A recipe file that cannot be used: where, what was found and what was expected.
///
///     csae.yaml:7:12: stages[0].epochs: found 'ten', expected a whole number of at least 1
public struct RecipeFileError: Error, CustomStringConvertible, Equatable {
  /// The file.
  public let file: String
  /// The position in the file; nil where the fault is not at one place.
  public let position: TextPosition?
  /// The path of the value in the recipe; empty for the file as a whole.
  public let path: String
  /// The reason: found, expected.
  public let reason: String

  /// Creates an error about a file.
  public init(file: String, position: TextPosition? = nil, path: String = "", _ reason: String) {
    self.file = position?.file ?? file
    self.position = position
    self.path = path
    self.reason = reason
  }

  public var description: String {
    let place = position.map { "\(file):\($0.line):\($0.column)" } ?? file
    return [place, path.shortened(to: 200), reason.shortened(to: 1500)].filter { !$0.isEmpty }.joined(separator: ": ")
  }
}

/// A recipe with the position of each of its values in its file.
public struct RecipeSource: Sendable {
  /// The recipe.
  public let recipe: Recipe
  /// The file, as messages show it.
  public let file: String
  /// The position of each value by its path in the recipe: `encoder.with.latent`.
  public let positions: [String: TextPosition]

  /// Reads a recipe from YAML, with what it extends.
  ///
  /// - Parameter file: The file's name in messages, from whose folder the path of what it extends goes.
  /// - Throws: `RecipeFileError`.
  public init(yaml: String, file: String) throws {
    self.file = file
    do {
      guard let tree = try Tree(yaml: yaml) else {
        throw TreeProblem(reason: "found nothing, expected a recipe; write at least 'encoder: NAME'")
      }
      var reader = RecipeReader()
      recipe = try reader.recipe(tree.extended(in: file))
      positions = reader.positions
    } catch let problem as TreeProblem {
      throw RecipeFileError(file: file, position: problem.position, path: problem.path, problem.reason)
    }
  }

  /// Reads a recipe file, or the recipe in the folder of a run.
  /// - Throws: `RecipeFileError`.
  public init(_ url: URL) throws {
    let source = try RecipeText(at: url)
    try self.init(yaml: source.text, file: source.file)
  }

  /// Returns the error with the place in the file of the value that it is about, or of what that value is part of.
  ///
  /// - Parameter recipe: The recipe that the error was found in, where it has been changed since it was read: an error
  ///   about a changed value is not the file's, and stays as it is.
  public func located(_ error: ConfigError, in recipe: Recipe? = nil) -> any Error {
    if let recipe {
      let (now, read) = (Tree(recipe, isCompact: false), Tree(self.recipe, isCompact: false))
      guard now.value(at: error.path) == read.value(at: error.path) else { return error }
    }
    var path = error.path[...]
    while true {
      if let position = positions[String(path)] {
        return RecipeFileError(file: file, position: position, path: error.path, error.reason)
      }
      guard let end = path.lastIndex(where: { $0 == "." || $0 == "[" }) else { break }
      path = path[..<end]
    }
    return RecipeFileError(file: file, path: error.path, error.reason)
  }
}

extension Recipe {
  /// Reads a recipe from YAML.
  /// - Parameter file: The file's name in messages.
  /// - Throws: `RecipeFileError`.
  public static func read(yaml: String, file: String) throws -> Recipe {
    try RecipeSource(yaml: yaml, file: file).recipe
  }

  /// Reads a recipe file or that in the folder of a run, with where its values stand.
  /// - Throws: `RecipeFileError`.
  public static func read(_ url: URL) throws -> RecipeSource { try RecipeSource(url) }
}
