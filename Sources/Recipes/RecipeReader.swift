import Files
import LatentKit

/// The keys of a recipe, in the order in which they are written.
enum RecipeKey {
  /// The slots that are keys of a recipe.
  static let slots = Slot.all.filter { $0.place != .step }
  static let recipe = ["extends", "name", "about", "seed"] + slots.map(\.key) + ["watch", "precision", "stages"]
  /// A stage's own keys. Beside them it has `steps`, or the keys of its only step, and `then`.
  static let stage = ["name", "epochs", "batch", "examples", "keepEpochs", "stop"]
  static let stop = ["metric", "patience", "improvement", "goal"]
  static let ofStage = stage + ["steps"] + step + ["then"]
  static let step = [
    "train", "repeat", "ownBatch", "losses", "optimizer", "schedule", "clip", "after", "complete",
  ]
  static let group = ["repeat", "steps"]
  static let trained = Slot.all.filter(\.isTrainable).map(\.name)
  static let actions = ["project", "mask", "rewind"]
  static let part = ["use", "with"]
  static let ofLoss = ["weight"]
  static let origin = ["from", "frozen", "checksum"]
  static let foreign = ["foreign", "checksum"]
  static let ofProjection = ["parameters", "biases"]
}

/// Turns a tree into a recipe, or reports the wrong value, its position and what was expected.
struct RecipeReader {
  /// The positions of the recipe's values, by path: `stages[0].steps[0].losses[1].with.reduction`.
  private(set) var positions: [String: TextPosition] = [:]

  /// A path as the file has it, for messages, and as the recipe has it: a stage's only step may stand without `steps`.
  private struct Path {
    var written = ""
    var canonical = ""

    func key(_ key: String) -> Path { Path(written: join(written, key), canonical: join(canonical, key)) }
    func index(_ index: Int) -> Path { Path(written: "\(written)[\(index)]", canonical: "\(canonical)[\(index)]") }
    private func join(_ path: String, _ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
  }

  private struct Spot {
    let tree: Tree
    let path: Path

    func problem(expected: String) -> TreeProblem { problem("found \(tree.found), expected \(expected)") }
    func problem(_ reason: String) -> TreeProblem {
      TreeProblem(path: path.written, position: tree.position, reason: reason)
    }
  }

  /// - Throws: `TreeProblem`.
  mutating func recipe(_ tree: Tree) throws -> Recipe {
    let fields = try fields(
      of: Spot(tree: tree, path: Path()), known: RecipeKey.recipe, what: "a recipe, as in 'encoder: mlp'")
    if let spot = fields["extends"] {
      throw spot.problem("a recipe extends another in its file only; set values one by one")
    }
    var recipe = Recipe()
    recipe.name = try fields["name"].map(recipeName)
    recipe.about = try fields["about"].map(text)
    recipe.seed = try fields["seed"].map { try whole($0, atLeast: 0) } ?? 0
    for slot in RecipeKey.slots {
      guard let spot = fields[slot.key] else { continue }
      if slot.isSingle {
        recipe[slot] = try part(
          spot, slot.noun, isShareable: slot.isTrainable, alsoKnown: slot.canBeForeign ? RecipeKey.foreign : [])
      } else {
        recipe[all: slot] = try items(of: spot, "a list of \(slot.key), as in [NAME, NAME]").map {
          try part($0, slot.noun)
        }
      }
    }
    recipe.watch = try fields["watch"].flatMap { try optional($0, flag) }
    recipe.precision = try fields["precision"].map(precision) ?? .float32
    recipe.stages = try fields["stages"].map { try stages($0) }
    return recipe
  }

  private func precision(_ spot: Spot) throws -> Precision {
    let word = try text(spot)
    guard let precision = Precision(rawValue: word) else {
      throw spot.problem(UnknownName(word, among: Precision.allCases.map(\.rawValue), of: "precision").description)
    }
    return precision
  }

  // MARK: Stages

  /// The name of a stage that has none of its own.
  static func stageName(_ index: Int, of count: Int) -> String { count == 1 ? "main" : "stage\(index + 1)" }

  private mutating func stages(_ spot: Spot) throws -> [Recipe.Stage] {
    let items = try items(of: spot, "a list of stages, as in '- epochs: 10'")
    var stages: [Recipe.Stage] = []
    var names: Set<String> = []
    for (index, item) in items.enumerated() {
      let stage = try stage(item, name: RecipeReader.stageName(index, of: items.count))
      guard names.insert(stage.name).inserted else {
        throw item.problem("two stages are named '\(stage.name)'; give each a name of its own")
      }
      stages.append(stage)
    }
    return stages
  }

  private mutating func stage(_ spot: Spot, name: String) throws -> Recipe.Stage {
    let fields = try fields(of: spot, known: RecipeKey.ofStage, what: "a stage, as in 'epochs: 10'")
    var stage = Recipe.Stage(name: try fields["name"].map(stageName) ?? name)
    if let epochs = fields["epochs"] { stage.epochs = try whole(epochs, atLeast: 1, atMost: 1_000_000) }
    if let batch = fields["batch"] { stage.batch = try whole(batch, atLeast: 1) }
    stage.examples = try fields["examples"].flatMap { try optional($0) { try whole($0, atLeast: 1) } }
    if let spot = fields["keepEpochs"] {
      let epochs = try items(of: spot, "a list of epochs, as in [1, 5, 20]").map { try whole($0, atLeast: 1) }
      stage.keepEpochs = Set(epochs).sorted()
    }
    stage.stop = try fields["stop"].flatMap { try optional($0) { try self.stop($0) } }
    if let steps = fields["steps"] {
      if let stray = RecipeKey.step.compactMap({ key in fields[key].map { (key, $0) } }).first {
        throw stray.1.problem("a stage has either 'steps' or the one step's own keys; move '\(stray.0)' into a step")
      }
      stage.steps = try self.steps(steps)
    } else if RecipeKey.step.contains(where: { fields[$0] != nil }) {
      // The stage's fields are those of its only step.
      let inner = Path(written: spot.path.written, canonical: spot.path.key("steps").index(0).canonical)
      var own: [String: Spot] = [:]
      for key in RecipeKey.step {
        guard let field = fields[key] else { continue }
        own[key] = Spot(tree: field.tree, path: inner.key(key))
        positions[inner.key(key).canonical] = field.tree.position
      }
      stage.steps = [try step(Spot(tree: spot.tree, path: inner), fields: own)]
    }
    stage.then =
      try fields["then"].map { spot in
        try items(of: spot, "a list of actions, as in [mask, rewind]").map { try action($0) }
      } ?? []
    return stage
  }

  private mutating func stop(_ spot: Spot) throws -> Recipe.Stop {
    var stop = Recipe.Stop()
    if case .scalar(.string(let metric)) = spot.tree.content, !metric.isEmpty {
      stop.metric = metric
      return stop
    }
    let what = "what ends the stage, as in {metric: total, patience: 10}"
    let fields = try fields(of: spot, known: RecipeKey.stop, what: what)
    if let metric = fields["metric"] { stop.metric = try text(metric) }
    if let patience = fields["patience"] { stop.patience = try whole(patience, atLeast: 1, atMost: 1_000_000) }
    if let least = fields["improvement"] {
      stop.improvement = try number(least, within: 0...1e12, expected: "a number from 0 to 1e12")
    }
    stop.goal = try fields["goal"].flatMap { spot in
      try optional(spot) { spot in
        let word = try text(spot)
        guard let goal = Goal(rawValue: word) else {
          throw spot.problem(UnknownName(word, among: Goal.allCases.map(\.rawValue), of: "goal").description)
        }
        return goal
      }
    }
    return stop
  }

  /// Folders are called by it.
  private func recipeName(_ spot: Spot) throws -> String {
    let name = try text(spot)
    if let defect = FileName.defect(in: name) {
      throw spot.problem("found '\(name)', which \(defect), expected a name that a folder can have")
    }
    return name
  }

  /// - Parameter times: How often the groups around the steps repeat them.
  private mutating func steps(_ spot: Spot, times: Int = 1) throws -> [Recipe.Step] {
    try items(of: spot, "a list of steps, as in '- {train: [encoder], losses: [kl]}'").map { item in
      let known = RecipeKey.step + ["steps"]
      let fields = try fields(of: item, known: known, what: "a step, as in {train: [encoder], losses: [kl]}")
      guard let inner = fields["steps"] else { return try step(item, fields: fields) }
      if let stray = RecipeKey.step.first(where: { $0 != "repeat" && fields[$0] != nil }), let spot = fields[stray] {
        throw spot.problem("a group has 'repeat' and 'steps' only; move '\(stray)' into a step")
      }
      let count = try fields["repeat"].map { try whole($0, atLeast: 1, atMost: 10_000) } ?? 1
      guard times * count <= 100_000_000 else {
        throw item.problem(
          "found groups that repeat a step \(times * count) times a batch, expected at most 100 million; lower 'repeat'"
        )
      }
      let steps = try self.steps(inner, times: times * count)
      guard !steps.isEmpty else { throw inner.problem("found no steps in a group, expected one or more") }
      return Recipe.Step(repeat: count, steps: steps)
    }
  }

  private func stageName(_ spot: Spot) throws -> String {
    let name = try text(spot)
    guard name.wholeMatch(of: /[A-Za-z0-9][A-Za-z0-9_-]*/) != nil else {
      throw spot.problem("found '\(name)', expected a name of letters, digits, '-' and '_'")
    }
    return name
  }

  private mutating func step(_ spot: Spot, fields: [String: Spot]) throws -> Recipe.Step {
    var step = Recipe.Step(train: [], losses: [])
    if let train = fields["train"] {
      for item in try items(of: train, "a list of slots, as in [encoder, decoder]") {
        let slot = try text(item)
        guard RecipeKey.trained.contains(slot) else {
          throw item.problem(UnknownName(slot, among: RecipeKey.trained, of: "slot to train").description)
        }
        if step.train.contains(slot) { throw item.problem("'\(slot)' is listed twice; keep one") }
        step.train.append(slot)
      }
    }
    if let count = fields["repeat"] { step.repeat = try whole(count, atLeast: 1, atMost: 10_000) }
    step.ownBatch = try fields["ownBatch"].map(flag) ?? false
    step.isComplete = try fields["complete"].map(flag) ?? false
    if let losses = fields["losses"] {
      step.losses = try items(of: losses, "a list of losses, as in [mse, {use: kl, weight: 0.1}]").map {
        try part($0, "a loss", isLoss: true, alsoKnown: RecipeKey.foreign)
      }
    }
    step.optimizer = try fields["optimizer"].map { try part($0, "an optimizer") }
    step.schedule = try fields["schedule"].map { try part($0, "a schedule") }
    step.clip = try fields["clip"].flatMap {
      try optional($0) { try number($0, within: 1e-12...1e12, expected: "a number above 0, 1e-12 to 1e12") }
    }
    if let after = fields["after"] {
      step.after = try items(of: after, "a list of projections, as in [{project: l1-ball}]").map {
        let action = try action($0)
        guard case .project = action else {
          throw $0.problem("a step is followed by projections only; move \($0.tree.found) to the stage's 'then'")
        }
        return action
      }
    }
    return step
  }

  private mutating func action(_ spot: Spot) throws -> Recipe.Action {
    if case .scalar(.string(let name)) = spot.tree.content {
      switch name {
      case "mask": return .mask
      case "rewind": return .rewind
      case "project": throw spot.problem("'project' needs a constraint, as in {project: l1-ball}")
      default: throw spot.problem(UnknownName(name, among: RecipeKey.actions, of: "action").description)
      }
    }
    let fields = try fields(of: spot, known: ["project"], what: "mask, rewind or {project: CONSTRAINT}")
    guard let project = fields["project"] else {
      throw spot.problem(expected: "mask, rewind or {project: CONSTRAINT}")
    }
    var parameters: [String] = []
    var biases = false
    let choice = try part(project, "a constraint", alsoKnown: RecipeKey.ofProjection)
    if let tree = project.tree["biases"] { biases = try flag(Spot(tree: tree, path: project.path.key("biases"))) }
    if let names = project.tree["parameters"] {
      let path = project.path.key("parameters")
      parameters = try items(of: Spot(tree: names, path: path), "a list of names, as in [encoder]").map(text)
    }
    return .project(choice, parameters: parameters, biases: biases)
  }

  // MARK: Parts

  /// Reads a part: its name, or a mapping of `use` and `with`.
  private mutating func part(
    _ spot: Spot, _ noun: String, isLoss: Bool = false, isShareable: Bool = false, alsoKnown: [String] = []
  ) throws -> PartChoice {
    let path = spot.path.canonical
    if case .scalar(let value) = spot.tree.content {
      guard case .string(let name) = value, !name.isEmpty else {
        throw spot.problem(expected: "the name of \(noun), or {use: NAME, with: {…}}")
      }
      return isShareable && PartOrigin.isFolder(name) ? PartChoice(from: PartOrigin(name)) : PartChoice(name)
    }
    let known = unique(
      RecipeKey.part + (isLoss ? RecipeKey.ofLoss : []) + (isShareable ? RecipeKey.origin : []) + alsoKnown)
    let fields = try fields(of: spot, known: known, what: "the name of \(noun), or {use: NAME, with: {…}}")
    let origin = isShareable ? try origin(fields, orForeign: known.contains("foreign")) : nil
    guard let use = fields["use"] ?? (origin == nil ? nil : fields["from"]) else {
      throw spot.problem("found no 'use', expected the name of \(noun), as in {use: NAME, with: {…}}")
    }
    guard case .scalar(.string(var name)) = use.tree.content, !name.isEmpty else {
      throw use.problem(expected: "the name of \(noun)")
    }
    if fields["use"] == nil { name = "" }
    if name == "none", let origin = fields["from"], origin.tree.value != .null {
      throw origin.problem("'none' takes no weights; leave 'from' out")
    }
    positions[path] = use.tree.position
    var choice = PartChoice(name)
    choice.origin = origin
    choice.foreign = try foreign(fields, isShareable: isShareable)
    if let settings = fields["with"], case .object(let values) = try settingValues(settings) {
      if name == "none", !values.isEmpty { throw settings.problem("'none' has no settings; leave 'with' out") }
      choice.with = values
    }
    if let weight = fields["weight"] {
      choice.weight = try number(weight, within: -1e12...1e12, expected: PartChoice.weights)
    }
    return choice
  }

  /// Reads the library that a part comes from; nil where it is of this program.
  private func foreign(_ fields: [String: Spot], isShareable: Bool) throws -> ForeignOrigin? {
    guard let spot = fields["foreign"], spot.tree.value != .null else {
      if !isShareable, let stray = fields["checksum"], stray.tree.value != .null {
        throw stray.problem(
          "it is about a foreign library, and there is no 'foreign'; add 'foreign: MANIFEST', or leave it out")
      }
      return nil
    }
    if let from = fields["from"], from.tree.value != .null {
      throw spot.problem("a part comes from a folder or from a foreign library; leave 'from' or 'foreign' out")
    }
    guard case .scalar(.string(let manifest)) = spot.tree.content, !manifest.isEmpty else {
      throw spot.problem(expected: "the manifest of a foreign library, as in ./laplace.yaml")
    }
    if fields["use"]?.tree.value == .string("none") { throw spot.problem("'none' is no part; leave 'foreign' out") }
    return ForeignOrigin(manifest, checksum: try checksum(fields))
  }

  private func checksum(_ fields: [String: Spot]) throws -> String? {
    guard let spot = fields["checksum"], let checksum = try optional(spot, text) else { return nil }
    guard checksum.wholeMatch(of: /[0-9a-f]{64}/) != nil else { throw spot.problem(expected: "64 hexadecimal digits") }
    return checksum
  }

  /// Reads the weights that a part takes from a folder; nil where it takes none.
  ///
  /// - Parameter canBeForeign: Whether the checksum may be that of a foreign library.
  private func origin(_ fields: [String: Spot], orForeign canBeForeign: Bool) throws -> PartOrigin? {
    guard let from = fields["from"], from.tree.value != .null else {
      let isForeign = (fields["foreign"]?.tree.value ?? .null) != .null
      let strays = RecipeKey.origin.filter { $0 != "checksum" || !isForeign }
      guard let stray = strays.compactMap({ fields[$0] }).first(where: { $0.tree.value != .null }) else { return nil }
      if canBeForeign, fields["checksum"]?.path.canonical == stray.path.canonical {
        throw stray.problem(
          "it is that of a part's folder or of a foreign library, and there is neither 'from' nor 'foreign'; add 'from: FOLDER' or "
            + "'foreign: MANIFEST', or leave it out")
      }
      throw stray.problem(
        "it is about weights from a folder, and there is no 'from'; add 'from: FOLDER', or leave it out")
    }
    guard case .scalar(.string(let folder)) = from.tree.content, !folder.isEmpty else {
      throw from.problem(expected: "the folder of a part that 'host export' wrote, or that of a run, as in ./encoder")
    }
    var origin = PartOrigin(folder)
    origin.isFrozen = try fields["frozen"].flatMap { try optional($0, flag) } ?? false
    origin.checksum = try checksum(fields)
    return origin
  }

  private mutating func settingValues(_ spot: Spot) throws -> Value {
    switch spot.tree.content {
    case .scalar(.null): return .object([:])
    case .mapping(let fields):
      guard fields.count <= 1000 else {
        throw spot.problem("found \(fields.count) settings, expected at most 1000")
      }
    default: throw spot.problem(expected: "settings, as in {latent: 40}")
    }
    record(spot.tree, at: spot.path.canonical)
    return spot.tree.value
  }

  private mutating func record(_ tree: Tree, at path: String) {
    positions[path] = tree.position
    switch tree.content {
    case .scalar: break
    case .list(let items): for (index, item) in items.enumerated() { record(item, at: "\(path).\(index)") }
    case .mapping(let fields): for field in fields { record(field.tree, at: "\(path).\(field.key)") }
    }
  }

  // MARK: Values

  private mutating func fields(of spot: Spot, known: [String], what: String) throws -> [String: Spot] {
    guard case .mapping(let fields) = spot.tree.content else { throw spot.problem(expected: what) }
    var spots: [String: Spot] = [:]
    for field in fields {
      guard known.contains(field.key) else {
        let unknown = UnknownName(field.key, among: known, of: "key")
        throw TreeProblem(path: spot.path.written, position: field.position, reason: unknown.description)
      }
      var tree = field.tree
      // What is left out stands at its key.
      if case .scalar(.null) = tree.content { tree.position = field.position ?? tree.position }
      let path = spot.path.key(field.key)
      spots[field.key] = Spot(tree: tree, path: path)
      positions[path.canonical] = tree.position
    }
    return spots
  }

  private mutating func items(of spot: Spot, _ what: String) throws -> [Spot] {
    guard case .list(let items) = spot.tree.content else { throw spot.problem(expected: what) }
    guard items.count <= 1000 else { throw spot.problem("found a list of \(items.count), expected at most 1000") }
    return items.enumerated().map { index, item in
      let path = spot.path.index(index)
      positions[path.canonical] = item.position
      return Spot(tree: item, path: path)
    }
  }

  private func text(_ spot: Spot) throws -> String {
    guard case .scalar(.string(let text)) = spot.tree.content else {
      throw spot.problem(expected: "text; put it in quotes")
    }
    return text
  }

  private func flag(_ spot: Spot) throws -> Bool {
    guard case .scalar(.bool(let value)) = spot.tree.content else { throw spot.problem(expected: "true or false") }
    return value
  }

  private func whole(_ spot: Spot, atLeast least: Int, atMost most: Int = 1_000_000_000) throws -> Int {
    guard case .scalar(.int(let value)) = spot.tree.content, value >= least else {
      throw spot.problem(expected: "a whole number of at least \(least)")
    }
    guard value <= most else { throw spot.problem(expected: "a whole number of at most \(most)") }
    return value
  }

  private func number(_ spot: Spot, within range: ClosedRange<Double>, expected: String) throws -> Double {
    let value: Double? =
      switch spot.tree.content {
      case .scalar(.int(let value)): Double(value)
      case .scalar(.double(let value)): value
      default: nil
      }
    guard let value, range.contains(value), value == 0 || abs(value) >= 1e-37 else {
      throw spot.problem(expected: expected)
    }
    return value
  }

  private func optional<Result>(_ spot: Spot, _ read: (Spot) throws -> Result) throws -> Result? {
    if case .scalar(.null) = spot.tree.content { return nil }
    return try read(spot)
  }
}

extension Recipe {
  /// Returns the recipe after the checks of a file, for recipes made by programs.
  /// - Throws: `ConfigError`.
  func checked() throws -> Recipe {
    var reader = RecipeReader()
    do { return try reader.recipe(Tree(self, isCompact: false)) } catch let problem as TreeProblem {
      throw ConfigError(path: problem.path, problem.reason)
    }
  }
}
