import Foundation
import LatentKit
import Testing

@testable import ForeignParts

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Libraries that end the program.
@Suite struct Ends {
  private static func call(_ symbol: String) throws {
    let scratch = try Scratch()
    let catalog = try scratch.hostile(
      """
        - prior: bad
          summary: a prior of a test
          density: {call: \(symbol), takes: [latents: double*], returns: {log-density: double}}
      """)
    _ = try catalog.prior("bad").logDensity(Tensor.zeros([3, 2], dtype: .float64), labels: nil)
  }

  /// What the process printed, where it ended as expected.
  private func isNamed(_ symbol: String, _ words: String, _ result: ExitTest.Result?) -> Bool {
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    return text.contains("Error: '\(symbol)' of ./libhostile.so \(words)")
  }

  @Test func aLibraryThatExitsIsNoSuccess() async {
    let one = await #expect(processExitsWith: .exitCode(70), observing: [\.standardErrorContent]) {
      try Ends.call("exits")
    }
    #expect(isNamed("exits", "called exit, which ends the whole program; let it return", one))
    let other = await #expect(processExitsWith: .exitCode(70), observing: [\.standardErrorContent]) {
      try Ends.call("exits_in_thread")
    }
    #expect(isNamed("exits_in_thread", "called exit", other))
  }

  @Test func afterACallTheProgramMayExit() async {
    await #expect(processExitsWith: .exitCode(3)) {
      try? Ends.call("not_a_number")
      exit(3)
    }
  }

  @Test func aFaultIsASentence() async {
    let abort = await #expect(processExitsWith: .exitCode(128 + SIGABRT), observing: [\.standardErrorContent]) {
      try Ends.call("crashes")
    }
    #expect(isNamed("crashes", "aborted (SIGABRT) and ended the program; correct the library", abort))
    let memory = await #expect(processExitsWith: .exitCode(128 + SIGSEGV), observing: [\.standardErrorContent]) {
      try Ends.call("faults")
    }
    #expect(isNamed("faults", "touched memory that is not its own (SIGSEGV)", memory))
    let thread = await #expect(processExitsWith: .exitCode(128 + SIGSEGV), observing: [\.standardErrorContent]) {
      try Ends.call("faults_in_thread")
    }
    #expect(isNamed("faults_in_thread", "touched memory that is not its own (SIGSEGV)", thread))
    let stack = await #expect(processExitsWith: .exitCode(128 + SIGSEGV), observing: [\.standardErrorContent]) {
      try Ends.call("recurs")
    }
    #expect(isNamed("recurs", "touched memory that is not its own (SIGSEGV)", stack))
  }

  #if arch(x86_64)
    @Test func aDivisionByZeroIsASentence() async {
      let result = await #expect(processExitsWith: .exitCode(128 + SIGFPE), observing: [\.standardErrorContent]) {
        try Ends.call("divides")
      }
      #expect(isNamed("divides", "divided by zero", result))
    }
  #endif

  /// A callback is ours: what it does wrong is no library's fault.
  @Test func aTrapOfOurOwnIsNotTheLibrarys() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      struct Trap: Prior {
        func logDensity(_ latents: Tensor, labels: Tensor?) throws -> Tensor { fatalError("ours") }
      }
      let scratch = try Scratch()
      let catalog = try Catalog([]).adding(foreign: [scratch.example("walkers.cpp")])
      var generator = try Generator(seed: 1)
      let request = DrawRequest(
        labels: nil, count: 2, latentSize: 2, prior: Trap(),
        reference: LatentSet(latents: try Tensor.zeros([4, 2]), labels: nil))
      _ = try catalog.sampler("walkers").draw(request, using: &generator)
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains("ours") && !text.contains("ended the program"))
  }
}
