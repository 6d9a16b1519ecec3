import Foundation
import LatentKit

/// Log-likelihood of unseen data in nats by importance sampling from the code (Burda, Grosse & Salakhutdinov 2016, eq. 8), mean over
/// examples of
///
///     log p(x) ≈ log 1/K Σ_k p(x|z_k) p(z_k) / q(z_k|x),   z_k ~ q(z|x)
///
/// In expectation a lower bound, which rises with `K` to the log-likelihood; `K = 1` is the lower bound that training raises, here the
/// mean of the logarithms over all samples of the same examples. Beside them stand the standard error over examples, and the
/// number of samples that count, `1/Σ_k w_k²` of the normalised weights: near 1, the estimate hangs on single samples.
///
/// The prior is that of all classes; a decoder that is given the class makes it one of `log p(x|y)` under that prior, where `elbo` has
/// the class's own. The first examples of the measured part are taken. It is the likelihood of what the recipe's loss
/// is a likelihood of: of binarised images under `bernoulli`, each drawn once; a density of grey ones under `continuous-bernoulli` and
/// `gaussian`; of rows of numbers as the model reads them, transformed. Padding of images, which losses count, is left out.
///
/// - Shapes: means and log variances `[batch, latent]`; weights `[samples, batch]`, in Float64.
/// - Throws: `RecipeError` where no loss is a likelihood, inputs have no density under it, or the encoder gives points.
public struct LogLikelihood: Metric, Component {
  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("Importance samples of each example, K.", .atLeast(1), usually: .atLeast(50)) public var samples = 500
    @Setting("Examples of the measured part at most, the first ones.", .atLeast(1)) public var examples = 1000
    public init() {}
  }

  /// Values of decoded inputs at a time: 8 MB of Float32, and what a decoder needs on the way.
  private static let valuesAtATime = 1 << 21

  private let config: Config
  private let title: String
  private let inputs: InputDescription
  private var batches: [Batch] = []
  private var count = 0

  public init(_ config: Config, in context: BuildContext) {
    (self.config, title, inputs) = (config, context.title, context.inputs)
  }

  public var timing: MetricTiming { .atEnd }

  public mutating func update(_ forward: Forward) throws {
    let wanted = try min(config.examples - count, forward.inputs.size(0))
    guard wanted > 0 else { return }
    batches.append(try forward.batch.slice(0..<wanted))
    count += wanted
  }

  public func finish(_ evaluation: Evaluation) throws -> [Measured] {
    let samples = evaluation.isRehearsal ? 2 : config.samples
    let rows = max(LogLikelihood.valuesAtATime / max(inputs.shape.reduce(1, *), 1), 1)
    let examples = max(rows / samples, 1)
    var (values, bounds, effective) = ([Double](), [Double](), [Double]())
    for batch in batches {
      let size = try batch.inputs.size(0)
      for start in stride(from: 0, to: size, by: examples) {
        let range = start..<min(start + examples, size)
        let logWeights = try self.logWeights(
          batch.slice(range), samples: samples, atATime: max(rows / range.count, 1), evaluation)
        let total = try logWeights.logSumExp(axis: 0)
        values += try (total - log(Double(samples))).doubles()
        bounds += try logWeights.mean(axis: 0).doubles()
        effective += try (total * 2 - (logWeights * 2).logSumExp(axis: 0)).exp().doubles()
      }
    }
    let mean = values.reduce(0, +) / Double(values.count)
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    let error = (squares / Double(values.count - 1) / Double(values.count)).squareRoot()
    return [
      Measured("log-likelihood", mean, unit: "nats"),
      values.count > 1
        ? Measured("log-likelihood error", error, unit: "nats")
        : Measured("log-likelihood error", missing: "one example has no spread", unit: "nats"),
      Measured("lower bound of the same examples", bounds.reduce(0, +) / Double(bounds.count), unit: "nats"),
      Measured("effective importance samples", effective.reduce(0, +) / Double(effective.count)),
    ]
  }

  /// `log p(x|z_k) + log p(z_k) − log q(z_k|x)`, `[samples, batch]` in Float64.
  private func logWeights(
    _ batch: Batch, samples: Int, atATime: Int, _ evaluation: Evaluation
  ) throws -> Tensor {
    let (model, random) = (evaluation.model, evaluation.random)
    let likelihood = try model.requireLikelihood(for: title)
    let (mean, logVariance) = try model.encode(batch).requireGaussian(for: title)
    let code = Code.gaussian(mean: mean, logVariance: logVariance)
    let observations = try likelihood.observations(of: inputs.unpadded(batch.inputs), using: random)
    let (count, latentSize) = (mean.shape[0], mean.shape[1])
    var pieces: [Tensor] = []
    for start in stride(from: 0, to: samples, by: atATime) {
      let draws = min(atATime, samples - start)
      let noise = try random.normal([draws, count, latentSize], dtype: mean.dtype)
      let latents = try mean + (logVariance * 0.5).exp() * noise
      // Each example's draws lie `count` rows apart.
      let repeated = try Tensor((0..<(draws * count)).map { Int64($0 % count) }).to(mean.device)
      let flat = LatentBatch(
        try latents.reshaped([draws * count, latentSize]), labels: try batch.labels?.rows(repeated),
        labelled: try batch.labelled?.rows(repeated))
      let decoded = try inputs.unpadded(model.decoded(flat))
      let ofInputs = try likelihood.logLikelihood(of: observations.rows(repeated), given: decoded)
      let ofLatents = try model.prior.logDensity(flat.latents, labels: nil)
      let logs = try (ofInputs.to(.float64) + ofLatents.to(.float64)).reshaped([draws, count])
      pieces.append(try logs - code.logDensity(latents).to(.float64))
    }
    return try .concatenate(pieces).to(.cpu)
  }
}

extension Batch {
  /// Some of the examples, without weights.
  fileprivate func slice(_ range: Range<Int>) throws -> Batch {
    Batch(inputs: try inputs.slice(range), labels: try labels?.slice(range), labelled: try labelled?.slice(range))
  }
}
