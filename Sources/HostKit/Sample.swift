import ArgumentParser
import Figures
import Foundation
import LatentKit
import Recipes
import Runs

struct Sample: HostSubcommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw new examples from a trained run.",
    discussion: """
        host sample runs/demo
        host sample runs/demo --sampler class-gaussian --classes 3,5 --per-class 20
        host sample runs/demo --set sampler.thinning=50 --latents draws.safetensors
      """)

  @Argument(help: ArgumentHelp("The folder of a run.", valueName: "run"), completion: .directory) var folder: String
  @Option(help: "Another sampler than the run's.", completion: .custom { _, _, _ in Host.names(in: .sampler) })
  var sampler: String?
  @Option(help: ArgumentHelp("Classes to draw, by number or name, as in 0,3,7; all unless said.", valueName: "list"))
  var classes: String?
  @Option(help: "Samples of each class.") var perClass = 10
  @Option(parsing: .unconditional, help: "What the draws depend on; the run's seed unless said.") var seed: Int?
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

  func run(in host: Host) throws {
    let console = host.console
    let run = try Run(
      opening: URL(fileURLWithPath: folder), catalog: host.catalog, machine: machine.machine(),
      observer: ConsoleObserver(console)
    ) { recipe in
      if let sampler { try recipe.apply(choice: .sampler, sampler) }
      for setting in settings { try recipe.set(setting) }
    }
    let session = run.session
    let asked = try classes.map { try session.dataset.classes(named: $0) }
    let samples = try run.sample(classes: asked, perClass: perClass, seed: seed)
    if !samples.draw.diagnostics.isEmpty {
      console.say(samples.draw.diagnostics.map { "\($0.name) \($0.text)" }.joined(separator: ", "))
    }
    for warning in samples.draw.warnings { console.warn("warning: \(warning)") }
    if asked != nil, !samples.areOfClasses {
      let sampler = session.recipe[.sampler]?.use ?? ""
      console.warn(
        "warning: sampler '\(sampler)' does not follow classes here, so --classes says only how many are drawn; choose "
          + "another --sampler")
    }
    if let latents {
      var tensors = ["latents": samples.draw.latents]
      if samples.areOfClasses { tensors["labels"] = samples.labels }
      try Safetensors.write(tensors, to: URL(fileURLWithPath: latents))
      console.say("latents  \(latents)")
    }
    let table = output.map { URL(fileURLWithPath: $0) } ?? run.folder.samples
    if try session.writeTable(samples, to: table) { return console.say("samples  \(table.relativePath)") }
    let title = "Samples of \(session.recipe[.sampler]?.use ?? "")"
    if let grid = try session.grid(samples, classes: asked, perClass: perClass, caption: title) {
      let url = output.map { URL(fileURLWithPath: $0) } ?? run.folder.figure("samples.png")
      try grid.write(to: url)
      console.say("picture  \(url.relativePath)")
    } else if latents == nil {
      throw RecipeError("this model has no decoder for images, so there is no picture; add --latents file.safetensors")
    }
  }
}
