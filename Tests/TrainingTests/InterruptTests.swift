import Foundation
import Testing
import Training

private func handler(_ number: Int32) -> Int {
  var action = sigaction()
  sigaction(number, nil, &action)
  #if canImport(Darwin)
    return unsafeBitCast(action.__sigaction_u.__sa_handler, to: Int.self)
  #else
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
  #endif
}

@Test func signalsThatAreIgnoredStayIgnoredAndOthersAreHandedBack() {
  // SIGHUP as under nohup; SIGINT as in a terminal, also where the tests themselves run in the background.
  signal(SIGHUP, SIG_IGN)
  let interrupt = signal(SIGINT, SIG_DFL)
  defer {
    signal(SIGHUP, SIG_DFL)
    signal(SIGINT, interrupt)
  }
  let before = handler(SIGTERM)
  Interrupt.listen()
  #expect(handler(SIGHUP) == 1 && handler(SIGTERM) != before && handler(SIGINT) > 1)
  Interrupt.stopListening()
  #expect(handler(SIGHUP) == 1 && handler(SIGTERM) == before)
}
