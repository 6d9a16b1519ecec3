import Files
import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Another program, found through `PATH`, with its arguments.
struct Command {
  let name: String
  let arguments: [String]

  init(_ name: String, _ arguments: [String]) {
    self.name = name
    self.arguments = arguments
  }

  /// Runs it to its end and hands over what it prints, piece by piece. Where that throws, the program is stopped.
  /// - Returns: The status, 127 where there is no such program, and what it wrote to standard error.
  func run(_ take: (Data) throws -> Void) throws -> (status: Int, said: String) {
    let (process, output, errors) = (Process(), Pipe(), Pipe())
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [name] + arguments
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = output
    process.standardError = errors
    do {
      try process.run()
    } catch {
      throw DatasetError("cannot run \(name): \(error.localizedDescription)")
    }
    do {
      try pieces(of: output.fileHandleForReading.fileDescriptor, take)
    } catch {
      process.terminate()
      process.waitUntilExit()
      throw error
    }
    var said = Data()
    try pieces(of: errors.fileHandleForReading.fileDescriptor) { said += $0 }
    process.waitUntilExit()
    return (Int(process.terminationStatus), String(decoding: said, as: UTF8.self))
  }

  private func pieces(of descriptor: Int32, _ take: (Data) throws -> Void) throws {
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw DatasetError("cannot hear from \(name): \(systemMessage())") }
      if count == 0 { return }
      try take(Data(buffer[..<count]))
    }
  }
}
