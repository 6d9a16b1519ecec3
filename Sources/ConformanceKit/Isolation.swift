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

/// Checks of parts in processes of their own, so that a part that ends its process is a finding.
public struct Isolation: Sendable {
  /// The command that runs the checks of a part from the given one on: a program that calls `work`.
  public let command: @Sendable (PartDescription, _ first: Int) -> Command

  /// Creates an isolation by a program.
  public init(_ command: @escaping @Sendable (PartDescription, _ first: Int) -> Command) { self.command = command }

  /// What a worker writes, a line each.
  private enum Line: Codable {
    case begun(String)
    case found(Finding)
  }

  /// Runs the checks of one part from the given one on, and writes what they find for `findings(of:)` to read. To be called in
  /// the process that `command` starts.
  ///
  /// - Parameters:
  ///   - seconds: What one check may take before the process is ended.
  ///   - write: Takes a line.
  public static func work(
    on part: PartUnderTest, from first: Int, seconds: Int = 300, writing write: (String) -> Void
  ) throws {
    func say(_ line: Line) throws { write(String(decoding: try JSONEncoder().encode(line), as: UTF8.self)) }
    for check in Check.all(for: part.description.slot).dropFirst(first) {
      try say(.begun(check.name))
      alarm(UInt32(seconds))
      let finding = check.run(on: part)
      alarm(0)
      try say(.found(finding))
    }
  }

  /// Runs all checks of a part in other processes: one, and another one after each crash.
  ///
  /// - Throws: `CommandError` where the program cannot be run.
  public func findings(of part: PartUnderTest) throws -> [Finding] {
    let checks = Check.all(for: part.description.slot)
    var findings: [Finding] = []
    while findings.count < checks.count {
      let result = try command(part.description, findings.count).run()
      let lines = result.output.split(separator: 0x0A).compactMap { try? JSONDecoder().decode(Line.self, from: $0) }
      let found: [Finding] = lines.compactMap { if case .found(let finding) = $0 { finding } else { nil } }
      findings += found
      guard findings.count < checks.count else { break }
      let check = checks[findings.count]
      guard case .begun(check.name) = lines.last else {
        throw CommandError(
          "the checks of \(part.description.slot.name) '\(part.name)' ended with status \(result.status) before '\(check.name)'"
            + (result.messages.isEmpty ? "" : ": \(result.messages.suffix(500))"))
      }
      findings.append(Finding(check, of: part.name, .crashed, Isolation.reason(result), seed: part.seed))
    }
    return findings
  }

  /// Runs all checks of several parts, some at a time.
  ///
  /// - Parameters:
  ///   - jobs: How many at a time, 1 or more.
  ///   - done: Called with the findings of each part, in the order of the parts.
  public func findings(
    of parts: [PartUnderTest], jobs: Int, _ done: @Sendable (PartUnderTest, [Finding]) -> Void
  ) throws {
    let state = Mutex((results: [Int: Result<[Finding], any Error>](), next: 0, shown: 0))
    DispatchQueue.concurrentPerform(iterations: max(1, min(jobs, parts.count))) { _ in
      while true {
        let index = state.withLock { state in
          defer { state.next += 1 }
          return state.next
        }
        guard index < parts.count else { return }
        let result = Result { try findings(of: parts[index]) }
        state.withLock { state in
          state.results[index] = result
          while case .success(let found) = state.results[state.shown] {
            done(parts[state.shown], found)
            state.shown += 1
          }
        }
      }
    }
    for index in parts.indices { _ = try state.withLock { try $0.results[index]?.get() } }
  }

  private static func reason(_ result: Command.Result) -> String {
    let ending =
      switch Int32(clamping: result.status - 128) {
      case SIGALRM: "it did not come to an end in time"
      case SIGILL, SIGTRAP: "it trapped"
      case SIGSEGV, SIGBUS: "it touched memory that is not its own"
      case SIGABRT: "it was aborted"
      case SIGKILL: "it was killed, perhaps for lack of memory"
      default: "it ended the process with status \(result.status)"
      }
    let words = result.messages.split(separator: "\n").last { $0.contains("rror") || $0.contains("what()") }
    return ending + (words.map { ": \($0.suffix(300))" } ?? "")
  }
}
