import LatentKit

/// One image for each class, whatever the latent: under `mse` it becomes the class's mean, the null model of
/// reconstructions that keep nothing but the class.
///
/// - Shapes: labels `[batch]` to `[batch] + inputShape`.
/// - Throws: `RecipeError` where the data have no labels.
public struct ClassMeanDecoder: LatentKit.Decoder, Component {
  public typealias Config = NoConfig
  private let means: Tensor

  public init(_ config: Config, in context: BuildContext) throws {
    means = try context.scope.parameter("means", [context.requireClasses(), context.inputSize], .constant(0))
    shape = context.inputShape
  }

  private let shape: [Int]

  public var needs: DataNeeds { .everyLabel }

  public func decode(_ request: LatentBatch) throws -> Tensor {
    let labels = try request.requireLabels(for: "decoder 'class-mean'").to(means.device)
    return try means.rows(labels).reshaped([request.latents.size(0)] + shape)
  }
}
