import CStatistics
import LatentKit

/// How generated samples lie among real ones, by balls around each sample that reach to its k-th nearest neighbour among its own
/// kind (`B(x)`, closed; Euclidean distance; the point itself is no neighbour):
///
/// - precision: the share of generated samples in the ball of any real one, and recall: the share of real samples in the ball of any
///   generated one (Kynkäänniemi et al. 2019, eqs. 1 and 2);
/// - density: `1/(k M) Σ_j Σ_i 1[y_j ∈ B(x_i)]` over `M` generated and all real samples, and coverage: the share of real samples
///   whose ball holds a generated one (Naeem et al. 2020, eqs. 4 and 5).
///
/// Density can be above 1. Exact; distances are made some rows at a time and not kept.
public struct Neighborhoods: Sendable, Equatable {
  /// 0 to 1.
  public let precision: Double
  /// 0 to 1.
  public let recall: Double
  /// 0 or more; 1 is expected of samples of one density.
  public let density: Double
  /// 0 to 1.
  public let coverage: Double

  init(precision: Double, recall: Double, density: Double, coverage: Double) {
    (self.precision, self.recall, self.density, self.coverage) = (precision, recall, density, coverage)
  }

  /// - Parameters:
  ///   - real: `[count, dimensions]`, more than `neighbors` rows.
  ///   - generated: `[count, dimensions]`, more than `neighbors` rows.
  ///   - neighbors: `k`, 1 or more.
  /// - Throws: `TensorError` for other shapes and for values that are not finite.
  public init(real: Tensor, generated: Tensor, neighbors: Int) throws {
    func refuse(_ reason: String) -> TensorError {
      TensorError("neighbourhoods", shapes: [real.shape, generated.shape], reason: reason)
    }
    guard real.rank == 2, generated.rank == 2, real.shape[1] == generated.shape[1] else {
      throw refuse("expected [count, dimensions] of the same dimensions")
    }
    guard neighbors >= 1, min(real.shape[0], generated.shape[0]) > neighbors else {
      throw refuse("found \(neighbors) neighbours, expected 1 or more, and more rows than that in each sample")
    }
    guard try real.isFinite().all(), try generated.isFinite().all() else {
      throw refuse("found values that are not finite")
    }
    let (x, y) = (try real.detached().to(.float64, .cpu), try generated.detached().to(.float64, .cpu))
    let (n, m) = (x.shape[0], y.shape[0])
    let realBalls = try Self.counts(x, Self.radii(x, neighbors), y)
    let generatedBalls = try Self.counts(y, Self.radii(y, neighbors), x)
    let holdingGenerated = try realBalls.slice(n..<(n + m))
    precision = try (holdingGenerated .> 0).to(.float64).mean().item()
    density = try holdingGenerated.to(.float64).mean().item() / Double(neighbors)
    coverage = try (realBalls.slice(0..<n) .> 0).to(.float64).mean().item()
    recall = try (generatedBalls.slice(m..<(m + n)) .> 0).to(.float64).mean().item()
  }

  /// The distance of each point to its k-th nearest other point, `[count]`.
  static func radii(_ points: Tensor, _ neighbors: Int) throws -> Tensor {
    try .make("nearest neighbours", [points]) { cs_neighbor_distances(points.handle, Int64(neighbors)) }
  }

  /// How many others each ball holds, then how many balls hold each other, `[centers + others]`.
  private static func counts(_ centers: Tensor, _ radii: Tensor, _ others: Tensor) throws -> Tensor {
    try .make("points in balls", [centers, radii, others]) {
      cs_ball_counts(centers.handle, radii.handle, others.handle)
    }
  }
}
