import Foundation
import LatentKit

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Reads files under limits of time and memory. It is a process of its own, so that a trap ends only that.
struct Worker {
  /// What one file may take of a processor, in a program that is built for debugging.
  static let seconds = 10
  /// What one file may take of memory beside what the program takes.
  static let mebibytes = 1536

  let readers: [Reader]
  let seed: UInt64
  private let originals: [String: [Original]]
  private let folder: URL

  init(readers: [Reader], seed: UInt64) throws {
    (self.readers, self.seed) = (readers, seed)
    originals = try Dictionary(uniqueKeysWithValues: readers.map { ($0.name, try $0.originals()) })
    let memory = URL(fileURLWithPath: "/dev/shm")
    let place = access(memory.path, W_OK) == 0 ? memory : FileManager.default.temporaryDirectory
    folder = place.appendingPathComponent("fuzz-worker-\(getpid())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  /// - Parameters:
  ///   - work: `FIRST:STRIDE:FILE`: which of the cases, and where to note what is found.
  func run(_ work: String, upTo count: Int) throws {
    defer { try? FileManager.default.removeItem(at: folder) }
    let fields = work.split(separator: ":", maxSplits: 2)
    let note = open(String(fields[2]), O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    func say(_ text: String) { _ = text.withCString { write(note, $0, strlen($0)) } }
    limit()
    for index in stride(from: Int(fields[0])!, to: count, by: Int(fields[1])!) {
      let reader = readers[index % readers.count]
      var noise = Noise(seed &+ UInt64(index) &* 0xd134_2543_de82_ef95)
      let own = noise.next()
      // Written over the last one, so that a million cases leave a small file.
      let place = lseek(note, 0, SEEK_CUR)
      say("at \(index) \(reader.name):\(own)\n")
      let outcome = try outcome(of: reader, own)
      lseek(note, place, SEEK_SET)
      ftruncate(note, place)
      if let outcome { say("\(reader.name):\(own) \(outcome.replacing("\n", with: " "))\n") }
    }
  }

  /// The file of a case.
  func file(of reader: Reader, _ seed: UInt64) -> [UInt8] {
    var noise = Noise(seed)
    return file(of: reader, by: &noise)
  }

  private func file(of reader: Reader, by noise: inout Noise) -> [UInt8] {
    let originals = originals[reader.name] ?? []
    return noise.pick(originals).mutated(with: originals, by: &noise)
  }

  /// What is wrong with how a reader takes a file; nil for nothing.
  func outcome(of reader: Reader, _ seed: UInt64) throws -> String? {
    var noise = Noise(seed)
    let url = folder.appendingPathComponent(reader.file)
    try Data(file(of: reader, by: &noise)).write(to: url)
    Worker.arm()
    defer { Worker.arm(seconds: 0) }
    do {
      do { try reader.read(url, &noise) } catch { try check(refusal: error) }
    } catch { return "\(error)" }
    return nil
  }

  /// Limits memory from here on.
  func limit() { Worker.limitMemory() }

  private static func limitMemory() {
    #if os(Linux)
      let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
      let line = status.split(separator: "\n").first { $0.hasPrefix("VmData:") } ?? ""
      let used = line.split(whereSeparator: { !$0.isNumber }).first.flatMap { rlim_t($0) } ?? 0
      let most = used * 1024 + rlim_t(mebibytes) << 20
      var limit = rlimit(rlim_cur: most, rlim_max: most)
      setrlimit(__rlimit_resource_t(RLIMIT_DATA.rawValue), &limit)
    #endif
  }

  /// Ends the program where it takes more time of a processor, or waits for ten times as long.
  private static func arm(seconds: Int = Worker.seconds) {
    var timer = itimerval()
    timer.it_value.tv_sec = seconds
    #if os(Linux)
      setitimer(__itimer_which_t(ITIMER_PROF.rawValue), &timer, nil)
    #else
      setitimer(ITIMER_PROF, &timer, nil)
    #endif
    alarm(UInt32(10 * seconds))
  }

  /// Prints what is wrong with the times that the two sizes of a file take.
  static func measure(_ name: String, scale: Int) throws {
    guard let bomb = allBombs.first(where: { $0.name == name }),
      let reader = allReaders.first(where: { $0.name == bomb.reader })
    else { throw Broken("there is no file '\(name)', or no reader of it") }
    let worker = try Worker(readers: [], seed: 0)
    defer { try? FileManager.default.removeItem(at: worker.folder) }
    let files = [1, 2].map { worker.folder.appendingPathComponent("\($0)/\(reader.file)") }
    for (url, factor) in zip(files, [1, 2]) {
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(bomb.make(bomb.size * scale * factor)).write(to: url)
    }
    limitMemory()
    var times = [Double.infinity, .infinity]
    // What is too slow once has more tries, as other programs slow this one too.
    for round in 0..<6 where round < 2 || isSlow(times) {
      for (index, url) in files.enumerated() {
        // The same settings for both.
        var noise = Noise(3)
        arm(seconds: seconds * max(1, scale))
        let start = clock()
        do { try reader.read(url, &noise) } catch {
          do { try check(refusal: error) } catch { return print(error) }
        }
        times[index] = min(times[index], Double(clock() - start) / Double(CLOCKS_PER_SEC))
      }
      if times[1] < 0.04 || times[0] > 1 && !isSlow(times) { break }
    }
    arm(seconds: 0)
    if isSlow(times) {
      print("\(times[0]) s, and \(times[1]) s for twice the input, expected at most three times as much")
    }
  }

  /// Whether the second file, of twice the size, takes more than its share; below 0.3 s nothing does.
  private static func isSlow(_ times: [Double]) -> Bool { times[1] > 0.3 && times[1] > 3 * times[0] }

  /// Starts this program again.
  static func start(_ arguments: [String], output: Pipe? = nil) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
    process.arguments = arguments
    process.standardOutput = output ?? FileHandle.nullDevice as Any
    process.standardError = FileHandle.nullDevice
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["SWIFT_BACKTRACE": "enable=no", "OMP_NUM_THREADS": "1"]) { $1 }
    try process.run()
    return process
  }

  /// How a worker ended, in words.
  static func ending(of process: Process) -> String {
    guard process.terminationReason == .uncaughtSignal else {
      return "ended by an error of its own, status \(process.terminationStatus)"
    }
    return switch process.terminationStatus {
    case SIGPROF: "took more than the time it may take"
    case SIGALRM: "waited for something that does not come"
    case SIGILL, SIGTRAP: "was trapped"
    case SIGSEGV, SIGBUS: "touched memory that is not its own, or found none left"
    case SIGABRT: "was aborted, perhaps for lack of memory"
    case SIGKILL: "was killed, perhaps for lack of memory"
    case let number: "ended by signal \(number)"
    }
  }
}
