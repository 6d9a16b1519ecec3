import Files
import LatentKit
import Recipes

/// More epochs for a run that has finished.
extension Trainer {
  /// Returns the checkpoint from which a finished run goes on, where the last stage of its recipe has more epochs by now, or more
  /// patience; the same one where nothing is left to do.
  ///
  /// The run then ends as if it had had these epochs from the start: what the end of the stage changed is undone.
  ///
  /// - Throws: `RecipeError` where that cannot be undone.
  func goingOn(from checkpoint: Checkpoint) throws -> Checkpoint {
    guard checkpoint.position.isFinished, checkpoint.position.stage == composition.stages.count,
      let stage = composition.stages.last
    else { return checkpoint }
    let index = composition.stages.count - 1
    if let stop = checkpoint.position.stops?.first(where: { $0.stage == stage.recipe.name }) {
      // The checkpoint of its last epoch was kept, from before the best one's weights were taken.
      let kept = try Checkpoint.read(folder.checkpoint(of: stop.stage, epoch: stop.epochs))
      let patience = stage.recipe.stop?.patience ?? .max
      let waited = stop.epochs - (kept.position.best?.patienceFrom ?? stop.epochs)
      return stop.epochs < stage.recipe.epochs && waited < patience ? kept : checkpoint
    }
    let iterations = composition.stages.map(iterations(of:))
    let before = zip(composition.stages, iterations).prefix(index).reduce(0) {
      $0 + checkpoint.position.epochs(of: $1.0.recipe) * $1.1
    }
    let (done, rest) = (checkpoint.position.totalIterations - before).quotientAndRemainder(
      dividingBy: iterations[index])
    guard rest == 0, done > 0, done < stage.recipe.epochs else { return checkpoint }
    if let refusal = stage.recipe.refusalToGoOn { throw refusal }
    var reopened = checkpoint
    reopened.position.isFinished = false
    reopened.position.stage = index
    reopened.position.epoch = done
    reopened.position.extraBatches = stage.extraBatches * done * iterations[index]
    if index == 0 {
      // Before the end of the first stage a prior that is fitted has learned nothing.
      reopened.tensors = checkpoint.tensors.filter { !$0.key.hasPrefix("prior.") }
    } else if composition.model.prior is any FittablePrior {
      observer?.note(
        "note: the prior was fitted again at the end of stage '\(stage.recipe.name)', and training goes on with it: "
          + "weights may differ from those of \(stage.recipe.epochs) epochs at once")
    }
    return reopened
  }

  /// Batches in an epoch of a stage.
  func iterations(of stage: ComposedStage) -> Int {
    stage.recipe.iterations(over: data.training.count)
  }
}

extension Recipe.Stage {
  /// Returns the batches in an epoch.
  /// - Parameter count: Examples of the training part, of which the stage may take some.
  package func iterations(over count: Int) -> Int { Trainer.iterations(min(examples ?? .max, count), batch) }

  /// Why a run that has finished cannot go on with this stage; nil where it can.
  package var refusalToGoOn: RecipeError? {
    guard !then.isEmpty, stop == nil else { return nil }
    return RecipeError(
      "stage '\(name)' ended with \(then.map(\.noun).joined(separator: ", ")), after which its weights are no longer those of its "
        + "last epoch; compose the recipe again as a new run with more epochs")
  }
}

extension Recipe.Action {
  fileprivate var noun: String {
    switch self {
    case .project(let constraint, _, _): "a projection (\(constraint.use))"
    case .mask: "a mask"
    case .rewind: "a rewind"
    }
  }
}
