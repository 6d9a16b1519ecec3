/// Inputs of one step, with their labels.
public struct Batch {
  /// `[batch] + inputShape`, Float32; images channels-last in memory.
  public var inputs: Tensor
  /// `[batch]`, Int64; nil without labels.
  public var labels: Tensor?

  public init(inputs: Tensor, labels: Tensor?) {
    self.inputs = inputs
    self.labels = labels
  }
}

/// The parts of one model.
public struct Model {
  public var encoder: any Encoder
  public var decoder: (any Decoder)?
  public var classifier: (any Classifier)?
  public var discriminator: (any Discriminator)?
  public var prior: any Prior
  public var noise: (any LatentNoise)?

  public init(
    encoder: any Encoder, decoder: (any Decoder)? = nil, classifier: (any Classifier)? = nil,
    discriminator: (any Discriminator)? = nil, prior: any Prior, noise: (any LatentNoise)? = nil
  ) {
    self.encoder = encoder
    self.decoder = decoder
    self.classifier = classifier
    self.discriminator = discriminator
    self.prior = prior
    self.noise = noise
  }

  /// Decodes; a conditional decoder is told the labels.
  public func decode(_ latents: Tensor, labels: Tensor?) throws -> Tensor {
    guard let decoder else {
      throw RecipeError.missing("a decoder", for: "this step", fix: "add one, or drop the losses that reconstruct")
    }
    if let conditional = decoder as? any ConditionalDecoder {
      guard let labels else { throw RecipeError("the decoder is told the class, and there are no labels") }
      return try conditional.decode(latents, labels: labels)
    }
    return try decoder.decode(latents)
  }
}

/// One batch on its way through a model. Each value is computed when a loss first asks for it, and once: a step costs
/// what its losses need, and a part that no loss asks for does not run.
public final class Forward {
  public let model: Model
  public let batch: Batch
  /// Whether latents are drawn and disturbed, as training does; else the decoder sees the code's center.
  public let isTraining: Bool
  private var generator: Generator

  private var cachedCode: Code?
  private var cachedLatents: Tensor?
  private var cachedDraw: Tensor?
  private var cachedDecoderInput: Tensor?
  private var cachedReconstruction: Tensor?
  private var cachedScores: Tensor?
  private var cachedReconstructionCode: Code?
  private var cachedFeatures: [Tensor]?

  public init(_ batch: Batch, through model: Model, training: Bool, using generator: inout Generator) {
    self.model = model
    self.batch = batch
    self.isTraining = training
    self.generator = generator
  }

  /// The generator after the draws of this pass; the caller takes it back.
  public var generatorAfter: Generator { generator }

  private func once<Value>(_ slot: ReferenceWritableKeyPath<Forward, Value?>, _ make: () throws -> Value) rethrows
    -> Value
  {
    if let value = self[keyPath: slot] { return value }
    let value = try make()
    self[keyPath: slot] = value
    return value
  }

  public var inputs: Tensor { batch.inputs }

  /// `[batch]`, Int64.
  /// - Throws: `RecipeError` where the data have no labels.
  public var labels: Tensor {
    get throws {
      guard let labels = batch.labels else {
        throw RecipeError("a loss needs labels, and the data have none; choose a labelled dataset")
      }
      return labels
    }
  }

  public var code: Code {
    get throws { try once(\.cachedCode) { try model.encoder.encode(inputs) } }
  }

  /// The code as a vector, `[batch, latent]`: drawn from a Gaussian code while training, else its center.
  public var latents: Tensor {
    get throws {
      try once(\.cachedLatents) { isTraining ? try code.sample(using: &generator) : try code.center }
    }
  }

  /// A draw from the code, in evaluation mode as well: for terms that are expectations over it.
  public var draw: Tensor {
    get throws { try once(\.cachedDraw) { isTraining ? try latents : try code.sample(using: &generator) } }
  }

  /// What the decoder sees: the latents, with the model's latent noise while training.
  public var decoderInput: Tensor {
    get throws {
      try once(\.cachedDecoderInput) {
        guard isTraining, let noise = model.noise else { return try latents }
        return try noise.perturb(latents, using: &generator)
      }
    }
  }

  /// `[batch] + inputShape`.
  public var reconstruction: Tensor {
    get throws { try once(\.cachedReconstruction) { try model.decode(decoderInput, labels: batch.labels) } }
  }

  /// The classifier's logits, `[batch, classes]`.
  public var scores: Tensor {
    get throws {
      try once(\.cachedScores) {
        guard let classifier = model.classifier else {
          throw RecipeError.missing("a classifier", for: "this step", fix: "add 'classifier: {use: linear}'")
        }
        return try classifier.scores(latents)
      }
    }
  }

  /// The code of the reconstruction.
  public var reconstructionCode: Code {
    get throws { try once(\.cachedReconstructionCode) { try model.encoder.encode(reconstruction) } }
  }

  /// The encoder's hidden layers for the inputs.
  public var features: [Tensor] {
    get throws { try once(\.cachedFeatures) { try features(of: inputs) } }
  }

  /// The encoder's hidden layers for other inputs, the reconstruction say.
  public func features(of inputs: Tensor) throws -> [Tensor] {
    guard let encoder = model.encoder as? any FeatureEncoder else {
      throw RecipeError.missing("an encoder that shows its features", for: "this step", fix: "choose another encoder")
    }
    return try encoder.features(inputs)
  }

  /// The discriminator's verdict on some inputs, `[batch, 1]`.
  public func judge(_ inputs: Tensor) throws -> Tensor {
    guard let discriminator = model.discriminator else {
      throw RecipeError.missing("a discriminator", for: "this step", fix: "add 'discriminator:' to the recipe")
    }
    return try discriminator.judge(inputs)
  }
}
