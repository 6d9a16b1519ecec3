import Foundation
import Testing

@testable import fuzz

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent()

private let environment = ProcessInfo.processInfo.environment
/// `make campaign`: many cases of each kind instead of a few.
let isFull = environment["LATENTKIT_CAMPAIGN"] == "full"
/// What every random choice follows from.
let campaignSeed = environment["LATENTKIT_SEED"].flatMap { UInt64($0) } ?? 1

/// Where the programs lie: beside the tests.
private let programs: URL = {
  let arguments = CommandLine.arguments
  let bundle = arguments.firstIndex(of: "--test-bundle-path").map { arguments[$0 + 1] } ?? arguments[0]
  let folder = URL(fileURLWithPath: bundle).resolvingSymlinksInPath().deletingLastPathComponent()
  return access(folder.appendingPathComponent("host").path, X_OK) == 0
    ? folder : root.appendingPathComponent(".build/debug")
}()

/// A program that is running, and what it prints.
final class Program {
  private let process = Process()
  private let file: FileHandle
  private let start = Date()

  /// - Parameter name: One of this package's programs, or a path.
  init(_ name: String, _ arguments: [String], in folder: URL = root, printing: URL) throws {
    try Data().write(to: printing)
    file = try FileHandle(forUpdating: printing)
    process.executableURL = URL(fileURLWithPath: name.hasPrefix("/") ? name : Program.path(name))
    process.arguments = arguments
    process.currentDirectoryURL = folder
    (process.standardOutput, process.standardError) = (file, file)
    process.standardInput = FileHandle.nullDevice
    var variables = environment
    (variables["OMP_NUM_THREADS"], variables["SWIFT_BACKTRACE"]) = ("1", "enable=no")
    variables["LATENTKIT_DATA"] = nil
    process.environment = variables
    try process.run()
  }

  /// Where one of this package's programs lies.
  static func path(_ name: String) -> String { programs.appendingPathComponent(name).path }

  var isRunning: Bool { process.isRunning }
  func send(_ signal: Int32) { kill(process.processIdentifier, signal) }

  struct Ending {
    let status: Int32
    /// The signal that ended it; nil where it ended by itself.
    let signal: Int32?
    let text: String
    let seconds: Double
    /// It did all it was asked.
    var isGood: Bool { signal == nil && status == 0 }
    /// It refused, and said why.
    var isRefusal: Bool { signal == nil && status != 0 && text.contains("Error: ") && text.utf8.count < 20_000 }
  }

  /// Waits for its end; one that hangs is killed.
  func end(within seconds: Double = 240) -> Ending {
    let limit = Date() + seconds
    while process.isRunning, Date() < limit { usleep(5_000) }
    if process.isRunning { send(SIGKILL) }
    process.waitUntilExit()
    try? file.seek(toOffset: 0)
    let text = (try? file.readToEnd()).map { String(decoding: $0, as: UTF8.self) } ?? ""
    let signal = process.terminationReason == .uncaughtSignal ? process.terminationStatus : nil
    return Ending(
      status: process.terminationStatus, signal: signal, text: text, seconds: Date().timeIntervalSince(start))
  }
}

/// A folder that is removed when its test is over.
final class Scratch {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("latentkit-campaign-\(UUID().uuidString)")
  init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(at: url) }

  func at(_ path: String) -> URL { url.appendingPathComponent(path) }
  func write(_ text: String, to path: String) throws {
    try FileManager.default.createDirectory(at: at(path).deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: at(path))
  }
  func start(_ name: String, _ arguments: [String]) throws -> Program {
    try Program(name, arguments, printing: at("printed-\(UUID().uuidString)"))
  }
  @discardableResult
  func run(_ name: String, _ arguments: [String]) throws -> Program.Ending { try start(name, arguments).end() }
  func host(_ arguments: [String]) throws -> Program.Ending { try run("host", arguments) }
}

/// The recipes of every plugin.
let recipes: [URL] = {
  let all = FileManager.default.enumerator(at: root.appendingPathComponent("Plugins"), includingPropertiesForKeys: nil)
  return (all?.allObjects as? [URL] ?? []).filter {
    $0.pathExtension == "yaml" && $0.deletingLastPathComponent().lastPathComponent == "recipes"
  }.sorted { $0.path < $1.path }
}()

/// A small table of three classes.
func table(in scratch: Scratch) throws -> URL {
  var noise = Noise(7)
  let rows = (0..<60).map { row in
    (0..<12).map { _ in "\(Double(noise.below(1000)) / 500 + Double(row % 3))" } + ["c\(row % 3)"]
  }
  let lines = ([(0..<12).map { "f\($0)" } + ["class"]] + rows).map { $0.joined(separator: ",") }
  try scratch.write(lines.joined(separator: "\n") + "\n", to: "table.csv")
  return scratch.at("table.csv")
}

/// The smallest run of a recipe: few digits where it takes images, else a small table, else its own data.
func small(_ recipe: URL, epochs: Int = 2, in scratch: Scratch) throws -> [String] {
  let table = try table(in: scratch)
  let size = ["--epochs", "\(epochs)", "--batch", "8", "--threads", "1", "--device", "cpu"]
  let digits = ["--data", "mnist", "--set", "data.embedded=true", "--set", "data.limit=40"]
  let rows = ["--data", "table", "--set", "data.path=\(table.path)"]
  var reasons: [String] = []
  // Latents that are class scores are as many as the classes.
  for data in [rows, digits, rows + ["--set", "encoder.latent=3"], []] {
    let arguments = [recipe.path] + data + size
    let ending = try scratch.host(["train"] + arguments + ["--dry-run"])
    if ending.isGood { return arguments }
    reasons.append(ending.text)
  }
  throw Broken("\(recipe.lastPathComponent) takes neither digits nor a table: \(reasons)")
}
