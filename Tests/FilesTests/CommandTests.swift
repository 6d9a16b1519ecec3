import Files
import Foundation
import Testing

/// Writes a MiB to both pipes in turns, far more than either holds.
private let flood = "i=0; while [ $i -lt 256 ]; do head -c 4096 /dev/zero; head -c 4096 /dev/zero >&2; i=$((i+1)); done"

@Test(.timeLimit(.minutes(30))) func bothPipesAreRead() throws {
  // All of standard error comes first, then in turns.
  for script in ["head -c 1048576 /dev/zero >&2; head -c 1048576 /dev/zero", flood] {
    let result = try Command("sh", ["-c", script]).run()
    #expect(result.status == 0)
    #expect(result.output.count == 1 << 20)
    #expect(result.messages.utf8.count == 1 << 20)
  }
}

@Test func theStatusAndTheMessagesAreToldApart() throws {
  let result = try Command("sh", ["-c", "echo out; echo 'went wrong' >&2; exit 3"]).run()
  #expect(result.status == 3)
  #expect(result.output == Data("out\n".utf8))
  #expect(result.messages == "went wrong\n")
  #expect(try Command("sh", ["-c", "kill -9 $$"]).run().status == 128 + 9)
}

@Test func thereIsNothingToReadAndTheFolderIsTheOneGiven() throws {
  #expect(try Command("cat").run().output.isEmpty)
  try inTemporaryFolder { folder in
    try Data("here".utf8).write(to: folder.appendingPathComponent("note"))
    #expect(try Command("cat", ["note"]).run(in: folder).output == Data("here".utf8))
  }
}

@Test func aMissingProgramIsNamed() throws {
  let missing = #expect(throws: CommandError.self) { try Command("no-such-program").run() }
  #expect(missing?.description == "there is no program 'no-such-program'; install it, or put it into PATH")
  #expect(missing?.isMissing == true)
  #expect(Command("sh", searchPath: "/nowhere:/bin").program?.path == "/bin/sh")
  #expect(Command("sh", searchPath: "/nowhere").program == nil)
  #expect(Command("tmp", searchPath: "/").program == nil)
}

@Test(.timeLimit(.minutes(30))) func aProgramIsStoppedWhereItsOutputIsRefused() throws {
  struct Enough: Error {}
  // It would go on for ever.
  #expect(throws: Enough.self) { try Command("cat", ["/dev/zero"]).run { _ in throw Enough() } }
}

@Test(.timeLimit(.minutes(30))) func aProgramThatLeavesAnotherBehindEndsWithItself() throws {
  let start = Date()
  let result = try Command("sh", ["-c", "sleep 100 & echo $!; echo said >&2; exit 3"]).run()
  #expect(result.status == 3 && result.messages == "said\n")
  #expect(Date().timeIntervalSince(start) < 60)
  let left = try #require(pid_t(String(decoding: result.output, as: UTF8.self).trimmingCharacters(in: .newlines)))
  #expect(kill(left, SIGKILL) == 0)
  // What was written before the end is read to its last byte.
  let script = "(sleep 100; :) & head -c 60000 /dev/zero; head -c 60000 /dev/zero >&2; kill -9 $!"
  let full = try Command("sh", ["-c", script]).run()
  #expect(full.output.count == 60_000 && full.messages.utf8.count == 60_000)
}

@Test func aProgramHasNoSignalBlockedOrIgnored() throws {
  let status = try String(decoding: Command("cat", ["/proc/self/status"]).run().output, as: UTF8.self)
  guard !status.isEmpty else { return }
  #expect(status.contains(/SigBlk:\s+0+\n/))
}
