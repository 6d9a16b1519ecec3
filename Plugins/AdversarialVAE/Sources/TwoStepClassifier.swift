import LatentKit

/// The classifier of Figure 6: three linear layers with batch normalisation and a leaky ReLU, each with a residual block
/// after it, and a linear layer to class scores, whose softmax is the paper's last layer.
///
/// - Shapes: `[batch, latent]` to `[batch, classes]`.
/// - Throws: `RecipeError` where the data have no labels.
public struct TwoStepClassifier: Classifier, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("Widths of the three hidden layers.", .widths(3)) public var hidden = [128, 128, 128]
    public init() {}
  }

  private let layers: Sequential

  public init(_ config: Config, in context: BuildContext) throws {
    let hidden = try linearLayers(
      context.latentSize, config.hidden, isNormalised: true, hasBlocks: true, in: context.scope)
    let scores = try Linear(config.hidden.last ?? 1, context.requireClasses(), in: context.scope("scores"))
    layers = Sequential(hidden + [scores])
  }

  public var needs: DataNeeds { .labels }
  public func scores(_ request: LatentBatch) throws -> Tensor { try layers(request.latents) }
}
