import Foundation
import LatentKit

/// Sums over the whole plane: cells that are even in `u`, where a place is `centre + scale · u / (1 − u²)`.
struct Quadrature {
  /// The middles of the cells, `[count, 2]`, Float32.
  let points: Tensor
  private let volumes: [Double]
  private let centre: [Double]
  private let scale: [Double]
  private static let cells = 400
  private static let blocks = 8

  /// Cells that are finest where some points of the plane lie, `[count, 2]`.
  init(around sample: Tensor) throws {
    let rows = try sample.to(.cpu).doubles()
    let count = Double(rows.count / 2)
    var (centre, scale) = ([0.0, 0.0], [0.0, 0.0])
    for (index, value) in rows.enumerated() { centre[index % 2] += value / count }
    for (index, value) in rows.enumerated() {
      scale[index % 2] += (value - centre[index % 2]) * (value - centre[index % 2]) / count
    }
    scale = scale.map { max($0.squareRoot(), 1e-3) }
    let axis = (0..<Quadrature.cells).map { (Double($0) + 0.5) * 2 / Double(Quadrature.cells) - 1 }
    let places = axis.map { $0 / (1 - $0 * $0) }
    let widths = axis.map { u in (1 + u * u) / ((1 - u * u) * (1 - u * u)) * 2 / Double(Quadrature.cells) }
    var (values, volumes): ([Float], [Double]) = ([], [])
    for row in places.indices {
      for column in places.indices {
        values += [Float(centre[0] + scale[0] * places[row]), Float(centre[1] + scale[1] * places[column])]
        volumes.append(scale[0] * widths[row] * scale[1] * widths[column])
      }
    }
    points = try Tensor(values, shape: [volumes.count, 2])
    (self.volumes, self.centre, self.scale) = (volumes, centre, scale)
  }

  /// Returns the probability of each cell under log densities of the points.
  func masses(_ logDensities: Tensor) throws -> [Double] {
    zip(try logDensities.to(.cpu).doubles(), volumes).map { exp($0) * $1 }
  }

  /// Compares the shares of draws in blocks of cells with their probabilities.
  ///
  /// - Returns: How far chi-squared lies above what it is for draws from the density, in its standard deviations.
  func excess(of draws: Tensor, over masses: [Double]) throws -> Double {
    let (cells, blocks) = (Quadrature.cells, Quadrature.blocks)
    var expected = Array(repeating: 0.0, count: blocks * blocks)
    for (index, mass) in masses.enumerated() {
      expected[index / cells * blocks / cells * blocks + index % cells * blocks / cells] += mass
    }
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
