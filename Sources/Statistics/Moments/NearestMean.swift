import LatentKit

/// Classifies latents by the nearest of some class means, in Euclidean distance.
public struct NearestMean: Sendable {
  /// `[classes, latent]`; a class whose mean is NaN is never chosen.
  public let means: Tensor

  /// - Parameter means: `[classes, latent]`.
  public init(_ means: Tensor) { self.means = means }

  /// Returns the nearest class of each latent: `[count, latent]` to `[count]`, Int64.
  public func classes(of latents: Tensor) throws -> Tensor {
    try withoutGradients {
      let means = try means.to(latents.dtype, latents.device)
      // ‖z − m‖² less ‖z‖², which is the same for every class.
      let distances = try means.square().sum(axis: 1) - 2 * latents.matmul(means.transposed())
      return try distances.filled(with: .infinity, where: distances.isNaN()).argmin(axis: 1)
    }
  }

  /// Returns the share of latents `[count, latent]` whose nearest class is their label's, 0 to 1.
  public func accuracy(_ latents: Tensor, labels: Tensor) throws -> Double {
    try (classes(of: latents) .== labels).to(.float64).mean().item()
  }
}
