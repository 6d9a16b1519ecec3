import Files
import LatentKit

extension Recipe {
  /// Puts another part into a slot, as `--prior pedcc` does. Another name drops the old part's settings; the same name
  /// keeps them. Metrics and transforms are replaced as a whole; an optimiser or a schedule goes to every step.
  ///
  /// - Parameter name: A part of the slot, or `none` for slots that may stay empty.
  /// - Throws: `RecipeError` for a slot that is not a place in a recipe, or that cannot be `none`.
  public mutating func apply(choice slot: Slot, _ name: String) throws {
    guard slot != .loss, slot != .constraint else {
      throw RecipeError("\(slot.noun) stands in a stage; set it by its path, as in stages[0].losses=[mse]")
    }
    guard name != "none" || slot.place == .list || slot.place == .optional else {
      throw RecipeError("a recipe needs \(slot.noun), found 'none'; choose one by name")
    }
    let value: Value = slot.place == .list ? .array(name == "none" ? [] : [.string(name)]) : .string(name)
    try assign(Tree(value), to: slot.key, as: "\(slot.key)=\(name)")
  }

  /// Takes another data set, as `--data fashion-mnist` does, and keeps how examples are presented: padding, range, what is
  /// held out. Settings for the location of the examples are dropped with the old set, and what the recipe reproduced on it.
  public mutating func use(data name: String) {
    guard self[.data]?.use != name else { return }
    var settings = self[.data]?.with ?? [:]
    settings["embedded"] = nil
    self[.data] = PartChoice(name, with: settings)
    about = nil
  }

  /// Changes one value, as `--set` does: `prior.classes=20`.
  ///
  /// The path is a place in the recipe (`stages[0].steps[0].losses[1].weight`), where stages, losses, metrics and
  /// transforms may be called by name as well (`stages.decoder.losses.sobel.weight`), the only step of a stage needs no
  /// `steps[0]`, and `with` may be left out (`encoder.latent`). Without a stage (`epochs`, `batch`, `keepEpochs`, `stop.patience`, `optimizer.learningRate`,
  /// `losses.sobel.weight`, `clip`) it goes to every stage or step. The value is YAML. A part by name, `prior=pedcc`,
  /// works as `apply(choice:_:)`.
  ///
  /// Stages, optimisers and losses have to be there: resolve a recipe first, and again after its changes.
  ///
  /// - Throws: `RecipeError` with the known names and the nearest one for a path that leads nowhere, and for a value of
  ///   the wrong kind. Whether a part has such a setting is checked when the recipe is resolved.
  public mutating func set(_ assignment: String) throws {
    guard let equals = assignment.firstIndex(of: "="), equals != assignment.startIndex else {
      throw RecipeError("found '\(assignment.shortened())', expected path=value, as in prior.classes=20")
    }
    let text = String(assignment[assignment.index(after: equals)...])
    let path = Recipe.path(of: assignment)
    let value: Tree
    do {
      guard let parsed = try Tree(yaml: text) else {
        throw TreeProblem(reason: "found no value after '='; write null for none")
      }
      value = parsed
    } catch let problem as TreeProblem {
      throw RecipeError("'\(assignment.shortened())': \(problem.reason)")
    }
    try assign(value, to: path, as: assignment)
  }

  /// Returns the path of an assignment as `set` takes it: `prior.classes` for `prior.classes=20`.
  public static func path(of assignment: String) -> String {
    String(assignment.prefix { $0 != "=" }).replacing(/^\s+|\s+$/, with: "")
  }

  /// Returns what stands at each place that a path means to `set`, nil where nothing does; none for a path that leads nowhere.
  public func values(at path: String) -> [Value?] {
    guard let targets = try? Targets(recipe: self).targets(of: path) else { return [] }
    let tree = Tree(self, isCompact: false)
    return targets.map { tree.value(at: RecipePath.text($0.path)) }
  }

  private mutating func assign(_ value: Tree, to path: String, as assignment: String) throws {
    var places: [String] = []
    do {
      var tree = Tree(self, isCompact: false)
      let targets = try Targets(recipe: self).targets(of: path)
      places = targets.map { RecipePath.text($0.path) }
      for target in targets {
        try tree.set(
          target.isPart ? part(value, replacing: tree.value(at: RecipePath.text(target.path))) : value,
          at: target.path[...])
      }
      var reader = RecipeReader()
      let data = self[.data]?.use
      self = try reader.recipe(tree)
      // The text is about what the recipe reproduces on its own data.
      if let data, self[.data]?.use != data { about = nil }
    } catch let problem as TreeProblem {
      let sentence = [problem.path, problem.reason].filter { !$0.isEmpty }.joined(separator: ": ")
      // What was wrong before is not the assignment's fault.
      let isElsewhere = !places.isEmpty && !places.contains { $0.hasPrefix(problem.path) || problem.path.hasPrefix($0) }
      throw RecipeError(isElsewhere ? sentence : "'\(assignment.shortened())': \(sentence)")
    }
  }

  /// Returns a part given by name with the settings that it has, and a loss with its weight.
  private func part(_ value: Tree, replacing old: Value?) -> Tree {
    guard case .scalar(.string(let name)) = value.content, case .object(var fields) = old else { return value }
    if PartOrigin.isFolder(name) { return value }
    if fields["use"] != .string(name) {
      fields["with"] = .object([:])
      for key in RecipeKey.origin + RecipeKey.foreign { fields[key] = nil }
    }
    fields["use"] = .string(name)
    return Tree(.object(fields))
  }
}

/// Finds the places in a recipe that a path means.
private struct Targets {
  let recipe: Recipe

  struct Target {
    var path: [RecipePath.Component]
    /// Whether a whole part stands there.
    var isPart = false
  }

  private typealias Rest = ArraySlice<RecipePath.Component>

  func targets(of text: String) throws -> [Target] {
    let components = try RecipePath.parse(text)
    guard case .key(let key)? = components.first else {
      throw TreeProblem(reason: "found no name in the path '\(text)'")
    }
    let rest = components.dropFirst()
    if let slot = RecipeKey.slots.first(where: { $0.key == key }) {
      guard slot.place == .list else {
        return [try part(recipe[slot], [.key(key)], rest, alsoKnown: slot.isTrainable ? RecipeKey.origin : [])]
      }
      guard let choices = recipe[all: slot], !rest.isEmpty else { return [try plain([.key(key)], rest)] }
      return try parts(choices, slot.name, [.key(key)], rest)
    }
    switch key {
    case "name", "about", "seed", "watch", "precision": return [try plain([.key(key)], rest)]
    case "stages": return try stages(rest)
    case "project",
      _ where (RecipeKey.stage + RecipeKey.step).dropFirst().contains(key):
      return try inStages(recipe.stages.map { Array($0.indices) } ?? [], components[...])
    default:
      let known =
        RecipeKey.recipe.filter { $0 != "extends" } + (RecipeKey.stage + RecipeKey.step).dropFirst() + ["project"]
      throw TreeProblem(reason: UnknownName(key, among: known, of: "key").description)
    }
  }

  // MARK: Stages and steps

  private func stages(_ rest: Rest) throws -> [Target] {
    guard let first = rest.first else { return [Target(path: [.key("stages")])] }
    let stages = recipe.stages ?? []
    let index: Int
    switch first {
    case .index(let number):
      try check(number, of: stages.count, "stage")
      index = number
    case .key(let name):
      guard let found = stages.firstIndex(where: { $0.name == name }) else {
        throw TreeProblem(reason: UnknownName(name, among: stages.map(\.name), of: "stage").description)
      }
      index = found
    }
    return try inStages([index], rest.dropFirst())
  }

  /// Returns the places that a path below `stages[i]` means in some stages.
  private func inStages(_ indices: [Int], _ rest: Rest) throws -> [Target] {
    guard let stages = recipe.stages, !stages.isEmpty else {
      throw TreeProblem(reason: "this recipe has no stages yet; write its stages, or resolve it first")
    }
    guard case .key(let key)? = rest.first else {
      throw TreeProblem(path: "stages", reason: "a stage is changed by its keys, as in stages[0].epochs=5")
    }
    func base(_ index: Int) -> [RecipePath.Component] { [.key("stages"), .index(index)] }
    switch key {
    case "stop" where rest.count > 1:
      let rest = rest.dropFirst()
      guard case .key(let inner)? = rest.first, RecipeKey.stop.contains(inner) else {
        let found = rest.first.map { RecipePath.text([$0]) } ?? ""
        throw TreeProblem(path: key, reason: UnknownName(found, among: RecipeKey.stop, of: "key").description)
      }
      // Stages that run to their end may stay so.
      let having = indices.filter { stages[$0].stop != nil }
      return try (having.isEmpty ? indices : having).map {
        try plain(base($0) + [.key(key), .key(inner)], rest.dropFirst())
      }
    case _ where RecipeKey.stage.contains(key):
      return try indices.map { try plain(base($0) + [.key(key)], rest.dropFirst()) }
    case "then": return try indices.map { try action(stages[$0].then, base($0) + [.key(key)], rest.dropFirst()) }
    case "project": return try projections(in: indices, rest.dropFirst())
    case "steps":
      let rest = rest.dropFirst()
      guard let first = rest.first else { return indices.map { Target(path: base($0) + [.key(key)]) } }
      let number = try place(first)
      return try inSteps(
        indices.map { index in
          try check(number, of: stages[index].steps.count, "step")
          return (stages[index].steps[number], base(index) + [.key("steps"), .index(number)])
        }, rest.dropFirst())
    case _ where RecipeKey.step.contains(key):
      return try inSteps(
        indices.flatMap { index in
          stages[index].steps.enumerated().map { ($1, base(index) + [.key("steps"), .index($0)]) }
        }, rest)
    default:
      throw TreeProblem(path: "stages", reason: UnknownName(key, among: RecipeKey.ofStage, of: "key").description)
    }
  }

  /// Returns the index in `steps[0]`.
  private func place(_ component: RecipePath.Component) throws -> Int {
    guard case .index(let number) = component else {
      throw TreeProblem(path: "steps", reason: "steps have no names; call one by its place, as in steps[0]")
    }
    return number
  }

  private typealias Place = (step: Step, path: [RecipePath.Component])

  /// Returns a step, or those inside a group.
  private func leaves(of place: Place) -> [Place] {
    guard place.step.isGroup else { return [place] }
    return place.step.steps.enumerated().flatMap { leaves(of: ($1, place.path + [.key("steps"), .index($0)])) }
  }

  /// Returns the places that a path below some steps means. What a group does not have goes to each of its steps.
  private func inSteps(_ places: [Place], _ rest: Rest) throws -> [Target] {
    let isInGroup = places.contains(where: \.step.isGroup)
    let known = RecipeKey.step + (isInGroup ? ["steps"] : [])
    guard case .key(let key)? = rest.first, known.contains(key) else {
      let found = rest.first.map { RecipePath.text([$0]) } ?? ""
      throw TreeProblem(path: "steps", reason: UnknownName(found, among: known, of: "key").description)
    }
    guard !places.isEmpty else {
      throw TreeProblem(reason: "this stage has no steps yet; write its losses, or resolve the recipe first")
    }
    if key == "steps" {
      let groups = places.filter(\.step.isGroup)
      guard let first = rest.dropFirst().first else { return groups.map { Target(path: $0.path + [.key(key)]) } }
      let number = try place(first)
      return try inSteps(
        groups.map { group in
          try check(number, of: group.step.steps.count, "step")
          return (group.step.steps[number], group.path + [.key(key), .index(number)])
        }, rest.dropFirst(2))
    }
    let steps = key == "repeat" ? places : places.flatMap(leaves)
    let rest = rest.dropFirst()
    switch key {
    case "optimizer": return try steps.map { try part($0.step.optimizer, $0.path + [.key(key)], rest) }
    case "schedule": return try steps.map { try part($0.step.schedule, $0.path + [.key(key)], rest) }
    case "after":
      // One of its projections need not be in every step.
      let having = rest.isEmpty ? steps : steps.filter { !$0.step.after.isEmpty }
      return try (having.isEmpty ? steps : having).map { try action($0.step.after, $0.path + [.key(key)], rest) }
    case "losses":
      guard let first = rest.first else { return steps.map { Target(path: $0.path + [.key(key)]) } }
      if case .key(let name) = first {
        // A loss by name need not be in every step.
        let known = steps.flatMap { $0.step.losses.map(\.use) }
        guard known.contains(name) else {
          throw TreeProblem(path: key, reason: UnknownName(name, among: unique(known), of: "loss").description)
        }
        return try steps.flatMap { step, base in
          step.losses.contains { $0.use == name } ? try parts(step.losses, "loss", base + [.key(key)], rest) : []
        }
      }
      return try steps.flatMap { try parts($0.step.losses, "loss", $0.path + [.key(key)], rest) }
    default: return try steps.map { try plain($0.path + [.key(key)], rest) }
    }
  }

  /// Returns the places that a path below each projection means, at the ends of some stages and after their steps.
  private func projections(in indices: [Int], _ rest: Rest) throws -> [Target] {
    let stages = recipe.stages ?? []
    let lists = indices.flatMap { index -> [(actions: [Action], path: [RecipePath.Component])] in
      let base: [RecipePath.Component] = [.key("stages"), .index(index)]
      let steps = stages[index].steps.enumerated().flatMap { leaves(of: ($1, base + [.key("steps"), .index($0)])) }
      return [(stages[index].then, base + [.key("then")])] + steps.map { ($0.step.after, $0.path + [.key("after")]) }
    }
    let targets = try lists.flatMap { list in
      try list.actions.enumerated().compactMap { index, action -> Target? in
        guard case .project(let constraint, _, _) = action else { return nil }
        return try part(
          constraint, list.path + [.index(index), .key("project")], rest, alsoKnown: RecipeKey.ofProjection)
      }
    }
    guard !targets.isEmpty else {
      throw TreeProblem(
        path: "project",
        reason: "this recipe projects no weights; add a projection, as in stages[0].then=[{project: l1-ball}]")
    }
    return targets
  }

  private func action(_ actions: [Action], _ base: [RecipePath.Component], _ rest: Rest) throws -> Target {
    guard case .index(let index)? = rest.first else { return try plain(base, rest) }
    try check(index, of: actions.count, "action")
    let inner = rest.dropFirst()
    guard inner.first == .key("project"), case .project(let constraint, _, _) = actions[index] else {
      return try plain(base + [.index(index)], inner)
    }
    return try part(
      constraint, base + [.index(index), .key("project")], inner.dropFirst(), alsoKnown: RecipeKey.ofProjection)
  }

  // MARK: Parts

  /// Returns a part of a list, by index or by name; each of that name, where there are several.
  private func parts(_ choices: [PartChoice], _ noun: String, _ base: [RecipePath.Component], _ rest: Rest) throws
    -> [Target]
  {
    let known = noun == "loss" ? RecipeKey.ofLoss : []
    switch rest.first {
    case .index(let index)?:
      try check(index, of: choices.count, noun)
      return [try part(choices[index], base + [.index(index)], rest.dropFirst(), alsoKnown: known)]
    case .key(let name)?:
      let found = choices.indices.filter { choices[$0].use == name }
      guard !found.isEmpty else {
        throw TreeProblem(
          path: RecipePath.text(base), reason: UnknownName(name, among: choices.map(\.use), of: noun).description)
      }
      return try found.map { try part(choices[$0], base + [.index($0)], rest.dropFirst(), alsoKnown: known) }
    case nil: return [Target(path: base)]
    }
  }

  /// Returns the target of a part, one of its own keys, or one of its settings.
  private func part(
    _ choice: PartChoice?, _ base: [RecipePath.Component], _ rest: Rest, alsoKnown: [String] = []
  ) throws -> Target {
    guard let first = rest.first, first != .key("use") || rest.count > 1 else {
      return Target(path: base, isPart: true)
    }
    let here = RecipePath.text(base)
    guard let choice, choice.use != "none" else {
      throw TreeProblem(path: here, reason: "this recipe has no part there; choose one first, as in \(here)=NAME")
    }
    guard case .key(let key) = first else {
      throw TreeProblem(path: here, reason: "found one part, expected a list to have \(RecipePath.text([first]))")
    }
    if alsoKnown.contains(key) { return try plain(base + [first], rest.dropFirst()) }
    return Target(path: base + [.key("with")] + (key == "with" ? rest.dropFirst() : rest))
  }

  // MARK: Checks

  private func plain(_ path: [RecipePath.Component], _ rest: Rest) throws -> Target {
    guard rest.isEmpty else {
      throw TreeProblem(
        path: RecipePath.text(path), reason: "there is nothing below it to set, found '\(RecipePath.text(rest))'")
    }
    return Target(path: path)
  }

  private func check(_ index: Int, of count: Int, _ noun: String) throws {
    guard index < count else {
      throw TreeProblem(reason: "there is no \(noun) [\(index)], found \(count) of them; indices start at 0")
    }
  }
}

/// Returns the names in their order, each once.
package func unique(_ names: [String]) -> [String] {
  names.enumerated().filter { names.firstIndex(of: $1) == $0 }.map(\.element)
}

private typealias Step = Recipe.Step
private typealias Action = Recipe.Action
