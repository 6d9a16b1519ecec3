import Files
import LatentKit
import Recipes

/// The best epoch so far of a stage that has a `stop`, and the epoch from which its patience counts.
public struct BestEpoch: Codable, Sendable, Equatable {
  /// The epoch, counted from 1.
  public var epoch: Int
  /// The number on the validation part after it.
  public var value: Double
  /// The last epoch that improved the number by enough.
  public var patienceFrom: Int
  /// The number after that epoch.
  public var patienceValue: Double
  /// The name of the number in logs.
  public var name: String
  /// Its unit; empty for losses.
  public var unit: String

  /// What is impossible about it; nil where nothing is.
  /// - Parameter done: Epochs of the stage done.
  func problem(after done: Int) -> String? {
    guard (1...max(done, 1)).contains(epoch), (1...max(done, 1)).contains(patienceFrom), done > 0 else {
      return "best epoch \(epoch) and patience from epoch \(patienceFrom) after \(done) epochs"
    }
    return value.isFinite && patienceValue.isFinite ? nil : "best value \(value), expected a finite number"
  }

  /// Returns the best epoch after one more.
  static func after(_ epoch: Int, _ found: Watched, _ value: Double, _ best: BestEpoch?, _ stop: Recipe.Stop)
    -> BestEpoch
  {
    guard var best else {
      return BestEpoch(
        epoch: epoch, value: value, patienceFrom: epoch, patienceValue: value, name: found.name, unit: found.unit)
    }
    if found.goal.prefers(value, to: best.value) { (best.epoch, best.value) = (epoch, value) }
    if found.goal.prefers(value, to: best.patienceValue, by: stop.improvement) {
      (best.patienceFrom, best.patienceValue) = (epoch, value)
    }
    return best
  }
}

/// How a stage with a `stop` ended, and the epoch whose weights it left.
public struct StageStop: Codable, Sendable, Equatable {
  /// The name of the stage.
  public var stage: String
  /// The name of the number that chose, as in logs.
  public var metric: String
  /// The epoch whose weights the stage left, counted from 1.
  public var epoch: Int
  /// The number on the validation part after it.
  public var value: Double
  /// The unit of the number; empty for losses.
  public var unit: String
  /// Epochs that were trained.
  public var epochs: Int
  /// Epochs that the recipe allows.
  public var planned: Int

  /// `the weights of epoch 7 of stage 'main', the best by 'accuracy' on the validation part (97.20 %)`.
  public var weightsText: String {
    "the weights of epoch \(epoch) of stage '\(stage)', the best by '\(metric)' on the validation part "
      + "(\(Measured(metric, value, unit: unit).text))"
  }
  /// `17 of at most 100`.
  public var epochsText: String { epochs < planned ? "\(epochs) of at most \(planned)" : "\(epochs)" }
}

extension Recipe {
  /// How the last stage ended, where that has a `stop`: the weights of the run are those that it left.
  public func stop(ofLastStageIn stops: [StageStop]?) -> StageStop? {
    stops?.last { $0.stage == stages?.last?.name }
  }
}

extension StageStop: CheckedRecord {
  /// What is impossible about it; nil where nothing is.
  public var problem: String? {
    guard epoch >= 1, epoch <= epochs, epochs <= planned, planned <= 1_000_000 else {
      return "epoch \(epoch) of \(epochs) out of \(planned) in stage '\(stage)'"
    }
    return value.isFinite ? nil : "the value \(value) of '\(metric)'"
  }
}

/// The number by which a stage stops, in one evaluation.
struct Watched {
  /// Its name in logs.
  var name: String
  /// Nil where it could not be measured.
  var value: Double?
  /// Why it could not.
  var missing: String?
  var unit = ""
  var goal: Goal
}

extension Trainer {
  /// Whether a stage is over: its epochs are done, or its patience is.
  func isOver(_ stage: ComposedStage) -> Bool {
    position.epoch >= stage.recipe.epochs || isOutOfPatience(stage.recipe.stop)
  }

  func isOutOfPatience(_ stop: Recipe.Stop?) -> Bool {
    guard let stop, let best = position.best else { return false }
    return position.epoch - best.patienceFrom >= stop.patience
  }

  /// Compares an epoch with the best one before it.
  ///
  /// - Throws: `RecipeError` where the first epoch has no such number: no other would be better.
  func compare(_ epoch: Int, of stage: ComposedStage, by result: EvaluationResult) throws {
    guard let stop = stage.recipe.stop else { return }
    let place = "stage '\(stage.recipe.name)', epoch \(epoch)"
    guard let found = watched(by: stop, in: result) else {
      throw RecipeError("\(place): nothing measured '\(stop.metric)' on the validation part, by which the stage stops")
    }
    guard let value = found.value else {
      guard position.best == nil else { return }
      throw RecipeError(
        "\(place): '\(found.name)', by which the stage stops, is missing: \(found.missing ?? "it was not measured"); "
          + "choose another stop.metric")
    }
    position.best = .after(epoch, found, value, position.best, stop)
  }

  private func watched(by stop: Recipe.Stop, in result: EvaluationResult) -> Watched? {
    switch stop.target(
      losses: result.losses.keys.sorted(), measurements: result.byMetric.map { ($0.metric, $0.found.map(\.name)) })
    {
    case .loss(let name):
      return Watched(name: name, value: result.losses[name], goal: stop.goal ?? .lowest)
    case .measurement(let name, let owner):
      guard let found = result.byMetric.first(where: { $0.metric == owner })?.found.first(where: { $0.name == name })
      else {
        return nil
      }
      let metric = composition.metrics.first { $0.name == owner }?.metric as? any RankingMetric
      return Watched(
        name: name, value: found.value, missing: found.missing, unit: found.unit,
        goal: stop.goal ?? metric?.goal(of: name) ?? .highest)
    case nil: return nil
    }
  }

  /// Puts the weights of the best epoch into the model at the end of a stage that has a `stop`, and notes how the stage ended.
  func takeBest(of stage: ComposedStage) throws {
    guard stage.recipe.stop != nil, let best = position.best else { return }
    let url = folder.checkpoint(of: stage.recipe.name, epoch: best.epoch)
    if best.epoch != position.epoch {
      try Checkpoint.read(url).restore(
        "model", into: composition.store.parameters.map { ($0.name, $0.tensor) }, from: url)
    }
    let stop = StageStop(
      stage: stage.recipe.name, metric: best.name, epoch: best.epoch, value: best.value, unit: best.unit,
      epochs: position.epoch, planned: stage.recipe.epochs)
    let stops = (position.stops ?? []).filter { $0.stage != stop.stage }
    position.stops = stops + [stop]
    let improvement = stage.recipe.stop?.improvement ?? 0
    let least = improvement > 0 ? " by \(number(improvement)) or more" : ""
    let end =
      position.epoch < stage.recipe.epochs
      ? "stops after epoch \(position.epoch) of \(stage.recipe.epochs), as '\(best.name)' has not improved\(least) since epoch "
        + "\(best.patienceFrom);"
      : "ends after all of its \(counted(position.epoch, "epoch"));"
    observer?.note("stage '\(stop.stage)' \(end) the weights are those of epoch \(best.epoch), its best")
  }

  /// Removes the checkpoints of epochs that were the best, or the last, and are neither now.
  func removeSuperseded(of stage: ComposedStage) throws {
    guard stage.recipe.stop != nil else { return }
    let wanted = Set(stage.recipe.keepEpochs + [position.best?.epoch ?? 0, position.epoch])
    for kept in folder.keptEpochs where kept.stage == stage.recipe.name && !wanted.contains(kept.epoch) {
      try folder.removeCheckpoint(of: kept)
    }
  }
}
