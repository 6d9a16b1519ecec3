import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Turns Ctrl-C, SIGTERM and SIGHUP into requests to stop after the step at hand. A second one ends the program at once.
public enum Interrupt {
  private static let requested = Atomic<Bool>(false)

  /// Whether one of the signals has come since `listen`.
  public static var isRequested: Bool { requested.load(ordering: .relaxed) }

  private static let signals = [SIGINT, SIGTERM, SIGHUP]

  /// Starts to treat the signals as requests.
  public static func listen() {
    for number in signals {
      signal(number) { number in
        Interrupt.requested.store(true, ordering: .relaxed)
        signal(number, SIG_DFL)
      }
    }
  }

  /// Restores the default: the signals end the program.
  public static func stopListening() { for number in signals { signal(number, SIG_DFL) } }
}
