import ConformanceKit
import Foundation
import LatentKit
import Testing

@testable import ForeignParts

/// The examples do what their roles promise.
@Suite struct Conformance {
  private let scratch: Scratch
  init() throws { scratch = try Scratch() }

  private func check(_ manifest: String, passing least: Int) throws {
    let catalog = try Catalog(plugins).adding(foreign: [manifest])
    let name = URL(fileURLWithPath: manifest).lastPathComponent
    let parts = Slot.all.flatMap { catalog.descriptions(of: $0) }.filter { $0.plugin == name }
    #expect(!parts.isEmpty)
    for part in parts {
      let findings = PartUnderTest(part, in: catalog).findings()
      let faults = findings.filter { $0.outcome.isFault || $0.outcome == .warning }
      #expect(faults.isEmpty, "\(faults.map(\.description).joined(separator: "\n"))")
      #expect(findings.count { $0.outcome == .passed } >= least, "\(findings.map(\.description))")
    }
  }

  @Test func thePriorInCConforms() throws { try check(scratch.example("laplace.c"), passing: 12) }
  @Test(.enabled(if: hasGSL)) func thePriorsOfASystemLibraryConform() throws {
    try check(fixtures.appendingPathComponent("gsl.yaml").path, passing: 10)
  }
  @Test func aDensityOfClassesWithoutAGradientConforms() throws {
    _ = try scratch.hostile(Densities.ofClass)
    try check(scratch.path("parts.yaml"), passing: 10)
  }
  @Test func theSamplerInCPlusPlusConforms() throws { try check(scratch.example("walkers.cpp"), passing: 10) }
  @Test func theLossInCConforms() throws { try check(scratch.example("logcosh.c"), passing: 10) }
  @Test func theReaderInCConforms() throws { try check(scratch.example("points.c"), passing: 4) }

  /// An exact gradient of Float32 conforms, whatever the seed; one that is wrong by a twentieth does not.
  @Test func gradientsOfSinglePrecisionAreComparedInIt() throws {
    func faults(factor: Double) throws -> [[String]] {
      let catalog = try scratch.hostile(
        """
          - loss: single
            summary: a loss in Float32
            settings: {factor: {default: \(factor), help: of the gradient}}
            terms:
              call: log_cosh_single
              takes: [inputs: float*, reconstruction: float*, rows: int64_t, size: int64_t, factor: double,
                losses: float*, reconstruction-gradients: float*]
        """)
      let part = try #require(catalog.descriptions(of: .loss).first)
      return (1...8).map { seed in
        PartUnderTest(part, in: catalog, seed: seed).findings().filter(\.outcome.isFault).map(\.check)
      }
    }
    #expect(try faults(factor: 1) == Array(repeating: [], count: 8))
    #expect(try faults(factor: 0.95) == Array(repeating: ["gradients"], count: 8))
  }
}
