/// The parts of one model, by slot.
public struct Model {
  /// The encoder.
  public var encoder: any Encoder
  /// The prior.
  public var prior: any Prior
  /// The likelihood of inputs given what the decoder makes: the loss of the last stage that is one; nil where none is.
  public var likelihood: (any Likelihood)?
  private var others: [Slot: Any] = [:]

  /// Creates a model; parts of other slots are set by their slot: `model[.discriminator] = critic`.
  public init(
    encoder: any Encoder, decoder: (any Decoder)? = nil, classifier: (any Classifier)? = nil, prior: any Prior,
    noise: (any LatentNoise)? = nil
  ) {
    self.encoder = encoder
    self.prior = prior
    self[.decoder] = decoder
    self[.classifier] = classifier
    self[.noise] = noise
  }

  /// The part in a slot; nil where the model has none.
  public subscript<Role>(_ key: SlotKey<Role>) -> Role? {
    get {
      switch key.slot {
      case .encoder: encoder as? Role
      case .prior: prior as? Role
      default: others[key.slot] as? Role
      }
    }
    set {
      switch key.slot {
      case .encoder: if let part = newValue as? any Encoder { encoder = part }
      case .prior: if let part = newValue as? any Prior { prior = part }
      default: others[key.slot] = newValue
      }
    }
  }

  /// The decoder; nil without one.
  public var decoder: (any Decoder)? { self[.decoder] }
  /// The classifier; nil without one.
  public var classifier: (any Classifier)? { self[.classifier] }
  /// The latent noise; nil without one.
  public var noise: (any LatentNoise)? { self[.noise] }

  /// Returns the code of a batch; labels are passed only to an encoder that needs them.
  public func encode(_ batch: Batch) throws -> Code { try encoder.encode(batch.limited(to: encoder.needs)) }

  /// Decodes latents; labels are passed only to a decoder that needs them.
  /// - Throws: `RecipeError` without a decoder.
  public func decode(_ request: LatentBatch) throws -> Tensor {
    guard let decoder else {
      throw RecipeError.missing("a decoder", for: "this step", fix: "add one, or drop the losses that reconstruct")
    }
    return try decoder.decode(request.limited(to: decoder.needs))
  }

  /// Decodes latents as `decode` does; from a decoder that ends in a sigmoid and shows what comes before, that.
  /// - Throws: `RecipeError` without a decoder.
  public func decoded(_ request: LatentBatch) throws -> Decoded {
    guard let decoder = decoder as? any ActivatedDecoder, decoder.output == .sigmoid else {
      return .values(try decode(request))
    }
    return .logits(try decoder.preactivations(request.limited(to: decoder.needs)))
  }

  /// Whether the decoder is conditioned on the class.
  public var decodesByClass: Bool { decoder?.needs.contains(.labels) ?? false }
}
