import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A program that could not be run. One sentence.
public struct CommandError: Error, CustomStringConvertible, Equatable {
  /// One sentence: found, expected, what to do.
  public let description: String
  /// Whether there is no such program.
  public let isMissing: Bool

  /// Creates an error from one sentence.
  public init(_ description: String, isMissing: Bool = false) {
    (self.description, self.isMissing) = (description, isMissing)
  }
}

/// Another program with its arguments, run as a process of its own.
public struct Command: Sendable {
  /// The result of a program that ran to its end.
  public struct Result: Sendable {
    /// The exit status; for a program stopped by a signal, 128 and the signal's number.
    public let status: Int
    /// The bytes that it wrote to standard output; none where they were taken piece by piece.
    public let output: Data
    /// The text that it wrote to standard error.
    public let messages: String
  }

  /// The program's name in the search path, or its path.
  public let name: String
  /// The arguments that the program is given.
  public let arguments: [String]
  private let searchPath: String

  /// - Parameter searchPath: Folders separated by colons; `PATH` unless given.
  public init(
    _ name: String, _ arguments: [String] = [],
    searchPath: String = ProcessInfo.processInfo.environment["PATH"] ?? ""
  ) {
    (self.name, self.arguments, self.searchPath) = (name, arguments, searchPath)
  }

  /// The file of the program; nil where there is none that can be run.
  public var program: URL? {
    let paths = name.contains("/") ? [name] : searchPath.split(separator: ":").map { "\($0)/\(name)" }
    return paths.first { path in
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
        && FileManager.default.isExecutableFile(atPath: path)
    }.map { URL(fileURLWithPath: $0) }
  }

  /// Runs it to its end.
  /// - Parameter folder: Where it works; where this program does unless given.
  /// - Throws: `CommandError` where there is no such program or it cannot be started.
  public func run(in folder: URL? = nil) throws -> Result {
    var output = Data()
    let result = try run(in: folder) { output += $0 }
    return Result(status: result.status, output: output, messages: result.messages)
  }

  /// Runs it to its end and hands over its standard output, piece by piece. Where that throws, the program is stopped.
  ///
  /// Standard output and standard error are read side by side: a program that fills either pipe never waits for the
  /// other one to be read. A program that it started and that keeps the pipes open is not waited for.
  /// - Throws: `CommandError` as the other `run`, and whatever `take` throws.
  public func run(in folder: URL? = nil, _ take: (Data) throws -> Void) throws -> Result {
    guard let program else {
      throw CommandError("there is no program '\(name)'; install it, or put it into PATH", isMissing: true)
    }
    let child = try ChildProcess(program, arguments, in: folder)
    defer { child.closePipes() }
    var messages = Data()
    do {
      try child.drain(named: name) { isOutput, piece in
        if isOutput { try take(piece) } else { messages += piece }
      }
    } catch {
      kill(child.id, SIGKILL)
      _ = child.wait()
      throw error
    }
    return Result(status: child.wait(), output: Data(), messages: String(decoding: messages, as: UTF8.self))
  }
}
