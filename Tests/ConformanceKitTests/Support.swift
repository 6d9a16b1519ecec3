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
  let part = try part(of: contribution, slot)
  return Dictionary(uniqueKeysWithValues: part.findings().map { ($0.check, $0) })
}

/// Runs one check on the part of a contribution.
func finding(_ name: String, of contribution: Contribution, _ slot: Slot, device: Device = .cpu) throws -> Finding {
  let part = try part(of: contribution, slot, device: device)
  return try #require(Check.all(for: slot).first { $0.name == name }).run(on: part)
}

/// Runs one check on a part that a closure makes.
func finding<Role>(
  _ name: String, _ key: SlotKey<Role>, make: @escaping @Sendable (SettingValues, BuildContext) throws -> Role
) throws -> Finding {
  try finding(name, of: Contribution(key, Entry("part", "a part of a test", make: make)), key.slot)
}

private func part(of contribution: Contribution, _ slot: Slot, device: Device = .cpu) throws -> PartUnderTest {
  let catalog = try Catalog([], adding: [contribution])
  return PartUnderTest(catalog.descriptions(of: slot)[0], in: catalog, device: device)
}

/// A flaw of a part: the name of the check that finds it, and what tells it from others that the same check finds.
protocol Flaw: RawRepresentable, CaseIterable, Sendable where RawValue == String {}
extension Flaw {
  var check: String { String(rawValue.split(separator: "/")[0]) }
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
