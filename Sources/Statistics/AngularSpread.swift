import Foundation
import LatentKit

/// The spread of points around the origin: how evenly class centroids are placed.
public struct AngularSpread: Sendable, Equatable {
  /// The sum of `1/l` over all pairs, `l` their distance on the unit sphere: the potential energy of equal charges.
  public let energy: Double
  /// The angle between the two nearest directions, in degrees; 0 for fewer than two points.
  public let minimumAngle: Double
  /// The mean angle over all pairs, in degrees; 0 for fewer than two points.
  public let meanAngle: Double

  /// - Parameter points: `[count, dimensions]`, of any length above 0: only their directions count.
  public init(of points: Tensor) throws {
    let points = try points.detached().to(.float64, .cpu)
    let directions = try points / points.square().sum(axis: 1, keep: true).sqrt()
    let count = try points.size(0)
    var (energy, angles, nearest) = (0.0, 0.0, Double.pi)
    // Some rows of all pairs at a time: tens of megabytes.
    let rows = max(1, 4_000_000 / max(count, 1))
    for start in stride(from: 0, to: count, by: rows) {
      let block = start..<min(start + rows, count)
      let cosines = try directions.slice(block).matmul(directions.transposed()).clamped(-1, 1)
      let numbers = try Tensor.range(0, count)
      let itself = try numbers.slice(block).unsqueezed(1) .== numbers
      // Points in one place count as very near, so that the energy stays a number.
      let inverse = try (2 - 2 * cosines).clamped(1e-24).rsqrt()
      let angle = try cosines.acos()
      energy += try inverse.filled(with: 0, where: itself).sum().item()
      angles += try angle.filled(with: 0, where: itself).sum().item()
      nearest = min(nearest, try angle.filled(with: .pi, where: itself).min().item())
    }
    let pairs = count * (count - 1)
    self.energy = energy / 2
    minimumAngle = pairs == 0 ? 0 : nearest * 180 / .pi
    meanAngle = pairs == 0 ? 0 : angles / Double(pairs) * 180 / .pi
  }

  /// Returns the least energy known for `count` points: of the regular simplex up to `dimensions + 1` points, in any
  /// number of dimensions, of the regular polygon on the circle, and of up to 20 points on the sphere in three dimensions;
  /// nil elsewhere.
  ///
  /// On the sphere it is Thomson's problem; beyond 3, 4, 5, 6 and 12 points its minima are numerical and not proven.
  public static func leastEnergy(of count: Int, dimensions: Int) -> Double? {
    guard count >= 1, dimensions >= 1 else { return nil }
    if count <= dimensions + 1 {
      let pairs = Double(count * (count - 1)) / 2
      return count == 1 ? 0 : pairs / (2 * Double(count) / Double(count - 1)).squareRoot()
    }
    if dimensions == 2 {
      return Double(count) / 4 * (1..<count).reduce(0) { $0 + 1 / sin(Double($1) * .pi / Double(count)) }
    }
    return dimensions == 3 && count - 5 < thomson.count ? thomson[count - 5] : nil
  }

  /// From 5 points on.
  private static let thomson = [
    6.474691495, 9.985281374, 14.452977414, 19.675287861, 25.759986531, 32.716949460, 40.596450510, 49.165253058,
    58.853230612, 69.306363297, 80.670244114, 92.911655302, 106.050404829, 120.084467447, 135.089467557, 150.881568334,
  ]
}
