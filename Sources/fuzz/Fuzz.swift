import ArgumentParser
import Foundation
import LatentKit

/// Tries the readers of files on files that are damaged, and on files that are small and costly.
struct Fuzz: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fuzz",
    abstract: "Try every reader of files on damaged and on costly files; run it in the root of the repository.",
    discussion: """
        fuzz --seed 7 --count 3000
        fuzz --bombs
        fuzz --case csv:12345

      A case follows from its reader and its seed. It fails where the program is trapped, takes more than \(Worker.seconds) \
      seconds or \(Worker.mebibytes) MiB, refuses a file without a reason of its own, or takes what makes no sense.
      """)

  @Option(help: "What the cases follow from.") var seed: UInt64 = 1
  @Option(help: "How many cases.") var count = 0
  @Option(help: "Only this reader: \(allReaders.map(\.name).joined(separator: ", ")).") var only: String?
  @Option(name: .customLong("case"), help: ArgumentHelp("One case again.", valueName: "reader:seed")) var one: String?
  @Option(help: "Also leave the file of the case here.") var keep: String?
  @Flag(help: "Try the files that are small and costly, at two sizes each.") var bombs = false
  @Option(help: "How much larger those are than in the tests.") var scale = 1
  @Option(help: "Programs side by side.") var jobs = min(2, ProcessInfo.processInfo.activeProcessorCount)

  @Option(help: .hidden) var work: String?
  @Option(help: .hidden) var measure: String?

  private var chosen: [Reader] { allReaders.filter { only == nil || $0.name == only } }

  func validate() throws {
    guard !chosen.isEmpty else { throw ValidationError("there is no reader '\(only ?? "")'") }
    guard jobs > 0, scale > 0, count >= 0 else {
      throw ValidationError("--jobs, --scale and --count are positive numbers")
    }
  }

  func run() throws {
    if let work { return try Worker(readers: chosen, seed: seed).run(work, upTo: count) }
    if let measure { return try Worker.measure(measure, scale: scale) }
    if let one { return try replay(one) }
    var failures: [String] = []
    if count > 0 { failures += try fuzz() }
    if bombs { failures += try explode() }
    guard !failures.isEmpty else { return }
    for failure in failures.prefix(40) { print(failure) }
    if failures.count > 40 { print("and \(failures.count - 40) more") }
    throw ExitCode.failure
  }

  private func replay(_ text: String) throws {
    let pieces = text.split(separator: ":")
    guard pieces.count == 2, let reader = allReaders.first(where: { $0.name == pieces[0] }),
      let seed = UInt64(pieces[1])
    else {
      throw ValidationError("--case is '\(text)', expected READER:SEED")
    }
    let worker = try Worker(readers: [reader], seed: 0)
    if let keep { try Data(worker.file(of: reader, seed)).write(to: URL(fileURLWithPath: keep)) }
    worker.limit()
    print(try worker.outcome(of: reader, seed) ?? "taken, or refused with a reason")
  }

  /// Starts workers until every case has been tried; one that dies has found something, and another goes on after it.
  private func fuzz() throws -> [String] {
    let start = Date()
    let notes = FileManager.default.temporaryDirectory.appendingPathComponent(
      "fuzz-\(ProcessInfo.processInfo.processIdentifier)")
    try FileManager.default.createDirectory(at: notes, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: notes) }
    var failures: [String] = []
    var running: [(process: Process, note: URL)] = []
    func begin(_ job: Int, at first: Int) throws {
      let note = notes.appendingPathComponent("\(job)")
      var arguments = ["--seed", "\(seed)", "--count", "\(count)", "--work", "\(first):\(jobs):\(note.path)"]
      if let only { arguments += ["--only", only] }
      running.append((try Worker.start(arguments), note))
    }
    for job in 0..<jobs { try begin(job, at: job) }
    while !running.isEmpty {
      let (process, note) = running.removeFirst()
      process.waitUntilExit()
      // A worker that ended early has noted nothing.
      let text = (try? String(contentsOf: note, encoding: .utf8)) ?? ""
      let lines = text.split(separator: "\n").map(String.init)
      failures += lines.filter { !$0.hasPrefix("at ") }
      try? FileManager.default.removeItem(at: note)
      guard process.terminationReason == .uncaughtSignal || process.terminationStatus != 0 else { continue }
      // The last line says which case it was at.
      let words = lines.last { $0.hasPrefix("at ") }?.split(separator: " ") ?? []
      guard words.count == 3, let index = Int(words[1]) else {
        throw Broken("a worker ended before its first case: \(Worker.ending(of: process))")
      }
      failures.append("\(words[2]) \(Worker.ending(of: process))")
      if index + jobs < count { try begin(index % jobs, at: index + jobs) }
    }
    print(
      "\(count) cases of \(chosen.count) readers, seed \(seed), \(failures.count) failed, \(Int(Date().timeIntervalSince(start))) s"
    )
    return failures.sorted().map { "fuzz --case \($0)" }
  }

  private func explode() throws -> [String] {
    let names = allBombs.filter { only == nil || $0.reader == only }.map(\.name)
    var failures: [String] = []
    let start = Date()
    for name in names {
      let pipe = Pipe()
      let process = try Worker.start(["--measure", name, "--scale", "\(scale)"], output: pipe)
      let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      process.waitUntilExit()
      if process.terminationReason != .exit || process.terminationStatus != 0 {
        failures.append("bomb '\(name)': \(Worker.ending(of: process))")
      } else if !text.isEmpty {
        failures.append("bomb '\(name)': " + text.trimmingCharacters(in: .newlines))
      }
    }
    print("\(names.count) costly files, \(failures.count) failed, \(Int(Date().timeIntervalSince(start))) s")
    return failures
  }
}
