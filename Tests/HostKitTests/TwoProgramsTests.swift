import Foundation
import Testing
import Training

@testable import HostKit

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The `host` program as a process of its own, beside the tests.
final class Program {
  private let process = Process()

  init(_ arguments: [String]) throws {
    let own = CommandLine.arguments
    let bundle = own.firstIndex(of: "--test-bundle-path").map { own[$0 + 1] } ?? own[0]
    let folder = URL(fileURLWithPath: bundle).resolvingSymlinksInPath().deletingLastPathComponent()
    let beside = folder.appendingPathComponent("host")
    process.executableURL =
      FileManager.default.isExecutableFile(atPath: beside.path)
      ? beside : packageRoot.appendingPathComponent(".build/debug/host")
    process.arguments = arguments
    for end in [\Process.standardInput, \.standardOutput, \.standardError] {
      process[keyPath: end] = FileHandle.nullDevice
    }
    // Threads of a pool block signals, and what they start inherits that.
    var (signals, before) = (sigset_t(), sigset_t())
    sigemptyset(&signals)
    for number in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&signals, number) }
    pthread_sigmask(SIG_UNBLOCK, &signals, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    try process.run()
  }

  deinit {
    guard process.isRunning else { return }
    send(SIGKILL)
    process.waitUntilExit()
  }

  func send(_ number: Int32) { kill(process.processIdentifier, number) }

  /// Stops it where it is, and waits until all of its threads stand still.
  func pause() {
    send(SIGSTOP)
    let threads = "/proc/\(process.processIdentifier)/task"
    guard FileManager.default.fileExists(atPath: threads) else {
      usleep(200_000)
      return
    }
    let limit = Date() + 10
    while Date() < limit {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: threads)) ?? []
      let states = names.map { (try? String(contentsOfFile: "\(threads)/\($0)/stat", encoding: .utf8)) ?? "" }
      if states.allSatisfy({ $0.contains(") T ") }) { return }
      usleep(1_000)
    }
  }

  /// Waits for a file that the program writes. A program that takes a minute is killed.
  func wait(for file: URL) -> Bool {
    let limit = Date() + 60
    while process.isRunning, Date() < limit {
      if FileManager.default.fileExists(atPath: file.path) { return true }
      usleep(2_000)
    }
    return false
  }

  /// Waits for the end, and returns the exit status; nil where a signal ended it, and where it had to be killed.
  func end() -> Int32? {
    let limit = Date() + 60
    while process.isRunning, Date() < limit { usleep(5_000) }
    if process.isRunning { send(SIGKILL) }
    process.waitUntilExit()
    return process.terminationReason == .exit ? process.terminationStatus : nil
  }
}

@Suite(.serialized) struct TwoPrograms {
  private let scratch: Scratch
  private let recipe: String
  private let table: String
  private var runs: String { "\(scratch.path)/runs" }

  init() throws {
    scratch = try Scratch()
    recipe = try scratch.write(
      """
      data: {use: mnist, with: {embedded: true, limit: 60}}
      encoder: {use: mlp, with: {latent: 10, hidden: [8]}}
      prior: pedcc
      sampler: class-gaussian
      stages: [{epochs: 2, batch: 10}]
      """, to: "r.yaml")
    table = try scratch.write("seeds: [1]\nrows: [{row: one, recipe: r.yaml}]", to: "t.yaml")
  }

  private func compose(_ more: String...) -> [String] {
    ["compose", recipe, "--per-class", "2", "--threads", "1", "--runs", runs, "--name", "run"] + more
  }
  private var long: [String] { ["--set", "epochs=100000"] }
  private func url(_ path: String) -> URL { scratch.url.appendingPathComponent("runs/\(path)") }

  /// A first program that trains, begun in each way, is stopped in its middle; whatever a second one is asked to do, the
  /// run keeps every byte, and the first goes on when it is let.
  @Test(arguments: [[], ["--overwrite"], ["--resume"], ["--seeds", "1,2"]])
  func whileOneTrainsNothingOfTheRunIsTouched(flags: [String]) throws {
    if flags == ["--overwrite"] || flags == ["--resume"] {
      // Resumed with its own recipe: one that was stopped early.
      let first = try Program(compose() + long)
      #expect(first.wait(for: url("run/metrics.jsonl")))
      first.send(SIGKILL)
      _ = first.end()
      #expect(FileManager.default.fileExists(atPath: url("run/recipe.yaml").path))
    }
    let isStudy = flags.contains("--seeds")
    let epochs = url(isStudy ? "run/seed-1/metrics.jsonl" : "run/metrics.jsonl")
    let known = try? Data(contentsOf: epochs)
    let first = try Program(compose() + long + flags)
    // It has the lock once it has written an epoch of its own.
    let limit = Date() + 60
    func isBegun() -> Bool {
      guard let now = try? Data(contentsOf: epochs), !now.isEmpty, let known else {
        return FileManager.default.fileExists(atPath: epochs.path)
      }
      return now.count > known.count || !known.starts(with: now)
    }
    let checkpoint = url("run/checkpoints/last.safetensors")
    while Date() < limit, !(isBegun() && (isStudy || FileManager.default.fileExists(atPath: checkpoint.path))) {
      usleep(2_000)
    }
    first.pause()
    let before = try facts(url("run"))
    let others = [
      compose() + long, compose("--overwrite"), compose("--resume"), compose("--overwrite", "--seeds", "1,2"),
      compose("--resume", "--seeds", "1,2"),
      ["train"] + compose("--overwrite").dropFirst().filter { $0 != "--per-class" && $0 != "2" },
    ]
    for other in others {
      let found = message(other)
      #expect(
        found.contains("another program") || found.contains("holds a run already"), "\(flags), then \(other): \(found)")
      #expect(try differences(before, facts(url("run"))) == [], "\(flags), then \(other)")
    }
    // Those that read do their work, and add files at most.
    if !isStudy {
      try host("evaluate", url("run").path)
      try host("sample", url("run").path, "--per-class", "2", "--output", "\(scratch.path)/x.png")
      let after = try facts(url("run"))
      #expect(differences(before, after) == [])
    }
    // An exit status for each signal.
    first.send(SIGCONT)
    first.send(isStudy ? SIGHUP : SIGTERM)
    #expect(first.end() == (isStudy ? 129 : 143), "\(flags)")
  }

  @Test func aRunOfAnExperimentIsTrainedByOneProgramAtATime() throws {
    let set = ["--set", "epochs=100000", "--runs", runs, "--threads", "1"]
    let first = try Program(["reproduce", table] + set)
    func folder() -> URL? {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: runs)) ?? []
      return names.first { $0.contains("-seed-1-") }.map(url)
    }
    let limit = Date() + 60
    while Date() < limit,
      folder().map({ FileManager.default.fileExists(atPath: $0.appendingPathComponent("metrics.jsonl").path) }) != true
    {
      usleep(2_000)
    }
    let run = try #require(folder())
    first.pause()
    let before = try facts(run)
    // A second one of the same experiment waits for it, and touches nothing.
    let second = try Program(["reproduce", table] + set)
    sleep(3)
    second.send(SIGTERM)
    #expect(second.end() == 143)
    let name = run.lastPathComponent
    #expect(
      message("compose", recipe, "--runs", runs, "--name", name, "--overwrite").contains("another program"))
    #expect(try differences(before, facts(run)) == [])
    first.send(SIGCONT)
    first.send(SIGTERM)
    #expect(first.end() == 143)
  }

  /// Started as often as there is room for, an experiment is shared among the programs, and each ends with all results.
  @Test func programsOfOneExperimentShareItsRuns() throws {
    let programs = try (1...3).map { _ in
      try Program(["reproduce", table, "--seeds", "1-6", "--runs", runs, "--threads", "1"])
    }
    #expect(programs.map { $0.end() } == [0, 0, 0])
    let names = try FileManager.default.contentsOfDirectory(atPath: runs).filter { $0.contains("-seed-") }
    #expect(names.count == 6)
    for name in names {
      let folder = url(name)
      #expect(FileManager.default.fileExists(atPath: folder.appendingPathComponent("summary.json").path), "\(name)")
      // Trained once: epochs are counted up from 1.
      let epochs = try MetricsLog.read(RunFolder(folder).metrics).map(\.epoch)
      #expect(epochs == Array(1...epochs.count), "\(name)")
    }
  }

  @Test func aRunThatIsReadIsNotTrainedAgain() throws {
    try host(compose())
    let reading = try RunFolder(url("run")).lockForReading()
    #expect(reading != nil)
    let before = try facts(url("run"))
    for flags in [["--overwrite"], ["--resume"], ["--overwrite", "--seeds", "1,2"]] {
      #expect(message(compose() + flags).contains("another program"), "\(flags)")
    }
    #expect(try differences(before, facts(url("run"))) == [])
    // Others read beside it, and add what they draw.
    try host("sample", url("run").path, "--per-class", "2")
    try host("evaluate", url("run").path)
    withExtendedLifetime(reading) {}
  }

  @Test func programsThatDrawSideBySideGetDifferentNames() throws {
    try host(compose())
    let programs = try (1...3).map {
      try Program(["sample", url("run").path, "--per-class", "2", "--threads", "1", "--seed", "\($0)"])
    }
    #expect(programs.map { $0.end() } == [0, 0, 0])
    let pictures = try FileManager.default.contentsOfDirectory(atPath: url("run/figures").path).filter {
      $0.hasPrefix("samples") && $0.hasSuffix("png")
    }
    #expect(pictures.sorted() == ["samples-2.png", "samples-3.png", "samples-4.png", "samples.png"])
    let different = try Set(pictures.map { try Data(contentsOf: url("run/figures/\($0)")) })
    #expect(different.count == 4)
  }

  @Test func whatAKilledProgramLeftHalfWrittenGoesWithTheNextLock() throws {
    try host(compose())
    let left = [
      ".recipe.yaml.77.partial", "checkpoints/.last.safetensors.78.partial", "figures/.samples.png.79.partial",
    ]
    for path in left { try Data("half".utf8).write(to: url("run/\(path)")) }
    try Data("mine".utf8).write(to: url("run/.mine.partial"))
    try host(compose("--resume"))
    for path in left { #expect(!FileManager.default.fileExists(atPath: url("run/\(path)").path), "\(path)") }
    #expect(FileManager.default.fileExists(atPath: url("run/.mine.partial").path))
  }
}
