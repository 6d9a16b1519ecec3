import CSAE
import ConformanceKit
import DownstreamVAE
import LatentKit
import Testing

@Suite struct CatalogChecks {
  /// As an author calls it. Slower plugins go through `host check`.
  @Test func thePluginsOfThePapersConform() throws {
    let findings = try conformance(of: CSAEPlugin.self, with: plugins)
    let draws = findings.first { $0.slot == "prior" && $0.check == "draws-follow" }
    #expect(draws?.outcome == .passed)
  }

  @Test func thoseOfDownstreamVAEConformToo() throws {
    let findings = try conformance(of: DownstreamVAEPlugin.self, with: plugins)
    #expect(findings.filter { $0.outcome == .warning } == [])
    // Losses of M2 are checked with the encoder that they name.
    #expect(findings.contains { $0.slot == "loss" && $0.part == "m2" && $0.outcome == .passed })
  }

  @Test func faultsAreThrownTogether() throws {
    enum FlawedPlugin: Plugin {
      static let paper: Paper? = nil
      static let contributions = [
        Contribution(
          .schedule, Entry<any LearningRateSchedule>("negative", "a schedule below zero") { _, _ in Negative() })
      ]
      struct Negative: LearningRateSchedule {
        func factor(step: Int, stepsPerEpoch: Int, epochs: Int) -> Double { -1 }
      }
    }
    let error = try #require(throws: ConformanceError.self) { try conformance(of: FlawedPlugin.self) }
    #expect(
      error.findings.map(\.check) == ["factors"] && error.description.contains("schedule 'negative', factors: failed"))
  }
}

@Suite struct MatrixChecks {
  /// A seeded part of what `host check --matrix` runs.
  @Test func drawnCompositionsTrainOrAreRefused() throws {
    let matrix = Matrix(try Catalog(plugins), seed: 1)
    let findings = try matrix.drawn(12).map(matrix.finding)
    #expect(findings.filter(\.outcome.isFault) == [])
    #expect(findings.contains { $0.outcome == .passed })
    for refused in findings where refused.outcome == .skipped { #expect(refused.reason.count > 20) }
  }

  @Test func pairsAreOfDifferentSlotsAndAllThere() throws {
    let catalog = try Catalog(plugins)
    let pairs = Matrix(catalog).pairs
    let counts = MatrixRow.slots.map { catalog.descriptions(of: $0).count }
    let sum = counts.reduce(0, +)
    #expect(pairs.count == (sum * sum - counts.reduce(0) { $0 + $1 * $1 }) / 2)
    #expect(Set(pairs).count == pairs.count && pairs.allSatisfy { $0.parts.count == 2 })
  }

  /// A loss that is fine on the tiny batch of the dry run, and not in training.
  @Test func whatIsNotRefusedBeforeTrainingIsAFault() throws {
    struct Late: Loss {
      func terms(_ forward: Forward, under prior: any Prior) throws -> [Term] {
        let errors = try (forward.reconstruction - forward.inputs).square().flattened().mean(axis: 1)
        return [.perExample("late", try forward.inputs.size(0) == 8 ? errors / 0 : errors)]
      }
    }
    let late = Contribution(.loss, Entry<any Loss>("late", "a loss that fails late") { _, _ in Late() })
    let matrix = Matrix(try Catalog(plugins, adding: [late]))
    let finding = matrix.finding(of: MatrixRow([.encoder: "mlp", .loss: "late"]))
    #expect(finding.outcome == .failed && finding.reason.contains("not refused before training"))
  }

  /// The decoder starts inside the range that the loss takes, and leaves it at the first step.
  @Test func whatDoesNotFitAfterAStepIsRefusedBefore() throws {
    let parts: [Slot: String] = [.encoder: "mlp", .decoder: "class-mean", .classifier: "mlp", .loss: "bce"]
    let finding = Matrix(try Catalog(plugins)).finding(of: MatrixRow(parts))
    #expect(finding.outcome == .skipped && finding.reason.contains("outside 0 to 1"), "\(finding)")
  }

  @Test func whatDoesNotFitIsRefusedWithAReason() throws {
    let matrix = Matrix(try Catalog(plugins))
    let finding = matrix.finding(of: MatrixRow([.encoder: "mlp", .prior: "standard-normal", .loss: "centroid"]))
    #expect(finding.outcome == .skipped && finding.reason.contains("centroid"))
  }
}
