import Datasets
import Foundation
import LatentKit
import Recipes

/// The steps of one batch, in turns.
extension Trainer {
  /// Puts the parts that a stage trains into training mode, and the others into evaluation mode.
  func setModes(_ stage: ComposedStage) throws {
    let trained = Set(stage.steps.flatMap(\.recipe.train))
    let losses = composition.modes.keys.filter { $0.hasPrefix("losses") }
    for (path, mode) in composition.modes { mode.isTraining = trained.contains(path) || losses.contains(path) }
  }

  /// The parts that a step does not train keep their running statistics while they serve it.
  private func setStatistics(_ stage: ComposedStage, _ number: Int) {
    guard stage.steps.count > 1 else { return }
    let trained = stage.steps[number].recipe.train
    let own = "losses.\(stage.recipe.name).\(number)."
    for (path, mode) in composition.modes { mode.movesStatistics = trained.contains(path) || path.hasPrefix(own) }
  }

  /// A batch that is made when a step first asks for it, sliced and augmented once.
  private final class SharedBatch {
    private var batch: Batch?
    private let make: () throws -> Batch
    init(_ make: @escaping () throws -> Batch) { self.make = make }
    func get() throws -> Batch {
      if let batch { return batch }
      let made = try make()
      batch = made
      return made
    }
  }

  /// The steps of one batch.
  func iterate(
    _ stage: ComposedStage, _ source: BatchSource, _ indices: Tensor, iterations: Int, into pending: inout PendingTerms
  ) throws {
    let shared = SharedBatch { [random] in try source.batch(indices, augmentedBy: &random.generator) }
    defer { for mode in composition.modes.values { mode.movesStatistics = true } }
    try run(stage.turns, of: stage, on: shared, source, iterations: iterations, into: &pending)
    pending.endIteration(at: position.totalIterations + 1, epoch: position.epoch + 1)
  }

  /// Steps that run once see the batch at hand; repetitions, of a step or a group, each have one of their own.
  private func run(
    _ turns: [Turn], of stage: ComposedStage, on shared: SharedBatch, _ source: BatchSource, iterations: Int,
    into pending: inout PendingTerms
  ) throws {
    func extra() throws -> Batch {
      try source.batch(extraBatch(stage, source, iterations: iterations), augmentedBy: &random.generator)
    }
    for turn in turns {
      switch turn {
      case .step(let number):
        let step = stage.steps[number].recipe
        for _ in 0..<step.repeat {
          let batch = step.repeat > 1 || step.ownBatch ? try extra() : try shared.get()
          try run(number, of: stage, on: batch, iterations: iterations, into: &pending)
        }
      case .group(let count, let inner):
        for _ in 0..<count {
          let own = count > 1 ? SharedBatch(extra) : shared
          try run(inner, of: stage, on: own, source, iterations: iterations, into: &pending)
        }
      }
    }
  }

  /// One run of one step.
  private func run(
    _ number: Int, of stage: ComposedStage, on batch: Batch, iterations: Int, into pending: inout PendingTerms
  ) throws {
    let step = stage.steps[number]
    setStatistics(stage, number)
    let before = isReplay ? try generatorStates() : nil
    let forward = Forward(
      batch, through: composition.model, training: true, drawing: random, at: place(iterations: iterations),
      precision: composition.recipe.precision)
    var total: Tensor?
    var parts: [(name: String, value: Tensor)] = []
    let terms = try step.terms(
      forward, under: composition.model.prior,
      at: "stage '\(stage.recipe.name)', iteration \(position.totalIterations + 1)")
    for term in terms {
      pending.add(stage.label(term.name, step: number), try term.value.detached())
      let part = term.weight == 1 ? term.value : try term.value * term.weight
      total = try total.map { try $0 + part } ?? part
      parts.append((term.name, part))
    }
    guard let total else { return }
    pending.add(stage.label("total", step: number), try total.detached())
    // A step may only let its prior update itself.
    if !step.parameters.isEmpty, total.requiresGradient {
      let isLast = position.iteration + 1 == iterations
      // Against a discriminator, what matters is how the terms compare.
      if isLast, parts.count > 1, stage.trainsDiscriminator {
        for part in parts where part.value.requiresGradient {
          let gradients = try gradientsAsTheyAre(of: part.value, by: step.parameters, retainGraph: true)
          try measure(gradients, of: step, number, term: part.name)
        }
      }
      guard var gradients = try gradients(of: total, by: step.parameters) else { return }
      if let before {
        try check(
          gradients, of: number, in: stage, on: batch, total: total, iterations: iterations, from: before)
      }
      try ends.mask(&gradients, of: step.parameters)
      if isLast { try measure(gradients, of: step, number) }
      if let clip = step.recipe.clip { try clipGradients(gradients.compactMap { $0 }, to: clip) }
      let learningRate = learningRate(of: step, iterations: iterations, epochs: stage.recipe.epochs)
      try optimizers[number].step(gradients, learningRate: learningRate)
    }
    try follow(step, with: forward)
  }

  /// Returns the gradients of a step; nil where the step is to be left out, since in Float16 they left its range.
  private func gradients(of total: Tensor, by parameters: [Parameter]) throws -> [Tensor?]? {
    guard composition.recipe.precision.scalesLosses else { return try gradientsAsTheyAre(of: total, by: parameters) }
    var scale = position.lossScale ?? LossScale()
    defer { position.lossScale = scale }
    return try scale.gradients(of: total, by: parameters)
  }

  /// Returns gradients that no step is taken with: of one term, to be looked at.
  func gradientsAsTheyAre(of value: Tensor, by parameters: [Parameter], retainGraph: Bool = false) throws -> [Tensor?] {
    let precision = composition.recipe.precision
    guard precision.scalesLosses else {
      return try precision.differentiating {
        try value.gradients(by: parameters.map(\.tensor), retainGraph: retainGraph)
      }
    }
    return try (position.lossScale ?? LossScale()).unscaled(value, by: parameters, retainGraph: retainGraph)
  }

  /// Carries out what follows an optimiser step: projections, then parts that update themselves.
  private func follow(_ step: ComposedStep, with forward: Forward) throws {
    let online = step.online(composition.model.prior)
    guard !step.after.isEmpty || !online.isEmpty else { return }
    try withoutGradients {
      for case .project(let constraint, let parameters) in step.after {
        for parameter in parameters { try constraint.project(parameter.tensor.detached()) }
      }
      for (_, part) in online { try part.update(after: forward) }
    }
  }

  /// Measures the gradients of an epoch's last batch: the Euclidean norm over each part that the step trains, before clipping.
  ///
  /// - Parameter term: The weighted term whose gradients these are; nil for their sum.
  private func measure(_ gradients: [Tensor?], of step: ComposedStep, _ number: Int, term: String? = nil) throws {
    let stage = composition.stages[position.stage]
    var squares: [String: [Tensor]] = [:]
    for (parameter, gradient) in zip(step.parameters, gradients) {
      guard let gradient else { continue }
      let part = String(parameter.name.prefix { $0 != "." })
      squares[part, default: []].append(try gradient.square().sum().to(.float64))
    }
    for (part, sums) in squares {
      let norm = try Tensor.stack(sums).sum().item().squareRoot()
      // What is not finite ends training when the weights are looked at.
      guard norm.isFinite else { continue }
      position.gradientNorms = position.gradientNorms ?? [:]
      position.gradientNorms?[stage.label(term.map { "\(part), \($0)" } ?? part, step: number)] = norm
    }
  }

  /// How far the stage is, of so many iterations an epoch.
  func place(iterations: Int) -> StagePosition {
    StagePosition(iteration: position.epoch * iterations + position.iteration, iterationsPerEpoch: iterations)
  }

  func learningRate(of step: ComposedStep, iterations: Int, epochs: Int) -> Double {
    let done = place(iterations: iterations).iteration
    return step.optimizer.learningRate * step.schedule.factor(step: done, stepsPerEpoch: iterations, epochs: epochs)
  }
}

extension ComposedStage {
  fileprivate var trainsDiscriminator: Bool { steps.contains { $0.recipe.train.contains(Slot.discriminator.name) } }
}
