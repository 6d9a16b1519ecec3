/// The result of an evaluation: one pass over a part of the data, in evaluation mode, and the model it was made with.
public final class Evaluation {
  /// Latents (means of codes) and labels of the measured part.
  public let measured: LatentSet
  /// The classifier's scores `[count, classes]`, where the model has one.
  public let scores: Tensor?
  /// The model.
  public let model: Model
  /// The number of classes; nil without labels.
  public let classCount: Int?
  /// The class names in order; nil where classes have numbers only.
  public let classNames: [String]?
  /// The metric's own random stream, the same at each evaluation.
  public let random: RandomSource
  /// Whether the results are thrown away, as those before training are: a metric that trains or draws much may cut it short.
  public let isRehearsal: Bool
  /// Whether the measured part is the training part.
  public let measuresTraining: Bool
  private let trained: Set<Slot>?
  private let reference: TrainingReference
  private let allowed: (sources: MetricSources, metric: String)

  /// What metrics ask of a run beside the measured part: made when one first asks for it, and once for all that ask alike.
  public final class TrainingReference {
    private let encode: () throws -> LatentSet
    private let walk: (((Batch) throws -> Void) throws -> Void)?
    private let draw: ((SampleRequest, LatentSet) throws -> SampleSet)?
    private let encodeUnseen: (() throws -> LatentSet)?
    private var encodedUnseen: LatentSet?
    private var encoded: LatentSet?
    private var drawn: [SampleRequest: SampleSet] = [:]

    /// Creates the reference.
    ///
    /// - Parameters:
    ///   - encode: Encodes the training part.
    ///   - batches: Calls its argument with each batch of the training part in turn; nil where there are none.
    ///   - samples: Draws and decodes, given the training latents; nil where there is no sampler.
    ///   - unseen: Encodes the examples of held-out classes; nil where there are none.
    public init(
      _ encode: @escaping () throws -> LatentSet, batches: (((Batch) throws -> Void) throws -> Void)? = nil,
      samples: ((SampleRequest, LatentSet) throws -> SampleSet)? = nil, unseen: (() throws -> LatentSet)? = nil
    ) {
      (self.encode, walk, draw, encodeUnseen) = (encode, batches, samples, unseen)
    }

    /// Returns the latents of the training part.
    public func latents() throws -> LatentSet {
      if let encoded { return encoded }
      let latents = try encode()
      encoded = latents
      return latents
    }

    fileprivate func unseen() throws -> LatentSet? {
      if encodedUnseen == nil { encodedUnseen = try encodeUnseen?() }
      return encodedUnseen
    }

    fileprivate func forEachBatch(_ body: (Batch) throws -> Void) throws {
      guard let walk else { throw RecipeError("an evaluation was made without batches of the training part") }
      try walk(body)
    }

    fileprivate func samples(_ request: SampleRequest) throws -> SampleSet {
      if let known = drawn[request] { return known }
      guard let draw else { throw RecipeError("an evaluation was made without a sampler") }
      let set = try draw(request, latents())
      drawn[request] = set
      return set
    }
  }

  /// Creates an evaluation.
  ///
  /// - Parameters:
  ///   - sources: The sources that the metric declares, and what messages call it.
  ///   - measuresTraining: Whether the measured part is the training part.
  ///   - trained: The slots whose parts training has begun to train; nil for all.
  public init(
    measured: LatentSet, scores: Tensor?, model: Model, classCount: Int?, classNames: [String]? = nil,
    random: RandomSource, training: TrainingReference, sources: MetricSources = [], of metric: String = "metric",
    isRehearsal: Bool = false, measuresTraining: Bool = false, trained: Set<Slot>? = nil
  ) {
    allowed = (sources, metric)
    self.trained = trained
    self.measuresTraining = measuresTraining
    self.isRehearsal = isRehearsal
    self.measured = measured
    self.scores = scores
    self.model = model
    self.classCount = classCount
    self.classNames = classNames
    self.random = random
    reference = training
  }

  /// Returns whether training has begun to train the part in a slot: a decoder that a later stage trains is not to be warned
  /// about.
  public func isTrained(_ slot: Slot) -> Bool { trained?.contains(slot) ?? true }

  /// The model's prior.
  public var prior: any Prior { model.prior }

  /// Latents and labels of the training part, for metrics that learn from it. Hidden labels stay hidden.
  public var training: LatentSet { get throws { try reference.latents() } }

  /// Latents of examples whose classes the data hold out (`data.holdOut`), with labels that number these classes from 0: for metrics
  /// of open sets. Nil where none is held out, and in evaluations during training.
  public var unseen: LatentSet? { get throws { try reference.unseen() } }

  /// Calls `body` with each batch of the training part, in the data's order, as stored: inputs `[batch] + inputShape`, labels
  /// where they are visible. Nothing is kept between batches.
  ///
  /// - Throws: `RecipeError` where the metric does not list `trainingInputs` among its sources.
  public func forEachTrainingBatch(_ body: (Batch) throws -> Void) throws {
    try require(.trainingInputs, "trainingInputs")
    try reference.forEachBatch(body)
  }

  /// Returns decoded draws of the run's sampler. Metrics that ask alike share them; they come from a stream of their own,
  /// which depends on the request alone, so that each evaluation draws the same.
  ///
  /// A decoder that is conditioned on the class is given the classes in turn in any case. In a rehearsal there are fewer.
  ///
  /// - Parameters:
  ///   - count: How many, 1 or more.
  ///   - areOfClasses: Whether draws are of the classes in turn: labels come along where sampler or decoder follow them.
  /// - Throws: `RecipeError` where the metric does not list `samples` among its sources, for classes of data without labels, and
  ///   where the sampler refuses or what it draws has a wrong shape or is not finite.
  public func samples(_ count: Int, ofClasses areOfClasses: Bool = false) throws -> SampleSet {
    try require(.samples, "samples")
    guard count > 0 else { throw RecipeError("\(allowed.metric) asks for \(count) samples, expected 1 or more") }
    return try reference.samples(SampleRequest(count: count, ofClasses: areOfClasses))
  }

  private func require(_ source: MetricSources, _ name: String) throws {
    guard !allowed.sources.contains(source) else { return }
    throw RecipeError(
      "\(allowed.metric) uses \(name) of the evaluation and does not say so; list '.\(name)' in its 'sources'")
  }

  /// Returns the name of a class, or its number.
  public func className(_ label: Int) -> String {
    guard let classNames, classNames.indices.contains(label) else { return "\(label)" }
    return classNames[label]
  }
}
