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
      let before = signal(number) { number in
        Interrupt.requested.store(true, ordering: .relaxed)
        signal(number, SIG_DFL)
      }
      // A program that was started with a signal ignored, by nohup say, goes on ignoring it.
      if isIgnored(before) { signal(number, SIG_IGN) }
    }
  }

  /// Restores the default, by which the signals end the program; signals ignored before `listen` stay ignored.
  public static func stopListening() {
    for number in signals where isIgnored(signal(number, SIG_DFL)) { signal(number, SIG_IGN) }
  }

  private static func isIgnored(_ handler: sighandler_t?) -> Bool {
    unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }
}
