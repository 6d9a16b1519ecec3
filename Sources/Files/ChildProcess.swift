import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A process that was started, with the ends of its pipes.
///
/// Foundation's `Process` counts a program as running for as long as one that it started in turn runs; this is about the
/// program alone.
struct ChildProcess {
  /// The process.
  let id: pid_t
  /// What it writes to standard output and to standard error.
  let output: Int32
  let errors: Int32

  /// Starts a program in a process group of its own, with nothing to read and no signal blocked.
  ///
  /// - Throws: `CommandError` where it cannot be started.
  init(_ program: URL, _ arguments: [String], in folder: URL?) throws {
    func refusal(_ code: Int32) -> CommandError {
      CommandError("\(program.path) cannot be run: \(String(cString: strerror(code)))")
    }
    let output = try ChildProcess.pipe(refusal)
    let errors: (read: Int32, write: Int32)
    do { errors = try ChildProcess.pipe(refusal) } catch {
      for end in [output.read, output.write] { close(end) }
      throw error
    }
    var id = pid_t()
    let code = ChildProcess.spawn(program, arguments, in: folder, output.write, errors.write, &id)
    for end in [output.write, errors.write] { close(end) }
    guard code == 0 else {
      for end in [output.read, errors.read] { close(end) }
      throw refusal(code)
    }
    (self.id, self.output, self.errors) = (id, output.read, errors.read)
  }

  private static func pipe(_ refusal: (Int32) -> CommandError) throws -> (read: Int32, write: Int32) {
    var ends: [Int32] = [0, 0]
    guard systemPipe(&ends) == 0 else { throw refusal(errno) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }

  /// - Returns: 0, or the number of the error.
  private static func spawn(
    _ program: URL, _ arguments: [String], in folder: URL?, _ output: Int32, _ errors: Int32, _ id: inout pid_t
  ) -> Int32 {
    #if canImport(Darwin)
      var (actions, attributes): (posix_spawn_file_actions_t?, posix_spawnattr_t?) = (nil, nil)
    #else
      var (actions, attributes) = (posix_spawn_file_actions_t(), posix_spawnattr_t())
    #endif
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output, 1)
    posix_spawn_file_actions_adddup2(&actions, errors, 2)
    // A thread of a pool blocks signals, and what it starts would inherit that; the host ignores SIGPIPE.
    var (none, pipes) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    sigemptyset(&pipes)
    sigaddset(&pipes, SIGPIPE)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &pipes)
    posix_spawnattr_setpgroup(&attributes, 0)
    var flags = Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF) | Int32(POSIX_SPAWN_SETPGROUP)
    #if canImport(Darwin)
      flags |= Int32(POSIX_SPAWN_CLOEXEC_DEFAULT)
    #endif
    posix_spawnattr_setflags(&attributes, Int16(flags))
    // There is no portable way to start a program in another folder but a shell.
    let inFolder = folder.map { ["/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", $0.path] } ?? []
    let command = inFolder + [program.path] + arguments
    var words = command.map { strdup($0) } + [nil]
    var environment = ProcessInfo.processInfo.environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for text in words + environment { free(text) } }
    return posix_spawn(&id, command[0], &actions, &attributes, &words, &environment)
  }

  /// Whether the process has ended. It stays to be waited for, so that no other process gets its number.
  private var hasEnded: Bool {
    var facts = siginfo_t()
    let code = waitid(P_PID, id_t(id), &facts, WEXITED | WNOHANG | WNOWAIT)
    return code == 0 && facts.si_signo != 0
  }

  /// Waits for the end of the process, and returns its exit status; for one that a signal ended, 128 and the signal's number.
  func wait() -> Int {
    var status: Int32 = 0
    while waitpid(id, &status, 0) < 0 && errno == EINTR {}
    let signal = status & 0x7F
    return Int(signal == 0 ? status >> 8 & 0xFF : 128 + signal)
  }

  /// Hands over what the process writes, until both pipes or the process itself have ended.
  ///
  /// What a program that it started writes later is not waited for.
  ///
  /// - Throws: `CommandError` where a pipe cannot be read, and whatever `take` throws.
  func drain(named name: String, _ take: (_ isOutput: Bool, Data) throws -> Void) throws {
    var polled = [output, errors].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    // No more than a pipe can hold is left when the process ends.
    var left = [1 << 20, 1 << 20]
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    var isOver = false
    // poll skips what is below 0.
    while polled.contains(where: { $0.fd >= 0 }) {
      isOver = isOver || hasEnded
      let ready = poll(&polled, nfds_t(polled.count), isOver ? 0 : 50)
      if ready < 0 {
        guard errno == EINTR else { throw CommandError("cannot read from \(name): \(systemMessage())") }
        continue
      }
      if ready == 0, isOver { return }
      for index in polled.indices where polled[index].fd >= 0 && polled[index].revents != 0 {
        let count = read(polled[index].fd, &buffer, isOver ? min(buffer.count, left[index]) : buffer.count)
        if count < 0 && errno == EINTR { continue }
        guard count >= 0 else { throw CommandError("cannot read from \(name): \(systemMessage())") }
        if count > 0 { try take(index == 0, Data(buffer[..<count])) }
        if isOver { left[index] -= count }
        if count == 0 || left[index] <= 0 { polled[index].fd = -1 }
      }
    }
  }

  /// Closes the ends of the pipes.
  func closePipes() { for end in [output, errors] { close(end) } }
}

private func systemPipe(_ ends: inout [Int32]) -> Int32 { pipe(&ends) }
