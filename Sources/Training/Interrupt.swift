import Foundation
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Ctrl-C and SIGTERM as a wish that training grants after the step at hand. A second Ctrl-C ends the program at once.
public enum Interrupt {
  private static let wished = Atomic<Bool>(false)

  public static var isRequested: Bool { wished.load(ordering: .relaxed) }

  private static let signals = [SIGINT, SIGTERM, SIGHUP]

  /// From now on the signals are wishes.
  public static func listen() {
    for number in signals {
      signal(number) { number in
        Interrupt.wished.store(true, ordering: .relaxed)
        signal(number, SIG_DFL)
      }
    }
  }

  /// From now on the signals end the program again.
  public static func stopListening() { for number in signals { signal(number, SIG_DFL) } }
}
