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
  private static let received = Atomic<Int32>(0)

  /// Whether one of the signals has come since `listen`.
  public static var isRequested: Bool { signal != nil }

  /// The number of the signal that came last since `listen`; nil for none.
  public static var signal: Int32? {
    let number = received.load(ordering: .relaxed)
    return number == 0 ? nil : number
  }

  fileprivate static func receive(_ number: Int32) { received.store(number, ordering: .relaxed) }

  private static let signals = [SIGINT, SIGTERM, SIGHUP]

  /// What each signal did before `listen`; empty while nothing listens.
  private static let earlier = Mutex<[Int32: sigaction]>([:])

  /// From now on the signals are requests, but for those that are ignored.
  public static func listen() {
    earlier.withLock { earlier in
      if earlier.isEmpty { received.store(0, ordering: .relaxed) }
      for number in signals where earlier[number] == nil {
        var action = sigaction()
        guard sigaction(number, nil, &action) == 0, !action.isIgnored else { continue }
        earlier[number] = action
        catchOnce(number)
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

/// From now on the next signal of a number is a request, and the one after it does what it does by default.
private func catchOnce(_ number: Int32) {
  signal(number) { number in
    Interrupt.receive(number)
    signal(number, SIG_DFL)
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
