import ConformanceKit
import Files
import Foundation
import LatentKit
import Testing

@Suite struct IsolationChecks {
  /// A schedule whose checks are run by a shell that writes what a worker would.
  private func findings(by script: @escaping @Sendable (_ first: Int, _ lines: [String]) -> String) throws -> [Finding]
  {
    struct Constant: LearningRateSchedule {
      func factor(step: Int, stepsPerEpoch: Int, epochs: Int) -> Double { 1 }
    }
    let entry = Entry<any LearningRateSchedule>("part", "a schedule of a test") { _, _ in Constant() }
    let catalog = try Catalog([], adding: [Contribution(.schedule, entry)])
    let part = PartUnderTest(catalog.descriptions(of: .schedule)[0], in: catalog)
    let tasks = part.tasks
    return try Isolation(tasks) { first in
      var lines: [String] = []
      try? Isolation.work(on: tasks[first...]) { lines.append($0) }
      return Command("/bin/sh", ["-c", script(first, lines)])
    }.findings()
  }

  private static func printing(_ lines: some Sequence<String>) -> String {
    lines.map { "printf '%s\\n' '\($0.replacing("'", with: "'\\''"))'\n" }.joined()
  }

  @Test func whatAWorkerFindsIsRead() throws {
    let findings = try findings { Self.printing($1) }
    #expect(findings.count == 6 && findings.allSatisfy { $0.outcome == .passed || $0.outcome == .skipped })
  }

  @Test(arguments: [
    ("ILL", "it trapped: Fatal error: Index out of range"), ("SEGV", "memory that is not its own"),
    ("ABRT", "it was aborted"), ("ALRM", "did not come to an end in time"), ("KILL", "perhaps for lack of memory"),
  ])
  func aCrashIsAFindingAndTheOtherChecksRun(signal: String, reason: String) throws {
    let findings = try findings { first, lines in
      // The third check traps: two lines for each before it, and the one that it has begun.
      first > 2
        ? Self.printing(lines)
        : Self.printing(lines.prefix(5)) + "echo 'Fatal error: Index out of range' >&2; kill -\(signal) $$"
    }
    #expect(findings.map(\.outcome.isFault) == [false, false, true, false, false, false])
    #expect(findings[2].outcome == .crashed && findings[2].reason.contains(reason))
  }

  @Test func anEndWithoutAWordIsACrashToo() throws {
    let findings = try findings { first, lines in
      first > 0 ? Self.printing(lines) : Self.printing(lines.prefix(1)) + "exit 0"
    }
    #expect(findings[0].outcome == .crashed && findings[0].reason.contains("status 0"))
  }

  @Test func aWorkerThatDoesNotWorkIsAnError() throws {
    #expect(throws: CommandError.self) { try findings { _, _ in "echo nonsense; exit 3" } }
  }

  @Test func aPartWithoutAnEndIsEnded() async throws {
    await #expect(processExitsWith: .signal(SIGALRM)) {
      struct Endless: LearningRateSchedule {
        func factor(step: Int, stepsPerEpoch: Int, epochs: Int) -> Double {
          while true { sleep(1) }
        }
      }
      let entry = Entry<any LearningRateSchedule>("part", "a schedule of a test") { _, _ in Endless() }
      let catalog = try Catalog([], adding: [Contribution(.schedule, entry)])
      let part = PartUnderTest(catalog.descriptions(of: .schedule)[0], in: catalog)
      try Isolation.work(on: part.tasks, seconds: 1) { _ in }
    }
  }

  @Test func aPartThatTrapsEndsItsProcess() async throws {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardOutputContent]) {
      let entry = Entry<any LearningRateSchedule>("part", "a schedule of a test") { _, _ in
        struct Traps: LearningRateSchedule {
          func factor(step: Int, stepsPerEpoch: Int, epochs: Int) -> Double { [1.0][step] }
        }
        return Traps()
      }
      let catalog = try Catalog([], adding: [Contribution(.schedule, entry)])
      let part = PartUnderTest(catalog.descriptions(of: .schedule)[0], in: catalog)
      try Isolation.work(on: part.tasks) { FileHandle.standardOutput.write(Data(($0 + "\n").utf8)) }
    }
    let text = String(decoding: result?.standardOutputContent ?? [], as: UTF8.self)
    #expect(text.split(separator: "\n").last { $0.hasPrefix("{") }?.contains("factors") == true)
  }
}
