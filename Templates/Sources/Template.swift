import Files
import Foundation

/// A template, filled in: files in memory, not yet written.
///
/// In the names and in the text of a template's files, `__key__` stands for a value. A line that begins with `{loss}` is
/// kept, without that, where the slot is chosen; with `{!loss}`, where it is not; commas join conditions that all must hold.
struct Template {
  /// The text of each file by its path in the new folder, sorted.
  private(set) var files: [(path: String, text: String)] = []

  /// Adds the files of a folder of templates.
  ///
  /// - Parameters:
  ///   - name: The folder inside `Templates/`: `Plugin/loss`.
  ///   - place: Where the files go in the new folder; empty for its top.
  ///   - values: The values by key: `["name": "ring"]` for `__name__`.
  ///   - slots: The names of the chosen slots.
  /// - Throws: `TemplateError` where the program was copied without its templates, or a key has no value.
  mutating func add(
    _ name: String, at place: String = "", filling values: [String: String], for slots: Set<String>,
    in places: [URL] = ResourceFolder.places
  ) throws {
    guard let folder = ResourceFolder.find("LatentKit_Templates", name, in: places) else {
      throw TemplateError(
        "the templates are not beside this program; copy 'LatentKit_Templates.resources' from its build folder to "
          + (places.first?.path ?? "the program"))
    }
    let root = folder.resolvingSymlinksInPath().path
    guard
      let walk = FileManager.default.enumerator(at: folder.resolvingSymlinksInPath(), includingPropertiesForKeys: nil)
    else { throw TemplateError("\(root) cannot be read; build the program again") }
    for case let file as URL in walk where OutputPlace(file, followsLinks: true) == .file {
      let path = String(file.resolvingSymlinksInPath().path.dropFirst(root.count + 1))
      let text = try String(contentsOf: file, encoding: .utf8)
      files.append(
        (
          place + (try Template.fill(path, values, in: path)),
          try Template.sortImports(Template.fill(Template.choose(text, slots), values, in: path))
        ))
    }
    files.sort { $0.path < $1.path }
  }

  /// Writes the files into a new folder: all of them, or none.
  ///
  /// - Throws: `TemplateError` where there is something of that name, `FileError` where a file cannot be written.
  func write(to folder: URL) throws {
    guard OutputPlace(folder, followsLinks: false) == nil else {
      throw TemplateError("\(folder.path) is there already; choose another name, or move it away")
    }
    let partial = folder.deletingLastPathComponent()
      .appendingPathComponent(".\(folder.lastPathComponent).\(ProcessInfo.processInfo.processIdentifier).partial")
    do {
      for (path, text) in files {
        let file = partial.appendingPathComponent(path)
        do {
          try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        } catch { throw FileError(file.deletingLastPathComponent().path, "cannot be made: \(systemMessage())") }
        try AtomicFile.write(text, to: file)
      }
      guard rename(partial.path, folder.path) == 0 else {
        throw FileError(folder.path, "cannot be made: \(systemMessage())")
      }
    } catch {
      try? FileManager.default.removeItem(at: partial)
      throw error
    }
  }

  /// The text without the lines of other slots.
  static func choose(_ text: String, _ slots: Set<String>) -> String {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).compactMap { line -> Substring? in
      guard let mark = line.prefixMatch(of: /\{(!?[a-z]+(?:,!?[a-z]+)*)\}/) else { return line }
      let holds = mark.1.split(separator: ",").allSatisfy { condition in
        condition.hasPrefix("!") ? !slots.contains(String(condition.dropFirst())) : slots.contains(String(condition))
      }
      return holds ? line[mark.range.upperBound...] : nil
    }
    return lines.joined(separator: "\n")
  }

  /// The text with its keys replaced.
  static func fill(_ text: String, _ values: [String: String], in path: String) throws -> String {
    let unknown = text.matches(of: /__([A-Za-z]+)__/).map { String($0.1) }.first { values[$0] == nil }
    if let unknown { throw TemplateError("the template \(path) has a key '\(unknown)' that has no value") }
    return text.replacing(/__([A-Za-z]+)__/) { values[String($0.1)] ?? "" }
  }

  /// The text with neighbouring import lines sorted: where a new name stands among them depends on the name.
  static func sortImports(_ text: String) -> String {
    var (sorted, imports): ([Substring], [Substring]) = ([], [])
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("import ") {
        imports.append(line)
      } else {
        sorted += imports.sorted() + [line]
        imports = []
      }
    }
    return (sorted + imports.sorted()).joined(separator: "\n")
  }
}
