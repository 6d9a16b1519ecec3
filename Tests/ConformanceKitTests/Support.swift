import ConformanceKit
import LatentKit
import Testing

/// Checks a part that a closure makes, and returns its findings by the name of the check.
func findings<Role>(
  _ key: SlotKey<Role>, settings: [SettingDescription] = [],
  make: @escaping @Sendable (SettingValues, BuildContext) throws -> Role
) throws -> [String: Finding] {
  try findings(Contribution(key, Entry("part", "a part of a test", settings: settings, make: make)), of: key.slot)
}

/// Checks the part of a contribution.
func findings(_ contribution: Contribution, of slot: Slot) throws -> [String: Finding] {
  let catalog = try Catalog([], adding: [contribution])
  let part = PartUnderTest(catalog.descriptions(of: slot)[0], in: catalog)
  return Dictionary(uniqueKeysWithValues: part.findings().map { ($0.check, $0) })
}

/// Runs one check on a part that a closure makes.
func finding<Role>(
  _ check: String, _ key: SlotKey<Role>, settings: [SettingDescription] = [],
  make: @escaping @Sendable (SettingValues, BuildContext) throws -> Role
) throws -> [String: Finding] {
  let contribution = Contribution(key, Entry("part", "a part of a test", settings: settings, make: make))
  let catalog = try Catalog([], adding: [contribution])
  let part = PartUnderTest(catalog.descriptions(of: key.slot)[0], in: catalog)
  return Dictionary(
    uniqueKeysWithValues: Check.all(for: key.slot).filter { $0.name == check }.map { ($0.name, $0.run(on: part)) })
}

/// A flaw of a part: the name of the check that finds it, and what tells it from others that the same check finds.
protocol Flaw: RawRepresentable, CaseIterable, Sendable where RawValue == String {}
extension Flaw {
  var check: String { String(rawValue.split(separator: "/")[0]) }
}

/// Expects a fault in one check of a broken part, whose reason contains some words; the other checks may find it as well.
func expectFault(
  _ findings: [String: Finding], in check: String, _ words: String = "",
  sourceLocation: SourceLocation = #_sourceLocation
) {
  guard let finding = findings[check] else {
    Issue.record("there is no check '\(check)'", sourceLocation: sourceLocation)
    return
  }
  #expect(finding.outcome == .failed, "\(finding)", sourceLocation: sourceLocation)
  #expect(words.isEmpty || finding.reason.contains(words), "\(finding)", sourceLocation: sourceLocation)
}

/// Expects no fault in any check.
func expectConforming(_ findings: [String: Finding], sourceLocation: SourceLocation = #_sourceLocation) {
  for finding in findings.values where finding.outcome != .passed && finding.outcome != .skipped {
    Issue.record("\(finding)", sourceLocation: sourceLocation)
  }
}

/// A generator that no seed reaches: what an author makes on the spot.
final class Stray: @unchecked Sendable {
  private var generator: Generator
  init() { generator = try! Generator(seed: UInt64.random(in: 0..<1 << 40)) }
  func normal(_ shape: [Int], like tensor: Tensor) throws -> Tensor {
    try generator.normal(shape).to(tensor.dtype, tensor.device)
  }
}
