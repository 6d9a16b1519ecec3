import LatentKit

/// How an example's class is predicted.
public enum ClassRule: String, Choice {
  /// By the classifier where there is one, else by centroids where the prior has some, else by training means.
  case auto
  /// The highest of the classifier's scores.
  case classifier
  /// The highest of the latents, taken as scores.
  case latents
  /// The nearest of the prior's centroids.
  case centroids
  /// The nearest mean of the training latents of a class.
  case training
}

/// A metric that measures predicted classes. A run predicts by the rule of the first that its recipe has.
public protocol ClassifyingMetric: Metric {
  /// Returns the rule by which it predicts with a model.
  func classRule(for model: Model) -> ClassRule
}

/// Predicts classes by a rule.
public struct ClassPredictor: Sendable {
  /// What a rule goes by.
  public enum Basis: Sendable {
    /// The highest of the classifier's scores.
    case scores
    /// The highest of the latents.
    case latents
    /// The nearest of some points, `[classes, latent]`, with their name: `class mean`.
    case nearest(Tensor, String)
  }

  /// What the rule goes by.
  public let basis: Basis

  /// - Parameters:
  ///   - rule: The rule.
  ///   - prior: The prior of the model that predicts.
  ///   - hasScores: Whether it has a classifier.
  ///   - training: Returns the latents of the training part, for the means of classes.
  ///   - owner: Who asks, for messages: `metric 'accuracy'`.
  ///   - setting: The setting of the rule, for messages: `metrics.accuracy.scores`.
  /// - Throws: `RecipeError` where the model has nothing to predict with by the rule.
  public init(
    _ rule: ClassRule, under prior: any Prior, hasScores: Bool, classCount: Int, training: () throws -> LatentSet,
    for owner: String, setting: String
  ) throws {
    switch rule {
    case .latents:
      basis = .latents
      return
    case .auto, .classifier:
      if hasScores {
        basis = .scores
        return
      }
      guard rule == .auto else {
        throw RecipeError.missing("a classifier", for: owner, fix: "add one, or set \(setting)=auto")
      }
    case .centroids, .training: break
    }
    if rule == .centroids || rule == .auto && prior is any CentroidPrior {
      // Centroids for classes to come are left out.
      basis = .nearest(try prior.requireCentroids(for: owner).slice(0..<classCount), "centroid")
    } else {
      basis = .nearest(try training().classMeans(classCount), "class mean")
    }
  }

  /// What predicts, in words.
  public var description: String {
    switch basis {
    case .scores: "the highest score"
    case .latents: "the highest latent"
    case .nearest(_, let name): "the nearest \(name)"
    }
  }

  /// Returns the class of each example, `[count]` Int64.
  ///
  /// - Parameters:
  ///   - latents: `[count, latent]`.
  ///   - scores: The classifier's scores, `[count, classes]`; nil without one.
  public func classes(_ latents: Tensor, scores: Tensor?) throws -> Tensor {
    switch basis {
    case .scores: try (scores ?? latents).argmax(axis: 1)
    case .latents: try latents.argmax(axis: 1)
    case .nearest(let points, _): try NearestMean(points).classes(of: latents)
    }
  }
}
