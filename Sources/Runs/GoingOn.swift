import Foundation
import LatentKit
import Recipes
import Training

extension Run {
  /// Takes the session's recipe for the run in the folder, where that is the run's own, but for more epochs or another patience of
  /// the last stage.
  ///
  /// - Throws: `RecipeError` for any other recipe, fewer epochs than are done, and a run that others count on as it is.
  func adoptRecipe() throws {
    let (folder, recipe) = (folder, session.recipe)
    var stored = try Composer(session.catalog).resolve(Recipe.read(folder.recipe).recipe)
    // The name of a run changes nothing: experiments that share it name it differently.
    (stored.name, stored.about) = (recipe.name, recipe.about)
    guard stored != recipe else { return }
    guard stored.goingOn(as: recipe) == recipe, let before = stored.stages?.last, let stage = recipe.stages?.last else {
      throw refusal(of: stored)
    }
    // Before anything changes: what is damaged must not cost a finished run its results.
    let isThere = FileManager.default.fileExists(atPath: folder.checkpoint.path)
    let checkpoint = isThere ? try Checkpoint.read(folder.checkpoint).position : nil
    if let checkpoint { try MetricsLog(folder.metrics).check(checkpoint.metricsLength) }
    let done = try checkpoint.map { try epochs(of: stage, at: $0, among: recipe.stages?.count ?? 0) } ?? 0
    guard stage.epochs >= done else {
      throw RecipeError(
        "the run in \(folder.url.relativePath) has trained \(counted(done, "epoch")) of stage '\(stage.name)', found \(stage.epochs); "
          + "name more than \(done) to go on")
    }
    if let part = folder.partOf {
      throw RecipeError(
        "the run in \(folder.url.relativePath) is one of \(part), which counts on its recipe as it is; compose its recipe.yaml as a new run with more epochs"
      )
    }
    if checkpoint?.isFinished == true, stage.epochs > done, let refusal = before.refusalToGoOn { throw refusal }
    if let stop = recipe.stop(ofLastStageIn: checkpoint?.stops), let patience = stage.stop?.patience {
      let kept = try Checkpoint.read(folder.checkpoint(of: stop.stage, epoch: stop.epochs)).position.best
      let waited = stop.epochs - (kept?.patienceFrom ?? stop.epochs)
      guard waited < patience else {
        throw RecipeError(
          "the run in \(folder.url.relativePath) stopped after epoch \(stop.epochs), when its patience of \(patience) was over; raise "
            + "that to go on, as in --set stages.\(stop.stage).stop.patience=\(2 * patience)")
      }
    }
    if let old = before.stop?.patience, let new = stage.stop?.patience, new < old, done > 0 {
      throw RecipeError(
        "the run in \(folder.url.relativePath) has trained with a patience of \(old), found \(new), with which it would have stopped "
          + "earlier; raise it to go on, or start another run")
    }
    let notes = scheduleNotes(from: before.epochs, to: stage.epochs, after: done)
    for note in notes { observer?.noticed(.note(note)) }
    var written = recipe
    if !notes.isEmpty {
      // Composing the recipe again does not repeat the run any more: its page and its recipe say so.
      let remark =
        "Went on from \(before.epochs) to \(stage.epochs) epochs, and its schedule goes by their number: composing this recipe again ends "
        + "otherwise."
      written.about = [recipe.about, remark].compactMap { $0 }.joined(separator: " ")
      remarks.append(remark)
    }
    try folder.replaceRecipe(by: written.yaml())
  }

  /// Epochs of the last stage that are done.
  private func epochs(of stage: Recipe.Stage, at position: Checkpoint.Position, among count: Int) throws -> Int {
    guard position.isFinished else { return position.stage == count - 1 ? position.epoch : 0 }
    return try MetricsLog.read(folder.metrics).last { $0.stage == stage.name }?.epoch ?? 0
  }

  private func refusal(of stored: Recipe) -> RecipeError {
    let place = folder.url.path
    if let last = stored.stages?.last, let stages = stored.stages, stages.count > 1, var other = session.recipe.stages,
      other.count == stages.count
    {
      for index in other.indices { other[index].epochs = stages[index].epochs }
      var recipe = session.recipe
      recipe.stages = other
      if recipe == stored {
        return RecipeError(
          "the run in \(place) has \(stages.count) stages, and goes on with its last one only: name its epochs, as in --set "
            + "stages.\(last.name).epochs=\(last.epochs * 2)")
      }
    }
    return RecipeError(
      "the flags or the recipe file differ from the run in \(place); a run is resumed with its own recipe, but for more epochs of its last stage: leave them out, or start another run"
    )
  }

  /// A sentence for each schedule that goes by the number of epochs, which is another now.
  private func scheduleNotes(from before: Int, to now: Int, after done: Int) -> [String] {
    guard before != now, done > 0, let stage = session.composition.stages.last else { return [] }
    let points = stage.recipe.iterations(over: session.training.count)
    var named: Set<String> = []
    return stage.steps.compactMap { step in
      let name = step.recipe.schedule?.use ?? ""
      func factor(_ step: ComposedStep, _ place: Int, of epochs: Int) -> Double {
        step.schedule.factor(step: place, stepsPerEpoch: points, epochs: epochs)
      }
      let differs = (0..<done * points).contains { factor(step, $0, of: before) != factor(step, $0, of: now) }
      guard differs, named.insert(name).inserted else { return nil }
      let rates = [factor(step, done * points - 1, of: before), factor(step, done * points, of: now)].map {
        number(step.optimizer.learningRate * $0)
      }
      return
        "schedule '\(name)' goes by the number of epochs: the first \(done) followed it over \(before), the rest follow it over \(now), so "
        + "that the learning rate goes from \(rates[0]) to \(rates[1]) after epoch \(done), and the run ends otherwise than \(now) epochs at once"
    }
  }
}

extension Recipe {
  /// Returns the recipe with the epochs and the patience of the last stage of another one.
  fileprivate func goingOn(as other: Recipe) -> Recipe {
    var recipe = self
    guard let stages, let last = other.stages?.last, let index = stages.indices.last else { return recipe }
    recipe.stages?[index].epochs = last.epochs
    if let patience = last.stop?.patience { recipe.stages?[index].stop?.patience = patience }
    return recipe
  }
}

extension RunFolder {
  /// What counts on the run as it is: an experiment, whose run folders are named by a digest of their recipes, or a study. Nil for
  /// a run of its own.
  fileprivate var partOf: String? {
    if name.wholeMatch(of: /.+-seed-\d+-[0-9a-z]{8,13}/) != nil { return "an experiment" }
    return RunFolder(url.absoluteURL.deletingLastPathComponent()).owns("\(name)/") ? "a study" : nil
  }
}
