import Files
import Foundation

let packageRoot = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .deletingLastPathComponent()

/// A folder that is removed when its test is over.
final class Scratch {
  let url: URL
  var path: String { url.path }

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("latentkit-new-\(UUID().uuidString)")
      .resolvingSymlinksInPath()
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func write(_ text: String, to name: String) throws {
    let file = url.appendingPathComponent(name)
    try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: file)
  }

  func read(_ name: String) throws -> String {
    try String(contentsOf: url.appendingPathComponent(name), encoding: .utf8)
  }

  /// Every file below, sorted.
  var files: [String] {
    (FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []).filter {
      OutputPlace(url.appendingPathComponent($0), followsLinks: false) == .file
    }.sorted()
  }
}

/// Returns what the error of `body` says; `nothing thrown` without one.
func message(_ body: () throws -> Void) -> String {
  do { try body() } catch { return "\(error)" }
  return "nothing thrown"
}

/// Runs a script of `Scripts/` with the checkout, a scratch folder and more.
func run(_ script: String, in scratch: Scratch, _ more: String...) throws -> (status: Int, text: String) {
  let file = packageRoot.appendingPathComponent("Tests/TemplatesTests/Scripts/\(script)")
  let result = try Command("bash", [file.path, packageRoot.path, scratch.path] + more).run(in: scratch.url)
  return (result.status, String(decoding: result.output, as: UTF8.self) + result.messages)
}
