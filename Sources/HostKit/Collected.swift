import ConformanceKit
import Synchronization

/// Findings that several threads add to.
final class Collected: Sendable {
  private let findings = Mutex<[Finding]>([])
  var all: [Finding] { findings.withLock { $0 } }
  func add(_ more: [Finding]) { findings.withLock { $0 += more } }
}
