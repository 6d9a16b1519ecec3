import CSAE
import Foundation
import LatentKit
import Metrics
import Testing

private func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }

private func rows(_ points: Tensor) throws -> [[Double]] {
  try (0..<points.size(0)).map { try points.select($0).doubles() }
}

/// Random points of the unit sphere, the second one right beside the first.
private func points(_ count: Int, _ dimensions: Int) throws -> Tensor {
  var generator = try Generator(seed: 11)
  let first = try generator.normal([1, dimensions], dtype: .float64)
  let others = try generator.normal([count - 2, dimensions], dtype: .float64)
  let all = try Tensor.concatenate([first, first + 0.003, others])
  return try all / all.square().sum(axis: 1, keep: true).sqrt()
}

/// Equations 1 and 2 by a double loop over the differences, as printed.
private func forces(_ u: [[Double]], epsilon: Double) -> [[Double]] {
  u.indices.map { i in
    var f = Array(repeating: 0.0, count: u[i].count)
    for j in u.indices where j != i {
      let l = zip(u[i], u[j]).map { $0 - $1 }
      let length = max(dot(l, l).squareRoot(), epsilon)
      f = zip(f, l).map { $0 + $1 / (length * length * length) }
    }
    let radial = dot(u[i], f)
    return zip(f, u[i]).map { $0 - radial * $1 }
  }
}

@Test(arguments: [(40, 3), (60, 25), (150, 7)])
func forcesByMatricesAreThoseOfTheDoubleLoop(count: Int, dimensions: Int) throws {
  let u = try points(count, dimensions)
  let found = try rows(EvenPoints.tangentForces(on: u, epsilon: 0.01))
  let expected = try forces(rows(u), epsilon: 0.01)
  // The pair within epsilon weighs 1e6, and Float64 rounds that at 1e-10.
  for (a, b) in zip(found, expected) { for (a, b) in zip(a, b) { #expect(abs(a - b) < 1e-8) } }
  // In Float32, as many points are moved, apart from that pair.
  let rough = try rows(EvenPoints.tangentForces(on: u.slice(1..<count).to(.float32), epsilon: 0.01))
  let fine = try forces(rows(u.slice(1..<count)), epsilon: 0.01)
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
  let found = try EvenPoints.charges(count, dimensions: 3, iterations: 5000, tolerance: 1e-10, using: &generator)
  let spread = found.report.spread
  #expect(found.report.hasConverged)
  let least = try #require(AngularSpread.leastEnergy(of: count, dimensions: 3))
  #expect(abs(spread.energy - least) < 1e-8)  // printed to nine decimals
  // Charges count as resting when they move by less than 1e-10 in an iteration, which leaves them some 1e-6 from the end.
  #expect(abs(spread.minimumAngle - angle) < 1e-4)
}

@Test func meanAngleOfTheIcosahedronIsTheKnownOne() throws {
  var generator = try Generator(seed: 4)
  let report = try EvenPoints.charges(12, dimensions: 3, iterations: 5000, tolerance: 1e-10, using: &generator).report
  // Five neighbours, five opposite them and one antipode: (5 a + 5 (180 − a) + 180) / 11.
  #expect(abs(report.spread.meanAngle - 1080 / 11) < 1e-9)
}

/// The energy and the least angle are two aims: charges that go on lose angle and energy.
@Test func lessEnergyIsNotALargerLeastAngle() throws {
  func spread(_ iterations: Int) throws -> AngularSpread {
    var generator = try Generator(seed: 1)
    return try EvenPoints.charges(100, dimensions: 40, iterations: iterations, using: &generator).report.spread
  }
  let (early, late) = (try spread(200), try spread(2000))
  #expect(late.energy < early.energy && late.minimumAngle < early.minimumAngle)
}

@Test func aLargerToleranceStopsEarlierAndZeroNever() throws {
  func report(_ tolerance: Double) throws -> EvenPoints.Report {
    var generator = try Generator(seed: 4)
    return try EvenPoints.charges(
      6, dimensions: 3, iterations: 3000, tolerance: tolerance, using: &generator
    ).report
  }
  let (rough, fine, never) = (try report(1e-4), try report(1e-8), try report(0))
  #expect(1 < rough.iterations && rough.iterations < fine.iterations && fine.iterations < 3000)
  #expect(rough.movement < 1e-4 && fine.movement < 1e-8 && rough.hasConverged && fine.hasConverged)
  #expect(never.iterations == 3000 && !never.hasConverged)
}

@Test func chargesThatStillMoveDoNotCountAsConverged() throws {
  for iterations in [1, 5] {
    var generator = try Generator(seed: 4)
    let report = try EvenPoints.charges(6, dimensions: 3, iterations: iterations, using: &generator).report
    #expect(report.iterations == iterations && !report.hasConverged)
  }
}

@Test func restartsKeepTheLeastEnergyAndFollowTheSeed() throws {
  func charges(restarts: Int) throws -> EvenPoints.Charges {
    var generator = try Generator(seed: 9)
    return try EvenPoints.charges(32, dimensions: 3, iterations: 60, restarts: restarts, using: &generator)
  }
  // The same starts one after another, and their least energy by hand.
  var generator = try Generator(seed: 9)
  let all = try (0..<5).map { _ in try EvenPoints.charges(32, dimensions: 3, iterations: 60, using: &generator) }
  let energies = all.map(\.report.spread.energy)
  #expect(Set(energies).count > 1, "starts differ")
  for restarts in 0..<5 {
    #expect(try charges(restarts: restarts).report.spread.energy == energies[0...restarts].min())
  }
  #expect(try charges(restarts: 4).points.doubles() == charges(restarts: 4).points.doubles())
}

/// Above 256 points, charges move in Float32 first: the same motion, up to rounding, and Float64 in the end.
@Test func manyPointsMoveAsAlgorithm1Says() throws {
  var generator = try Generator(seed: 2)
  let found = try EvenPoints.charges(300, dimensions: 12, iterations: 20, using: &generator).points
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

private func measure(_ prior: any Prior) throws -> [Measured] {
  let evaluation = Evaluation(
    measured: LatentSet(latents: try .zeros([1, 3]), labels: nil), scores: nil, classCount: nil, prior: prior
  ) { throw RecipeError("the training part was not to be encoded") }
  return try CentroidAngles(NoConfig(), in: context()).measure(evaluation)
}

@Test func centroidAnglesOfASimplexAreItsCosine() throws {
  let found = try measure(PEDCC(PEDCC.Config(), in: context(classes: 10, latent: 40)))
  #expect(found.map(\.name) == ["minimum centroid angle", "mean centroid angle", "centroid energy"])
  let angle = acos(-1.0 / 9) * 180 / .pi
  #expect(abs(found[0].value - angle) < 1e-6 && abs(found[1].value - angle) < 1e-6)
  #expect(abs(found[2].value - 45 / (20.0 / 9).squareRoot()) < 1e-9)
}

@Test func centroidAnglesSayWhetherChargesCameToRest() throws {
  var config = PEDCC.Config()
  (config.method, config.iterations, config.tolerance, config.restarts) = (.charge, 3000, 1e-6, 1)
  let prior = try PEDCC(config, in: context(classes: 6, latent: 3))
  let report = try #require(prior.report)
  let found = Dictionary(uniqueKeysWithValues: try measure(prior).map { ($0.name, $0.value) })
  #expect(abs((found["minimum centroid angle"] ?? 0) - 90) < 0.01)
  #expect(found["centroid iterations"] == Double(report.iterations) && report.iterations < 3000)
  #expect(found["centroid movement"] == report.movement && found["centroids at rest"] == 1)
}

@Test func settingsOfTheStoppingRuleAreChecked() throws {
  func refusal(_ change: (inout PEDCC.Config) -> Void) -> String {
    var config = PEDCC.Config()
    change(&config)
    return message { _ = try PEDCC(config, in: context()) }
  }
  #expect(refusal { $0.tolerance = -1 } == "prior 'pedcc': tolerance is -1.0, expected 0 or more")
  #expect(refusal { $0.restarts = -1 } == "prior 'pedcc': restarts is -1, expected 0 to 1000")
  #expect(message { _ = try measure(FlatPrior()) }.contains("FlatPrior has not; set prior to pedcc"))
}
