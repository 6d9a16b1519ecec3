import Datasets
import Files
import Foundation
import LatentKit
import Recipes

/// The parts of the data that training uses.
public struct TrainingData {
  /// The training part.
  public var training: BatchSource
  /// The validation part; nil without one.
  public var validation: BatchSource?
  /// The test part, which is measured before and after projections, and by which nothing is chosen; nil: it is not.
  public var test: BatchSource?
  /// The checksum of the files that they come from; nil for data without one.
  public var digest: String?

  /// Creates the data of a run.
  public init(
    training: BatchSource, validation: BatchSource?, test: BatchSource? = nil, digest: String? = nil
  ) {
    self.training = training
    self.validation = validation
    self.test = test
    self.digest = digest
  }
}

/// Runs the stages of a composition.
///
/// A run is a function of its recipe: shuffling depends on the seed, the stage and the epoch; every other draw comes from
/// generators that checkpoints keep. A run that was killed resumes from its last checkpoint to the same bits.
///
/// The thread that runs it, and those that operations use, take subnormal numbers as zero from then on (`Torch.flushSubnormals`).
public final class Trainer {
  let composition: Composition
  let data: TrainingData
  let folder: RunFolder
  let observer: (any TrainingObserver)?
  private let shouldStop: () -> Bool
  private let log: MetricsLog
  private let secondsBetweenCheckpoints: Double
  private var lastCheckpoint: ContinuousClock.Instant?
  private let seed: UInt64

  var position = Checkpoint.Position()
  /// The random stream of training, used by codes, noises and losses.
  let random: RandomSource
  var ends: StageEnds
  var optimizers: [any Optimizer] = []
  /// The warnings of the last epoch's metrics, which are not repeated.
  private var warned: Set<String> = []
  /// Whether gradients are checked: only while the cause of a divergence is looked for.
  var isReplay = false

  /// - Parameters:
  ///   - secondsBetweenCheckpoints: A checkpoint is written inside an epoch after this time, and after each epoch that ends two
  ///     seconds or more after the last one: writing one takes about as long as a short epoch.
  ///   - featureNames: The names of the values of an input, for notes.
  ///   - shouldStop: Called after every iteration; true saves a checkpoint and ends the run early.
  public init(
    _ composition: Composition, data: TrainingData, folder: RunFolder, observer: (any TrainingObserver)? = nil,
    secondsBetweenCheckpoints: Double = 120, featureNames: [String]? = nil,
    shouldStop: @escaping () -> Bool = { Interrupt.isRequested }
  ) throws {
    self.composition = composition
    self.data = data
    self.folder = folder
    self.observer = observer
    self.secondsBetweenCheckpoints = secondsBetweenCheckpoints
    self.shouldStop = shouldStop
    log = MetricsLog(folder.metrics)
    seed = composition.recipe.randomSeed
    random = RandomSource(try Generator(seed: seed, for: "draws of training", device: data.training.device))
    ends = try StageEnds(composition, data: data, folder: folder, observer: observer, featureNames: featureNames)
  }

  // MARK: The run

  /// Trains from the start, or from the run's checkpoint.
  public func run(resuming: Bool = false) throws -> TrainingOutcome {
    Torch.flushSubnormals()
    if resuming {
      let checkpoint = try goingOn(from: Checkpoint.read(folder.checkpoint))
      try checkpoint.require(digest: data.digest, from: folder.checkpoint)
      let now = Checkpoint.Machine(device: data.training.device)
      if checkpoint.machine != now {
        observer?.note(
          "note: the run was on \(checkpoint.machine), now it is on \(now): results will not be bit-identical")
      }
      position = checkpoint.position
      let iterations = composition.stages.map(iterations(of:))
      if let problem = position.problem(in: composition.stages, iterations: iterations) {
        throw FileError(
          folder.checkpoint.path,
          "found \(problem): it is damaged, or belongs to another recipe or other data; start the run anew")
      }
      guard !position.isFinished else {
        // Nothing is left to do, and the checkpoint stays as it is.
        try log.check(position.metricsLength)
        _ = try Checkpoint.load(composition, from: folder.checkpoint)
        return .finished
      }
      try restore(checkpoint)
      try log.truncate(to: position.metricsLength)
      lastCheckpoint = .now
    } else {
      // A first checkpoint, so that a run killed in its first epoch can be resumed as well.
      if !composition.stages.isEmpty { try begin(stage: 0) }
      try save()
    }
    do {
      while position.stage < composition.stages.count {
        guard try train(stage: position.stage) else {
          try save()
          return .interrupted
        }
      }
    } catch let error as TrainingError { throw cause(of: error) }
    position.isFinished = true
    try save()
    return .finished
  }

  /// Trains one stage from the current position; false when stopped on request.
  private func train(stage index: Int) throws -> Bool {
    let stage = composition.stages[index]
    let source = try self.source(of: stage.recipe)
    let count = source.count
    let size = stage.recipe.batch
    let iterations = Trainer.iterations(count, size)
    try setModes(stage)
    while !isOver(stage) {
      let started = ContinuousClock.now - .seconds(position.seconds)
      let order = try order(of: source, stage, "epoch \(position.epoch)")
      var pending = PendingTerms(stage: stage.recipe.name, every: source.device == .cpu ? 1 : 25)
      while position.iteration < iterations {
        let indices = try batch(position.iteration, of: order, size: size)
        try iterate(stage, source, indices, iterations: iterations, into: &pending)
        position.iteration += 1
        position.totalIterations += 1
        if position.iteration == iterations || pending.isDue { try settle(&pending) }
        report(stage, iterations: iterations, count: count, since: started)
        if position.iteration < iterations, shouldStop() {
          try settle(&pending)
          position.seconds = started.age
          return false
        }
        if isDue(after: secondsBetweenCheckpoints) {
          try settle(&pending)
          position.seconds = started.age
          try save()
        }
      }
      try finishEpoch(stage, index, count: count, seconds: started.age)
      if shouldStop(), !isOver(stage) { return false }
    }
    try takeBest(of: stage)
    try ends.finish(stage, index)
    position.stage += 1
    (position.epoch, position.extraBatches, position.best) = (0, 0, nil)
    if position.stage < composition.stages.count { try begin(stage: position.stage) }
    try save()
    return true
  }

  /// A last batch of one example has no variance for batch normalisation: it is left out.
  static func iterations(_ count: Int, _ size: Int) -> Int {
    count / size + (count % size > 1 || count == 1 ? 1 : 0)
  }

  func begin(stage index: Int) throws {
    let stage = composition.stages[index]
    optimizers = try stage.steps.map { try $0.optimizer.optimizer(for: $0.parameters) }
    shareOptimizers(among: stage.turns, of: stage)
  }

  /// Steps of one group that train the same weights by the same rule are updates of one optimiser: those of a critic, on real
  /// and on decoded inputs in turn. With moments of their own they would overshoot against each other.
  private func shareOptimizers(among turns: [Turn], of stage: ComposedStage) {
    for case .group(_, let inner) in turns {
      var owners: [Int] = []
      for case .step(let number) in inner {
        let step = stage.steps[number]
        let owner = owners.first { other in
          stage.steps[other].recipe.optimizer == step.recipe.optimizer
            && stage.steps[other].parameters.map(\.name) == step.parameters.map(\.name)
        }
        if let owner { optimizers[number] = optimizers[owner] } else { owners.append(number) }
      }
      shareOptimizers(among: inner, of: stage)
    }
  }

  // MARK: Batches

  /// Returns the examples that a stage trains on: all of the training part, or a few of it.
  func source(of stage: Recipe.Stage) throws -> BatchSource {
    guard let wanted = stage.examples else { return data.training }
    guard wanted <= data.training.count else {
      throw RecipeError(
        "stage '\(stage.name)' needs \(wanted) examples, and the training part has \(data.training.count); lower it")
    }
    let few = try data.training.examples.balanced(wanted, seed: seed, for: Examples.labelOrder)
    return try BatchSource(
      few, settings: data.training.settings, classCount: data.training.classCount, device: data.training.device)
  }

  /// Returns a random order that is a function of the seed, the stage and a name. Where `data.labelledShare` is set and the
  /// stage's losses need labels, that share of each of its batches has one.
  func order(of source: BatchSource, _ stage: ComposedStage, _ name: String) throws -> Tensor {
    var shuffle = try Generator(seed: seed, for: "order of stage \(stage.recipe.name), \(name)")
    if stage.needsLabels, let share = source.settings.labelledShare,
      let order = try source.examples.order(labelledShare: share, batch: stage.recipe.batch, using: &shuffle)
    {
      return try order.to(source.device)
    }
    return try shuffle.permutation(source.count).to(source.device)
  }

  /// The examples of one batch of an order; the last one may be smaller.
  func batch(_ number: Int, of order: Tensor, size: Int) throws -> Tensor {
    try order.slice(number * size..<min((number + 1) * size, order.count))
  }

  /// Returns the next batch of a separate stream, for steps that repeat.
  func extraBatch(_ stage: ComposedStage, _ source: BatchSource, iterations: Int) throws -> Tensor {
    let (cycle, place) = position.extraBatches.quotientAndRemainder(dividingBy: iterations)
    if extraOrder?.cycle != cycle || extraOrder?.stage != stage.recipe.name {
      extraOrder = (stage.recipe.name, cycle, try order(of: source, stage, "extra batches \(cycle)"))
    }
    position.extraBatches += 1
    return try batch(place, of: extraOrder!.order, size: stage.recipe.batch)
  }
  private var extraOrder: (stage: String, cycle: Int, order: Tensor)?

  // MARK: Ends

  private func finishEpoch(_ stage: ComposedStage, _ index: Int, count: Int, seconds: Double) throws {
    let iterations = max(position.iteration, 1)
    let learningRates = stage.steps.map { step in
      let done = (position.epoch + 1) * iterations - 1
      return step.optimizer.learningRate
        * step.schedule.factor(step: done, stepsPerEpoch: iterations, epochs: stage.recipe.epochs)
    }
    var record = EpochRecord(
      stage: stage.recipe.name, epoch: position.epoch + 1, iteration: position.totalIterations, training: means,
      validation: [:], metrics: [], learningRates: learningRates, seconds: seconds,
      examplesPerSecond: Double(count) / max(seconds, 1e-9), gradientNorms: position.gradientNorms)
    if let validation = data.validation {
      let result = try Evaluator(composition).evaluate(
        validation, stage: index, training: data.training, atEnd: false)
      record.validation = result.losses
      // Tables are of a finished run: they would fill the log.
      record.metrics = result.measurements.filter { $0.table == nil }
      if let bad = result.losses.keys.sorted().first(where: { !result.losses[$0]!.isFinite }) {
        throw divergence(stage.recipe.name, "in validation after epoch \(record.epoch)", bad, result.losses[bad]!)
      }
      try compare(record.epoch, of: stage, by: result)
    }
    position.metricsLength = try log.append(record)
    position.epoch += 1
    (position.iteration, position.seconds, position.sums, position.counts) = (0, 0, [:], [:])
    let warnings = record.metrics.compactMap(\.warning)
    for warning in warnings where !warned.contains(warning) {
      observer?.note("warning: epoch \(record.epoch) of stage '\(record.stage)': \(warning)")
    }
    warned = Set(warnings)
    position.gradientNorms = nil
    // Observers first: what they wrote beyond a checkpoint is cut off on resuming, what they missed would be lost.
    observer?.finishedEpoch(record, of: stage.recipe.epochs)
    // Before the last one, which says that the epoch is over.
    let isOfStop = stage.recipe.stop != nil && (position.best?.epoch == position.epoch || isOver(stage))
    let isKept = isOfStop || stage.recipe.keepEpochs.contains(position.epoch)
    if isKept { try save(to: folder.checkpoint(of: stage.recipe.name, epoch: position.epoch)) }
    if isKept || isDue(after: min(2, secondsBetweenCheckpoints)) { try save() } else { try requireFinite() }
    try removeSuperseded(of: stage)
  }

  // MARK: Numbers

  private var means: [String: Double] {
    position.sums.reduce(into: [:]) { $0[$1.key] = $1.value / Double(position.counts[$1.key] ?? 1) }
  }

  /// Moves the pending terms to the CPU, checks and adds them.
  private func settle(_ pending: inout PendingTerms) throws {
    for term in try pending.take() {
      guard term.value.isFinite else {
        let steps = composition.stages[position.stage].recipe.steps
        if term.iteration == 1, steps.count == 1, !steps[0].isGroup {
          throw divergenceAtOnce(pending.stage, term.name, term.value)
        }
        throw divergence(pending.stage, "at iteration \(term.iteration), in epoch \(term.epoch)", term.name, term.value)
      }
      position.sums[term.name, default: 0] += term.value
      position.counts[term.name, default: 0] += 1
    }
  }

  private func report(_ stage: ComposedStage, iterations: Int, count: Int, since started: ContinuousClock.Instant) {
    guard let observer else { return }
    let seconds = started.age
    let done = Double(position.iteration)
    let perIteration = seconds / max(done, 1)
    // Later stages count as if their iterations took as long.
    let later = composition.stages.dropFirst(position.stage + 1).reduce(0.0) {
      $0 + Double($1.recipe.epochs * self.iterations(of: $1))
    }
    let left = Double((stage.recipe.epochs - position.epoch) * iterations - position.iteration) + later
    observer.progressed(
      TrainingProgress(
        stage: stage.recipe.name, epoch: position.epoch + 1, epochs: stage.recipe.epochs, iteration: position.iteration,
        iterationsPerEpoch: iterations, losses: means.sorted { $0.key < $1.key }.map { ($0.key, $0.value) },
        examplesPerSecond: done * Double(stage.recipe.batch) / max(seconds, 1e-9), secondsLeft: left * perIteration,
        isValidating: position.iteration == iterations && data.validation != nil))
  }

  // MARK: Checkpoints

  /// Whether the last checkpoint is so many seconds old.
  private func isDue(after seconds: Double) -> Bool { lastCheckpoint.map { $0.age > seconds } ?? true }

  /// A gradient can stop being finite while every loss is finite: the last good checkpoint must outlive that.
  private func requireFinite() throws {
    for parameter in composition.store.parameters where parameter.tensor.dtype.isFloatingPoint {
      guard try withoutGradients({ try parameter.tensor.isFinite().all() }) else {
        throw TrainingError(
          description: """
            after iteration \(position.totalIterations), '\(parameter.name)' holds values that are not finite. \(remedy)
            """)
      }
    }
  }

  /// - Parameter url: The file; nil for the checkpoint that the run goes on from.
  func save(to url: URL? = nil) throws {
    try requireFinite()
    var tensors: [String: Tensor] = [:]
    for parameter in composition.store.parameters {
      tensors["model.\(parameter.name)"] = try parameter.tensor.detached()
    }
    for (index, optimizer) in optimizers.enumerated() {
      for (name, tensor) in optimizer.state { tensors["optimizer.\(index).\(name)"] = tensor }
    }
    tensors.merge(ends.state) { own, _ in own }
    tensors["generator.draws"] = try random.generator.state
    for (path, mode) in composition.modes { tensors["generator.mode.\(path)"] = try mode.generator.state }
    if let url { try folder.note([url]) }
    // A checkpoint counts on the lines of the epochs before it.
    try log.sync()
    try Checkpoint(
      position: position, machine: .init(device: data.training.device), digest: data.digest, tensors: tensors
    ).write(to: url ?? folder.checkpoint)
    if url == nil { lastCheckpoint = .now }
  }

  func restore(_ checkpoint: Checkpoint) throws {
    let url = folder.checkpoint
    try checkpoint.restore("model", into: composition.store.parameters.map { ($0.name, $0.tensor) }, from: url)
    try ends.restore(checkpoint)
    guard position.stage < composition.stages.count else { return }
    try restoreOptimizers(ofStage: position.stage, checkpoint, from: url)
    try restoreGenerators(checkpoint, from: url)
  }

  func restoreOptimizers(ofStage index: Int, _ checkpoint: Checkpoint, from url: URL) throws {
    try begin(stage: index)
    for (index, optimizer) in optimizers.enumerated() {
      try checkpoint.restore("optimizer.\(index)", into: optimizer.state, from: url)
      if let problem = try optimizer.problem {
        throw FileError(url.path, "is damaged: the optimiser's state has \(problem); start the run anew")
      }
    }
  }

  /// - Parameter onlyThoseSaved: Whether parts that the checkpoint knows nothing of keep their generators.
  func restoreGenerators(_ checkpoint: Checkpoint, from url: URL, onlyThoseSaved: Bool = false) throws {
    let isElsewhere = Device(parsing: checkpoint.machine.device).map { $0.kind != data.training.device.kind } ?? false
    func restore(_ name: String, _ generator: inout Generator) throws {
      guard let state = checkpoint.tensors["generator.\(name)"] else {
        throw FileError(url.path, "has no state of generator '\(name)'; it belongs to another recipe")
      }
      do { try generator.restore(state) } catch is TensorError {
        // Another kind of device has states of another form: its draws begin anew, and the bits differ anyway.
        guard !isElsewhere else { return }
        throw FileError(
          url.path, "found a state of generator '\(name)' that is none: it is damaged; start the run anew")
      }
    }
    try restore("draws", &random.generator)
    for (path, mode) in composition.modes
    where !onlyThoseSaved || checkpoint.tensors["generator.mode.\(path)"] != nil {
      try restore("mode.\(path)", &mode.generator)
    }
  }
}

extension ContinuousClock.Instant {
  /// Seconds since then, by a clock that nobody sets.
  fileprivate var age: Double { (ContinuousClock.now - self) / .seconds(1) }
}
