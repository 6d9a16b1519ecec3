import Foundation
import LatentKit

extension Composition {
  /// Sentences about settings that are legal and surely meant otherwise.
  func doubts(_ catalog: Catalog) -> [String] {
    var found = doubts(aboutPartsIn: Slot.all.filter { $0 != .data }, catalog)
    if data.isUnscaled {
      found.append(
        "\(data.sizeOfInputs); most models diverge on such: scale them, as by --transform center --transform scale")
    }
    let trained = stages.flatMap(\.steps).flatMap(\.recipe.train)
    if let classifier = recipe[.classifier], classifier.origin == nil, !trained.contains(Slot.classifier.name),
      store.parameters(under: Slot.classifier.name).contains(where: { $0.role == .weight })
    {
      found.append(
        "classifier '\(classifier.use)' has weights that no step trains; add classifier to the train of one with a loss of its "
          + "scores, cross-entropy say, or leave it out")
    }
    for stage in stages { found += stage.doubts(of: data, catalog) }
    if let doubt = doubtAboutCodes { found.append(doubt) }
    return found
  }

  /// A sentence where Gaussian codes are trained by likelihoods alone; nil elsewhere.
  private var doubtAboutCodes: String? {
    let steps = stages.flatMap(\.steps).filter { $0.recipe.train.contains(Slot.encoder.name) }
    let losses = steps.flatMap(\.losses)
    guard recipe[.encoder]?.with["code"] == .string(CodeKind.gaussian.rawValue), let likelihood = losses.first,
      losses.allSatisfy({ $0.loss is any Likelihood })
    else { return nil }
    return
      "loss '\(likelihood.name)' is a likelihood, and no other loss trains the encoder: nothing keeps its codes near the prior, and "
      + "this is no variational autoencoder; add --loss kl, or set encoder.code=point"
  }

  /// Those about the settings of the model's parts in some slots.
  func doubts(aboutPartsIn slots: [Slot], _ catalog: Catalog) -> [String] {
    RecipeKey.slots.filter(slots.contains).flatMap { slot -> [String] in
      if let choice = recipe[slot] { return catalog.doubts(about: choice, slot, at: slot.key) }
      return (recipe[all: slot] ?? []).enumerated().flatMap {
        catalog.doubts(about: $1, slot, at: "\(slot.key)[\($0)]")
      }
    }
  }
}

extension Catalog {
  fileprivate func doubts(about choice: PartChoice, _ slot: Slot, at path: String) -> [String] {
    guard let settings = try? description(of: slot, choice.use).settings else { return [] }
    return settings.compactMap { setting in choice.with[setting.name].flatMap { setting.doubt(about: $0, at: path) } }
  }
}

extension ComposedStage {
  fileprivate func doubts(of data: DataShape, _ catalog: Catalog) -> [String] {
    var found: [String] = []
    if let all = data.trainingCount {
      let count = min(recipe.examples ?? all, all)
      if recipe.batch > count {
        found.append(
          "stage '\(recipe.name)': batch is \(recipe.batch), and it trains on \(count) examples, so that each epoch is one "
            + "iteration; lower it")
      }
      if needsLabels, let labelled = data.labelledByChance {
        let share = shareWithoutLabels(batch: recipe.batch, labelled: labelled, of: all)
        if share > 0.1 {
          found.append(
            "stage '\(recipe.name)': \(Int((100 * share).rounded())) % of its batches of \(recipe.batch) hold none of the "
              + "\(labelled) labels; set data.labelledShare to the share of each batch that has one, 0.5 say")
        }
      }
    }
    for (number, step) in steps.enumerated() {
      let place = "stage '\(recipe.name)'" + (steps.count > 1 ? ", step \(number + 1)" : "")
      found += step.doubts(epochs: recipe.epochs, catalog).map { "\(place): \($0)" }
    }
    return found
  }
}

/// Returns the probability that a batch holds no labelled example.
func shareWithoutLabels(batch: Int, labelled: Int, of all: Int) -> Double {
  guard batch <= all - labelled else { return 0 }
  return (0..<batch).reduce(1) { $0 * Double(all - labelled - $1) / Double(all - $1) }
}

extension ComposedStep {
  fileprivate func doubts(epochs: Int, _ catalog: Catalog) -> [String] {
    var found: [String] = []
    for choice in recipe.losses { found += catalog.doubts(about: choice, .loss, at: "loss '\(choice.use)'") }
    for (slot, choice) in [(Slot.optimizer, recipe.optimizer), (.schedule, recipe.schedule)] {
      if let choice { found += catalog.doubts(about: choice, slot, at: slot.key) }
    }
    for loss in losses where loss.weight <= 0 {
      found.append(
        loss.weight == 0
          ? "loss '\(loss.name)' has weight 0, so that it changes nothing; leave it out, or give it a weight"
          : "loss '\(loss.name)' has weight \(loss.weight), so that training makes it larger; is the sign meant?")
    }
    if optimizer.learningRate > 10 {
      found.append("the learning rate is \(optimizer.learningRate); most models diverge above 10")
    }
    if let clip = recipe.clip, clip < 1e-6 {
      found.append("clip is \(clip), so that weights hardly move; gradients are commonly clipped to about 1")
    }
    if let warmUp = recipe.schedule?.warmUp, warmUp > Double(epochs) {
      found.append(
        "the schedule's warmUp is \(warmUp) epochs and the stage has \(epochs), so that the full learning rate is never reached"
      )
    }
    for loss in recipe.losses {
      guard let warmUp = loss.warmUp, warmUp > Double(epochs) else { continue }
      found.append(
        "the warmUp of loss '\(loss.use)' is \(warmUp) epochs and the stage has \(epochs), so that its full weight is never "
          + "reached; set losses.\(loss.use).warmUp to fewer")
    }
    return found
  }
}

extension PartChoice {
  /// The epochs over which what it sets rises, where it has such a setting.
  fileprivate var warmUp: Double? {
    switch with["warmUp"] {
    case .double(let value)?: value
    case .int(let value)?: Double(value)
    default: nil
    }
  }
}

extension DataShape {
  /// How much memory a batch takes, where it is much: a sentence for before it is taken.
  func estimate(batch: Int) -> String? {
    let bytes = 4 * Double(min(batch, trainingCount ?? batch)) * inputShape.reduce(1) { $0 * Double($1) }
    guard bytes > Double(1 << 28) else { return nil }
    return
      "a batch of \(batch) inputs \(inputShape) of \(title) takes \(gibibytes(bytes)), and every layer of that size as "
      + "much again, several times in training; lower data.pad or batch if memory or time run out"
  }
  /// Inputs beyond it are surely not scaled.
  static let usualInput = 100.0

  /// How large inputs are, in words.
  public var sizeOfInputs: String {
    "inputs of \(title) reach \(String(format: "%.4g", largestInput ?? 0)) in size"
  }

  /// Whether rows of numbers reach sizes that most models diverge on.
  public var isUnscaled: Bool { largestInput.map { $0 > DataShape.usualInput } ?? false }
}

private let upkeep = "and two to four times that in training, with gradients and what the optimizer keeps"

/// How much memory a parameter takes, where it is much: a sentence for before it is made.
func estimate(ofParameter name: String, _ shape: [Int]) -> String? {
  let bytes = 4 * shape.reduce(1) { $0 * Double($1) }
  guard bytes > Double(1 << 29) else { return nil }
  return "'\(name)' of \(shape) takes \(gibibytes(bytes)), \(upkeep); make inputs or layers smaller if memory runs out"
}

extension ParameterStore {
  /// How much memory the parameters take, where it is much.
  fileprivate var weightBytes: Double { parameters.reduce(0) { $0 + 4 * Double($1.tensor.count) } }

  /// A sentence about it; nil where it is little.
  var estimate: String? {
    guard weightBytes > Double(1 << 30) else { return nil }
    return "the model's weights take \(gibibytes(weightBytes)), \(upkeep)"
  }
}
