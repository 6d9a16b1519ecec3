import ArgumentParser
import Foundation
import LatentKit
import Recipes
import Training

extension DataPart: ExpressibleByArgument {}

/// The latents that a run's samplers learn from: stored with the run, else encoded anew.
private func reference(of run: String, _ session: Session) throws -> LatentSet {
  let url = RunFolder(URL(fileURLWithPath: run)).latents
  guard FileManager.default.fileExists(atPath: url.path) else { return try session.evaluator.encode(session.training) }
  let tensors = try Safetensors.read(url).tensors
  guard let latents = tensors["latents"] else { return try session.evaluator.encode(session.training) }
  return LatentSet(latents: try latents.to(session.device), labels: try tensors["labels"]?.to(session.device))
}

struct Evaluate: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Measure a trained run on a part of the data.",
    discussion: "  host evaluate runs/demo\n  host evaluate runs/demo --part validation")

  @Argument(help: ArgumentHelp("The folder of a run.", valueName: "run"), completion: .directory) var folder: String
  @Option(help: "train, validation or test.") var part = DataPart.test
  @OptionGroup(title: "Machine") var machine: MachineOptions

  func run() throws {
    let session = try Session(run: folder, machine: machine)
    let data = try session.part(part)
    let result = try session.evaluator.evaluate(data, stage: session.lastStage, training: session.training)
    say("\(part.rawValue): \(data.count) examples of \(session.dataset.name)")
    let error = try session.reconstructionError(of: data.examples)
    for metric in result.measurements + [error].compactMap({ $0 }) { say("\(metric.name) \(metric.text)") }
    for (name, value) in result.losses.sorted(by: { $0.key < $1.key }) { say("\(name) \(number(value))") }
  }
}

struct Sample: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw new examples from a trained run.",
    discussion: """
        host sample runs/demo
        host sample runs/demo --sampler class-gaussian --classes 3,5 --per-class 20
        host sample runs/demo --set sampler.thinning=50 --latents draws.safetensors
      """)

  @Argument(help: ArgumentHelp("The folder of a run.", valueName: "run"), completion: .directory) var folder: String
  @Option(help: "Another sampler than the run's.") var sampler: String?
  @Option(help: ArgumentHelp("Classes to draw, by number or name, as in 0,3,7; all unless said.", valueName: "list"))
  var classes: String?
  @Option(help: "Samples of each class.") var perClass = 10
  @Option(help: "What the draws depend on; the run's seed unless said.") var seed: Int?
  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp("A setting, as in sampler.chains=64. Repeat for more.", valueName: "path=value"))
  var settings: [String] = []
  @Option(help: ArgumentHelp("The picture; figures/samples.png of the run unless said.", valueName: "file.png"))
  var output: String?
  @Option(help: ArgumentHelp("Also write the drawn latents and labels.", valueName: "file.safetensors")) var latents:
    String?
  @OptionGroup(title: "Machine") var machine: MachineOptions

  func validate() throws {
    guard (1...1000).contains(perClass) else { throw ValidationError("--per-class is \(perClass), expected 1 to 1000") }
  }

  func run() throws {
    let session = try Session(run: folder, machine: machine) { recipe in
      if let sampler { try recipe.apply(choice: .sampler, sampler) }
      for setting in settings { try recipe.set(setting) }
    }
    let asked = try classes.map { try session.dataset.classes(named: $0) }
    var generator = try Generator(
      seed: UInt64(bitPattern: Int64(seed ?? session.recipe.seed)), for: "samples", device: session.device)
    let samples = try session.sample(
      classes: asked, perClass: perClass, reference: reference(of: folder, session), using: &generator)
    if !samples.draw.diagnostics.isEmpty {
      say(samples.draw.diagnostics.map { "\($0.name) \($0.text)" }.joined(separator: ", "))
    }
    for warning in samples.draw.warnings { warn("warning: \(warning)") }
    if let latents {
      var tensors = ["latents": samples.draw.latents]
      tensors["labels"] = samples.labels
      try Safetensors.write(tensors, to: URL(fileURLWithPath: latents))
      say("latents  \(latents)")
    }
    let table = output.map { URL(fileURLWithPath: $0) } ?? RunFolder(URL(fileURLWithPath: folder)).samples
    if try session.writeTable(samples, to: table) { return say("samples  \(table.relativePath)") }
    let title = "Samples of \(session.recipe.sampler?.use ?? "")"
    if let grid = try session.grid(samples, classes: asked, perClass: perClass, caption: title) {
      let url = output.map { URL(fileURLWithPath: $0) } ?? RunFolder(URL(fileURLWithPath: folder)).figure("samples.png")
      try grid.write(to: url)
      say("picture  \(url.relativePath)")
    } else if latents == nil {
      throw RecipeError("this model has no decoder for images, so there is no picture; add --latents file.safetensors")
    }
  }
}
