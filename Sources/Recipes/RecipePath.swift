import LatentKit

/// A place in a recipe: `stages[0].steps[1].losses.sobel.weight`.
struct RecipePath {
  enum Component: Equatable {
    case key(String)
    case index(Int)
  }

  /// - Throws: `TreeProblem`.
  static func parse(_ text: String) throws -> [Component] {
    var components: [Component] = []
    for part in text.split(separator: ".", omittingEmptySubsequences: false) {
      guard let match = part.wholeMatch(of: /([^\[\]]+)((?:\[[0-9]+\])*)/) else {
        throw TreeProblem(reason: "found the path '\(text)', expected names and indices, as in stages[0].epochs")
      }
      components.append(.key(String(match.1)))
      for index in match.2.matches(of: /[0-9]+/) { components.append(.index(Int(index.0) ?? .max)) }
    }
    return components
  }

  static func text(_ components: some Sequence<Component>) -> String {
    components.reduce("") { text, component in
      switch component {
      case .key(let key): text.isEmpty ? key : "\(text).\(key)"
      case .index(let index): "\(text)[\(index)]"
      }
    }
  }
}

extension Tree {
  /// Returns the value at a path, where there is one. An index may also be written as a name, as in `with.hidden.1`.
  func value(at path: String) -> Value? {
    guard let components = try? RecipePath.parse(path) else { return nil }
    var tree = self
    for component in components {
      let next: Tree? =
        switch (component, tree.content) {
        case (.key(let key), .mapping): tree[key]
        case (.key(let key), .list(let items)): Int(key).flatMap { items.indices.contains($0) ? items[$0] : nil }
        case (.index(let index), .list(let items)): items.indices.contains(index) ? items[index] : nil
        default: nil
        }
      guard let next else { return nil }
      tree = next
    }
    return tree.value
  }

  /// Replaces the value at a path; names that are missing in a mapping are added to it.
  /// - Throws: `TreeProblem` where the path leads into a value that has no parts, or past the end of a list.
  mutating func set(
    _ value: Tree, at path: ArraySlice<RecipePath.Component>, below parents: [RecipePath.Component] = []
  ) throws {
    guard let first = path.first else {
      self = value
      return
    }
    let here = RecipePath.text(parents)
    switch (first, content) {
    case (.key(let key), .mapping(var fields)):
      let index = fields.firstIndex { $0.key == key } ?? fields.count
      if index == fields.count { fields.append(Field(key: key, tree: .mapping([]))) }
      try fields[index].tree.set(value, at: path.dropFirst(), below: parents + [first])
      content = .mapping(fields)
    case (.index(let index), .list(var items)):
      guard items.indices.contains(index) else {
        throw TreeProblem(path: here, reason: "there is no [\(index)] in a list of \(items.count); indices start at 0")
      }
      try items[index].set(value, at: path.dropFirst(), below: parents + [first])
      content = .list(items)
    case (.key(let key), _): throw TreeProblem(path: here, reason: "found \(found), which has no '\(key)'")
    case (.index(let index), _):
      throw TreeProblem(path: here, reason: "found \(found), expected a list to have [\(index)]")
    }
  }
}
