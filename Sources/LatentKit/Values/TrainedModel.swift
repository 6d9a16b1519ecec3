/// The inputs that a model reads.
public struct InputDescription: Sendable, Equatable {
  /// `[channels, height, width]` after padding, or `[features]`.
  public var shape: [Int]
  /// The least and greatest value; nil without bounds.
  public var range: ClosedRange<Double>?
  /// Pixels of padding on each side of an image.
  public var padding: Int
  /// What rows of numbers were made of: the names of the columns and the fitted transforms. Empty for images.
  public var units: String

  /// Creates a description.
  public init(shape: [Int], range: ClosedRange<Double>? = nil, padding: Int = 0, units: String = "") {
    (self.shape, self.range, self.padding, self.units) = (shape, range, padding, units)
  }

  /// The shape without padding.
  public var innerShape: [Int] {
    shape.count == 3 ? [shape[0], shape[1] - 2 * padding, shape[2] - 2 * padding] : shape
  }

  /// Returns these inputs as another model reads them: cropped or padded, and scaled.
  ///
  /// - Parameter inputs: `[batch] + shape`.
  func convert(_ inputs: Tensor, to other: InputDescription) throws -> Tensor {
    guard self != other else { return inputs }
    var result = inputs
    let margin = other.padding - padding
    if margin > 0 {
      result = try result.padded(margin, value: range?.lowerBound ?? 0)
    } else if margin < 0 {
      result = try cropped(result, by: -margin)
    }
    guard let range, let goal = other.range, range != goal else { return result }
    let factor = (goal.upperBound - goal.lowerBound) / (range.upperBound - range.lowerBound)
    return try (result - range.lowerBound) * factor + goal.lowerBound
  }

  /// Returns images `[batch] + shape` without their padding, in brightness from 0 to 1. Values beyond the range stay beyond it.
  public func brightness(of images: Tensor) throws -> Tensor {
    let bounds = range ?? 0...1
    return try (cropped(images, by: padding) - bounds.lowerBound) / (bounds.upperBound - bounds.lowerBound)
  }

  /// Returns images `[batch] + shape` without their padding; rows of numbers as they are.
  public func unpadded(_ inputs: Tensor) throws -> Tensor { try padding > 0 ? cropped(inputs, by: padding) : inputs }

  private func cropped(_ images: Tensor, by margin: Int) throws -> Tensor {
    try images.slice(margin..<(shape[1] - margin), axis: 2).slice(margin..<(shape[2] - margin), axis: 3)
  }
}

/// The model of a finished run, for parts that build on it: an independent classifier by which a metric judges samples, an
/// encoder whose features are compared. Its weights are frozen and its parts in evaluation mode; gradients by its inputs can
/// be taken.
///
/// It reads and makes inputs as the run at hand has them: images are cropped or padded and scaled on the way.
public struct TrainedModel {
  /// The run's folder, as the recipe names it.
  public let path: String
  /// The checksum of the run's recipe and weights, in hexadecimal digits.
  public let checksum: String
  /// The number of classes; nil without labels.
  public let classCount: Int?
  /// The class names in order; nil where classes have numbers only.
  public let classNames: [String]?
  private let model: Model
  /// The inputs that the model itself reads.
  private let own: InputDescription
  /// The inputs that this value takes.
  private var given: InputDescription

  /// Creates a value that takes the inputs of the model's own run.
  ///
  /// - Parameters:
  ///   - model: In evaluation mode.
  ///   - inputs: What it reads.
  public init(
    path: String, checksum: String, model: Model, inputs: InputDescription, classCount: Int?, classNames: [String]?
  ) {
    (self.path, self.checksum, self.model) = (path, checksum, model)
    (own, given) = (inputs, inputs)
    (self.classCount, self.classNames) = (classCount, classNames)
  }

  /// The length of a latent vector.
  public var latentSize: Int { model.encoder.latentSize }
  /// Whether the run has a classifier.
  public var hasClassifier: Bool { model.classifier != nil }
  /// Whether the run has a decoder.
  public var hasDecoder: Bool { model.decoder != nil }

  /// Returns latents (means of codes), `[batch, latent]`.
  public func latents(_ inputs: Tensor) throws -> Tensor { try model.encode(batch(inputs)).mean }

  /// Returns the classifier's scores (logits), `[batch, classes]`.
  /// - Throws: `RecipeError` where the run has no classifier.
  public func scores(_ inputs: Tensor) throws -> Tensor {
    guard let classifier = model.classifier else { throw lacks("classifier") }
    return try classifier.scores(LatentBatch(latents(inputs)))
  }

  /// Returns the outputs of the encoder's hidden layers, first layer first; each `[batch, …]`.
  /// - Throws: `RecipeError` where the encoder does not show them.
  public func features(_ inputs: Tensor) throws -> [Tensor] {
    guard let encoder = model.encoder as? any FeatureEncoder else { throw lacks("encoder that shows its features") }
    return try encoder.features(batch(inputs))
  }

  /// Returns decoded latents, `[batch] + inputShape`, as the run at hand has its inputs.
  ///
  /// - Parameter labels: `[batch]`, for a decoder that is conditioned on the class.
  /// - Throws: `RecipeError` where the run has no decoder.
  public func decode(_ latents: Tensor, labels: Tensor? = nil) throws -> Tensor {
    guard hasDecoder else { throw lacks("decoder") }
    return try own.convert(model.decode(LatentBatch(latents, labels: labels)), to: given)
  }

  private func batch(_ inputs: Tensor) throws -> Batch {
    Batch(inputs: try given.convert(inputs, to: own), labels: nil)
  }

  private func lacks(_ part: String) -> RecipeError {
    RecipeError("the run in \(path) has no \(part); name a run that has one")
  }

  /// Returns the model as one that takes other inputs.
  ///
  /// - Parameter part: How messages call the part that asks.
  /// - Throws: `RecipeError` where the inputs cannot be converted, and where the encoder needs labels.
  func reading(_ other: InputDescription, for part: String) throws -> TrainedModel {
    guard own.shape.count == other.shape.count, own.innerShape == other.innerShape else {
      throw RecipeError(
        "\(part): the run in \(path) reads inputs of shape \(own.innerShape), and the data have \(other.innerShape); "
          + "name a run on inputs of this shape")
    }
    guard own.range == nil && other.range == nil || own.range != nil && other.range != nil, own.units == other.units
    else {
      throw RecipeError(
        "\(part): the run in \(path) reads rows of other columns, or transformed otherwise; name a run on the same data "
          + "with the same transforms, seed and parts")
    }
    guard !model.encoder.needs.contains(.labels) else {
      throw RecipeError(
        "\(part): the encoder of the run in \(path) is conditioned on the class; name a run whose encoder reads inputs alone"
      )
    }
    var copy = self
    copy.given = other
    return copy
  }
}

extension BuildContext {
  /// The inputs of the run at hand.
  public var inputs: InputDescription {
    InputDescription(shape: inputShape, range: inputRange, padding: padding, units: inputUnits)
  }

  /// Returns the model of a finished run, which takes the inputs of the run at hand.
  ///
  /// The run's checksum is kept in the folder of the run at hand: where the other changes afterwards, this one is not opened
  /// as if nothing had happened.
  ///
  /// - Parameters:
  ///   - path: The run's folder, from the working directory, or an absolute path.
  ///   - classifying: Whether the run must have a classifier of the same classes as the data.
  /// - Throws: `RecipeError` where there is no such run, it has not finished, or it reads other inputs or has other classes.
  public func trainedModel(_ path: String, classifying: Bool = false) throws -> TrainedModel {
    guard let openRun else { throw RecipeError("\(title) opens the run in \(path), and there is no way to here") }
    let model: TrainedModel
    do { model = try openRun(path).reading(inputs, for: title) } catch let error as RecipeError {
      throw error.description.hasPrefix(title) ? error : RecipeError("\(title): \(error)")
    }
    guard classifying else { return model }
    guard model.hasClassifier else {
      throw RecipeError("\(title): the run in \(path) has no classifier; name a run that has one")
    }
    func text(_ count: Int?) -> String { count.map { "\($0) classes" } ?? "no classes" }
    guard model.classCount == classCount else {
      throw RecipeError(
        "\(title): the run in \(path) knows \(text(model.classCount)), and the data have \(text(classCount)); name a run on "
          + "the same classes")
    }
    if let theirs = model.classNames, let ours = classNames, theirs != ours {
      let (one, other) = zip(theirs, ours).first { $0 != $1 } ?? ("", "")
      throw RecipeError(
        "\(title): the run in \(path) knows other classes, '\(one)' where the data have '\(other)'; name a run on the same "
          + "classes")
    }
    return model
  }
}
