import LatentKit

/// Linear classifier: scores `W z + b`, whose softmax are the probabilities of the classes.
///
/// - Shapes: `[batch, latent]` to `[batch, classes]`.
/// - Throws: `RecipeError` where the data have no labels.
public struct __Name__Classifier: Classifier, Component {
  public typealias Config = NoConfig

  private let layer: Linear

  public init(_ config: Config, in context: BuildContext) throws {
    layer = try Linear(context.latentSize, context.requireClasses(), in: context.scope("scores"))
  }

  public var needs: DataNeeds { .labels }

  public func scores(_ request: LatentBatch) throws -> Tensor { try layer(request.latents) }
}
