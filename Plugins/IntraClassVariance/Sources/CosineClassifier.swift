import LatentKit

/// Scores by the cosine of a latent and a learned direction for each class, from −1 to 1.
///
/// - Shapes: `[batch, latent]` to `[batch, classes]`.
public struct CosineClassifier: Classifier, Component {
  public typealias Config = NoConfig
  private let directions: Tensor

  public init(_ config: Config, in context: BuildContext) throws {
    directions = try context.scope.parameter(
      "directions", [context.requireClasses(), context.latentSize], .normal(deviation: 1))
  }

  public var needs: DataNeeds { .labels }

  public func scores(_ request: LatentBatch) throws -> Tensor {
    try request.latents.unitRows().matmul(directions.unitRows().transposed())
  }
}

/// Additive-margin softmax (Wang, Cheng, Liu & Liu 2018): `−log softmax(s (cos θ_k − m [k = y]))` at the label's class.
///
/// - Shapes: cosines `[batch, classes]` of classifier `cosine`, labels `[batch]`; the term is `[batch]`.
/// - Throws: `RecipeError` for another classifier, and for data without labels.
public struct AdditiveMarginSoftmax: Loss, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("s: the factor of cosines.", .above(0, upTo: 1e4)) public var scale = 30.0
    @Setting("m: what the label's cosine must exceed the others by.", .within(0...2)) public var margin = 0.35
    public init() {}
  }

  private let config: Config

  public init(_ config: Config, in context: BuildContext) throws {
    guard context.model == nil || context.model?.classifier is CosineClassifier else {
      throw RecipeError(
        "\(context.title) takes cosines, and the recipe has another classifier or none; set classifier to cosine")
    }
    self.config = config
  }

  public var needs: DataNeeds { .labels }

  public func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    let (cosines, labels) = (try forward.scores, try forward.labels)
    let margins = try labels.oneHot(cosines.size(1)).to(cosines.dtype) * config.margin
    let scores = try (cosines - margins) * config.scale
    return [.perExample("additive-margin-softmax", try scores.crossEntropy(labels, .none), over: .labelled)]
  }
}
