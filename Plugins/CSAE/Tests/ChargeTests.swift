import CSAE
import Foundation
import LatentKit
import Statistics
import Testing

/// Random points of the unit sphere, the second one right beside the first.
private func points(_ count: Int, _ dimensions: Int) throws -> Tensor {
  var generator = try Generator(seed: 11)
  let first = try generator.normal([1, dimensions], dtype: .float64)
  let others = try generator.normal([count - 2, dimensions], dtype: .float64)
  let all = try Tensor.concatenate([first, first + 0.003, others])
  return try all / all.square().sum(axis: 1, keep: true).sqrt()
}

@Test(arguments: [(40, 3), (60, 25), (150, 7)])
func forcesByMatricesAreThoseOfTheDoubleLoop(count: Int, dimensions: Int) throws {
  let u = try points(count, dimensions)
  let found = try rows(EvenPoints.tangentForces(on: u, epsilon: 0.01))
  let expected = try tangentForces(rows(u), epsilon: 0.01)
  // The pair within epsilon weighs 1e6, and Float64 rounds that at 1e-10.
  for (a, b) in zip(found, expected) { for (a, b) in zip(a, b) { #expect(abs(a - b) < 1e-8) } }
  // In Float32, as many points are moved, apart from that pair.
  let rough = try rows(EvenPoints.tangentForces(on: u.slice(1..<count).to(.float32), epsilon: 0.01))
  let fine = try tangentForces(rows(u.slice(1..<count)), epsilon: 0.01)
  let scale = fine.flatMap { $0 }.map(abs).max() ?? 0
  for (a, b) in zip(rough, fine) { for (a, b) in zip(a, b) { #expect(abs(a - b) < 1e-3 * scale) } }
}

/// Antipodes, tetrahedron, octahedron and icosahedron: points, and the angle of the nearest two in degrees.
private let solids: [(Int, Double)] = [
  (2, 180), (4, acos(-1.0 / 3) * 180 / Double.pi), (6, 90), (12, atan(2.0) * 180 / Double.pi),
]

@Test(arguments: solids)
func chargesOnTheSphereReachTheKnownOptima(count: Int, angle: Double) throws {
  var generator = try Generator(seed: 4)
  let report = try charges(count, dimensions: 3, using: &generator) { ($0.iterations, $0.tolerance) = (5000, 1e-10) }
    .report
  let spread = report.spread
  #expect(report.hasConverged && report.iterations < 5000 && report.movement < 1e-10, "stops where nothing moves")
  let least = try #require(AngularSpread.leastEnergy(of: count, dimensions: 3))
  #expect(abs(spread.energy - least) < 1e-8)  // printed to nine decimals
  // Charges count as resting when they move by less than 1e-10 in an iteration, which leaves them some 1e-6 from the end.
  #expect(abs(spread.minimumAngle - angle) < 1e-4)
}

@Test func meanAngleOfTheIcosahedronIsTheKnownOne() throws {
  var generator = try Generator(seed: 4)
  let report = try charges(12, dimensions: 3, using: &generator) { ($0.iterations, $0.tolerance) = (5000, 1e-10) }
    .report
  // Five neighbours, five opposite them and one antipode: (5 a + 5 (180 − a) + 180) / 11.
  #expect(abs(report.spread.meanAngle - 1080 / 11) < 1e-9)
}

/// The energy and the least angle are two aims: charges that go on lose angle and energy.
@Test func lessEnergyIsNotALargerLeastAngle() throws {
  func spread(_ iterations: Int) throws -> AngularSpread {
    var generator = try Generator(seed: 1)
    return try charges(100, dimensions: 40, using: &generator) { $0.iterations = iterations }.report.spread
  }
  let (early, late) = (try spread(200), try spread(2000))
  #expect(late.energy < early.energy && late.minimumAngle < early.minimumAngle)
}

@Test func aLargerToleranceStopsEarlierAndZeroNever() throws {
  func report(_ tolerance: Double) throws -> EvenPoints.Report {
    var generator = try Generator(seed: 4)
    return try charges(6, dimensions: 3, using: &generator) { ($0.iterations, $0.tolerance) = (3000, tolerance) }.report
  }
  let (rough, fine, never) = (try report(1e-4), try report(1e-8), try report(0))
  #expect(1 < rough.iterations && rough.iterations < fine.iterations && fine.iterations < 3000)
  #expect(rough.movement < 1e-4 && fine.movement < 1e-8 && rough.hasConverged && fine.hasConverged)
  #expect(never.iterations == 3000 && !never.hasConverged)
}

@Test func chargesThatStillMoveDoNotCountAsConverged() throws {
  for iterations in [1, 5] {
    var generator = try Generator(seed: 4)
    let report = try charges(6, dimensions: 3, using: &generator) { $0.iterations = iterations }.report
    #expect(report.iterations == iterations && !report.hasConverged)
  }
}

@Test func restartsKeepTheLeastEnergyAndFollowTheSeed() throws {
  func kept(restarts: Int) throws -> EvenPoints.Charges {
    var generator = try Generator(seed: 9)
    return try charges(32, dimensions: 3, using: &generator) { ($0.iterations, $0.restarts) = (60, restarts) }
  }
  // The same starts one after another, and their least energy by hand.
  var generator = try Generator(seed: 9)
  let all = try (0..<5).map { _ in try charges(32, dimensions: 3, using: &generator) { $0.iterations = 60 } }
  let energies = all.map(\.report.spread.energy)
  #expect(Set(energies).count > 1, "starts differ")
  for restarts in 0..<5 {
    #expect(try kept(restarts: restarts).report.spread.energy == energies[0...restarts].min())
  }
  #expect(try kept(restarts: 4).points.doubles() == kept(restarts: 4).points.doubles())
}

/// Above 256 points, charges move in Float32 first: the same motion, up to rounding, and Float64 in the end.
@Test func manyPointsMoveAsAlgorithm1Says() throws {
  var generator = try Generator(seed: 2)
  let found = try charges(300, dimensions: 12, using: &generator) { $0.iterations = 20 }.points
  #expect(found.dtype == .float64)
  for length in try found.square().sum(axis: 1).doubles() { #expect(abs(length - 1) < 1e-12) }
  var again = try Generator(seed: 2)
  var u = try again.normal([300, 12], dtype: .float64)
  u = try u / u.square().sum(axis: 1, keep: true).sqrt()
  var v = try Tensor.zeros([300, 12], dtype: .float64)
  for _ in 0..<20 {
    let force = try EvenPoints.tangentForces(on: u, epsilon: 0.01)
    let moved = try u + v
    u = try moved / moved.square().sum(axis: 1, keep: true).sqrt()
    v = try v + force * 0.01
  }
  #expect(try (found - u).abs().max().item() < 1e-4)
}

@Test func fourIterationsOfChargesAreThoseOfAlgorithm1() throws {
  // The same start, once left alone and once moved, by loops over the printed equations.
  func points(after iterations: Int) throws -> Tensor {
    var generator = try Generator(seed: 6)
    return try charges(5, dimensions: 3, using: &generator) {
      ($0.gamma, $0.epsilon, $0.iterations) = (0.05, 0.9, iterations)
    }.points
  }
  // Without velocity the first iteration stays where it is.
  var u = try rows(points(after: 1))
  var v = Array(repeating: [0.0, 0, 0], count: 5)
  for _ in 0..<4 {
    let tangents = tangentForces(u, epsilon: 0.9)
    u = zip(u, v).map { u, v in
      let moved = zip(u, v).map(+)
      let length = dot(moved, moved).squareRoot()
      return moved.map { $0 / length }
    }
    v = zip(v, tangents).map { zip($0, $1).map { $0 + 0.05 * $1 } }
  }
  for (found, expected) in zip(try points(after: 4).doubles(), u.flatMap { $0 }) {
    #expect(abs(found - expected) < 1e-12)
  }
}
