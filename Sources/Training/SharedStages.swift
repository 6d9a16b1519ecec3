import Datasets
import Files
import LatentKit
import Recipes

extension Trainer {
  /// Writes the checkpoint of a run whose first stages, or all, another run has trained: the state that this run would have at
  /// their end. Parts that the other run does not have start as this recipe makes them.
  ///
  /// Exact where the other recipe is this one up to those stages, but for parts that they do without.
  ///
  /// - Parameters:
  ///   - checkpoint: The finished run's.
  ///   - other: The finished run's folder.
  /// - Throws: `FileError` for a checkpoint that has not finished, has more stages than the recipe, or does not fit it.
  public func start(after checkpoint: Checkpoint, of other: RunFolder) throws {
    try checkpoint.require(digest: data.digest, from: other.checkpoint)
    guard checkpoint.position.isFinished, checkpoint.position.stage <= composition.stages.count else {
      throw FileError(
        other.checkpoint.path,
        "found \(checkpoint.position.stage) stages\(checkpoint.position.isFinished ? "" : " of a run that has not finished"), expected finished ones and at most the \(composition.stages.count) of the recipe"
      )
    }
    let now = Checkpoint.Machine(device: data.training.device)
    if checkpoint.machine != now {
      observer?.note(
        "note: the shared stages were trained on \(checkpoint.machine), now it is \(now): results will not be bit-identical"
      )
    }
    position = checkpoint.position
    position.isFinished = position.stage == composition.stages.count
    let known = composition.store.parameters.filter { checkpoint.tensors["model.\($0.name)"] != nil }
    try checkpoint.restore("model", into: known.map { ($0.name, $0.tensor) }, from: other.checkpoint)
    try requireTrainedWeights(in: Set(known.map(\.name)), of: other)
    try ends.restore(checkpoint)
    try restoreGenerators(checkpoint, from: other.checkpoint, onlyThoseSaved: true)
    if position.isFinished {
      try restoreOptimizers(ofStage: position.stage - 1, checkpoint, from: other.checkpoint)
    } else {
      try begin(stage: position.stage)
    }
    try save()
  }

  /// Every weight that the shared stages train comes from them.
  private func requireTrainedWeights(in known: Set<String>, of other: RunFolder) throws {
    for stage in composition.stages.prefix(position.stage) {
      for parameter in stage.steps.flatMap(\.parameters) where !known.contains(parameter.name) {
        throw FileError(
          other.checkpoint.path,
          "has no '\(parameter.name)', which stage '\(stage.recipe.name)' trains; it belongs to another recipe")
      }
    }
  }
}
