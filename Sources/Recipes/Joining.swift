import LatentKit

extension Array where Element == Recipe.Step {
  /// The steps and those inside groups, in order.
  var leaves: [Recipe.Step] { flatMap(\.leaves) }

  /// Changes each step, also inside groups, in order.
  mutating func changeLeaves(_ body: (inout Recipe.Step) throws -> Void) rethrows {
    for index in indices {
      if self[index].isGroup { try self[index].steps.changeLeaves(body) } else { try body(&self[index]) }
    }
  }
}

extension Recipe.Step {
  /// Whether two steps train the same under the same losses.
  fileprivate func matches(_ other: Recipe.Step) -> Bool {
    Set(train) == Set(other.train) && losses.map(\.use) == other.losses.map(\.use)
  }
}

extension Recipe.Action {
  /// The name of a projection's constraint.
  fileprivate var constraint: String? {
    if case .project(let choice, _, _) = self { choice.use } else { nil }
  }
}

extension Brought.Part {
  /// Whether the recipe has a say in what this part's steps train: it trains that part already, or has the same steps.
  fileprivate func isTrained(by stages: [Recipe.Stage]) -> Bool {
    let (own, there) = (companions.steps.leaves, stages.flatMap(\.steps).leaves)
    // Other slots have a step in any recipe.
    let always: [Slot] = [.encoder, .decoder, .classifier, .prior]
    let rare = own.flatMap(\.train).filter { name in name == slot.name || !always.contains { $0.name == name } }
    if !rare.isEmpty { return there.contains { !Set($0.train).isDisjoint(with: rare) } }
    return own.allSatisfy { step in there.contains(where: step.matches) }
  }

  /// The slots whose steps are joined: steps of its own stand in each stage that trains one of them.
  fileprivate var targets: [Slot] {
    let joined = Set(companions.joining.keys).union(companions.after.keys)
    if joined.isEmpty { return companions.steps.isEmpty ? [] : [.decoder] }
    return Slot.all.filter(joined.contains)
  }

  /// Whether a loss, or a projection, of some step is one that this part lets join it.
  fileprivate func joins(_ loss: PartChoice, _ step: Recipe.Step) -> Bool {
    companions.joining.contains { target, losses in
      step.train.contains(target.name) && losses.contains { $0.use == loss.use }
    }
  }
  fileprivate func follows(_ action: Recipe.Action, _ step: Recipe.Step) -> Bool {
    companions.after.contains { target, actions in
      step.train.contains(target.name) && actions.contains { $0.constraint == action.constraint }
    }
  }
}

extension Resolution {
  /// Adds the steps that a part brings, a critic's say, and the losses and projections that join other steps.
  func join(_ part: Brought.Part, to stages: inout [Recipe.Stage], of recipe: Recipe) throws {
    let companions = part.companions
    let others = part.targets.map(\.name)
    guard !others.isEmpty else { return }
    if !companions.steps.isEmpty, part.isTrained(by: stages) { return }
    for index in stages.indices
    where stages[index].steps.leaves.contains(where: { !$0.train.filter(others.contains).isEmpty }) {
      let path = "stages[\(index)].steps"
      // In the order of slots: the order of losses is part of a run's bits.
      for target in Slot.all {
        var isFirst = true
        try stages[index].steps.changeLeaves { step in
          guard step.train.contains(target.name), !step.isComplete else { return }
          if isFirst { try add(companions.joining[target] ?? [], to: &step, at: path) }
          isFirst = false
          let known = step.after.map(\.constraint)
          step.after += try completed(companions.after[target] ?? [], at: path).filter {
            !known.contains($0.constraint)
          }
        }
      }
      let own = try companions.steps.enumerated().map { try resolved($1, of: recipe, at: "\(path)[\($0)]") }
      stages[index].steps.insert(contentsOf: own, at: 0)
    }
  }

  private func add(_ losses: [PartChoice], to step: inout Recipe.Step, at path: String) throws {
    let known = step.losses.map(\.use)
    step.losses += try losses.filter { !known.contains($0.use) }.map { try completed($0, .loss, at: path) }
  }

  /// Replaces the losses of the steps that train a part, or of the only step, by those chosen for it. One that the step has already,
  /// as the recipe or a part says it, keeps its settings. Losses that other parts joined to them stay, unless `none` is
  /// among the choices.
  ///
  /// - Throws: `RecipeError` where no step is meant, or no single one.
  func replaceLosses(of part: String?, in stages: inout [Recipe.Stage]) throws {
    let chosen = choices.losses.filter { $0.part == part }.map(\.loss)
    guard let loss = chosen.first else { return }
    let steps = stages.flatMap(\.steps).leaves
    let known = unique(steps.flatMap(\.train))
    if let part, !known.contains(part) {
      throw RecipeError("loss '\(part):\(loss.use)': \(UnknownName(part, among: known, of: "trained part"))")
    }
    if part == nil, steps.count > 1 {
      throw RecipeError(
        "loss '\(loss.use)': this recipe has \(steps.count) steps; name a part that the step trains, as in "
          + known.map { "\($0):\(loss.use)" }.joined(separator: " or "))
    }
    let own = chosen.filter { $0.use != "none" }
    for index in stages.indices {
      let path = "stages[\(index)].steps"
      try stages[index].steps.changeLeaves { step in
        guard part.map(step.train.contains) ?? true else { return }
        let joined = step.losses.filter { loss in brought.parts.contains { $0.joins(loss, step) } }
        if chosen.count > own.count {
          step.isComplete = true
          if own.isEmpty { step.losses.removeAll(where: joined.contains) }
        }
        guard !own.isEmpty else { return }
        let kept = step.isComplete ? [] : joined.filter { loss in !own.contains { $0.use == loss.use } }
        let settled = own.map { loss in
          var loss = loss
          let before = step.losses.first { $0.use == loss.use }
          loss.with = (before?.with ?? [:]).merging(loss.with) { $1 }
          return loss
        }
        step.losses = try completed(settled, of: step, at: path) + kept
      }
    }
  }
}

extension Composer {
  /// Sentences about parts whose steps, losses or projections no stage has a place for.
  func withoutPlace(_ recipe: Recipe) throws -> [String] {
    let recipe = try resolve(recipe)
    let stages = recipe.stages ?? []
    let trained = Set(stages.flatMap(\.steps).leaves.flatMap(\.train))
    return try Brought(by: recipe, catalog).parts.compactMap { part in
      let (companions, targets) = (part.companions, part.targets.map(\.name))
      guard !targets.isEmpty, trained.isDisjoint(with: targets) else { return nil }
      if !companions.steps.isEmpty, part.isTrained(by: stages) { return nil }
      let brought = [
        companions.steps.isEmpty ? nil : "steps", companions.joining.isEmpty ? nil : "losses",
        companions.after.isEmpty ? nil : "projections",
      ].compactMap { $0 }.joined(separator: " and ")
      let place = targets.joined(separator: " or ")
      return "\(part.title) brings \(brought) for stages that train \(place), and no stage does, so that they are left "
        + "out; train \(place) in a stage, or leave \(part.title) out"
    }
  }

  /// Returns a resolved recipe with some values changed, each by `Recipe.set`. What a part brought goes with it, and what the
  /// others joined to a step stays where a change replaces the step's losses or projections, unless it is `complete`.
  ///
  /// - Throws: `RecipeError` for a path that leads nowhere or a value of the wrong kind, `ConfigError` for an unknown part.
  public func setting(_ assignments: [String], in recipe: Recipe) throws -> Recipe {
    var changed = recipe
    for assignment in assignments {
      let before = changed
      try changed.set(assignment)
      for slot in RecipeKey.slots where slot.isSingle && slot != .data && before[slot]?.use != changed[slot]?.use {
        if let old = before[slot] { try remove(whatCameWith: old, slot, from: &changed) }
      }
    }
    let brought = try Brought(by: changed, catalog)
    for (index, stage) in (recipe.stages ?? []).enumerated() {
      let old = stage.steps.leaves
      guard let now = changed.stages, now.indices.contains(index), now[index].name == stage.name,
        now[index].steps.leaves.map(\.train) == old.map(\.train)
      else { continue }
      var number = 0
      changed.stages?[index].steps.changeLeaves { step in
        let before = old[number]
        number += 1
        guard !step.isComplete else { return }
        step.losses += before.losses.filter { loss in
          !step.losses.contains { $0.use == loss.use } && brought.parts.contains { $0.joins(loss, before) }
        }
        step.after += before.after.filter { action in
          !step.after.contains { $0.constraint == action.constraint }
            && brought.parts.contains { $0.follows(action, before) }
        }
      }
    }
    return changed
  }

  /// Returns the recipe with another part in a slot, as `Recipe.apply(choice:_:)` has it; the steps that the old part
  /// brought, and the losses and projections that joined others, go with it.
  ///
  /// - Throws: `RecipeError` for a slot that cannot be `none`, `ConfigError` for an unknown part.
  public func replacing(_ slot: Slot, by name: String, in recipe: Recipe) throws -> Recipe {
    var changed = recipe
    try changed.apply(choice: slot, name)
    if let old = recipe[slot], old.use != name { try remove(whatCameWith: old, slot, from: &changed) }
    return changed
  }

  private func remove(whatCameWith old: PartChoice, _ slot: Slot, from recipe: inout Recipe) throws {
    guard old.use != "none", !old.use.isEmpty, slot != .data else { return }
    // What a library would bring that is not loaded is not known.
    let isKnown = catalog.descriptions(of: slot).contains { $0.name == old.use }
    guard old.foreign == nil || isKnown else { return }
    let companions = try catalog.description(slot, old, at: slot.key).companions
    let part = Brought.Part(slot: slot, name: old.use, companions: companions)
    let brought = companions.steps.leaves
    for index in (recipe.stages ?? []).indices {
      let steps = recipe.stages?[index].steps ?? []
      let others = steps.filter { step in
        !step.leaves.allSatisfy { leaf in
          !brought.isEmpty && leaf.train == [slot.name] || brought.contains(where: leaf.matches)
        }
      }
      // A stage of such steps alone is the recipe's own.
      guard !others.isEmpty else { continue }
      recipe.stages?[index].steps = others
      recipe.stages?[index].steps.changeLeaves { step in
        let before = step
        step.losses.removeAll { part.joins($0, before) }
        step.after.removeAll { part.follows($0, before) }
      }
    }
  }
}
