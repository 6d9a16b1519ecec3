import ArgumentParser
import Foundation
import LatentKit
import Recipes

/// The parts of a recipe by flag.
struct PartOptions: ParsableArguments {
  @Argument(
    help: ArgumentHelp("A recipe file to start from, or the folder of a run (optional).", valueName: "recipe"),
    completion: .file(extensions: ["yaml", "yml"]))
  var recipe: String?

  @Option(
    name: .customLong("transform"), parsing: .singleValue,
    help: "What rows of numbers go through before the model, in order. Repeat for more; 'none' for none.",
    completion: parts(.transform))
  var transforms: [String] = []
  @Option(
    help:
      "Maps inputs to latents. This part and others with weights may also be the folder of a finished run, as in runs/demo, or one that 'host export' wrote.",
    completion: parts(.encoder)) var encoder: String?
  @Option(help: "Maps latents back to inputs; 'none' for no decoder.", completion: parts(.decoder)) var decoder: String?
  @Option(help: "Maps latents to class scores; 'none' for none.", completion: parts(.classifier)) var classifier:
    String?
  @Option(help: "Tells real inputs from generated ones; 'none' for none.", completion: parts(.discriminator))
  var discriminator: String?
  @Option(help: "The density that latents should follow.", completion: parts(.prior)) var prior: String?
  @Option(help: "Disturbs latents in training; 'none' for none.", completion: parts(.noise)) var noise: String?
  @Option(help: "Draws latents to decode.", completion: parts(.sampler)) var sampler: String?
  @Option(
    name: .customLong("freeze"), parsing: .singleValue,
    help: ArgumentHelp("A part from a folder whose weights stay as they are. Repeat for more.", valueName: "slot"),
    completion: .list(Slot.all.filter(\.isTrainable).map(\.name)))
  var frozen: [String] = []
  @Option(help: "How a step changes weights.", completion: parts(.optimizer)) var optimizer: String?
  @Option(help: "How the learning rate goes.", completion: parts(.schedule)) var schedule: String?
  @Option(
    name: .customLong("loss"), parsing: .singleValue,
    help: ArgumentHelp(
      "A loss, with a weight where it is not 1: --loss mse --loss sobel=0.02. Repeat for more. Where a recipe has several steps, the one that trains a part is named: --loss decoder:mse. Losses that other parts bring stay, unless 'none' is given: --loss decoder:none.",
      valueName: "[part:]name[=weight]"),
    completion: parts(.loss)) var losses: [String] = []
  @Option(
    name: .customLong("metric"), parsing: .singleValue,
    help: "What is measured. Repeat for more; 'none' for nothing but the losses.",
    completion: parts(.metric))
  var metrics: [String] = []

  @Option(help: "The data set; see 'host data list'.", completion: parts(.data)) var data: String?
  @Option(help: "Passes over the training data.") var epochs: Int?
  @Option(help: "Examples per step.") var batch: Int?
  @Option(
    help:
      "How precisely layers compute in training: float32, bf16, and on GPUs tf32 or float16. Measuring and drawing are in float32.",
    completion: .list(Precision.allCases.map(\.rawValue))) var precision: String?
  @Option(parsing: .unconditional, help: "The number that every random draw depends on, 0 or more.") var seed: Int?
  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp(
      "Any setting: --set prior.classes=20 --set encoder.latent=16. Repeat for more.", valueName: "path=value"))
  var settings: [String] = []

  /// The part by flag of each slot that takes one.
  var choices: [(Slot, String?)] {
    [
      (.encoder, encoder), (.prior, prior), (.decoder, decoder), (.classifier, classifier),
      (.discriminator, discriminator), (.noise, noise), (.sampler, sampler),
    ]
  }

  /// The names of a slot's parts, and `none` where a recipe may do without.
  private static func parts(_ slot: Slot) -> CompletionKind {
    .custom { words, _, _ in
      Host.names(in: slot, on: words) + (slot.place == .optional || slot.place == .list ? ["none"] : [])
    }
  }

  /// The recipe that the file and the flags say, resolved: every part and every setting.
  func resolved(with composer: Composer) throws -> Recipe {
    var recipe = Recipe()
    var source: RecipeSource?
    if let path = self.recipe {
      let file = try Recipe.read(URL(fileURLWithPath: path))
      source = file
      recipe = file.recipe
    }
    do {
      for (slot, name) in choices {
        if let name { recipe = try composer.replacing(slot, by: name, in: recipe) }
      }
      for name in frozen {
        guard let slot = Slot.all.first(where: { $0.name == name && $0.isTrainable }), recipe[slot]?.origin != nil
        else {
          throw ValidationError(
            "--freeze \(name): there is no such part from a folder; name one, as in --encoder ./faces --freeze encoder")
        }
        recipe[slot]?.origin?.isFrozen = true
      }
      recipe.replace(.transform, by: transforms)
      recipe.replace(.metric, by: metrics)
      if let data { recipe.use(data: data) }
      if recipe[.data] == nil { recipe[.data] = PartChoice("mnist", with: ["embedded": true]) }
      if recipe[.encoder] == nil {
        throw ValidationError("a recipe needs an encoder; add --encoder resnet, or see 'host list encoder'")
      }
      if let seed { recipe.seed = seed }
      // What is chosen here may bring other parts.
      recipe = try composer.resolve(
        recipe, choosing: TrainingChoices(losses: losses.map(Self.parse), optimizer: optimizer, schedule: schedule))
      if let epochs { try recipe.set("epochs=\(epochs)") }
      if let batch { try recipe.set("batch=\(batch)") }
      if let precision { try recipe.set("precision=\(precision)") }
      recipe = try composer.setting(settings, in: recipe)
      return try composer.resolve(recipe)
    } catch let error as ConfigError {
      throw source?.located(error, in: recipe) ?? error
    }
  }

  private static func parse(_ text: String) throws -> (part: String?, loss: PartChoice) {
    guard let colon = text.firstIndex(of: ":") else { return (nil, try loss(text)) }
    return (String(text[..<colon]), try loss(String(text[text.index(after: colon)...])))
  }

  private static func loss(_ loss: String) throws -> PartChoice {
    let parts = loss.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2 else { return PartChoice(loss) }
    guard let weight = Double(parts[1]), PartChoice("", weight: weight).hasPossibleWeight else {
      throw ValidationError(
        "--loss \(loss): found weight '\(parts[1])', expected \(PartChoice.weights), as in --loss sobel=0.02")
    }
    return PartChoice(parts[0], weight: weight)
  }
}

extension Recipe {
  /// Puts the parts that flags name in the place of a slot's, none for `none`; without flags they stay.
  mutating func replace(_ slot: Slot, by names: [String]) {
    guard !names.isEmpty else { return }
    self[all: slot] = names == ["none"] ? [] : names.map { PartChoice($0) }
  }
}
