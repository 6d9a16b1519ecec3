import Foundation
import LatentKit
import Synchronization

@testable import HostKit

let packageRoot = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent()

/// What a command printed.
final class Printed: Sendable {
  private let texts = Mutex((output: "", errors: ""))
  var output: String { texts.withLock { $0.output } }
  var errors: String { texts.withLock { $0.errors } }

  /// A console that prints here.
  var console: Console {
    Console(
      output: { text in self.texts.withLock { $0.output += text } },
      errors: { text in self.texts.withLock { $0.errors += text } })
  }
}

/// Runs a command line as the program would, and returns what it printed.
@discardableResult
func host(_ arguments: [String]) throws -> Printed {
  let printed = Printed()
  try Host(plugins: plugins, console: printed.console).run(arguments)
  return printed
}

@discardableResult
func host(_ arguments: String...) throws -> Printed { try host(arguments) }

/// What the program would print on failure.
func message(_ arguments: [String]) -> String {
  do { try host(arguments) } catch { return HostCommand.fullMessage(for: error) }
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
