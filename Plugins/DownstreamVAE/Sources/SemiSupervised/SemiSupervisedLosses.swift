import Foundation
import LatentKit

/// The negative lower bound of M2 (Kingma, Mohamed, Rezende & Welling 2014, eqs. 6 and 7) in nats, with a uniform prior of classes, a
/// standard normal one of `z`, and one draw of `z` for each class in training, its mean in evaluations:
///
///     L(x, y) = −log p(x|y, z) − log p(y) + KL(q(z|x, y) ‖ p(z))                 where the label is known,
///     U(x) = Σ_y q(y|x) (L(x, y) + log q(y|x))                                   elsewhere.
///
/// Examples without a label are decoded once for each class, those with one for their own.
///
/// - Shapes: inputs `[batch] + inputShape`, from 0 to 1; the term is `[batch]`.
/// - Throws: `RecipeError` for another encoder than `m2`, another prior than a standard normal one, without a decoder, and for inputs or
///   reconstructions that are not known to lie from 0 to 1.
public struct SemiSupervisedBound: Loss, Component {
  /// The density of inputs, `p(x|y, z)`.
  public enum Density: String, Choice {
    /// Of black and white values; grey ones are taken as their mean.
    case bernoulli
    /// Of values from 0 to 1.
    case continuousBernoulli = "continuous-bernoulli"
  }

  /// The settings.
  public struct Config: ComponentConfig {
    @Setting("The density of inputs given class and z, of whose parameters the decoder makes one for each value.")
    public var density = Density.bernoulli
    public init() {}
  }

  private let likelihood: any Likelihood

  public init(_ config: Config, in context: BuildContext) throws {
    if let encoder = context.encoder { _ = try ClassConditionalEncoder.required(encoder, for: context.title) }
    if let prior = context.model?.prior {
      let zeros = try Tensor.zeros([1, context.latentSize], device: context.device)
      let analytic = prior as? any AnalyticPrior
      let distance = try? analytic?.divergence(mean: zeros, logVariance: zeros, labels: nil).item()
      guard let distance, abs(distance) < 1e-6 else {
        throw RecipeError(
          "\(context.title) has a standard normal prior of z, and the recipe's is another; choose prior standard-normal"
        )
      }
    }
    likelihood =
      switch config.density {
      case .bernoulli: try BernoulliLikelihood(.init(), in: context)
      case .continuousBernoulli: try ContinuousBernoulliLikelihood(.init(), in: context)
      }
  }

  public func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    let encoder = try ClassConditionalEncoder.required(forward.model.encoder, for: "loss 'm2'")
    let inputs = forward.inputs
    let features = try forward.computing { try encoder.features(of: inputs) }
    let values: Tensor
    switch (forward.batch.labels, forward.batch.labelled) {
    case (nil, _): values = try mixture(forward, encoder, inputs, features)
    case (let labels?, nil): values = try bound(forward, encoder, inputs, features, of: labels)
    case (let labels?, let mask?):
      let (known, hidden) = (try mask.nonzero().squeezed(1), try (mask.to(.int64) .== 0).nonzero().squeezed(1))
      let labelled = try bound(forward, encoder, inputs.rows(known), features.rows(known), of: labels.rows(known))
      let unlabelled = try mixture(forward, encoder, inputs.rows(hidden), features.rows(hidden))
      // Back to the order of the batch.
      let order = try Tensor.concatenate([known, hidden]).sorted(axis: 0).indices
      values = try Tensor.concatenate([labelled, unlabelled]).rows(order)
    }
    return [.perExample("m2", values, over: .all)]
  }

  /// `U(x)` of each example, `[count]`.
  private func mixture(
    _ forward: Forward, _ encoder: ClassConditionalEncoder, _ inputs: Tensor, _ features: Tensor
  ) throws -> Tensor {
    let logShares = try forward.computing { try encoder.classScores(features) }.logSoftmax(axis: 1)
    let bounds = try Tensor.stack(
      (0..<encoder.classCount).map { label in
        let labels = try Tensor.full([features.size(0)], Double(label), dtype: .int64, device: features.device)
        return try bound(forward, encoder, inputs, features, of: labels)
      }, axis: 1)
    return try (logShares.exp() * (bounds + logShares)).sum(axis: 1)
  }

  /// `L(x, y)` of each example for its label, `[count]`.
  private func bound(
    _ forward: Forward, _ encoder: ClassConditionalEncoder, _ inputs: Tensor, _ features: Tensor, of labels: Tensor
  ) throws -> Tensor {
    let classes = try labels.oneHot(encoder.classCount).to(features.dtype)
    let (mean, logVariance) = try forward.computing {
      let (mean, logVariance) = try encoder.remainder(features, classes: classes)
      return Code.gaussian(mean: mean, logVariance: logVariance)
    }.requireGaussian(for: "loss 'm2'")
    let noise = try forward.random.normal(mean.shape, dtype: mean.dtype)
    let rest = try forward.isTraining ? mean + (logVariance * 0.5).exp() * noise : mean
    let latents = LatentBatch(try .concatenate([classes, rest], axis: 1))
    let decoded = try forward.computing { try forward.model.decoded(latents) }
    let divergence = try standardNormalDivergences(mean: mean, logVariance: logVariance).sum(axis: 1)
    let reconstruction = try likelihood.logLikelihood(of: inputs, given: decoded)
    return try divergence - reconstruction + log(Double(encoder.classCount))
  }
}

/// The classification term of M2 (Kingma et al. 2014, eq. 9): `−log q(y|x)`, mean over labelled examples. The paper's `alpha`, over the
/// number of examples, is the loss's weight, 0.1 there.
///
/// - Shapes: labels `[batch]`; the term is `[batch]`.
/// - Throws: `RecipeError` without labels, and for another encoder than `m2`.
public struct SemiSupervisedClassification: Loss, Component {
  public typealias Config = NoConfig

  public init(_ config: Config, in context: BuildContext) throws {
    if let encoder = context.encoder { _ = try ClassConditionalEncoder.required(encoder, for: context.title) }
  }

  public var needs: DataNeeds { .labels }

  public func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    let encoder = try ClassConditionalEncoder.required(forward.model.encoder, for: "loss 'm2-class'")
    let scores = try forward.computing { try encoder.classScores(encoder.features(of: forward.inputs)) }
    return [.perExample("m2-class", try scores.crossEntropy(forward.labels, .none), over: .labelled)]
  }
}
