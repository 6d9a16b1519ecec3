import Foundation
import LatentKit

/// Sums over the whole plane or space: cells that are even in `u`, where a place is `centre + scale · u / (1 − u²)`.
struct Quadrature {
  /// The middles of the cells, `[count, dimensions]`, Float32.
  let points: Tensor
  /// `[count]`, Float64.
  private let volumes: Tensor
  private let centre: [Double]
  private let scale: [Double]
  private let cells: Int
  private static let blocks = 8

  /// Cells that are finest where some points lie, `[count, 2]` or `[count, 3]`.
  init(around sample: Tensor) throws {
    let rows = try sample.to(.float64, .cpu)
    try self.init(
      centre: rows.mean(axis: 0).doubles(),
      scale: rows.variance(axes: [0], unbiased: false).doubles().map { max($0.squareRoot(), 1e-3) })
  }

  private init(centre: [Double], scale: [Double]) throws {
    let dimensions = centre.count
    let cells = dimensions == 2 ? 400 : 64
    let axis = (0..<cells).map { (Double($0) + 0.5) * 2 / Double(cells) - 1 }
    let places = try Tensor(axis.map { $0 / (1 - $0 * $0) })
    let widths = try Tensor(axis.map { u in (1 + u * u) / ((1 - u * u) * (1 - u * u)) * 2 / Double(cells) })
    let grid = Array(repeating: cells, count: dimensions)
    var columns: [Tensor] = []
    var volumes = try Tensor.ones(grid, dtype: .float64)
    for index in 0..<dimensions {
      let shape = grid.indices.map { $0 == index ? cells : 1 }
      columns.append(try (places * scale[index] + centre[index]).reshaped(shape).expanded(grid).flattened(from: 0))
      volumes = try volumes * (widths * scale[index]).reshaped(shape)
    }
    points = try Tensor.stack(columns, axis: 1).to(.float32)
    (self.centre, self.scale, self.cells) = (centre, scale, cells)
    self.volumes = try volumes.flattened(from: 0)
  }

  /// Returns the probability of each cell under log densities of the points, `[count]`, Float64.
  func masses(_ logDensities: Tensor) throws -> Tensor {
    try logDensities.to(.float64, .cpu).exp() * volumes
  }

  /// Returns cells that are finest where the masses of these lie; the same where they add up to nothing.
  func moved(to masses: Tensor) throws -> Quadrature {
    let total = try masses.sum().item()
    guard total.isFinite, total > 0 else { return self }
    let (places, weights) = try (points.to(.float64), (masses / total).unsqueezed(1))
    let mean = try (places * weights).sum(axis: 0)
    let variance = try ((places - mean).square() * weights).sum(axis: 0)
    return try Quadrature(centre: mean.doubles(), scale: variance.doubles().map { max($0.squareRoot(), 1e-3) })
  }

  /// Compares the shares of draws in blocks of cells of the plane with their probabilities.
  ///
  /// - Returns: How far chi-squared lies above what it is for draws from the density, in its standard deviations.
  func excess(of draws: Tensor, over masses: Tensor) throws -> Double {
    let blocks = Quadrature.blocks
    let expected = try masses.reshaped([blocks, cells / blocks, blocks, cells / blocks]).sum(axis: 3).sum(axis: 1)
      .flattened(from: 0).doubles()
    let rows = try draws.to(.cpu).doubles()
    let count = rows.count / 2
    var found = Array(repeating: 0.0, count: blocks * blocks)
    func block(_ value: Double, _ axis: Int) -> Int {
      let x = (value - centre[axis]) / scale[axis]
      // The root of x (1 − u²) = u that lies between −1 and 1.
      let u = x == 0 ? 0 : ((1 + 4 * x * x).squareRoot() - 1) / (2 * x)
      return min(max(Int((u + 1) / 2 * Double(blocks)), 0), blocks - 1)
    }
    for row in 0..<count { found[block(rows[2 * row], 0) * blocks + block(rows[2 * row + 1], 1)] += 1 }
    let total = expected.reduce(0, +)
    var (chi, kept, restExpected, restFound) = (0.0, 0.0, 0.0, 0.0)
    for (mass, seen) in zip(expected, found) {
      let mean = mass / total * Double(count)
      guard mean >= 5 else {
        restExpected += mean
        restFound += seen
        continue
      }
      chi += (seen - mean) * (seen - mean) / mean
      kept += 1
    }
    chi += (restFound - restExpected) * (restFound - restExpected) / max(restExpected, 1)
    return (chi - kept) / (2 * max(kept, 1)).squareRoot()
  }
}
