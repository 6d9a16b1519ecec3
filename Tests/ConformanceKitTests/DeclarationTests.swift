import ConformanceKit
import LatentKit
import Testing

@Suite struct DeclarationChecks {
  private func schedule(
    _ settings: [SettingDescription], _ summary: String = "a schedule of a test", companions: Companions = Companions(),
    resolve: (@Sendable ([String: Value], String) throws -> [String: Value])? = nil
  ) throws -> [String: Finding] {
    struct Constant: LearningRateSchedule {
      func factor(step: Int, stepsPerEpoch: Int, epochs: Int) -> Double { 1 }
    }
    let plain = Entry<any LearningRateSchedule>("part", summary, settings: settings, with: companions) { _, _ in
      Constant()
    }
    let entry =
      resolve.map { resolve in
        Entry<any LearningRateSchedule>("part", summary, settings: settings, with: companions, resolve: resolve) {
          _, _, _ in
          Constant()
        }
      } ?? plain
    return try findings(Contribution(.schedule, entry), of: .schedule)
  }

  private let rate = SettingDescription("rate", default: 0.5, "Share that is kept of it.", .within(0...1))

  @Test func soundDeclarationsConform() throws { expectConforming(try schedule([rate])) }

  @Test func helpThatSaysNothingIsAFault() throws {
    expectFault(try schedule([SettingDescription("rate", default: 0.5, " ")]), in: "help", "'rate'")
    expectFault(try schedule([rate], "schedule"), in: "help", "summary")
  }

  @Test func settingsThatAreNotKeptAreAFault() throws {
    expectFault(try schedule([rate]) { _, _ in ["rate": 0.5] }, in: "config", "resolves to 0.5")
    expectFault(
      try schedule([rate]) { given, _ in given.isEmpty ? ["rate": 0.5] : ["rate": 0.25] }, in: "config", "change")
    expectFault(try schedule([rate]) { _, _ in ["rate": 0.25] }, in: "config", "described as 0.5")
    expectFault(try schedule([rate]) { _, _ in ["rate": 0.5, "other": 1] }, in: "config", "other")
  }

  @Test func settingsThatAreNotCheckedAreAFault() throws {
    let takesAll: @Sendable ([String: Value], String) -> [String: Value] = { given, _ in
      ["rate": 0.5].merging(given) { $1 }
    }
    expectFault(try schedule([rate], resolve: takesAll), in: "unknown-settings")
  }

  @Test func aCompanionWithAnUnknownSettingIsAFault() throws {
    let companions = Companions([.schedule: PartChoice("part", with: ["wrong": 1])])
    expectFault(try schedule([rate], companions: companions), in: "companions", "wrong")
  }

  @Test func aCompanionThatIsNotThereIsAWarning() throws {
    let findings = try schedule([rate], companions: Companions([.optimizer: "nowhere"]))
    #expect(findings["companions"]?.outcome == .warning)
  }
}
