import Files
import Foundation
import LatentKit

/// A text that holds a recipe, and how messages call the file that it is from.
struct RecipeText {
  let text: String
  let file: String

  /// Reads a recipe file, or the recipe of a run's folder.
  ///
  /// - Throws: `RecipeFileError`.
  init(at url: URL) throws {
    var url = url
    if OutputPlace(url, followsLinks: true) == .folder {
      let folder = url.relativePath
      url.appendPathComponent("recipe.yaml")
      guard OutputPlace(url, followsLinks: true) != nil else {
        throw RecipeFileError(
          file: folder, "found a folder without a recipe.yaml; name a recipe file, or the folder of a run")
      }
    }
    let file = url.relativePath
    let data: Data
    do { data = try Data(contentsOf: url) } catch let error as CocoaError where error.code == .fileReadNoSuchFile {
      throw RecipeFileError(file: file, "there is no such file; check its name and folder")
    } catch {
      throw RecipeFileError(file: file, "the file cannot be read; check that it is a file and that you may read it")
    }
    guard let text = String(validating: data, as: UTF8.self) else {
      throw RecipeFileError(file: file, "found bytes that are not UTF-8 text, expected a recipe in YAML")
    }
    (self.text, self.file) = (text, file)
  }
}

extension Tree {
  /// Returns the recipe with what it extends: `extends: csae-l.yaml`, a path from the file's own folder, of a recipe or of a run.
  ///
  /// What the file says stands in place of what the other says. Settings of a part are merged where it is the same part, and
  /// stages where they have the same name; lists are replaced. `name` and `about` are those of the file.
  ///
  /// - Parameters:
  ///   - file: The file, from whose folder the path goes.
  ///   - chain: The files that extend this one, outermost first.
  /// - Throws: `TreeProblem`.
  func extended(in file: String, by chain: [String] = []) throws -> Tree {
    guard case .mapping(let fields) = content, let field = fields.first(where: { $0.key == "extends" }) else {
      return self
    }
    func refuse(_ reason: String) -> TreeProblem {
      TreeProblem(path: "extends", position: field.tree.position ?? field.position, reason: reason)
    }
    guard case .scalar(.string(let path)) = field.tree.content, !path.isEmpty else {
      throw refuse(
        "found \(field.tree.found), expected the path of a recipe file or of a run's folder, as in csae-l.yaml")
    }
    let folder = (file as NSString).deletingLastPathComponent
    let url = URL(fileURLWithPath: path.hasPrefix("/") ? path : (folder as NSString).appendingPathComponent(path))
    let base: RecipeText
    do { base = try RecipeText(at: url) } catch let error as RecipeFileError { throw refuse("\(error)") }
    func place(_ path: String) -> String { URL(fileURLWithPath: path).realPath }
    let chain = chain + [place(file)]
    guard !chain.contains(place(base.file)) else {
      throw refuse("found \(path), which extends this file in turn; a recipe cannot extend itself")
    }
    let extended: Tree
    do {
      guard var tree = try Tree(yaml: base.text) else { throw TreeProblem(reason: "found nothing, expected a recipe") }
      tree.setFile(base.file)
      extended = try tree.extended(in: base.file, by: chain)
    } catch var problem as TreeProblem {
      guard problem.position != nil else { throw refuse("\(base.file): \(problem.reason)") }
      if problem.position?.file == nil { problem.position?.file = base.file }
      throw problem
    }
    return try overriding(extended)
  }

  /// Notes in which file the values stand.
  private mutating func setFile(_ file: String) {
    position?.file = file
    switch content {
    case .scalar: break
    case .list(var items):
      for index in items.indices { items[index].setFile(file) }
      content = .list(items)
    case .mapping(var fields):
      for index in fields.indices {
        fields[index].position?.file = file
        fields[index].tree.setFile(file)
      }
      content = .mapping(fields)
    }
  }

  // MARK: In place of what another recipe says

  private func overriding(_ base: Tree) throws -> Tree {
    guard case .mapping(let own) = content, case .mapping(let others) = base.content else { return self }
    let kept = others.filter { !["name", "about", "extends"].contains($0.key) }
    let single = Set(RecipeKey.slots.filter(\.isSingle).map(\.key))
    return try merging(own.filter { $0.key != "extends" }, into: kept) { key, new, old in
      try single.contains(key) ? new.part(over: old) : key == "stages" ? new.stages(over: old) : new
    }
  }

  private func merging(
    _ own: [Field], into others: [Field], _ merge: (String, Tree, Tree) throws -> Tree
  ) rethrows -> Tree {
    var fields = others
    for field in own {
      if let index = fields.firstIndex(where: { $0.key == field.key }) {
        fields[index].tree = try merge(field.key, field.tree, fields[index].tree)
        fields[index].position = field.position
      } else {
        fields.append(field)
      }
    }
    return Tree(content: .mapping(fields), position: position, isBlock: isBlock)
  }

  /// A part in place of another: the same one keeps the settings that are not said.
  private func part(over base: Tree) -> Tree {
    func name(_ tree: Tree) -> Value? {
      if case .scalar(let value) = tree.content { return value }
      return tree["use"]?.value
    }
    guard name(self) == nil || name(self) == name(base), self["from"] == nil, self["foreign"] == nil else {
      return self
    }
    guard case .mapping(let own) = content else { return base }
    var others: [Field] = []
    switch base.content {
    case .mapping(let fields): others = fields
    default: others = [Field(key: "use", position: base.position, tree: base)]
    }
    return merging(own, into: others) { key, new, old in
      guard key == "with", case .mapping(let own) = new.content, case .mapping(let others) = old.content else {
        return new
      }
      return new.merging(own, into: others) { _, new, _ in new }
    }
  }

  /// Stages in place of others: those of the same name are merged, or in the same place where they have none; others follow.
  ///
  /// - Throws: `TreeProblem` for a name that is nearly that of a stage which is there.
  private func stages(over base: Tree) throws -> Tree {
    guard case .list(let own) = content, case .list(var stages) = base.content else { return self }
    func named(_ items: [Tree], like others: [Value] = []) -> [(name: Value, tree: Tree)] {
      items.enumerated().map { index, item in
        let place = others.indices.contains(index) ? others[index] : nil
        let name = item["name"]?.value ?? place ?? .string(RecipeReader.stageName(index, of: items.count))
        guard case .mapping(let fields) = item.content, item["name"] == nil else { return (name, item) }
        // Another number of stages must not change the name of one, on which its draws depend.
        let field = Field(key: "name", position: item.position, tree: Tree(name))
        return (name, Tree(content: .mapping([field] + fields), position: item.position, isBlock: item.isBlock))
      }
    }
    var known = named(stages)
    let changes = named(own, like: known.map(\.name))
    for (place, change) in changes.enumerated() where changes[..<place].contains(where: { $0.name == change.name }) {
      throw TreeProblem(
        path: "stages", position: change.tree.position,
        reason: "found stage '\(change.name.shortText)' twice, of which one would be lost; write one")
    }
    for (name, stage) in changes {
      if let index = known.firstIndex(where: { $0.name == name }) {
        known[index].tree = try stage.stage(over: known[index].tree)
      } else {
        try stage.refuseSlip(name, among: known.map(\.name))
        known.append((name, stage))
      }
    }
    stages = known.map(\.tree)
    return Tree(content: .list(stages), position: position, isBlock: isBlock)
  }

  /// Refuses the name of a new stage that is nearly that of another.
  ///
  /// - Throws: `TreeProblem`.
  private func refuseSlip(_ name: Value, among known: [Value]) throws {
    func text(_ name: Value) -> String? { if case .string(let text) = name { text } else { nil } }
    // Numbers are told apart on purpose: stage-2 beside stage-1.
    func plain(_ text: String) -> String { text.filter { !$0.isNumber } }
    guard let name = text(name),
      let nearest = UnknownName(name, among: known.compactMap(text), of: "stage").nearest, plain(nearest) != plain(name)
    else { return }
    throw TreeProblem(
      path: "stages", position: self["name"]?.position ?? position,
      reason:
        "found stage '\(name)', and the recipe that this one extends has '\(nearest)'; if another stage is meant, call it less alike"
    )
  }

  /// - Throws: `TreeProblem` for keys of a step over a stage of several.
  private func stage(over base: Tree) throws -> Tree {
    guard case .mapping(let own) = content, case .mapping(var others) = base.content else { return self }
    // Steps stand in place of the only step's keys.
    if self["steps"] != nil {
      others.removeAll { RecipeKey.step.contains($0.key) }
    } else if let stray = own.first(where: { RecipeKey.step.contains($0.key) }), let steps = base["steps"] {
      guard case .list(let items) = steps.content, items.count == 1, case .mapping(let only) = items[0].content,
        !only.contains(where: { $0.key == "steps" })
      else {
        throw TreeProblem(
          path: "stages", position: stray.position,
          reason:
            "found '\(stray.key)', and the stage that this one extends has several steps; write 'steps', which stand in place of "
            + "those")
      }
      others.removeAll { $0.key == "steps" }
      others += only
    }
    return merging(own, into: others) { key, new, old in
      switch (key, new.content, old.content) {
      case ("optimizer", _, _), ("schedule", _, _): new.part(over: old)
      case ("stop", .mapping(let own), .mapping(let others)): new.merging(own, into: others) { _, new, _ in new }
      default: new
      }
    }
  }
}
