/// The forward pass of one batch through a model. Each value is computed once, on first use: a step costs
/// only what its losses need, and a part that no loss uses does not run.
public final class Forward {
  /// The model.
  public let model: Model
  /// The batch.
  public let batch: Batch
  /// Whether latents are drawn and perturbed, as in training; else the decoder's input is the code's mean.
  public let isTraining: Bool
  /// The random stream for the loss or metric being computed.
  public private(set) var random: RandomSource
  /// The random stream of codes and noises.
  private let codes: RandomSource
  /// How precisely the model's layers compute. What they make is Float32 here.
  public let precision: Precision
  /// How far the stage is; nil outside of training.
  public let position: StagePosition?
  /// Whether the loss at work has read the labels.
  private let reading = LabelReading()
  /// The mask of labels while a loss that is about labels is at work: gradients reach no row without one.
  private var shield: Tensor?

  private var cachedCode: Code?
  private var cachedLatents: Tensor?
  private var cachedDraw: Tensor?
  private var cachedDecoderInput: Tensor?
  private var cachedDecoded: Decoded?
  private var cachedReconstruction: Tensor?
  private var cachedScores: Tensor?
  private var cachedReconstructionCode: Code?
  private var cachedFeatures: [Tensor]?
  private var cachedReconstructionFeatures: [Tensor]?

  /// Creates a pass; nothing is computed yet.
  ///
  /// - Parameters:
  ///   - random: The stream that codes, noises and losses draw from, on the model's device.
  ///   - position: How far the stage is that trains on the batch; nil outside of training.
  ///   - precision: How precisely the layers of encoder, decoder, classifier and discriminator compute.
  public init(
    _ batch: Batch, through model: Model, training: Bool, drawing random: RandomSource,
    at position: StagePosition? = nil, precision: Precision = .float32
  ) {
    self.model = model
    (self.position, self.precision) = (position, precision)
    var batch = batch
    batch.reading = reading
    self.batch = batch
    self.isTraining = training
    self.random = random
    codes = random
  }

  /// Runs `body` with another stream as `random`, so that its draws change no other value. Codes and noises keep their own.
  public func lending<Result>(_ other: RandomSource, _ body: () throws -> Result) rethrows -> Result {
    let own = random
    random = other
    defer { random = own }
    return try body()
  }

  private func once<Value>(_ slot: ReferenceWritableKeyPath<Forward, Value?>, _ make: () throws -> Value) rethrows
    -> Value
  {
    if let value = self[keyPath: slot] { return value }
    let value = try make()
    self[keyPath: slot] = value
    return value
  }

  /// Runs parts of the model in the precision of the pass, for a loss that calls them on values of its own. Returns Float32.
  public func computing(_ body: () throws -> Tensor) throws -> Tensor { try precision.computing(body).widened() }

  /// Runs an encoder in the precision of the pass. Returns Float32.
  public func computing(_ body: () throws -> Code) throws -> Code { try precision.computing(body).widened() }

  /// Runs a decoder in the precision of the pass. Returns Float32.
  public func computing(_ body: () throws -> Decoded) throws -> Decoded { try precision.computing(body).widened() }

  /// The inputs, `[batch] + inputShape`.
  public var inputs: Tensor { batch.inputs }

  /// The labels, `[batch]`, Int64. Of partly labelled data, a 0 that means nothing stands where the label is hidden; terms that are
  /// given per example are then reduced over the labelled ones.
  /// - Throws: `RecipeError` where the data have no labels.
  public var labels: Tensor {
    get throws {
      guard let labels = batch.known else {
        throw RecipeError("a loss needs labels, and the data have none; choose a labelled dataset")
      }
      reading.isNoted = true
      return labels
    }
  }

  /// The code of the inputs.
  public var code: Code {
    get throws { try shielded(plainCode) }
  }
  private var plainCode: Code {
    get throws { try once(\.cachedCode) { try computing { try model.encode(batch) } } }
  }

  /// The code as a vector, `[batch, latent]`: drawn from a Gaussian code while training, else its mean.
  public var latents: Tensor {
    get throws { try shielded(plainLatents) }
  }
  private var plainLatents: Tensor {
    get throws {
      try once(\.cachedLatents) {
        let code = try plainCode
        return isTraining ? try code.sample(using: &codes.generator) : code.mean
      }
    }
  }

  /// A draw from the code, in evaluation mode as well: for terms that are expectations over it.
  public var draw: Tensor {
    get throws {
      let draw = try once(\.cachedDraw) {
        if isTraining { return try plainLatents }
        let code = try plainCode
        return try code.sample(using: &codes.generator)
      }
      return try shielded(draw)
    }
  }

  /// The decoder's input: the latents, with the model's latent noise while training.
  public var decoderInput: Tensor {
    get throws { try shielded(plainDecoderInput) }
  }
  private var plainDecoderInput: Tensor {
    get throws {
      try once(\.cachedDecoderInput) {
        let latents = try plainLatents
        guard isTraining, let noise = model.noise else { return latents }
        let request = LatentBatch(latents, of: batch).limited(to: noise.needs)
        return try noise.perturb(request, using: &codes.generator)
      }
    }
  }

  /// The decoded inputs, `[batch] + inputShape`.
  public var reconstruction: Tensor {
    get throws { try shielded(plainReconstruction) }
  }
  private var plainReconstruction: Tensor {
    get throws {
      try once(\.cachedReconstruction) { try plainDecoded.values }
    }
  }

  /// What the decoder makes of its input: for losses that are exact before a sigmoid.
  public var decoded: Decoded {
    get throws {
      switch try plainDecoded {
      case .values: .values(try reconstruction)
      case .logits(let logits): .logits(try shielded(logits))
      }
    }
  }
  private var plainDecoded: Decoded {
    get throws {
      try once(\.cachedDecoded) {
        let input = try LatentBatch(plainDecoderInput, of: batch)
        return try computing { try model.decoded(input) }
      }
    }
  }

  /// The classifier's scores (logits), `[batch, classes]`.
  public var scores: Tensor {
    get throws {
      let scores = try once(\.cachedScores) {
        guard let classifier = model.classifier else {
          throw RecipeError.missing("a classifier", for: "this step", fix: "add 'classifier: {use: linear}'")
        }
        let latents = try LatentBatch(plainLatents)
        return try computing { try classifier.scores(latents) }
      }
      return try shielded(scores)
    }
  }

  /// The code of the reconstruction.
  public var reconstructionCode: Code {
    get throws {
      try shielded(
        once(\.cachedReconstructionCode) {
          let made = try batch.with(inputs: plainReconstruction)
          return try computing { try model.encode(made) }
        })
    }
  }

  /// The encoder's hidden layers for the inputs. The code comes from the same pass where it is not computed yet.
  public var features: [Tensor] {
    get throws { try once(\.cachedFeatures) { try plainFeatures(of: inputs, with: \.cachedCode) }.map(shielded) }
  }

  /// The encoder's hidden layers for the reconstruction, in one pass with its code likewise.
  public var reconstructionFeatures: [Tensor] {
    get throws {
      try once(\.cachedReconstructionFeatures) {
        try plainFeatures(of: plainReconstruction, with: \.cachedReconstructionCode)
      }.map(shielded)
    }
  }

  /// The encoder's hidden layers for other inputs of the same examples, whose code is kept in `slot`.
  private func plainFeatures(
    of inputs: Tensor, with slot: ReferenceWritableKeyPath<Forward, Code?>
  ) throws -> [Tensor] {
    guard let encoder = model.encoder as? any FeatureEncoder else {
      throw RecipeError.missing(
        "an encoder with readable features", for: "this step", fix: "choose another encoder")
    }
    let batch = batch.with(inputs: inputs).limited(to: encoder.needs)
    guard self[keyPath: slot] == nil else {
      return try precision.computing { try encoder.features(batch) }.map { try $0.widened() }
    }
    let (code, features) = try precision.computing { try encoder.encodeWithFeatures(batch) }
    self[keyPath: slot] = try code.widened()
    return try features.map { try $0.widened() }
  }

  /// Returns the discriminator's score of other inputs of the same examples, `[batch, 1]`.
  public func score(_ inputs: Tensor) throws -> Tensor {
    guard let discriminator = model[.discriminator] else {
      throw RecipeError.missing("a discriminator", for: "this step", fix: "add 'discriminator:' to the recipe")
    }
    let request = batch.with(inputs: inputs).limited(to: discriminator.needs)
    return try shielded(computing { try discriminator.score(request) })
  }

  // MARK: Hidden labels

  /// Returns one value for each example, `[batch]`: given its label where it has one, else without.
  ///
  /// It is how a term over all examples asks a prior that knows classes: `forward.byLabel { try prior.logDensity(latents,
  /// labels: $0) }`. Terms made so count as over all examples.
  ///
  /// - Parameter values: Returns `[batch]` for labels, or for none. With partly labelled data it is called with both; where a
  ///   label is hidden, what it returns for the labels is dropped.
  public func byLabel(_ values: (Tensor?) throws -> Tensor) throws -> Tensor {
    let known = try values(batch.known)
    guard batch.known != nil, let labelled = batch.labelled else { return known }
    return try labelled.choose(known, values(nil))
  }

  /// The same values, through which no gradient reaches the rows that the shield hides: not even one that is infinite,
  /// which times 0 is not a number.
  private func shielded(_ values: Tensor) throws -> Tensor {
    guard let shield, values.requiresGradient, try values.size(0) == shield.count else { return values }
    let mask = try shield.reshaped([shield.count] + Array(repeating: 1, count: values.rank - 1))
    return try mask.choose(values, values.detached())
  }

  private func shielded(_ code: Code) throws -> Code {
    guard shield != nil else { return code }
    switch code {
    case .point(let latents): return .point(try shielded(latents))
    case .gaussian(let mean, let logVariance):
      return .gaussian(mean: try shielded(mean), logVariance: try shielded(logVariance))
    }
  }

  /// The terms of a loss on partly labelled data. Where it needs labels and all of its terms are over the labelled examples,
  /// no gradient goes through what it reads here of the others.
  private func shieldedTerms(_ loss: any Loss, under prior: any Prior, _ mask: Tensor) throws -> [Term] {
    guard isTraining, loss.needs.contains(.labels) else { return try loss.terms(self, under: prior) }
    shield = mask
    defer { shield = nil }
    let terms = try loss.terms(self, under: prior)
    guard terms.contains(where: { !isAboutLabels($0) }) else { return terms }
    // One of the terms is over all examples: once more, with nothing shielded.
    shield = nil
    return try loss.terms(self, under: prior)
  }

  private func isAboutLabels(_ term: Term) -> Bool {
    (term.selection ?? (reading.isNoted ? .labelled : .all)) == .labelled
  }

  // MARK: Terms

  /// Returns the terms of a loss as scalars: over all examples where nothing masks or weighs, else over the labelled or weighted
  /// ones.
  ///
  /// - Returns: Each term's value, and its share where batches are averaged: the sum of its weights, a scalar; nil where
  ///   that is the batch's size.
  /// - Throws: `RecipeError` where labels are hidden and a term that was made with labels is not given per example.
  public func reduced(
    _ loss: any Loss, under prior: any Prior
  ) throws -> [(name: String, value: Tensor, share: Tensor?)] {
    reading.isNoted = false
    let terms = try batch.labelled.map { try shieldedTerms(loss, under: prior, $0) } ?? loss.terms(self, under: prior)
    guard batch.labelled != nil || batch.weights != nil else { return try terms.map { ($0.name, try $0.value, nil) } }
    return try terms.map { term in
      let mask = isAboutLabels(term) ? batch.labelled : nil
      guard term.isPerExample else {
        guard mask == nil else {
          throw RecipeError(
            "term '\(term.name)' reads the labels of the whole batch, and some are hidden by data.labelled; choose a loss "
              + "whose terms are per example, or leave data.labelled out")
        }
        return (term.name, try term.value, nil)
      }
      let (value, share) = try term.value(mask: mask, weights: batch.weights)
      return (term.name, value, share)
    }
  }
}

extension Tensor {
  /// The values in Float32, where they are in half precision.
  fileprivate func widened() throws -> Tensor { dtype.isHalf ? try to(.float32) : self }
}

extension Code {
  fileprivate func widened() throws -> Code {
    switch self {
    case .point(let latents): .point(try latents.widened())
    case .gaussian(let mean, let logVariance):
      .gaussian(mean: try mean.widened(), logVariance: try logVariance.widened())
    }
  }
}

extension Decoded {
  fileprivate func widened() throws -> Decoded {
    switch self {
    case .values(let values): .values(try values.widened())
    case .logits(let logits): .logits(try logits.widened())
    }
  }
}
