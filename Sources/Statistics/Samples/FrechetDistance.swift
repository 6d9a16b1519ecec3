import LatentKit

/// The squared Fréchet distance of two Gaussians that have the moments of two samples (Dowson & Landau 1982, eq. 4; as a measure of
/// generated images Heusel et al. 2017, eq. 6):
///
/// `‖m_1 − m_2‖² + tr(S_1 + S_2 − 2 (S_1 S_2)^½)`.
///
/// `tr (S_1 S_2)^½` is the sum of the square roots of the eigenvalues of `S_1^½ S_2 S_1^½`, which is symmetric; both roots are taken by
/// eigendecomposition, with eigenvalues below 0, which only rounding makes, as 0. So a singular covariance needs no jitter. The
/// estimate is biased upwards, by about `1/count`: compare at one count only.
public struct FrechetDistance: Sendable, Equatable {
  /// The squared distance of the means, in squared units of the rows.
  public let ofMeans: Double
  /// What the covariances add, 0 or more.
  public let ofCovariances: Double
  /// Whether a sample has no more rows than dimensions, so that its covariance is singular whatever the density is.
  public let isRankDeficient: Bool

  /// The squared distance, 0 or more.
  public var value: Double { ofMeans + ofCovariances }

  /// - Throws: `TensorError` for samples of fewer than two rows, of different dimensions, or with values that are not finite.
  public init(_ first: Moments, _ second: Moments) throws {
    func refuse(_ reason: String) -> TensorError {
      TensorError("Fréchet distance", shapes: [first.covariance.shape, second.covariance.shape], reason: reason)
    }
    guard first.count >= 2, second.count >= 2 else {
      throw refuse("found samples of \(first.count) and \(second.count) rows, expected two or more each")
    }
    guard first.mean.shape == second.mean.shape else { throw refuse("expected samples of the same dimensions") }
    guard try first.covariance.isFinite().all(), try second.covariance.isFinite().all() else {
      throw refuse("found values that are not finite")
    }
    ofMeans = try (first.mean - second.mean).square().sum().item()
    let (values, vectors) = try first.covariance.symmetricEigen()
    let root = try (vectors * values.clamped(0).sqrt()).matmul(vectors.transposed())
    let middle = try root.matmul(second.covariance).matmul(root)
    // A product of three is symmetric up to rounding only.
    let common = try ((middle + middle.transposed()) / 2).symmetricEigen().values.clamped(0).sqrt().sum().item()
    let traces = try (first.covariance + second.covariance).diagonal().sum().item()
    ofCovariances = max(0, traces - 2 * common)
    isRankDeficient = try min(first.count, second.count) <= first.mean.size(0)
  }

  /// - Parameters:
  ///   - first: `[count, dimensions]`.
  ///   - second: `[count, dimensions]`; the counts may differ.
  public init(_ first: Tensor, _ second: Tensor) throws { try self.init(Moments(of: first), Moments(of: second)) }
}
