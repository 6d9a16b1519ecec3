import Foundation
import LatentKit
import Recipes
import Statistics
import Training

/// Predicts the classes of examples with a trained model, by the rule by which its recipe measures accuracy.
///
/// The rule is that of the first metric that measures predicted classes. A recipe without one is given `ClassRule.auto`: the
/// classifier where there is one, else the prior's centroids where it has some, else the means of the training latents.
public struct Predictor {
  private let session: Session
  private let rule: ClassPredictor?
  /// `[classes, latent]`: the means of the training latents; nil without labels.
  private let means: Tensor?
  /// The columns of scores or distances are of these classes; of more than 40, there is one of the predicted class alone.
  private static let mostColumns = 40

  /// - Parameter training: The latents of the training part.
  /// - Throws: `RecipeError` where the model has nothing to predict with by the rule.
  public init(_ session: Session, training: LatentSet) throws {
    self.session = session
    guard let classCount = session.dataset.classCount, training.labels != nil else {
      (rule, means) = (nil, nil)
      return
    }
    let model = session.composition.model
    let metric = session.composition.metrics.lazy.compactMap { found in
      (found.metric as? any ClassifyingMetric).map { (found.name, $0.classRule(for: model)) }
    }.first
    rule = try ClassPredictor(
      metric?.1 ?? .auto, under: model.prior, hasScores: model.classifier != nil, classCount: classCount,
      training: { training }, for: "a prediction", setting: "metrics.\(metric?.0 ?? "accuracy").scores")
    means = try training.classMeans(classCount)
  }

  /// What predicts, in words: `the highest score`; nil for data without classes.
  public var title: String? { rule?.description }

  /// Returns the name of a class, or its number.
  func name(of label: Int) -> String { session.className(label) }

  /// Returns what is predicted of examples.
  ///
  /// - Parameters:
  ///   - latents: `[count, latent]`.
  ///   - scores: The classifier's scores, `[count, classes]`; nil without one.
  public func predict(_ latents: Tensor, scores: Tensor?) throws -> Predictions {
    guard let rule, let means else { return Predictions(classes: nil, columns: [], latents: latents) }
    let classes = try rule.classes(latents, scores: scores)
    let values: (name: String, values: Tensor)
    switch rule.basis {
    case .scores: values = ("score", scores ?? latents)
    case .latents: values = ("score", latents)
    case .nearest(let points, _):
      values = ("distance", try latents.distances(to: points.to(latents.dtype, latents.device)))
    }
    let predicted = try classes.ints()
    let distances = try latents.distances(to: means.to(latents.dtype, latents.device))
    let nearest = try NearestMean(means).classes(of: latents)
    return Predictions(
      classes: predicted,
      columns: try columns(of: values.values, called: values.name, classes: predicted) + [
        Predictions.Column("nearest class mean", texts: try nearest.ints().map(session.className)),
        Predictions.Column(
          "distance to it", try distances.gathered(nearest.unsqueezed(1), axis: 1).squeezed(1).to(.cpu).floats()),
      ], latents: latents)
  }

  private func columns(of values: Tensor, called name: String, classes: [Int]) throws -> [Predictions.Column] {
    let width = try values.size(1)
    let cells = try values.to(.cpu).contiguous().floats()
    guard width <= Predictor.mostColumns else {
      return [Predictions.Column(name, classes.indices.map { cells[$0 * width + classes[$0]] })]
    }
    return (0..<width).map { column in
      Predictions.Column(
        "\(name) \(session.className(column))", classes.indices.map { cells[$0 * width + column] })
    }
  }
}

/// What is predicted of some examples.
public struct Predictions {
  /// One cell for each example under a title.
  public struct Column {
    /// The title.
    public let name: String
    /// The cells; a number that is not finite is empty.
    public let cells: [String]
    /// The same as numbers; nil for texts.
    public let numbers: [Float]?

    init(_ name: String, texts: [String]) { (self.name, cells, numbers) = (name, texts, nil) }

    init(_ name: String, _ numbers: [Float]) {
      (self.name, cells, self.numbers) = (name, numbers.map { $0.isFinite ? "\($0)" : "" }, numbers)
    }

    /// Returns the column with the cells of others below its own.
    func appending(_ others: [Column]) -> Column {
      guard let numbers else { return Column(name, texts: cells + others.flatMap(\.cells)) }
      return Column(name, numbers + others.flatMap { $0.numbers ?? [] })
    }
  }

  /// The number of each example's class; nil for data without classes.
  public let classes: [Int]?
  /// The scores or distances of each class by which they were predicted, and the nearest class mean.
  public let columns: [Column]
  /// `[count, latent]`.
  public let latents: Tensor
}
