import CSAE
import Foundation
import LatentKit
import TestSupport
import Testing

private func measure(_ prior: any Prior) throws -> [Measured] {
  let measured = LatentSet(latents: try .zeros([1, 3]), labels: nil)
  return try CentroidAngles(NoConfig(), in: context()).finish(evaluation(measured, prior))
}

@Test func centroidAnglesOfASimplexAreItsCosine() throws {
  let found = try measure(PEDCC(PEDCC.Config(), in: context(classes: 10, latent: 40)))
  #expect(found.map(\.name) == ["minimum centroid angle", "mean centroid angle", "centroid energy"])
  let angle = acos(-1.0 / 9) * 180 / .pi
  let values = found.compactMap(\.value)
  #expect(abs(values[0] - angle) < 1e-6 && abs(values[1] - angle) < 1e-6)
  #expect(abs(values[2] - 45 / (20.0 / 9).squareRoot()) < 1e-9)
}

@Test func centroidAnglesSayWhetherChargesCameToRest() throws {
  var config = PEDCC.Config()
  (config.method, config.iterations, config.tolerance, config.restarts) = (.charge, 3000, 1e-6, 1)
  let prior = try PEDCC(config, in: context(classes: 6, latent: 3))
  let report = try #require(prior.report)
  let found = Dictionary(
    uniqueKeysWithValues: try measure(prior).compactMap { found in found.value.map { (found.name, $0) } })
  #expect(abs((found["minimum centroid angle"] ?? 0) - 90) < 0.01)
  #expect(found["centroid iterations"] == Double(report.iterations) && report.iterations < 3000)
  #expect(found["centroid movement"] == report.movement && found["centroids at rest"] == 1)
}

@Test func centroidAnglesNeedCentroids() throws {
  #expect(message { _ = try measure(FlatPrior()) }.contains("FlatPrior has not; set prior to pedcc"))
}
