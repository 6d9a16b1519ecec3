import Foundation
import LatentKit
import Statistics
import Testing

private func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

private func spread(_ points: [[Double]]) throws -> AngularSpread {
  try AngularSpread(of: Tensor(points.flatMap { $0 }, shape: [points.count, points[0].count]))
}

@Test func spreadIsThatOfALoopOverPairs() throws {
  // Directions of any length, two of them 0.003 apart.
  var generator = try Generator(seed: 11)
  let first = try generator.normal([1, 4], dtype: .float64)
  let all = try Tensor.concatenate([first, first + 0.003, generator.normal([28, 4], dtype: .float64)]).doubles()
  let points = (0..<30).map { Array(all[(4 * $0)..<(4 * $0 + 4)]) }
  let unit = points.map { point in point.map { $0 / dot(point, point).squareRoot() } }
  var (energy, angles): (Double, [Double]) = (0, [])
  for i in unit.indices {
    for j in unit.indices.dropFirst(i + 1) {
      let l = zip(unit[i], unit[j]).map { $0 - $1 }
      let length = dot(l, l).squareRoot()
      energy += 1 / length
      angles.append(2 * asin(length / 2) * 180 / .pi)
    }
  }
  let found = try spread(points)
  // Of 1 − cos = 4e-6 of the near pair, Float64 keeps ten digits.
  #expect(abs(found.energy / energy - 1) < 1e-8)
  #expect(abs(found.minimumAngle - (angles.min() ?? 0)) < 1e-6)
  #expect(abs(found.meanAngle - angles.reduce(0, +) / Double(angles.count)) < 1e-8)
}

@Test func spreadOfOnePointIsZero() throws {
  let found = try spread([[1, 2]])
  #expect((found.energy, found.minimumAngle, found.meanAngle) == (0, 0, 0))
}

/// The optima that are known on the sphere, by their corners.
@Test func leastEnergiesAreThoseOfTheSolidsByTheirCorners() throws {
  let golden = (1 + 5.0.squareRoot()) / 2
  let signs = [(1.0, 1.0), (1, -1), (-1, 1), (-1, -1)]
  let solids: [(points: [[Double]], angle: Double)] = [
    ([[0, 0, 1], [0, 0, -1]], 180),
    ([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]], acos(-1.0 / 3) * 180 / .pi),
    ([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], 90),
    (
      signs.flatMap { a, b in [[0, a, b * golden], [a, b * golden, 0], [b * golden, 0, a]] }, atan(2.0) * 180 / .pi
    ),
  ]
  for (points, angle) in solids {
    let found = try spread(points)
    let known = try #require(AngularSpread.leastEnergy(of: points.count, dimensions: 3))
    #expect(abs(found.energy - known) < 1e-8, "\(points.count) points")
    #expect(abs(found.minimumAngle - angle) < 1e-6)
  }
}

@Test func leastEnergiesOfPolygonsAndSimplicesAreThoseOfTheirCorners() throws {
  for count in 2...9 {
    let polygon = (0..<count).map { corner in
      let angle = 2 * Double.pi * Double(corner) / Double(count)
      return [cos(angle), sin(angle)]
    }
    let known = try #require(AngularSpread.leastEnergy(of: count, dimensions: 2))
    #expect(abs(try spread(polygon).energy - known) < 1e-9)
    // Unit vectors less their mean are a simplex.
    let simplex = (0..<count).map { corner in (0..<count).map { ($0 == corner ? 1 : 0) - 1 / Double(count) } }
    let least = try #require(AngularSpread.leastEnergy(of: count, dimensions: count + 3))
    #expect(abs(try spread(simplex).energy - least) < 1e-9)
  }
  #expect(AngularSpread.leastEnergy(of: 21, dimensions: 3) == nil)
  #expect(AngularSpread.leastEnergy(of: 20, dimensions: 4) == nil)
  #expect(AngularSpread.leastEnergy(of: 1, dimensions: 3) == 0)
  // On a line there are two points of length 1, at a distance of 2.
  #expect(AngularSpread.leastEnergy(of: 1, dimensions: 1) == 0)
  #expect(abs((AngularSpread.leastEnergy(of: 2, dimensions: 1) ?? 0) - 0.5) < 1e-15)
  #expect(AngularSpread.leastEnergy(of: 3, dimensions: 1) == nil)
  #expect(AngularSpread.leastEnergy(of: 2, dimensions: 0) == nil)
}
