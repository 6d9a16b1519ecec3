import ArgumentParser
import ConformanceKit
import Files
import ForeignParts
import Foundation
import LatentKit
import Runs
import Synchronization

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
        host check prior:laplace --foreign laplace.yaml

      With --matrix, parts are composed with each other and trained for a few steps: \
      every two of different slots, and some of all slots, which --rows counts.

        host check --matrix
        host check --matrix CSAE --rows 1000

      Each part is checked in a process of its own, so that one that crashes is a finding. \
      The exit code is 0 unless a check failed or crashed.
      """)

  @Argument(
    help: ArgumentHelp("A part, slot:part, a slot or a plugin; all parts unless given.", valueName: "name"),
    completion: .custom { words, _, _ in Slot.all.map(\.name) + Slot.all.flatMap { Host.names(in: $0, on: words) } })
  var names: [String] = []
  @Option(parsing: .unconditional, help: "The number that weights, inputs and draws depend on, 0 or more.")
  var seed = 1
  @Option(help: "cpu, cuda, cuda:1 or mps.") var device = "cpu"
  @Option(parsing: .unconditional, help: "Parts that are checked at a time; one for each core unless said.") var jobs:
    Int?
  @Flag(help: "Print every finding as JSON, one line each.") var json = false
  @Flag(help: "Show what passed and what was skipped, too.") var all = false
  @Flag(help: "Compose parts with each other, and train what fits.") var matrix = false
  @Option(
    parsing: .unconditional,
    help: "With --matrix: compositions of a part from each slot, drawn by the seed; 100 unless said.")
  var rows: Int?
  @Flag(help: "With --matrix: only those compositions, without every pair of parts.") var drawn = false
  @OptionGroup var foreign: ForeignOptions
  /// The checks that this process runs for another one: from the first to the last.
  @Option(help: .hidden) var worker: Int?
  @Option(help: .hidden) var last: Int?
  /// Whether it loads libraries for another process, and checks nothing else.
  @Flag(help: .hidden) var loads = false

  func validate() throws {
    guard !names.contains("") else {
      throw ValidationError("found an empty name, expected a part, slot:part, a slot or a plugin, as in prior:pedcc")
    }
    guard seed >= 0 else { throw ValidationError("--seed is \(seed), expected 0 or more") }
    if let jobs, !(1...1024).contains(jobs) { throw ValidationError("--jobs is \(jobs), expected 1 to 1024") }
    if let rows, !(0...1_000_000).contains(rows) {
      throw ValidationError("--rows is \(rows), expected 0 to 1000000")
    }
    guard matrix || (rows == nil && !drawn) else {
      throw ValidationError("\(drawn ? "--drawn" : "--rows") needs --matrix")
    }
    guard let device = Device(parsing: device), device.isAvailable else {
      throw ValidationError("--device is '\(device)', expected a device that is there; 'host doctor' tells which are")
    }
  }

  func run(in host: Host) throws {
    if loads { return try work(on: loadTasks.dropFirst(worker ?? 0), host.console) }
    // What a crash prints is in its finding; a backtrace would take seconds each.
    setenv("SWIFT_BACKTRACE", "enable=no", 0)
    // A library runs code of its own where it is loaded: in another process first.
    if worker == nil, !foreign.manifests.isEmpty {
      let options = ["--seed", "\(seed)", "--loads"] + foreign.typed
      let found = try Isolation(loadTasks) { Command(program, ["check"] + options + ["--worker", "\($0)"]) }.findings()
      let crashed = found.filter { $0.outcome == .crashed }
      if !crashed.isEmpty {
        for finding in crashed { say([finding], host.console) }
        return try sum(up: crashed, of: crashed.count, host.console)
      }
    }
    try check(in: host.loading(foreign.manifests))
  }

  /// Loads the library of each manifest, a task for each of its parts.
  private var loadTasks: [CheckTask] {
    get throws {
      let loaded = Mutex<Set<String>>([])
      return try foreign.manifests.map(ForeignManifest.init).flatMap { manifest in
        Slot.all.flatMap { slot in
          manifest.names(in: slot).map { name in
            CheckTask.loading(name, of: slot, seed: UInt64(seed)) {
              guard loaded.withLock({ $0.insert(manifest.path).inserted }) else { return }
              _ = try ForeignLibrary(manifest.path)
            }
          }
        }
      }
    }
  }

  private var program: String { Bundle.main.executablePath ?? CommandLine.arguments[0] }

  private func work(on tasks: ArraySlice<CheckTask>, _ console: Console) throws {
    Torch.threadCount = 1
    try Isolation.work(on: tasks) { console.output($0 + "\n") }
  }

  private func check(in host: Host) throws {
    let groups: [Isolation]
    do { groups = try self.groups(of: host.catalog) } catch let error as UnknownName {
      // The name of a plugin that is not built yet.
      for finding in host.misplacedPlugins { host.console.warn(finding) }
      throw error
    }
    if let worker {
      let tasks = groups.flatMap(\.tasks)
      return try work(on: tasks[worker..<min(last ?? tasks.count, tasks.count)], host.console)
    }
    for finding in host.misplacedPlugins { host.console.warn(finding) }
    try sum(up: checked(groups, host.console), of: groups.count, host.console)
  }

  /// Prints how many findings there are of each outcome, and fails where one is a fault.
  private func sum(up findings: [Finding], of count: Int, _ console: Console) throws {
    let counts = Outcome.allCases.map { outcome in (outcome, findings.count { $0.outcome == outcome }) }
    let summary = counts.filter { $0.1 > 0 }.map { "\($0.1) \(words($0.0))" }.joined(separator: ", ")
    if !json { console.say("\(matrix ? "compositions" : counted(count, "part")): \(summary)") }
    if findings.contains(where: \.outcome.isFault) { throw ExitCode.failure }
  }

  /// What an outcome is called in the summary.
  private func words(_ outcome: Outcome) -> String {
    guard matrix else { return outcome.rawValue }
    return switch outcome {
    case .passed: "trained"
    case .skipped: "refused before training"
    default: outcome.rawValue
    }
  }

  /// The checks, in groups that have a process each.
  private func groups(of catalog: Catalog) throws -> [Isolation] {
    let (seed, device) = (UInt64(seed), Device(parsing: device) ?? .cpu)
    let parts = try chosen(from: catalog)
    guard matrix else {
      return parts.map { part in
        isolation(
          PartUnderTest(part, in: catalog, seed: seed, device: device).tasks, ["\(part.slot.name):\(part.name)"], 0)
      }
    }
    let compositions = Matrix(catalog, seed: seed, device: device)
    let every = try (drawn ? [] : compositions.pairs) + compositions.drawn(rows ?? 100)
    let tasks = every.filter { row in
      names.isEmpty || row.parts.contains { slot, name in parts.contains { $0.slot == slot && $0.name == name } }
    }.map(compositions.task)
    guard !tasks.isEmpty else {
      throw ValidationError(
        names.isEmpty || every.isEmpty
          ? "there is nothing to check; give --rows 1 or more, or leave --drawn out"
          : "no composition has any of \(names.joined(separator: ", ")); they vary \(MatrixRow.slots.map(\.name).joined(separator: ", "))"
      )
    }
    guard worker == nil else { return [isolation(tasks, [], 0)] }
    return stride(from: 0, to: tasks.count, by: 40).map { start in
      isolation(Array(tasks[start..<min(start + 40, tasks.count)]), names, start)
    }
  }

  /// - Parameter start: The place of the first of these checks among those that a worker with these names finds.
  private func isolation(_ tasks: [CheckTask], _ names: [String], _ start: Int) -> Isolation {
    var options = ["--seed", "\(seed)", "--device", device] + foreign.typed
    if matrix { options += ["--matrix", "--rows", "\(rows ?? 100)"] + (drawn ? ["--drawn"] : []) }
    let end = start + tasks.count
    return Isolation(tasks) { [options, program] first in
      Command(program, ["check"] + names + options + ["--worker", "\(start + first)", "--last", "\(end)"])
    }
  }

  /// The parts that the names stand for, in the order of slots.
  private func chosen(from catalog: Catalog) throws -> [PartDescription] {
    let every = Slot.all.flatMap { catalog.descriptions(of: $0) }
    guard !names.isEmpty else { return every }
    func matches(_ part: PartDescription, _ name: String) -> Bool {
      [part.name, part.slot.name, part.plugin, "\(part.slot.name):\(part.name)"].contains(name)
    }
    for name in names where !every.contains(where: { matches($0, name) }) {
      let isPlaced = name.contains(":")
      let known = every.flatMap { isPlaced ? ["\($0.slot.name):\($0.name)"] : [$0.slot.name, $0.plugin, $0.name] }
      throw UnknownName(name, among: Set(known).sorted(), of: isPlaced ? "part" : "part, slot or plugin")
    }
    return every.filter { part in names.contains { matches(part, $0) } }
  }

  private func checked(_ groups: [Isolation], _ console: Console) throws -> [Finding] {
    let findings = Collected()
    try Isolation.run(groups, jobs: jobs ?? ProcessInfo.processInfo.activeProcessorCount) { _, found in
      findings.add(found)
      say(found, console)
    }
    return findings.all
  }

  private func say(_ findings: [Finding], _ console: Console) {
    if json {
      for finding in findings { print(finding, console) }
    } else if matrix {
      for finding in findings { show(finding, console) }
    } else {
      show(findings, console)
    }
  }

  private func print(_ finding: Finding, _ console: Console) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    if let data = try? encoder.encode(finding) { console.say(String(decoding: data, as: UTF8.self)) }
  }

  private func show(_ findings: [Finding], _ console: Console) {
    guard let first = findings.first else { return }
    let passed = findings.count { $0.outcome == .passed }
    let skipped = findings.count { $0.outcome == .skipped }
    console.say("\(first.slot) '\(first.part)': \(passed) passed" + (skipped > 0 ? ", \(skipped) skipped" : ""))
    let shown = findings.filter { all || $0.outcome.isFault || $0.outcome == .warning }
    for (index, finding) in shown.enumerated() {
      // One cause may fail many checks.
      func isAlike(_ other: Finding) -> Bool {
        !finding.reason.isEmpty && other.reason == finding.reason && other.outcome == finding.outcome
      }
      if shown[..<index].contains(where: isAlike) { continue }
      let checks = [finding.check] + shown[(index + 1)...].filter(isAlike).map(\.check)
      console.say(
        "  \(finding.outcome.rawValue)  \(checks.joined(separator: ", ")): "
          + (finding.reason.isEmpty ? finding.fact : finding.reason))
      if finding.outcome.isFault, checks.count == 1 { console.say("          expected: \(finding.fact)") }
    }
    if findings.contains(where: \.outcome.isFault) {
      let typed = foreign.typed.map { " " + $0.quotedForShell }.joined()
      console.say("  again:  host check \(first.slot):\(first.part) --seed \(seed) --device \(device)" + typed)
    }
  }

  /// A composition, on a line.
  private func show(_ finding: Finding, _ console: Console) {
    guard all || finding.outcome.isFault else { return }
    console.say("\(words(finding.outcome))  \(finding.part)" + (finding.reason.isEmpty ? "" : ": \(finding.reason)"))
  }
}
