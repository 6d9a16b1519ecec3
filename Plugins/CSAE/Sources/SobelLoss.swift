import LatentKit

/// The difference in edge strength of reconstruction and input (Zhu & Zhang 2019, eq. 8-9).
///
/// `paper`: `1/n Σ_i |MS(Gx∗x*_i) + MS(Gy∗x*_i) − MS(Gx∗x_i) − MS(Gy∗x_i)|`, with `MS` the mean square over the pixels of an
/// image and `∗` convolution inside the image. Channels are averaged.
///
/// `author-code`: `|MS(Gx∗x* + Gy∗x*) − MS(Gx∗x + Gy∗x)|`, with `MS` over the whole batch and zeros around the images.
///
/// Where edges lie does not matter, only how strong they are: edges may move, and still are sharp.
///
/// - Shapes: inputs and reconstruction `[batch, channels, height, width]`, sides of 3 or more; the term is `[batch]`, or
///   a scalar that is no mean over examples with `author-code`.
/// - Throws: `RecipeError` where the data are not images.
public struct SobelLoss: Loss, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("paper: image by image; author-code: Gx + Gy as one filter, one difference for the whole batch.")
    public var fidelity = Fidelity.paper
    public init() {}
  }

  private let config: Config
  private let filters: Tensor  // [2, 3, 3] of Gx and Gy, or [1, 3, 3] of their sum

  public init(_ config: Config, in context: BuildContext) throws {
    let shape = context.inputShape
    guard shape.count == 3, shape[1] >= 3, shape[2] >= 3 else {
      throw RecipeError(
        """
        \(context.title) compares edges in images [channels, height, width] with sides of 3 or more, found inputs of \
        shape \(shape); if prior 'pedcc' brought it along, choose the other losses, centroid and mse
        """)
    }
    self.config = config
    let horizontal: [Double] = [-1, 0, 1, -2, 0, 2, -1, 0, 1]
    let vertical: [Double] = [-1, -2, -1, 0, 0, 0, 1, 2, 1]
    let weights = config.fidelity == .paper ? horizontal + vertical : zip(horizontal, vertical).map(+)
    filters = try Tensor(weights, shape: [weights.count / 9, 3, 3]).to(context.dtype, context.device)
  }

  public var needs: DataNeeds { .images }

  public func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    let made = try strength(of: forward.reconstruction)
    let given = try withoutGradients { try strength(of: forward.inputs) }
    let difference = try (made - given).abs()
    return [config.fidelity == .paper ? .perExample("sobel", difference) : .batch("sobel", try difference.mean())]
  }

  /// Of each image, `[batch]`; or of all together, `[]`.
  private func strength(of images: Tensor) throws -> Tensor {
    switch config.fidelity {
    case .paper: try images.filterPower(filters)
    case .authorCode: try images.filterPower(filters, padding: 1).mean()
    }
  }
}
