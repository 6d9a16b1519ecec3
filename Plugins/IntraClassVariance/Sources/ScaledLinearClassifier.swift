import LatentKit

/// One linear layer on `s` times the latent: scores `W s x + b`.
///
/// Scores of embeddings of length 1 are no larger than the weights, which Adam lets grow by about its learning rate a step
/// whatever the loss, and a softmax over small scores stays soft (Wang et al. 2017, NormFace). `s` makes the steps `s` times as
/// long. The scores start as those of classifier `linear` do.
///
/// - Shapes: `[batch, latent]` to `[batch, classes]`.
public struct ScaledLinearClassifier: Classifier, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("s: the factor of latents.", .above(0, upTo: 1e4)) public var scale = 30.0
    public init() {}
  }

  private let (layer, scale): (Linear, Double)

  public init(_ config: Config, in context: BuildContext) throws {
    let start = Initializer.uniform(bound: 1 / (Double(context.latentSize).squareRoot() * config.scale))
    layer = try Linear(context.latentSize, context.requireClasses(), start: start, in: context.scope("output"))
    scale = config.scale
  }

  public var needs: DataNeeds { .labels }
  public func scores(_ request: LatentBatch) throws -> Tensor { try layer(request.latents * scale) }
}
