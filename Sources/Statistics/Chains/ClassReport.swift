import Foundation
import LatentKit

/// The diagnostics of the draws of one class.
struct ClassReport {
  let name: String
  /// The number of draws requested.
  let draws: Int
  /// Accepted moves over all moves; nil where every move is accepted, and where there is no walk.
  let acceptance: Double?
  /// Nil for a class whose one point is repeated.
  let chains: ChainDiagnostics?

  init(of request: ClassRequest, acceptance: Double? = nil, chains: ChainDiagnostics? = nil) {
    name = request.name
    draws = request.count
    self.acceptance = acceptance
    self.chains = chains
  }

  /// Nil where there is no walk, or one too short to be judged.
  var rHat: Double? { chains?.worstRHat }
  var sampleSize: Double? { chains?.smallestBulkSampleSize }
}

/// Returns diagnostics over all classes with chains. An R-hat that is infinite is left to the warnings.
func measurements(of reports: [ClassReport]) -> [Measured] {
  var found: [Measured] = []
  let rates = reports.compactMap(\.acceptance)
  if let lowest = rates.min() {
    found.append(Measured("acceptance rate", 100 * rates.reduce(0, +) / Double(rates.count), unit: "%"))
    found.append(Measured("lowest acceptance rate of a class", 100 * lowest, unit: "%"))
  }
  if let worst = reports.compactMap(\.rHat).max(), worst.isFinite {
    found.append(Measured("largest split R-hat", worst))
  }
  if let smallest = reports.compactMap(\.sampleSize).min() {
    found.append(Measured("smallest bulk effective sample size", smallest))
  }
  if let longest = reports.compactMap({ $0.chains?.longestAutocorrelationTime }).max() {
    found.append(Measured("longest autocorrelation time", longest, unit: "steps"))
  }
  return found
}

extension ClassRequest {
  /// The warning about a class whose one latent is repeated.
  public var pointWarning: String { sentence(aboutPoint: name) }
}

private func sentence(aboutPoint name: String) -> String {
  "\(name): the training latents have no spread, so the draws repeat one point; give it more examples"
}

/// Returns warnings about classes whose draws are unreliable.
///
/// - Parameter remedy: Advice beside longer chains.
func problems(in reports: [ClassReport], remedy: String? = nil) -> [String] {
  let instead = remedy.map { ", or \($0)" } ?? ""
  var warnings: [String] = []
  func warn(_ classes: [ClassReport], _ sentence: (ClassReport) -> String) {
    guard let worst = classes.first else { return }
    let others = classes.count > 1 ? ", and \(classes.count - 1) more like it" : ""
    warnings.append("\(worst.name)\(others): \(sentence(worst))")
  }
  func rounded(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

  let points = reports.filter { $0.chains == nil }
  if let first = points.first {
    warnings.append(
      sentence(aboutPoint: points.count > 1 ? "\(first.name), and \(points.count - 1) more like it" : first.name))
  }
  warn(reports.filter { $0.chains != nil && $0.rHat == nil }) { _ in
    "the walks are too short to be judged; set sampler.steps to 16 or more"
  }
  warn(reports.filter { ($0.rHat ?? 1) > 1.05 }.sorted { ($0.rHat ?? 1) > ($1.rHat ?? 1) }) {
    "the chains have not mixed (split R-hat \(rounded($0.rHat ?? 1, 3)), expected at most 1.05); raise sampler.steps or sampler.warmUp\(instead)"
  }
  let poor = reports.filter { ($0.sampleSize ?? .infinity) < Double($0.draws) }
  warn(poor.sorted { ($0.sampleSize ?? 0) / Double($0.draws) < ($1.sampleSize ?? 0) / Double($1.draws) }) {
    "\($0.draws) draws were requested, and the chains are worth only \(rounded($0.sampleSize ?? 0, 1)) independent ones; raise sampler.steps or sampler.chains\(instead)"
  }
  return warnings
}
