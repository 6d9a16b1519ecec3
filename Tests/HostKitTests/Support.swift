import Foundation
import LatentKit

@testable import HostKit

let packageRoot = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent()

/// Runs a command line as the program would, with its sentence on failure.
func host(_ arguments: [String]) throws {
  try Host.$plugins.withValue(plugins) {
    var command = try HostCommand.parseAsRoot(arguments)
    try command.run()
  }
}

func host(_ arguments: String...) throws { try host(arguments) }

/// What the program would print on failure.
func message(_ arguments: [String]) -> String {
  do { try host(arguments) } catch {
    return Host.$plugins.withValue(plugins) { HostCommand.fullMessage(for: error) }
  }
  return ""
}

func message(_ arguments: String...) -> String { message(arguments) }

/// A folder that is removed when its test is over.
final class Scratch {
  let url = FileManager.default.temporaryDirectory.appendingPathComponent("latentkit-host-\(UUID().uuidString)")
  var path: String { url.path }
  init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(at: url) }

  /// Writes a file, and returns its path.
  func write(_ text: String, to name: String) throws -> String {
    let file = url.appendingPathComponent(name)
    try Data(text.utf8).write(to: file)
    return file.path
  }

  func read(_ name: String) throws -> String {
    try String(contentsOf: url.appendingPathComponent(name), encoding: .utf8)
  }
}
