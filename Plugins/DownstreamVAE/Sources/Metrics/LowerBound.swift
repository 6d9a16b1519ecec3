import LatentKit

/// The evidence lower bound in nats, mean over the measured examples, and its parts: the reconstruction
/// `E_q log p(x|z)`, a single-sample estimate, less the divergence `KL(q(z|x) ‖ p(z))`, the rate. Where an example has a label and the
/// prior knows classes, `p(z)` is the density of its class, and the bound one of `log p(x|y)`. Padding of images, which losses
/// count, is left out.
///
/// The terms of losses in an evaluation are of mean codes instead of draws, and make no bound.
///
/// - Shapes: means and log variances `[batch, latent]`; parts of each example `[batch]`.
/// - Throws: `RecipeError` where no loss is a likelihood, inputs have no density under it, or the encoder gives points.
public struct LowerBound: RankingMetric, Component {
  public typealias Config = NoConfig

  private let title: String
  private let inputs: InputDescription
  private var (reconstruction, divergence, count) = (0.0, 0.0, 0)

  public init(_ config: Config, in context: BuildContext) {
    (title, inputs) = (context.title, context.inputs)
  }

  public mutating func update(_ forward: Forward) throws {
    let likelihood = try forward.model.requireLikelihood(for: title)
    let divergences = try forward.divergence(under: forward.model.prior, for: title)
    let observations = try likelihood.observations(of: inputs.unpadded(forward.inputs), using: forward.random)
    let latents = try forward.code.sample(using: &forward.random.generator)
    let decoded = try inputs.unpadded(forward.model.decoded(forward.batch.latents(latents)))
    reconstruction += try likelihood.logLikelihood(of: observations, given: decoded).to(.float64).sum().item()
    divergence += try divergences.to(.float64).sum().item()
    count += try forward.inputs.size(0)
  }

  public func goal(of measurement: String) -> Goal? { measurement == "divergence" ? nil : .highest }

  public func finish(_ evaluation: Evaluation) -> [Measured] {
    let (reconstruction, rate) = (reconstruction / Double(count), divergence / Double(count))
    return [
      Measured("lower bound", reconstruction - rate, unit: "nats"),
      Measured("reconstruction log-likelihood", reconstruction, unit: "nats"),
      Measured("divergence", rate, unit: "nats"),
    ]
  }
}

extension InputDescription {
  /// Returns decoded images without their padding.
  func unpadded(_ decoded: Decoded) throws -> Decoded {
    switch decoded {
    case .values(let values): .values(try unpadded(values))
    case .logits(let logits): .logits(try unpadded(logits))
    }
  }
}

extension Batch {
  /// Other latents of the same examples, with their labels for a decoder that is conditioned on the class.
  func latents(_ latents: Tensor) -> LatentBatch { LatentBatch(latents, labels: labels, labelled: labelled) }
}
