import Foundation
import LatentKit
import Metrics

/// What there is to say about the draws of one class.
struct ClassReport {
  let name: String
  /// How many draws were asked for.
  let draws: Int
  /// Accepted moves over all moves; nil for a class whose one point is repeated.
  let acceptance: Double?
  /// Nil where there is no walk, or one too short to be judged.
  let rHat: Double?
  let sampleSize: Double?

  init(of request: ClassRequest, acceptance: Double? = nil, chains: ChainDiagnostics? = nil) {
    name = request.name
    draws = request.count
    self.acceptance = acceptance
    rHat = chains?.worstRHat
    sampleSize = chains?.smallestSampleSize
  }
}

/// Numbers over all classes that walked. An R-hat that is infinite is left to the warnings.
func measurements(of reports: [ClassReport]) -> [Measured] {
  let rates = reports.compactMap(\.acceptance)
  guard let lowest = rates.min() else { return [] }
  var found = [
    Measured("acceptance rate", 100 * rates.reduce(0, +) / Double(rates.count), unit: "%"),
    Measured("lowest acceptance rate of a class", 100 * lowest, unit: "%"),
  ]
  if let worst = reports.compactMap(\.rHat).max(), worst.isFinite {
    found.append(Measured("largest split R-hat", worst))
  }
  if let smallest = reports.compactMap(\.sampleSize).min() {
    found.append(Measured("smallest effective sample size", smallest))
  }
  return found
}

/// Sentences about classes whose draws should not be trusted.
func problems(in reports: [ClassReport]) -> [String] {
  var warnings: [String] = []
  func warn(_ classes: [ClassReport], _ sentence: (ClassReport) -> String) {
    guard let worst = classes.first else { return }
    let others = classes.count > 1 ? ", and \(classes.count - 1) more like it" : ""
    warnings.append("\(worst.name)\(others): \(sentence(worst))")
  }
  func rounded(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

  warn(reports.filter { $0.acceptance == nil }) { _ in
    "the training latents have no spread, so the draws repeat one point; give it more examples"
  }
  warn(reports.filter { $0.acceptance != nil && $0.rHat == nil }) { _ in
    "the walks are too short to be judged; set sampler.steps to 16 or more"
  }
  warn(reports.filter { ($0.rHat ?? 1) > 1.05 }.sorted { ($0.rHat ?? 1) > ($1.rHat ?? 1) }) {
    "the chains have not mixed (split R-hat \(rounded($0.rHat ?? 1, 2)), expected at most 1.05); raise sampler.steps or sampler.warmUp"
  }
  let poor = reports.filter { ($0.sampleSize ?? .infinity) < Double($0.draws) }
  warn(poor.sorted { ($0.sampleSize ?? 0) / Double($0.draws) < ($1.sampleSize ?? 0) / Double($1.draws) }) {
    "\($0.draws) draws were asked for, and the chains are worth only \(rounded($0.sampleSize ?? 0, 1)) independent ones; raise sampler.steps or sampler.chains"
  }
  return warnings
}
