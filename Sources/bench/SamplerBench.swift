import ArgumentParser
import Foundation
import HostKit
import LatentKit
import Recipes

/// Times a sampler on latents from a file: the same part that `sample` runs.
struct SamplerBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sampler", abstract: "Time the draws of a sampler; prints one line of JSON.")

  @Option(help: "Sampler by name.") var sampler: String
  @Option(help: "Training latents and labels, a safetensors file.") var latents: String
  @Option(help: "Draws of each class.") var perClass = 1000
  @Option(help: "How often; the last draws are kept.") var rounds = 3
  @Option(help: "Where the drawn latents go, a safetensors file.") var output: String
  @Option(name: .customLong("set"), parsing: .singleValue, help: "A setting, as in chains=64. Repeat for more.")
  var settings: [String] = []
  @OptionGroup(title: "Machine") var machine: MachineOptions

  func run() throws {
    let machine = try machine.machine()
    try machine.apply()
    let device = machine.device
    let tensors = try Safetensors.read(URL(fileURLWithPath: latents)).tensors
    guard let points = tensors["latents"], let labels = tensors["labels"] else {
      throw RecipeError("\(latents) has no 'latents' with 'labels'; write both")
    }
    let reference = LatentSet(latents: try points.to(device), labels: try labels.to(device))
    let classes = Set(try labels.ints()).sorted()
    let wanted = try Tensor(classes.flatMap { Array(repeating: Int64($0), count: perClass) })
    // One parser for settings: the recipe's.
    var recipe = Recipe()
    recipe[.sampler] = PartChoice(sampler)
    for setting in settings { try recipe.set("sampler.\(setting)") }
    let context = BuildContext(
      inputShape: points.shape.dropFirst().map { $0 }, classCount: classes.count, latentSize: try points.size(1),
      scope: try Scope(path: "sampler", device: device), title: "sampler '\(sampler)'")
    let catalog = try Catalog(plugins)
    let part = try catalog[.sampler][sampler].make(recipe[.sampler]?.with ?? [:], at: "sampler.with", in: context)
    let prior = try catalog[.prior]["standard-normal"].make([:], at: "prior.with", in: context)
    let request = DrawRequest(
      labels: wanted, count: wanted.count, latentSize: try points.size(1), prior: prior, reference: reference)
    var generator = try Generator(seed: 0, for: "samples", device: device)
    var seconds: [Double] = []
    for _ in 0..<rounds {
      let start = ContinuousClock.now
      let draw = try withoutGradients { try part.draw(request, using: &generator) }
      seconds.append((ContinuousClock.now - start) / .seconds(1))
      try Safetensors.write(["latents": draw.latents, "labels": wanted], to: URL(fileURLWithPath: output))
      for warning in draw.warnings { Console.standard.warn("warning: \(warning)") }
      Console.standard.warn(draw.diagnostics.map { "\($0.name) \($0.text)" }.joined(separator: ", "))
    }
    let times = seconds.map { String(format: "%.4f", $0) }.joined(separator: ", ")
    print("{\"sampler\": \"\(sampler)\", \"seconds\": [\(times)], \"threads\": \(Torch.threadCount)}")
  }
}
