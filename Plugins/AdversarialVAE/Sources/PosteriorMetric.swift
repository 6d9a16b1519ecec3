import LatentKit

/// The information in a Gaussian code: the rate, which is the mean divergence from the prior in nats, and the number of active
/// latents, whose means vary by more than 0.01 over examples (Burda, Grosse & Salakhutdinov 2016); with a warning where the code
/// has collapsed onto the prior.
///
/// - Shapes: means and log variances `[batch, latent]`.
/// - Throws: `RecipeError` where the encoder gives points.
public struct PosteriorMetric: Metric, Component {
  public typealias Config = NoConfig

  /// The rate in nats below which a code counts as collapsed.
  public static let collapse = 0.1

  private var sum = 0.0
  private var count = 0

  public init(_ config: Config, in context: BuildContext) {}

  public mutating func update(_ forward: Forward) throws {
    guard case .gaussian(let mean, let logVariance) = try forward.code else {
      throw RecipeError("metric 'posterior' needs a Gaussian code, and the encoder gives points; drop the metric")
    }
    let prior = forward.model.prior
    let values: Tensor
    if let analytic = prior as? any AnalyticPrior {
      values = try forward.byLabel { try analytic.divergence(mean: mean, logVariance: logVariance, labels: $0) }
    } else {
      let latents = try forward.draw
      let distances = try (latents - mean).square() / logVariance.exp()
      let density = try (distances + logVariance + 1.8378770664093453).sum(axis: 1) * -0.5
      values = try density - forward.byLabel { try prior.logDensity(latents, labels: $0) }
    }
    sum += try values.to(.float64).sum().item()
    count += try mean.size(0)
  }

  public func finish(_ evaluation: Evaluation) throws -> [Measured] {
    var rate = Measured("rate", sum / Double(count), unit: "nats")
    if let value = rate.value, value < PosteriorMetric.collapse {
      rate.warning =
        "the code has collapsed onto the prior: it holds less than \(PosteriorMetric.collapse) nats about an input; lower "
        + "the weight of 'kl'"
    }
    let variances = try evaluation.measured.latents.to(.float64).variance(axes: [0])
    let active = try (variances .> 0.01).to(.float64).sum().item()
    return [rate, Measured("active latents", active)]
  }
}
