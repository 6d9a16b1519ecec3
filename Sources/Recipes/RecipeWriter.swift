import LatentKit

extension Recipe {
  /// Returns the recipe as YAML. Keys keep one order, short parts stay on one line, and reading it back gives an equal recipe.
  public func yaml() -> String { Tree(self, isCompact: true).yaml }
}

extension Tree {
  /// - Parameter isCompact: As a person would write it: parts without settings by name, the only step of a stage among
  ///   the stage's own keys, nothing that is empty. Otherwise every part is a mapping, and every list is there.
  init(_ recipe: Recipe, isCompact: Bool) {
    var fields: [(String, Tree)] = []
    if let name = recipe.name { fields.append(("name", Tree(.string(name)))) }
    if let about = recipe.about { fields.append(("about", Tree(.string(about)))) }
    fields.append(("seed", Tree(.int(recipe.seed))))
    for slot in RecipeKey.slots {
      if let part = recipe[slot] { fields.append((slot.key, Tree(part, isCompact: isCompact))) }
      if let parts = recipe[all: slot] {
        fields.append((slot.key, .list(parts.map { Tree($0, isCompact: isCompact) })))
      }
    }
    if let watch = recipe.watch { fields.append(("watch", Tree(.bool(watch)))) }
    // Digests of recipes that came before it do not have it.
    if recipe.precision != .float32 { fields.append(("precision", Tree(.string(recipe.precision.rawValue)))) }
    if let stages = recipe.stages {
      fields.append(("stages", .list(stages.map { Tree($0, isCompact: isCompact) }, isBlock: true)))
    }
    self = .mapping(fields, isBlock: true)
  }

  private init(
    _ part: PartChoice, isCompact: Bool, isLoss: Bool = false, parameters: [String] = [], biases: Bool = false
  ) {
    let isBare =
      part.with.isEmpty && (part.weight == 1 || !isLoss) && parameters.isEmpty && !biases && part.origin == nil
      && part.foreign == nil
    if isCompact, isBare {
      self.init(.string(part.use))
      return
    }
    var fields: [(String, Tree)] = []
    if part.origin == nil || !part.use.isEmpty { fields.append(("use", Tree(.string(part.use)))) }
    if !isCompact || !part.with.isEmpty { fields.append(("with", Tree(.object(part.with)))) }
    if let origin = part.origin {
      fields += [("from", Tree(.string(origin.folder))), ("frozen", Tree(.bool(origin.isFrozen)))]
      if let checksum = origin.checksum { fields.append(("checksum", Tree(.string(checksum)))) }
    }
    if let foreign = part.foreign {
      fields.append(("foreign", Tree(.string(foreign.manifest))))
      if let checksum = foreign.checksum { fields.append(("checksum", Tree(.string(checksum)))) }
    }
    if isLoss, !isCompact || part.weight != 1 { fields.append(("weight", Tree(.double(part.weight)))) }
    if !parameters.isEmpty { fields.append(("parameters", Tree(.array(parameters.map(Value.string))))) }
    if biases { fields.append(("biases", Tree(.bool(true)))) }
    self = .mapping(fields)
  }

  private init(_ stage: Recipe.Stage, isCompact: Bool) {
    var fields: [(String, Tree)] = [
      ("name", Tree(.string(stage.name))), ("epochs", Tree(.int(stage.epochs))), ("batch", Tree(.int(stage.batch))),
    ]
    if let examples = stage.examples { fields.append(("examples", Tree(.int(examples)))) }
    if !stage.keepEpochs.isEmpty { fields.append(("keepEpochs", Tree(.array(stage.keepEpochs.map(Value.int))))) }
    if let stop = stage.stop { fields.append(("stop", Tree(stop))) }
    let steps = stage.steps.map { Tree.fields(of: $0, isCompact: isCompact) }
    if isCompact, steps.count == 1, !steps[0].isEmpty, !stage.steps[0].isGroup {
      fields += steps[0]
    } else if !isCompact || !steps.isEmpty {
      fields.append(("steps", .list(steps.map { .mapping($0, isBlock: true) }, isBlock: true)))
    }
    if !isCompact || !stage.then.isEmpty {
      fields.append(("then", .list(stage.then.map { Tree($0, isCompact: isCompact) })))
    }
    self = .mapping(fields, isBlock: true)
  }

  private init(_ stop: Recipe.Stop) {
    var fields: [(String, Tree)] = [
      ("metric", Tree(.string(stop.metric))), ("patience", Tree(.int(stop.patience))),
      ("improvement", Tree(.double(stop.improvement))),
    ]
    if let goal = stop.goal { fields.append(("goal", Tree(.string(goal.rawValue)))) }
    self = .mapping(fields)
  }

  private static func fields(of step: Recipe.Step, isCompact: Bool) -> [(String, Tree)] {
    // A group is written without empty keys; what it has no place for is written, so that a check finds it.
    let isShort = isCompact || step.isGroup
    var fields: [(String, Tree)] = []
    if !isShort || !step.train.isEmpty { fields.append(("train", Tree(.array(step.train.map(Value.string))))) }
    if !isShort || step.repeat != 1 { fields.append(("repeat", Tree(.int(step.repeat)))) }
    if step.ownBatch { fields.append(("ownBatch", Tree(.bool(true)))) }
    if !isShort || !step.losses.isEmpty {
      fields.append(("losses", .list(step.losses.map { Tree($0, isCompact: isCompact, isLoss: true) })))
    }
    if let optimizer = step.optimizer { fields.append(("optimizer", Tree(optimizer, isCompact: isCompact))) }
    if let schedule = step.schedule { fields.append(("schedule", Tree(schedule, isCompact: isCompact))) }
    if let clip = step.clip { fields.append(("clip", Tree(.double(clip)))) }
    if !isShort || !step.after.isEmpty {
      fields.append(("after", .list(step.after.map { Tree($0, isCompact: isCompact) })))
    }
    if step.isComplete { fields.append(("complete", Tree(.bool(true)))) }
    if step.isGroup {
      let steps = step.steps.map { Tree.mapping(Tree.fields(of: $0, isCompact: isCompact), isBlock: true) }
      fields.append(("steps", .list(steps, isBlock: true)))
    }
    return fields
  }

  private init(_ action: Recipe.Action, isCompact: Bool) {
    switch action {
    case .mask: self.init(.string("mask"))
    case .rewind: self.init(.string("rewind"))
    case .project(let part, let parameters, let biases):
      self = .mapping([("project", Tree(part, isCompact: isCompact, parameters: parameters, biases: biases))])
    }
  }
}
