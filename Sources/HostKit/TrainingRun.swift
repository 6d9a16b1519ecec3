import Datasets
import Figures
import Files
import Foundation
import LatentKit
import Recipes
import Reports
import Training

/// One run of training: a session and its folder.
struct TrainingRun {
  let session: Session
  let folder: RunFolder
  let resuming: Bool
  /// Held while this program works in the folder.
  private let lock: RunLock
  private let wayOn: String

  /// Takes a folder for a session that has not run, or goes on with the run that is in it.
  ///
  /// - Parameters:
  ///   - wayOn: What to type to go on after an interruption.
  /// - Throws: `RecipeError` where the folder holds a run of another recipe, `FileError` where another program works on it.
  init(_ session: Session, in folder: RunFolder, resuming: Bool, wayOn: String) throws {
    (self.session, self.folder, self.wayOn) = (session, folder, wayOn)
    let hasRun = resuming && folder.exists
    // A run that was killed before its first checkpoint goes on from its start.
    self.resuming = hasRun && FileManager.default.fileExists(atPath: folder.checkpoint.path)
    lock = try folder.lock()
    if hasRun {
      var stored = try Composer(Host.catalog).resolve(Recipe.read(folder.recipe).recipe)
      // What a run is called changes nothing: experiments that share it call it differently.
      (stored.name, stored.about) = (session.recipe.name, session.recipe.about)
      guard stored == session.recipe else {
        throw RecipeError(
          "the flags or the recipe file differ from the run in \(folder.url.path); a run goes on with its own recipe: leave them out, or start another run"
        )
      }
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
      session.composition,
      data: TrainingData(training: session.training, validation: session.validation, table: session.dataset.digest),
      folder: folder, observer: observer, featureNames: session.dataset.featureNames)
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
    if let names = session.dataset.featureNames {
      func first(_ count: Int, of names: [String]) -> String {
        names.prefix(count).joined(separator: ", ") + (names.count > count ? ", …" : "")
      }
      let classes = session.dataset.classNames.map { ", \($0.count) classes: \(first(20, of: $0))" } ?? ""
      say("table    \(names.count) features, \(first(3, of: names))\(classes)")
    }
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

    var summary = try RunSummary(session, folder: folder, test: result)
    summary.seconds = try MetricsLog.read(folder.metrics).reduce(0) { $0 + $1.seconds }
    var figures: [HTMLReport.Figure] = []
    func keep(_ name: String, _ caption: String, _ draw: (URL) throws -> Bool) throws {
      do {
        if try draw(folder.figure(name)) { figures.append(.init("figures/\(name)", caption: caption)) }
      } catch let error as FigureError {
        // A missing plotter costs the picture, not the run.
        warn("warning: no \(name): \(error)")
      }
    }
    func keep(_ name: String, _ caption: String, _ figure: (any Figure)?) throws {
      try keep(name, caption) { url in
        try figure?.write(to: url)
        return figure != nil
      }
    }
    try keep("curves.png", "Loss and metrics over epochs.") { try folder.drawCurves(to: $0) }
    try keep("latents.png", "Latents in the plane in which the training latents vary most.") { url in
      guard let panels = try session.latentScatter(training: latents, test: result.latents) else { return false }
      try ScatterPlot.write(panels, to: url)
      return true
    }
    try keep(
      "reconstructions.png", "Test images and their reconstructions.",
      session.reconstructionGrid(of: session.test, count: 20, caption: "Test images and their reconstructions"))
    try keep(
      "class-distances.png", "Distances between the class means of test latents.",
      session.classDistances(result.latents))
    if let perClass {
      // A fixed name: the same run draws the same samples, whatever was drawn before.
      var generator = try Generator(seed: session.recipe.randomSeed, for: "samples", device: session.device)
      let samples = try session.sample(classes: nil, perClass: perClass, reference: latents, using: &generator)
      summary.sampler = samples.draw.diagnostics
      summary.warnings = samples.draw.warnings
      if try session.writeTable(samples, to: folder.samples) { say("samples  \(folder.samples.relativePath)") }
      let title = "Samples of \(session.recipe.sampler?.use ?? "")"
      try keep(
        "samples.png", "Decoded draws of sampler '\(session.recipe.sampler?.use ?? "")', a row for each class.",
        session.grid(samples, classes: nil, perClass: perClass, caption: title))
    }
    try summary.writeFeatures(to: folder.features, names: session.dataset.featureNames)
    try summary.report(figures: figures, recipe: session.recipe, features: session.dataset.featureNames).write(
      to: folder.report)
    // Last: a run with a summary is a finished one.
    try summary.write(to: folder.summary)
    summary.print(figures: figures.map { folder.url.relativePath + "/" + $0.path }, folder: folder)
  }
}
