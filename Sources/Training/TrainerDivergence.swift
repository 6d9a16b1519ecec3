import Datasets
import Foundation
import LatentKit
import Recipes

/// What training says when numbers stop being finite.
extension Trainer {
  func divergence(_ stage: String, _ place: String, _ term: String, _ value: Double) -> TrainingError {
    TrainingError(description: "stage '\(stage)', \(place): loss term '\(term)' became \(value). \(remedy)")
  }

  /// The error of a loss that is not finite at the first iteration: no step came before it, so that none was too long.
  func divergenceAtOnce(_ stage: String, _ term: String, _ value: Double) -> TrainingError {
    let advice =
      composition.data.isUnscaled
      ? remedy(of: composition.data)
      : "no step came before it, so that the loss or the weights that parts begin with are at fault; 'host check' examines them"
    return TrainingError(
      description: "stage '\(stage)', at the first iteration: loss term '\(term)' is \(value); \(advice)")
  }

  /// Looks for a gradient that stopped being finite before the losses or weights did: the iterations since the last
  /// checkpoint run again, to the same bits, with their gradients checked.
  ///
  /// - Returns: The error that names the gradient and its loss; the error as it is where no such gradient is found.
  func cause(of error: TrainingError) -> TrainingError {
    isReplay = true
    defer { isReplay = false }
    do {
      let checkpoint = try Checkpoint.read(folder.checkpoint)
      guard checkpoint.position.stage < composition.stages.count else { return error }
      let last = position.totalIterations
      position = checkpoint.position
      try restore(checkpoint)
      let stage = composition.stages[position.stage]
      let source = try self.source(of: stage.recipe)
      let iterations = Trainer.iterations(source.count, stage.recipe.batch)
      try setModes(stage)
      // Short epochs have no checkpoint each.
      while !isOver(stage), position.totalIterations < last {
        let order = try order(of: source, stage, "epoch \(position.epoch)")
        while position.iteration < iterations {
          var pending = PendingTerms(stage: stage.recipe.name, every: 1)
          let indices = try batch(position.iteration, of: order, size: stage.recipe.batch)
          try iterate(stage, source, indices, iterations: iterations, into: &pending)
          position.iteration += 1
          position.totalIterations += 1
          guard try pending.take().allSatisfy(\.value.isFinite) else { return error }
        }
        (position.iteration, position.epoch) = (0, position.epoch + 1)
      }
    } catch let found as TrainingError { return found } catch {}
    return error
  }

  func generatorStates() throws -> [Tensor] {
    try [random.generator.state] + composition.modes.sorted { $0.key < $1.key }.map { try $0.value.generator.state }
  }

  private func restoreGenerators(_ states: [Tensor]) throws {
    try random.generator.restore(states[0])
    for (mode, state) in zip(composition.modes.sorted { $0.key < $1.key }, states.dropFirst()) {
      try mode.value.generator.restore(state)
    }
  }

  /// - Throws: `TrainingError` for a gradient that is not finite while the losses are, with the loss that it comes from.
  func check(
    _ gradients: [Tensor?], of number: Int, in stage: ComposedStage, on batch: Batch, total: Tensor,
    iterations: Int, from states: [Tensor]
  ) throws {
    let step = stage.steps[number]
    func spoiled(_ gradients: [Tensor?]) throws -> Parameter? {
      try withoutGradients {
        try zip(step.parameters, gradients).first { try !($0.1?.isFinite().all() ?? true) }?.0
      }
    }
    guard try withoutGradients({ try total.isFinite().all() }), let parameter = try spoiled(gradients) else { return }
    func terms() throws -> [ComposedStep.TermValue] {
      try restoreGenerators(states)
      let forward = Forward(
        batch, through: composition.model, training: true, drawing: random, at: place(iterations: iterations),
        precision: composition.recipe.precision)
      return try step.terms(forward, under: composition.model.prior, at: "stage '\(stage.recipe.name)'")
    }
    var culprit: String?
    // A fresh pass each: a gradient uses up the graph that it goes through.
    for index in try terms().indices where culprit == nil {
      let term = try terms()[index]
      let weighted = try term.value * term.weight
      guard weighted.requiresGradient, try spoiled(gradientsAsTheyAre(of: weighted, by: step.parameters)) != nil else {
        continue
      }
      culprit = "loss '\(term.loss)'" + (term.name == term.loss ? "" : ", term '\(term.name)',")
    }
    throw TrainingError(
      description: """
        stage '\(stage.recipe.name)', at iteration \(position.totalIterations + 1), in epoch \(position.epoch + 1): the \
        gradient of \(parameter.name) under \(culprit ?? "the sum of all losses") is not finite, with losses that are. \
        \(remedy)
        """)
  }

  /// Where weights from before are, and what to try.
  var remedy: String {
    let data = composition.data
    let advice = data.isUnscaled ? remedy(of: data) : "try a lower optimizer.learningRate, or clip: 1"
    return "Weights from before are in \(folder.checkpoint.path); \(advice)"
  }

  private func remedy(of data: DataShape) -> String {
    "\(data.sizeOfInputs), which is the likely cause: scale them, as by --transform center --transform scale"
  }
}
