import ArgumentParser
import Figures
import Files
import Foundation
import LatentKit
import Recipes
import Runs

struct Sample: PartCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draw new examples from a trained run.",
    discussion: """
        host sample runs/demo
        host sample runs/demo --sampler class-gaussian --classes 3,5 --per-class 20
        host sample runs/demo --set sampler.thinning=50 --latents draws.safetensors
        host sample runs/demo --per-class 1000 --samples draws.npz
        host sample runs/cells --output drawn.h5ad          # of a table: for scanpy
        host sample runs/demo --epoch 5                     # with the weights that keepEpochs kept

      The run's own samples are kept: a picture goes beside them as samples-2.png, \
      samples-3.png and so on, unless --overwrite or --output says otherwise. A picture \
      shows as many draws as fit; --samples writes all of them.
      """)

  @Argument(help: ArgumentHelp("The folder of a run.", valueName: "run"), completion: .directory) var folder: String
  @Option(
    help: "Another sampler than the run's.", completion: .custom { words, _, _ in Host.names(in: .sampler, on: words) })
  var sampler: String?
  @Option(help: ArgumentHelp("Classes to draw, by number or name, as in 0,3,7; all unless said.", valueName: "list"))
  var classes: String?
  @Option(help: "Samples of each class.") var perClass = 10
  @Option(parsing: .unconditional, help: "What the draws depend on; the run's seed unless said.") var seed: Int?
  @Option(
    name: .customLong("set"), parsing: .singleValue,
    help: ArgumentHelp("A setting, as in sampler.chains=64. Repeat for more.", valueName: "path=value"))
  var settings: [String] = []
  @Option(
    help: ArgumentHelp(
      "The picture, or of a table the rows as .csv or .h5ad; figures/samples-2.png, or samples-2.csv, of the run or the next "
        + "unless said.", valueName: "file.png|csv|h5ad"))
  var output: String?
  @Option(help: ArgumentHelp("Also write the drawn latents and labels.", valueName: "file.safetensors")) var latents:
    String?
  @Option(
    help: ArgumentHelp(
      "Also write all draws: latents, decoded examples, and labels where draws are of classes.",
      valueName: "file.npz|csv|safetensors|h5ad"))
  var samples: String?
  @Flag(help: "Replace the run's own picture or table of samples.") var overwrite = false
  @OptionGroup var weights: EpochOption
  @OptionGroup(title: "Parts in other languages") var foreign: ForeignOptions
  @OptionGroup(title: "Machine") var machine: MachineOptions

  func validate() throws {
    guard (1...1000).contains(perClass) else { throw ValidationError("--per-class is \(perClass), expected 1 to 1000") }
    if overwrite, output != nil {
      throw ValidationError(
        "--overwrite is about the run's own samples, and --output names another file; leave one out")
    }
  }

  /// The files that the options name.
  private func outputs() throws -> (output: URL?, latents: URL?, samples: URL?) {
    let found = (
      output: try output.map { try OutputFile.named($0, by: "--output", endings: ["png", "svg", "csv", "h5ad"]) },
      latents: try latents.map { try OutputFile.named($0, by: "--latents") },
      samples: try samples.map { try OutputFile.named($0, by: "--samples") }
    )
    if let samples = found.samples { _ = try SampleFormat(samples) }
    try OutputFile.requireDifferent([found.output, found.latents, found.samples].compactMap { $0 })
    if let latents = found.latents, latents.pathExtension != "safetensors" {
      throw FileError(latents.path, "is no name for a file of latents, expected one that ends in .safetensors")
    }
    return found
  }

  func run(in host: Host) throws {
    let console = host.console
    let files = try outputs()
    let folder = RunFolder(URL(fileURLWithPath: folder))
    let reading = try folder.lockForReading()
    defer { withExtendedLifetime(reading) {} }
    let suffix = try weights.suffix(of: folder)
    let run = try Run(
      opening: folder.url, catalog: host.catalog, machine: machine.machine(), observer: ConsoleObserver(console),
      checkpoint: weights.checkpoint(of: folder)
    ) { recipe in
      if let sampler { try recipe.apply(choice: .sampler, sampler) }
      for setting in settings { try recipe.set(setting) }
    }
    let session = run.session
    if let output = files.output {
      try OutputFile.require(output, isOf: session.dataset.featureNames == nil, by: "--output")
    }
    for output in [files.output, files.latents, files.samples].compactMap({ $0 }) {
      try OutputFile.require(output, besides: session.inputs, by: "an output")
    }
    let asked = try classes.map { try session.dataset.classes(named: $0) }
    if session.composition.model.decoder == nil, files.latents == nil, files.samples == nil {
      throw RecipeError("this model has no decoder, so there is nothing to show; add --samples file.npz")
    }
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
    if let latents = files.latents {
      var tensors = ["latents": samples.draw.latents]
      if samples.areOfClasses { tensors["labels"] = samples.labels }
      try Safetensors.write(tensors, to: latents)
      console.say("latents  \(latents.relativePath)")
    }
    if let all = files.samples {
      try session.writeDraws(samples, to: all)
      console.say("samples  \(all.relativePath)")
    }
    func write(_ own: URL, isFigure: Bool, _ body: (URL) throws -> Void) throws -> URL {
      guard let output = files.output else {
        return try OutputFile.add(own, to: folder, overwrites: overwrite, isFigure: isFigure, body)
      }
      if isFigure { try OutputFile.writePicture(output, body) } else { try body(output) }
      return output
    }
    if session.dataset.featureNames != nil, samples.images?.rank == 2 {
      let table = try write(folder.url.appendingPathComponent("samples\(suffix).csv"), isFigure: false) {
        _ = try session.writeTable(samples, to: $0)
      }
      console.say("samples  \(table.relativePath)")
      return
    }
    let title = "Samples of \(session.recipe[.sampler]?.use ?? "")" + (weights.epoch.map { ", epoch \($0)" } ?? "")
    if let grid = try session.grid(samples, classes: asked, perClass: perClass, caption: title) {
      let url = try write(folder.figure("samples\(suffix).png"), isFigure: true) { try grid.write(to: $0) }
      console.say("picture  \(url.relativePath)")
      if grid.shownCount < grid.imageCount, files.samples == nil {
        console.say(
          "note: the picture shows \(grid.shownCount) of \(grid.imageCount) draws; --samples writes all of them")
      }
    } else if files.latents == nil, files.samples == nil {
      throw RecipeError("this model decodes no images, so there is no picture; add --samples file.npz")
    }
  }
}
