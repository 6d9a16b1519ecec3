import ArgumentParser
import ConformanceKit
import Files
import Foundation
import LatentKit
import Runs

struct CheckCommand: HostSubcommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Check that parts do what their roles promise.",
    discussion: """
      Every part, all parts of a plugin or a slot, or one:

        host check
        host check CSAE
        host check prior
        host check prior:pedcc --seed 2

      Each part is checked in a process of its own, so that one that crashes is a finding. \
      The exit code is 0 unless a check failed or crashed.
      """)

  @Argument(
    help: ArgumentHelp("A part, slot:part, a slot or a plugin; all parts unless given.", valueName: "name"),
    completion: .custom { _, _, _ in Slot.all.map(\.name) + Slot.all.flatMap { Host.names(in: $0) } })
  var names: [String] = []
  @Option(parsing: .unconditional, help: "The number that weights, inputs and draws depend on, 0 or more.")
  var seed = 1
  @Option(help: "cpu, cuda, cuda:1 or mps.") var device = "cpu"
  @Option(help: "Parts that are checked at a time; one for each core unless said.") var jobs: Int?
  @Flag(help: "Print every finding as JSON, one line each.") var json = false
  @Flag(help: "Show what passed and what was skipped, too.") var all = false
  @Option(help: .hidden) var worker: Int?

  func validate() throws {
    guard seed >= 0 else { throw ValidationError("--seed is \(seed), expected 0 or more") }
    if let jobs, !(1...1024).contains(jobs) { throw ValidationError("--jobs is \(jobs), expected 1 to 1024") }
    guard let device = Device(parsing: device), device.isAvailable else {
      throw ValidationError("--device is '\(device)', expected a device that is there; 'host doctor' tells which are")
    }
  }

  func run(in host: Host) throws {
    let parts = try chosen(from: host.catalog).map {
      PartUnderTest($0, in: host.catalog, seed: UInt64(seed), device: Device(parsing: device) ?? .cpu)
    }
    if let worker { return try work(on: parts, from: worker, host.console) }
    let findings = try checked(parts, host.console)
    let counts = Outcome.allCases.map { outcome in (outcome, findings.count { $0.outcome == outcome }) }
    let summary = counts.filter { $0.1 > 0 }.map { "\($0.1) \($0.0.rawValue)" }.joined(separator: ", ")
    if !json { host.console.say("\(parts.count == 1 ? "1 part" : "\(parts.count) parts"): \(summary)") }
    if findings.contains(where: \.outcome.isFault) { throw ExitCode.failure }
  }

  /// The parts that the names stand for, in the order of slots.
  private func chosen(from catalog: Catalog) throws -> [PartDescription] {
    let every = Slot.all.flatMap { catalog.descriptions(of: $0) }
    guard !names.isEmpty else { return every }
    func matches(_ part: PartDescription, _ name: String) -> Bool {
      [part.name, part.slot.name, part.plugin, "\(part.slot.name):\(part.name)"].contains(name)
    }
    for name in names where !every.contains(where: { matches($0, name) }) {
      let known = Set(every.flatMap { [$0.slot.name, $0.plugin, $0.name] }).sorted()
      throw UnknownName(name, among: known, of: "part, slot or plugin")
    }
    return every.filter { part in names.contains { matches(part, $0) } }
  }

  private func work(on parts: [PartUnderTest], from first: Int, _ console: Console) throws {
    guard let part = parts.first, parts.count == 1 else { throw ValidationError("--worker takes one part") }
    Torch.threadCount = 1
    try Isolation.work(on: part, from: first) { console.output($0 + "\n") }
  }

  private func checked(_ parts: [PartUnderTest], _ console: Console) throws -> [Finding] {
    // What a crash prints is in its finding; a backtrace would take seconds each.
    setenv("SWIFT_BACKTRACE", "enable=no", 0)
    let program = Bundle.main.executablePath ?? CommandLine.arguments[0]
    let isolation = Isolation { [seed, device] part, first in
      Command(
        program,
        [
          "check", "\(part.slot.name):\(part.name)", "--worker", "\(first)", "--seed", "\(seed)", "--device", device,
        ])
    }
    let findings = Collected()
    try isolation.findings(of: parts, jobs: jobs ?? ProcessInfo.processInfo.activeProcessorCount) { part, found in
      findings.add(found)
      if json {
        for finding in found { print(finding, console) }
      } else {
        show(found, of: part, console)
      }
    }
    return findings.all
  }

  private func print(_ finding: Finding, _ console: Console) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if let data = try? encoder.encode(finding) { console.say(String(decoding: data, as: UTF8.self)) }
  }

  private func show(_ findings: [Finding], of part: PartUnderTest, _ console: Console) {
    let passed = findings.count { $0.outcome == .passed }
    let skipped = findings.count { $0.outcome == .skipped }
    let rest = findings.filter { $0.outcome.isFault || $0.outcome == .warning }
    console.say(
      "\(part.description.slot.name) '\(part.name)': \(passed) passed" + (skipped > 0 ? ", \(skipped) skipped" : ""))
    for finding in all ? findings : rest {
      console.say("  \(finding.outcome.rawValue)  \(finding.check): \(finding.reason.isEmpty ? finding.fact : finding.reason)")
      if finding.outcome.isFault { console.say("          expected: \(finding.fact)") }
    }
  }
}
