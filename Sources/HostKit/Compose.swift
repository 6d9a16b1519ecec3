import ArgumentParser
import Datasets
import Figures
import Files
import Foundation
import LatentKit
import Recipes
import Training

struct RunOptions: ParsableArguments {
  @Option(help: ArgumentHelp("Name of the run's folder; made from the parts unless said.", valueName: "name")) var name:
    String?
  @Option(help: ArgumentHelp("Where run folders go.", valueName: "folder")) var runs = "runs"
  @Flag(help: "Replace a run of this name.") var overwrite = false
  @Flag(help: "Go on with the run of this name from its last checkpoint.") var resume = false

  /// The folder of a new run, or of the one to go on with.
  func folder(for recipe: Recipe) throws -> RunFolder {
    let parent = URL(fileURLWithPath: runs)
    guard let name else {
      if resume || overwrite {
        throw ValidationError("--\(resume ? "resume" : "overwrite") needs the run's name: add --name NAME")
      }
      let parts = [recipe.data?.use, recipe.encoder?.use, recipe.prior?.use, recipe.sampler?.use].compactMap { $0 }
      return try RunFolder.claim(parts.joined(separator: "-"), in: parent)
    }
    guard !name.isEmpty, !name.contains("/"), !name.hasPrefix(".") else {
      throw ValidationError("--name is '\(name)', expected the name of one folder; use --runs for where it goes")
    }
    let folder = RunFolder(parent.appendingPathComponent(name))
    if resume {
      guard folder.exists else { throw ValidationError("there is no run in \(folder.url.path) to go on with") }
    } else if folder.exists && !overwrite {
      throw ValidationError(
        "\(folder.url.path) holds a run already; choose another --name, --overwrite it, or --resume it")
    }
    return folder
  }
}

struct Compose: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a model of parts by name, measure it, sample it and draw it.",
    discussion: """
      Exactly as typed, this trains on the embedded digits and leaves a folder to look at:

        host compose --encoder resnet --prior pedcc --sampler mh

      On a full data set, with other numbers:

        host compose --encoder resnet --prior pedcc --data mnist --epochs 5
        host compose recipe.yaml --sampler mh --set encoder.latent=16 --seed 3
      """)

  @OptionGroup(title: "Parts") var parts: PartOptions
  @OptionGroup(title: "Run") var target: RunOptions
  @OptionGroup(title: "Machine") var machine: MachineOptions
  @Option(help: "Samples to draw of each class.") var perClass = 10
  @Flag(help: "Check and print the resolved recipe, and stop.") var dryRun = false

  func validate() throws {
    guard (1...1000).contains(perClass) else {
      throw ValidationError("--per-class is \(perClass), expected 1 to 1000")
    }
  }

  func run() throws {
    let run = try TrainingRun(
      parts: parts, target: target, machine: machine, dryRun: dryRun, command: "compose",
      extra: perClass == 10 ? "" : " --per-class \(perClass)")
    guard let run else { return }
    guard try run.train() else { throw ExitCode(130) }
    try run.finish(perClass: perClass)
  }
}

struct Train: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Train a recipe and measure it, without sampling.",
    discussion: """
        host train Plugins/CSAE/recipes/csae-l.yaml --name csae-l
        host train --resume --name csae-l

      To go on with a run needs its name only: its folder has the recipe.
      """)

  @OptionGroup(title: "Parts") var parts: PartOptions
  @OptionGroup(title: "Run") var target: RunOptions
  @OptionGroup(title: "Machine") var machine: MachineOptions
  @Flag(help: "Check and print the resolved recipe, and stop.") var dryRun = false

  func run() throws {
    let run = try TrainingRun(parts: parts, target: target, machine: machine, dryRun: dryRun, command: "train")
    guard let run else { return }
    guard try run.train() else { throw ExitCode(130) }
    try run.finish(perClass: nil)
  }
}

/// One run of training, from flags to a folder.
struct TrainingRun {
  let session: Session
  let folder: RunFolder
  let resuming: Bool
  /// Held while this program works in the folder.
  private let lock: RunLock
  /// What to type to go on after an interruption.
  private let wayOn: String

  /// Nil where only a check was asked for.
  init?(
    parts: PartOptions, target: RunOptions, machine: MachineOptions, dryRun: Bool, command: String, extra: String = ""
  ) throws {
    let composer = Composer(try Host.catalog)
    // To go on, the recipe is the run's own, and flags may only repeat it.
    var parts = parts
    var stored: Recipe?
    if target.resume, let name = target.name {
      let folder = RunFolder(URL(fileURLWithPath: target.runs).appendingPathComponent(name))
      if folder.exists {
        stored = try Recipe.read(folder.recipe).recipe
        if parts.recipe == nil { parts.recipe = folder.recipe.path }
      }
    }
    let recipe = try parts.resolved(with: composer)
    session = try Session(recipe, machine: machine)
    if dryRun {
      say(session.recipe.yaml())
      return nil
    }
    folder = try target.folder(for: session.recipe)
    // A run that was killed before its first checkpoint goes on from its start.
    resuming = target.resume && FileManager.default.fileExists(atPath: folder.checkpoint.path)
    wayOn =
      "host \(command) --resume --name \(folder.name)" + (target.runs == "runs" ? "" : " --runs \(target.runs)")
      + machine.typed + extra
    lock = try folder.lock()
    if let stored, try composer.resolve(stored) != session.recipe {
      throw RecipeError(
        "the flags or the recipe file differ from the run in \(folder.url.path); a run goes on with its own recipe: leave them out, or start another run"
      )
    }
  }

  /// False when training was interrupted.
  func train() throws -> Bool {
    if !resuming {
      try folder.clear()
      try folder.create()
      try AtomicFile.write(session.recipe.yaml(), to: folder.recipe)
    }
    describe()
    let events = try EventFile(
      folder.events, keepingSteps: resuming ? try? Checkpoint.read(folder.checkpoint).position.totalIterations : nil)
    let observer = Observers([ConsoleProgress(), EventObserver(events)])
    Interrupt.listen()
    let trainer = try Trainer(
      session.composition, data: TrainingData(training: session.training, validation: session.validation),
      folder: folder, observer: observer)
    let outcome = try trainer.run(resuming: resuming)
    Interrupt.stopListening()
    try events.close()
    if outcome == .interrupted {
      say("stopped; everything is saved. Go on with: \(wayOn)")
      return false
    }
    return true
  }

  private func describe() {
    let recipe = session.recipe
    let parts: [(String, PartChoice?)] = [
      ("encoder", recipe.encoder), ("decoder", recipe.decoder), ("classifier", recipe.classifier),
      ("discriminator", recipe.discriminator), ("prior", recipe.prior), ("noise", recipe.noise),
      ("sampler", recipe.sampler),
    ]
    say("recipe   " + parts.compactMap { name, part in part.map { "\(name) \($0.use)" } }.joined(separator: ", "))
    for stage in session.composition.stages {
      for step in stage.steps {
        let losses = step.losses.map { $0.weight == 1 ? $0.name : "\(number($0.weight)) \($0.name)" }
        say(
          "stage    \(stage.recipe.name): \(stage.recipe.epochs) epochs, batch \(stage.recipe.batch), \(step.recipe.optimizer?.use ?? ""), loss \(losses.joined(separator: " + "))"
        )
      }
    }
    let held = session.validation.map { " + \($0.count) validation" } ?? ""
    say(
      "data     \(session.dataset.name): \(session.training.count) training\(held) + \(session.test.count) test examples; \(session.dataset.origin.description)"
    )
    say(
      "model    \(session.weightCount) weights on \(session.device), \(Torch.threadCount) threads, seed \(recipe.seed)")
    say("folder   \(folder.url.relativePath)")
    say()
  }

  /// Measures the trained model on the test part, samples it, and writes the summary, the figures and the report.
  func finish(perClass: Int?) throws {
    let session = session
    let result = try session.evaluator.evaluate(session.test, stage: session.lastStage, training: session.training)
    let latents = try session.evaluator.encode(session.training)
    var tensors = ["latents": latents.latents]
    tensors["labels"] = latents.labels
    try Safetensors.write(tensors, to: folder.latents)

    var summary = RunSummary(session, folder: folder, test: result)
    summary.seconds = try MetricsLog.read(folder.metrics).reduce(0) { $0 + $1.seconds }
    var figures: [HTMLReport.Figure] = []
    func keep(_ picture: Picture?, _ name: String, _ caption: String) throws {
      guard let picture else { return }
      try picture.write(to: folder.figure(name))
      figures.append(.init("figures/\(name)", caption: caption))
    }
    do {
      try folder.drawCurves()
      figures.append(.init("figures/curves.png", caption: "Loss and metrics over epochs."))
    } catch let error as FigureError {
      warn("warning: no loss curves: \(error)")
    }
    try keep(
      session.reconstructionGrid(of: session.test, count: 20, caption: "test images and their reconstructions")?
        .picture, "reconstructions.png", "Test images and their reconstructions.")
    try keep(
      session.classDistances(result.latents)?.picture, "class-distances.png",
      "Distances between the class means of test latents.")
    if let perClass {
      // A fixed name: the same run draws the same samples, whatever was drawn before.
      var generator = try Generator(seed: session.recipe.randomSeed, for: "samples", device: session.device)
      let samples = try session.sample(classes: nil, perClass: perClass, reference: latents, using: &generator)
      summary.sampler = samples.draw.diagnostics
      summary.warnings = samples.draw.warnings
      if try session.writeTable(samples, to: folder.samples) { say("samples  \(folder.samples.relativePath)") }
      let title = "samples: \(session.recipe.sampler?.use ?? "")"
      try keep(
        session.grid(samples, classes: nil, perClass: perClass, caption: title)?.picture, "samples.png",
        "Decoded draws of sampler '\(session.recipe.sampler?.use ?? "")', a row for each class.")
    }
    try summary.write(to: folder.summary)
    try summary.report(figures: figures, recipe: session.recipe).write(to: folder.report)
    summary.print(figures: figures.map { folder.url.relativePath + "/" + $0.path }, folder: folder)
  }
}
