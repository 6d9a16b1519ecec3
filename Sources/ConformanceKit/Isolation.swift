import Files
import Foundation
import LatentKit
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A check that gives a finding.
public struct CheckTask: Sendable {
  /// The name, by which the processes agree on the task.
  public let name: String
  /// Checks in this process.
  public let run: @Sendable () -> Finding
  /// Returns the finding of a crash, with its reason.
  let crashed: @Sendable (String) -> Finding

  init(name: String, _ run: @escaping @Sendable () -> Finding, crashed: @escaping @Sendable (String) -> Finding) {
    (self.name, self.run, self.crashed) = (name, run, crashed)
  }

  /// Returns a check that what a part comes from, a library in another language, is loaded.
  ///
  /// - Parameter load: Loads it in this process, which it may end.
  public static func loading(
    _ part: String, of slot: Slot, seed: UInt64, _ load: @escaping @Sendable () throws -> Void
  ) -> CheckTask {
    @Sendable func finding(_ outcome: Outcome, _ reason: String) -> Finding {
      Finding(
        slot: slot.name, part: part, check: "loads",
        fact: "Its library is loaded and set up, and the program goes on.", outcome, reason, seed: seed)
    }
    return CheckTask(name: "loads") {
      do {
        try load()
        return finding(.passed, "")
      } catch { return finding(.failed, "\(error)") }
    } crashed: {
      finding(.crashed, $0)
    }
  }
}

/// Checks that are run in processes of their own, so that a part that ends its process is a finding.
public struct Isolation: Sendable {
  /// The checks in order.
  public let tasks: [CheckTask]
  /// The command that runs the checks from the given one on: a program that calls `work` with the same checks.
  public let command: @Sendable (_ first: Int) -> Command

  /// Creates an isolation by a program.
  public init(_ tasks: [CheckTask], by command: @escaping @Sendable (_ first: Int) -> Command) {
    (self.tasks, self.command) = (tasks, command)
  }

  /// What a worker writes, a line each.
  private enum Line: Codable {
    case begun(String)
    case found(Finding)
  }

  /// Runs checks, and writes what they find for `findings` to read. To be called in the process that `command` starts.
  ///
  /// - Parameters:
  ///   - seconds: What one check may take before the process is ended.
  ///   - write: Takes a line.
  public static func work(on tasks: some Sequence<CheckTask>, seconds: Int = 300, writing write: (String) -> Void)
    throws
  {
    func say(_ line: Line) throws { write(String(decoding: try JSONEncoder().encode(line), as: UTF8.self)) }
    for task in tasks {
      try say(.begun(task.name))
      alarm(UInt32(seconds))
      let finding = task.run()
      alarm(0)
      try say(.found(finding))
    }
  }

  /// Runs all checks in other processes: one, and another one after each crash.
  ///
  /// - Throws: `CommandError` where the program cannot be run.
  public func findings() throws -> [Finding] {
    var findings: [Finding] = []
    while findings.count < tasks.count {
      let result = try command(findings.count).run()
      let lines = result.output.split(separator: 0x0A).compactMap { try? JSONDecoder().decode(Line.self, from: $0) }
      findings += lines.compactMap { if case .found(let finding) = $0 { finding } else { nil } }
      guard findings.count < tasks.count else { break }
      let task = tasks[findings.count]
      guard case .begun(task.name) = lines.last else {
        throw CommandError(
          "a process of checks ended with status \(result.status) before '\(task.name)'"
            + (result.messages.isEmpty ? "" : ": \(result.messages.suffix(500))"))
      }
      findings.append(task.crashed(Isolation.reason(result)))
    }
    return findings
  }

  /// Runs several, some at a time.
  ///
  /// - Parameters:
  ///   - jobs: How many at a time, 1 or more.
  ///   - done: Called with the findings of each, in their order.
  public static func run(_ groups: [Isolation], jobs: Int, _ done: @Sendable (Int, [Finding]) -> Void) throws {
    let state = Mutex((results: [Int: Result<[Finding], any Error>](), next: 0, shown: 0))
    DispatchQueue.concurrentPerform(iterations: max(1, min(jobs, groups.count))) { _ in
      while true {
        let index = state.withLock { state in
          defer { state.next += 1 }
          return state.next
        }
        guard index < groups.count else { return }
        let result = Result { try groups[index].findings() }
        state.withLock { state in
          state.results[index] = result
          while case .success(let found) = state.results[state.shown] {
            done(state.shown, found)
            state.shown += 1
          }
        }
      }
    }
    for index in groups.indices { _ = try state.withLock { try $0.results[index]?.get() } }
  }

  private static func reason(_ result: Command.Result) -> String {
    let words = result.messages.split(separator: "\n").last { $0.contains("rror") || $0.contains("what()") }
    // A library's end is a sentence of its own.
    if let words, words.hasPrefix("Error: "), result.status >= 70 { return String(words.dropFirst(7).suffix(500)) }
    let ending =
      switch Int32(clamping: result.status - 128) {
      case SIGALRM: "it did not come to an end in time"
      case SIGILL, SIGTRAP: "it trapped"
      case SIGSEGV, SIGBUS: "it touched memory that is not its own"
      case SIGABRT: "it was aborted"
      case SIGKILL: "it was killed, perhaps for lack of memory"
      default: "it ended the process with status \(result.status)"
      }
    return ending + (words.map { ": \($0.suffix(300))" } ?? "")
  }
}
