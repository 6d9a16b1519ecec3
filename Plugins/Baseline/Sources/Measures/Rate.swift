import LatentKit

/// Mean rate of the code in nats, `E KL(q(z|x) ‖ p(z))`: how much a latent tells of its input under the prior's code (Alemi et al. 2018).
/// Where the prior has no closed form, by one draw of each latent.
///
/// It bounds the information between inputs and latents from above. Below 0.1 nats the code has collapsed onto the prior, which is
/// warned about. Beside it stands the number of active latents, whose means vary by more than 0.01 over examples (Burda, Grosse &
/// Salakhutdinov 2016).
///
/// - Shapes: means and log variances `[batch, latent]`.
/// - Throws: `RecipeError` where the encoder gives points.
public struct Rate: Metric, Component {
  public typealias Config = NoConfig

  /// The rate in nats below which a code counts as collapsed.
  public static let collapse = 0.1

  private let title: String
  private var mean = RunningMean()

  public init(_ config: Config, in context: BuildContext) { title = context.title }

  public mutating func update(_ forward: Forward) throws {
    try mean.add(forward.divergence(under: forward.model.prior, for: title))
  }

  public func finish(_ evaluation: Evaluation) throws -> [Measured] {
    var rate = Measured("rate", mean.value, unit: "nats")
    if let value = rate.value, value < Rate.collapse {
      rate.warning =
        "the code has collapsed onto the prior: it holds less than \(Rate.collapse) nats about an input; lower the weight "
        + "of 'kl'"
    }
    let variances = try evaluation.measured.latents.to(.float64).variance(axes: [0])
    return [rate, Measured("active latents", try (variances .> 0.01).to(.float64).sum().item())]
  }
}
