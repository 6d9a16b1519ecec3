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
  private let reference: TrainingReference

  /// Latents of the training part, encoded on first use and shared by all metrics.
  public final class TrainingReference {
    private let encode: () throws -> LatentSet
    private var encoded: LatentSet?
    /// Creates the reference with a closure that encodes the training part.
    public init(_ encode: @escaping () throws -> LatentSet) { self.encode = encode }

    fileprivate func latents() throws -> LatentSet {
      if let encoded { return encoded }
      let latents = try encode()
      encoded = latents
      return latents
    }
  }

  /// Creates an evaluation.
  public init(
    measured: LatentSet, scores: Tensor?, model: Model, classCount: Int?, classNames: [String]? = nil,
    random: RandomSource, training: TrainingReference
  ) {
    self.measured = measured
    self.scores = scores
    self.model = model
    self.classCount = classCount
    self.classNames = classNames
    self.random = random
    reference = training
  }

  /// The model's prior.
  public var prior: any Prior { model.prior }

  /// Latents and labels of the training part, for metrics that learn from it. Hidden labels stay hidden.
  public var training: LatentSet { get throws { try reference.latents() } }

  /// Returns the name of a class, or its number.
  public func className(_ label: Int) -> String {
    guard let classNames, classNames.indices.contains(label) else { return "\(label)" }
    return classNames[label]
  }
}
