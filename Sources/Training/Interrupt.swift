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
/// A signal that is ignored when listening begins stays ignored: `nohup` and `trap '' INT` keep their meaning.
public enum Interrupt {
  private static let requested = Atomic<Bool>(false)

  /// Whether one of the signals has come since `listen`.
  public static var isRequested: Bool { requested.load(ordering: .relaxed) }

  private static let signals = [SIGINT, SIGTERM, SIGHUP]

  /// What each signal did before `listen`; empty while nothing listens.
  private static let earlier = Mutex<[Int32: sigaction]>([:])

  /// From now on the signals are requests, but for those that are ignored.
  public static func listen() {
    earlier.withLock { earlier in
      for number in signals where earlier[number] == nil {
        var action = sigaction()
        guard sigaction(number, nil, &action) == 0, !action.isIgnored else { continue }
        earlier[number] = action
        signal(number) { number in
          Interrupt.requested.store(true, ordering: .relaxed)
          signal(number, SIG_DFL)
        }
      }
    }
  }

  /// From now on the signals do what they did before.
  public static func stopListening() {
    earlier.withLock { earlier in
      for (number, var action) in earlier { sigaction(number, &action, nil) }
      earlier = [:]
    }
  }
}

extension sigaction {
  /// Whether it is SIG_IGN, which is the number 1 in place of an address.
  fileprivate var isIgnored: Bool {
    #if canImport(Darwin)
      unsafeBitCast(__sigaction_u.__sa_handler, to: Int.self) == 1
    #else
      unsafeBitCast(__sigaction_handler.sa_handler, to: Int.self) == 1
    #endif
  }
}
