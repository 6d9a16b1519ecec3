import LatentKit

/// The reconstruction term of a Gaussian decoder whose one variance is always the best one (Rybkin, Daniilidis & Levine
/// 2021, the optimal sigma-VAE): `(D/2) log MSE` for each example of `D` values, where `MSE` is that of the whole batch.
///
/// With `kl` it is, up to a constant, the negative lower bound in nats: no weight between the two is left to choose.
///
/// - Shapes: inputs and reconstruction `[batch] + inputShape`; the term is a number of the batch.
public struct SigmaReconstruction: Loss, Component {
  public typealias Config = NoConfig
  private let inputSize: Int
  public init(_ config: Config, in context: BuildContext) { inputSize = context.inputSize }

  public func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
    // A decoder that is exact would have an unbounded density.
    let error = try forward.reconstruction.squaredError(forward.inputs).clamped(1e-8)
    return [.batch("sigma-reconstruction", try error.log() * (Double(inputSize) / 2))]
  }
}
