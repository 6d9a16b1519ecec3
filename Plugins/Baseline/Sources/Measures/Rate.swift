import LatentKit

/// Mean rate of the code in nats, `E KL(q(z|x) ‖ p(z))`: how much a latent tells of its input under the prior's code (Alemi et al. 2018).
/// Where the prior has no closed form, by one draw of each latent.
///
/// It bounds the information between inputs and latents from above. Below about 0.1 nats the posterior has collapsed: latents tell
/// nothing.
///
/// - Shapes: means and log variances `[batch, latent]`.
/// - Throws: `RecipeError` where the encoder gives points.
public struct Rate: Metric, Component {
  public typealias Config = NoConfig

  private let title: String
  private var mean = RunningMean()

  public init(_ config: Config, in context: BuildContext) { title = context.title }

  public mutating func update(_ forward: Forward) throws {
    try mean.add(divergences(forward, under: forward.model.prior, for: title))
  }

  public func finish(_ evaluation: Evaluation) -> [Measured] { [Measured("rate", mean.value, unit: "nats")] }
}
