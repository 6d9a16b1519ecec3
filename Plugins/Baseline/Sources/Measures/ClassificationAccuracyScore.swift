import LatentKit

/// Classification accuracy score (Ravuri & Vinyals 2019): accuracy in percent, on the measured part, of a classifier that was trained on
/// samples of the classes alone. The same classifier trained on as many training examples stands beside it, as the goal.
///
/// The classifier is `conv` of channels 16, 32 and 64 for images, `mlp` of width 256 for rows of numbers, with 64 latents, a ReLU
/// and a linear layer after them; trained by Adam at 0.001 with cross entropy. Its first weights and the order of examples are the same
/// each time. Nothing of the model is changed.
///
/// Missing where neither the sampler nor the decoder follows classes.
///
/// - Shapes: samples and inputs `[count] + inputShape`, labels `[count]`.
/// - Throws: `RecipeError` without a decoder or labels.
public struct ClassificationAccuracyScore: Metric, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("How many samples the classifier is trained on, of the classes in turn.", .sampleCount)
    public var samples = defaultSampleCount
    @Setting("How often it sees each of them.", .within(1...1000)) public var epochs = 10
    @Setting("Examples per batch.", .within(2...100_000)) public var batch = 50
    @Setting("Also train it on as many training examples, for comparison.") public var training = true
    public init() {}
  }

  private let config: Config
  private let context: BuildContext
  private let classCount: Int
  private var (inputs, labels) = ([Tensor](), [Tensor]())

  public init(_ config: Config, in context: BuildContext) throws {
    (self.config, self.context) = (config, context)
    classCount = try context.requireClasses()
  }

  public var needs: DataNeeds { .labels }
  public var sources: MetricSources { config.training ? [.samples, .trainingInputs] : .samples }

  public mutating func update(_ forward: Forward) throws {
    guard let (known, places) = try forward.batch.visibleLabels() else { return }
    inputs.append(try forward.inputs.rows(places.to(forward.inputs.device)))
    labels.append(known)
  }

  public func finish(_ evaluation: Evaluation) throws -> [Measured] {
    let name = "classification accuracy score"
    let samples = try evaluation.samples(config.samples, ofClasses: true)
    guard let drawn = samples.labels else { return [Measured(name, missing: SampleSet.withoutClasses, unit: "%")] }
    guard try samples.inputs.isFinite().all() else {
      return [Measured(name, missing: "samples are not finite; the decoder diverged", unit: "%")]
    }
    let ofSamples = try score(trainedOn: samples.inputs, drawn, evaluation)
    var found = [Measured(name, ofSamples.percent, unit: "%")]
    var columns = [("trained on samples, %", ofSamples.percents)]
    if config.training {
      let (inputs, labels) = try trainingExamples(evaluation)
      let ofExamples = try score(trainedOn: inputs, labels, evaluation)
      found.append(Measured("\(name) of training examples", ofExamples.percent, unit: "%"))
      columns.append(("trained on training examples, %", ofExamples.percents))
    }
    let names = (0..<classCount).map(evaluation.className)
    let table = MeasuredTable(
      rowTitle: "class", rows: names, columnTitle: "accuracy", columns: ["examples"] + columns.map(\.0),
      values: names.indices.map { label in [Double(ofSamples.counts[label])] + columns.map { $0.1[label] } },
      isMatrix: false)
    return found + [Measured("\(name) by class", table)]
  }

  /// Labelled training examples, as many as samples, spread evenly over the part.
  private func trainingExamples(_ evaluation: Evaluation) throws -> (inputs: Tensor, labels: Tensor) {
    let chosen = EvenChoice(config.samples, of: try evaluation.training.withLabels().latents.size(0))
    var (start, inputs, labels) = (0, [Tensor](), [Tensor]())
    try evaluation.forEachTrainingBatch { batch in
      guard let (known, places) = try batch.visibleLabels() else { return }
      let wanted = (0..<known.count).filter { chosen.contains(start + $0) }
      start += known.count
      guard !wanted.isEmpty else { return }
      inputs.append(try batch.inputs.rows(places.rows(wanted).to(batch.inputs.device)))
      labels.append(try known.rows(wanted))
    }
    return (try .concatenate(inputs), try .concatenate(labels))
  }

  /// Trains a new classifier on some examples and tests it on the measured part.
  private func score(trainedOn inputs: Tensor, _ labels: Tensor, _ evaluation: Evaluation) throws -> ClassShares {
    let network = try ScoreNetwork(classes: classCount, like: context)
    // The same order whatever was drawn before.
    var order = try Generator(seed: 0, for: "order of the classification accuracy score", device: context.device)
    try network.train(
      inputs, labels.to(context.device), epochs: evaluation.isRehearsal ? 1 : config.epochs, batchSize: config.batch,
      using: &order)
    var shares = ClassShares(classes: classCount)
    for (inputs, labels) in zip(self.inputs, self.labels) {
      try shares.add(labels, found: network.scores(inputs).argmax(axis: 1).to(.cpu))
    }
    return shares
  }
}

/// A small classifier that belongs to no model.
private struct ScoreNetwork {
  private let encoder: any Encoder
  private let head: Linear
  private let scope: Scope

  /// - Parameter context: Whose inputs it reads.
  init(classes: Int, like context: BuildContext) throws {
    scope = try Scope(path: "classification accuracy score", device: context.device, dtype: context.dtype)
    let own = BuildContext(
      inputShape: context.inputShape, inputRange: context.inputRange, padding: context.padding, classCount: classes,
      scope: scope("encoder"), title: context.title)
    if context.inputShape.count == 3 {
      var config = ConvEncoder.Config()
      (config.widths, config.latent) = ([16, 32, 64], 64)
      encoder = try ConvEncoder(config, in: own)
    } else {
      var config = MLPEncoder.Config()
      (config.hidden, config.latent) = ([256], 64)
      encoder = try MLPEncoder(config, in: own)
    }
    head = try Linear(64, classes, in: scope("head"))
  }

  /// Returns class scores `[batch, classes]`.
  func scores(_ inputs: Tensor) throws -> Tensor {
    try head(encoder.encode(Batch(inputs: inputs, labels: nil)).mean.relu())
  }

  /// Minimises the cross entropy of labels; ends in evaluation mode.
  func train(
    _ inputs: Tensor, _ labels: Tensor, epochs: Int, batchSize: Int, using generator: inout Generator
  ) throws {
    let optimizer = try Adam(scope.store.parameters.filter { $0.role == .weight })
    let weights = optimizer.parameters.map(\.tensor)
    let count = try inputs.size(0)
    scope.mode.isTraining = true
    defer { scope.mode.isTraining = false }
    try withGradients {
      for _ in 0..<epochs {
        let order = try generator.permutation(count)
        // Batch normalisation needs two examples: a last one alone waits for another epoch.
        for start in stride(from: 0, to: count, by: batchSize) where count - start >= 2 {
          let places = try order.slice(start..<min(start + batchSize, count)).to(inputs.device)
          let error = try scores(inputs.rows(places)).crossEntropy(labels.rows(places))
          try optimizer.step(error.gradients(by: weights), learningRate: 0.001)
        }
      }
    }
  }
}
