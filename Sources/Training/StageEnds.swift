import Datasets
import Files
import LatentKit
import Recipes

/// The ends of stages: priors are fitted to latents, then come the recipe's actions.
///
/// `project` moves weights onto their constraint. `mask` freezes what is zero now of the weights that the stage projected,
/// or of all weights of two or more axes where it projected none: their gradients are masked from here on, so that
/// neither momentum nor decay moves them. `rewind` takes everything else back to where the run started. Biases, slopes
/// and running statistics are neither projected nor masked.
struct StageEnds {
  private let composition: Composition
  private let data: TrainingData
  private let folder: RunFolder
  private let observer: (any TrainingObserver)?
  private let featureNames: [String]?
  /// The weights that rewinds go back to; empty where no stage has one.
  private let initial: [String: Tensor]

  /// One where a weight may move, zero where it is frozen; of the masked weights.
  private var masks: [String: Tensor] = [:]
  /// The latents that the prior was fitted to.
  private var learned: LatentSet?

  /// - Parameter featureNames: The names of the values of an input, for notes.
  init(
    _ composition: Composition, data: TrainingData, folder: RunFolder, observer: (any TrainingObserver)?,
    featureNames: [String]?
  ) throws {
    self.composition = composition
    self.data = data
    self.folder = folder
    self.observer = observer
    self.featureNames = featureNames
    var initial: [String: Tensor] = [:]
    if composition.stages.contains(where: \.rewinds) {
      for parameter in composition.store.parameters {
        initial[parameter.name] = try parameter.tensor.detached().clone()
      }
    }
    self.initial = initial
  }

  /// Keeps frozen weights where they are.
  /// - Parameter gradients: One for each parameter, nil where it has none.
  func mask(_ gradients: inout [Tensor?], of parameters: [Parameter]) throws {
    guard !masks.isEmpty else { return }
    for (index, parameter) in parameters.enumerated() {
      if let mask = masks[parameter.name] { gradients[index] = try gradients[index].map { try $0 * mask } }
    }
  }

  // MARK: Checkpoints

  /// The tensors for checkpoints.
  var state: [String: Tensor] {
    var tensors = Dictionary(uniqueKeysWithValues: masks.map { ("mask.\($0)", $1) })
    tensors["prior.latents"] = learned?.latents
    tensors["prior.labels"] = learned?.labels
    tensors["prior.labelled"] = learned?.labelled
    return tensors
  }

  mutating func restore(_ checkpoint: Checkpoint) throws {
    learned = try checkpoint.teach(composition, on: data.training.device)
    for parameter in composition.store.parameters {
      guard let mask = checkpoint.tensors["mask.\(parameter.name)"] else { continue }
      guard mask.shape == parameter.tensor.shape, mask.dtype == parameter.tensor.dtype else {
        throw FileError(
          folder.checkpoint.path,
          "the mask of '\(parameter.name)' is \(mask.shape) of \(mask.dtype), the recipe makes \(parameter.tensor.shape) "
            + "of \(parameter.tensor.dtype); it belongs to another recipe")
      }
      masks[parameter.name] = try mask.to(parameter.tensor.device)
    }
  }

  // MARK: The end of a stage

  /// Fits the prior, carries out a stage's actions, and reports what they did.
  mutating func finish(_ stage: ComposedStage, _ index: Int) throws {
    try fitPrior()
    let before = stage.actions.isEmpty ? [] : try measurements(index)
    let byPart = stage.projects ? try measurementsByPart(index) : []
    var projected: [Parameter] = []
    var isReported = false
    for action in stage.actions {
      switch action {
      case .project(let constraint, let parameters):
        for parameter in parameters {
          try withoutGradients { try constraint.project(parameter.tensor.detached()) }
        }
        projected += parameters
        // A rewind undoes the projection, so its latents do not matter.
        if !stage.rewinds { try fitPrior() }
      case .mask:
        try freezeZeros(of: projected, stage)
      case .rewind:
        // What was projected is measured while it is there.
        if !isReported { try report(stage, index, projected: projected, before: before, byPart) }
        isReported = true
        try rewind(projected, stage)
      }
    }
    if !isReported { try report(stage, index, projected: projected, before: before, byPart) }
  }

  private mutating func fitPrior() throws {
    guard let prior = composition.model.prior as? any FittablePrior else { return }
    let latents = try Evaluator(composition).encode(data.training)
    try prior.fit(latents, seed: composition.recipe.randomSeed)
    learned = latents
  }

  private mutating func freezeZeros(of projected: [Parameter], _ stage: ComposedStage) throws {
    let matrices = composition.store.parameters.filter {
      $0.role == .weight && $0.tensor.rank >= 2 && !$0.name.hasPrefix("losses.")
    }
    let frozen = projected.isEmpty ? matrices : projected
    if try frozen.allSatisfy({ try ($0.tensor.detached() .!= 0).all() }) {
      observer?.note("warning: stage '\(stage.recipe.name)' masks weights of which none is zero; project them first")
    }
    for parameter in frozen {
      masks[parameter.name] = try (parameter.tensor.detached() .!= 0).to(parameter.tensor.dtype)
    }
  }

  private func rewind(_ projected: [Parameter], _ stage: ComposedStage) throws {
    if projected.contains(where: { masks[$0.name] == nil }) {
      observer?.note(
        "warning: stage '\(stage.recipe.name)' projects weights and rewinds them without a mask, which undoes it; put 'mask' between"
      )
    }
    for parameter in composition.store.parameters {
      guard let start = initial[parameter.name] else { continue }
      try parameter.tensor.copyInPlace(masks[parameter.name].map { try start * $0 } ?? start)
    }
  }

  // MARK: Reports

  /// Measures the recipe's metrics on the validation part, where there is one.
  private func measurements(_ stage: Int) throws -> [Measured] {
    try data.validation.map { try measurements(stage, on: $0) } ?? []
  }

  private func measurements(_ stage: Int, on part: BatchSource) throws -> [Measured] {
    let result = try Evaluator(composition).evaluate(part, stage: stage, training: data.training, atEnd: false)
    return result.measurements.filter { $0.table == nil }
  }

  /// Measures them on the training part, and on the test part where there is one.
  private func measurementsByPart(_ stage: Int) throws -> [(part: String, found: [Measured])] {
    let parts = [("training", data.training)] + (data.test.map { [("test", $0)] } ?? [])
    return try parts.map { ($0, try measurements(stage, on: $1)) }
  }

  /// Writes down how sparse the projected and masked weights are, and what that did.
  private func report(
    _ stage: ComposedStage, _ index: Int, projected: [Parameter], before: [Measured],
    _ beforeByPart: [(part: String, found: [Measured])]
  ) throws {
    // Layers that an earlier stage made sparse are measured again: later stages without a mask fill them up.
    let earlier = try StageLog.read(folder.stages).filter { $0.index < index }.flatMap { $0.layers.map(\.name) }
    let names = Set(projected.map(\.name)).union(masks.keys).union(earlier)
    let sparse = composition.store.parameters.filter { names.contains($0.name) }
    guard !sparse.isEmpty else { return }
    let inputSize = data.training.inputShape.reduce(1, *)
    let first = composition.store.parameters(under: "encoder").first { $0.role == .weight && $0.tensor.rank >= 2 }
    let seesInputs =
      first.map { names.contains($0.name) && $0.tensor.rank == 2 && $0.tensor.shape[1] == inputSize } ?? false
    let effects = try zip(beforeByPart, beforeByPart.isEmpty ? [] : measurementsByPart(index)).map {
      StageReport.Effect(part: $0.part, before: $0.found, after: $1.found)
    }
    let report = StageReport(
      stage: stage.recipe.name, index: index, layers: try sparse.map(StageReport.Layer.init), before: before,
      after: try measurements(index), inputSize: inputSize,
      features: seesInputs ? try first.map { try StageReport.Feature.surviving($0.tensor) } : nil,
      effects: effects.isEmpty ? nil : effects)
    try StageLog(folder.stages).add(report)
    // Frozen zeros stay what they were: they are reported once.
    if !stage.actions.isEmpty { for layer in report.layers { observer?.note(layer.text) } }
    for text in [report.metricsText, report.featuresText(names: featureNames)] {
      if let text { observer?.note("\(stage.recipe.name): \(text)") }
    }
  }
}

extension ComposedStage {
  fileprivate var projects: Bool { actions.contains { if case .project = $0 { true } else { false } } }
  fileprivate var rewinds: Bool { actions.contains { if case .rewind = $0 { true } else { false } } }
}
