import ConformanceKit
import Datasets
import LatentKit
import Testing

/// A part with a flaw, and the check that finds it.
struct BrokenPart: Sendable, CustomTestStringConvertible {
  let slot: Slot
  let check: String
  let flaw: String
  /// Words of the reason.
  let words: String
  let device: Device
  private let contribution: @Sendable () throws -> Contribution

  init(
    _ slot: Slot, _ check: String, _ flaw: String, words: String = "", device: Device = .cpu,
    _ contribution: @escaping @Sendable () throws -> Contribution
  ) {
    (self.slot, self.check, self.flaw, self.words) = (slot, check, flaw, words)
    (self.device, self.contribution) = (device, contribution)
  }

  /// A part that a closure makes.
  init<Role>(
    _ key: SlotKey<Role>, _ check: String, _ flaw: String, words: String = "", device: Device = .cpu,
    settings: [SettingDescription] = [], make: @escaping @Sendable (SettingValues, BuildContext) throws -> Role
  ) {
    self.init(key.slot, check, flaw, words: words, device: device) {
      Contribution(key, Entry("part", "a part of a test", settings: settings, make: make))
    }
  }

  func finding() throws -> Finding {
    try ConformanceKitTests.finding(check, of: contribution(), slot, device: device)
  }

  var testDescription: String { "\(slot.name), \(check): \(flaw)" }
  var fact: String { "\(slot.name) \(check)" }

  /// Every slot's.
  static let all: [BrokenPart] =
    declarations + encoders + decoders + discriminators + maps + priors + noises + samplers + losses
    + metrics + transforms + constraints + optimizers + schedules + data
}

/// A device that the CPU is taken for, and that no tensor says it is on: to a check, every part forgets the device.
let otherDevice = Device(.cpu, index: 1)

/// A setting whose least value breaks a part.
let breaking = SettingDescription("size", default: 1, "How large it is.", .within(0...4))

@Suite struct BrokenParts {
  @Test(arguments: BrokenPart.all) func areFound(part: BrokenPart) throws {
    let finding = try part.finding()
    #expect(finding.outcome == .failed, "\(finding)")
    #expect(part.words.isEmpty || finding.reason.contains(part.words), "\(finding)")
    #expect(finding.reason.count > 10)
  }

  /// A check that no broken part fails may be one that cannot fail.
  @Test func everyCheckHasOne() {
    let checks = Slot.all.flatMap { slot in Check.all(for: slot).map { "\(slot.name) \($0.name)" } }
    let proven = Set(BrokenPart.all.map(\.fact))
    #expect(checks.filter { !proven.contains($0) } == [])
    #expect(proven.subtracting(checks) == [])
    #expect(Set(checks).count == checks.count)
    #expect(Slot.all.allSatisfy { Check.all(for: $0).count > 4 })
  }

  /// That a part ends the process is found by another one: see `IsolationChecks`.
  @Test func reasonsAndSeedsComeWithEachFinding() throws {
    let part = try #require(BrokenPart.all.first)
    let finding = try part.finding()
    #expect(finding.seed == 1 && finding.slot == part.slot.name && finding.fact.hasSuffix("."))
    #expect(finding.description.hasSuffix("; seed 1"))
  }
}
