import CYaml
import LatentKit

/// Makes trees of the events of libyaml, as Yams carries it, in time and memory that are linear in the text's size.
///
/// Yams' own nodes are not used: they hash and compare keys as whole trees, which aliases and nesting make endless before
/// anything can look at them. Here keys are names, and an alias counts as all that it stands for.
struct TreeParser: ~Copyable {
  /// Bytes of a text at most.
  static let mostBytes = 1 << 20
  /// Values of a text at most, with what aliases stand for.
  static let mostValues = 100_000
  /// Lists and mappings inside each other at most.
  static let mostLevels = 100

  /// A tree with what it counts for where an alias repeats it.
  private struct Part {
    var tree: Tree
    var values = 1
    var levels = 0
  }

  private let text: String
  /// At one place: libyaml points into it.
  private let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
  private var room = TreeParser.mostValues
  private var anchors: [String: Part] = [:]

  private init(_ text: String) { self.text = text }

  deinit { parser.deallocate() }

  /// The tree of a text's only document; nil where there is none.
  /// - Throws: `TreeProblem`.
  static func tree(_ text: String) throws -> Tree? {
    guard text.utf8.count <= mostBytes else {
      throw TreeProblem(reason: "found \(text.utf8.count) bytes, expected at most 1 MB")
    }
    var bytes = Array(text.utf8)
    return try bytes.withUnsafeMutableBufferPointer { bytes in
      var parser = TreeParser(text)
      return try parser.document(bytes)
    }
  }

  private mutating func document(_ bytes: UnsafeMutableBufferPointer<UInt8>) throws -> Tree? {
    guard yaml_parser_initialize(parser) == 1 else { throw TreeProblem(reason: "there is no memory left to read it") }
    defer { yaml_parser_delete(parser) }
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
    _ = try next()  // the stream's start
    guard try next().kind != YAML_STREAM_END_EVENT else { return nil }
    let part = try part(next(), depth: 0)
    _ = try next()  // the document's end
    let after = try next()
    guard after.kind == YAML_STREAM_END_EVENT else {
      throw TreeProblem(position: after.position, reason: "found a second document, expected one recipe per file")
    }
    return part.tree
  }

  // MARK: Events

  private struct Event {
    var kind: yaml_event_type_t
    var position: TextPosition
    var anchor: String?
    var tag: String?
    var text = ""
    /// Whether a scalar stands without quotes.
    var isPlain = false
  }

  private mutating func next() throws -> Event {
    var raw = yaml_event_t()
    guard yaml_parser_parse(parser, &raw) == 1 else { throw problem() }
    defer { yaml_event_delete(&raw) }
    func string(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? { pointer.map { String(cString: $0) } }
    var event = Event(
      kind: raw.type, position: TextPosition(line: raw.start_mark.line + 1, column: raw.start_mark.column + 1))
    switch raw.type {
    case YAML_ALIAS_EVENT: event.anchor = string(raw.data.alias.anchor)
    case YAML_SCALAR_EVENT:
      let scalar = raw.data.scalar
      (event.anchor, event.tag) = (string(scalar.anchor), string(scalar.tag))
      event.text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
      event.isPlain = scalar.style == YAML_PLAIN_SCALAR_STYLE
    case YAML_SEQUENCE_START_EVENT: event.anchor = string(raw.data.sequence_start.anchor)
    case YAML_MAPPING_START_EVENT: event.anchor = string(raw.data.mapping_start.anchor)
    default: break
    }
    return event
  }

  private func problem() -> TreeProblem {
    let reason = parser.pointee.problem.map { String(cString: $0) } ?? "it cannot be read"
    if parser.pointee.error == YAML_READER_ERROR { return TreeProblem(reason: "this is not text: \(reason)") }
    let mark = parser.pointee.problem_mark
    let position = TextPosition(line: mark.line + 1, column: mark.column + 1)
    let lines = text.split(separator: "\n", maxSplits: position.line, omittingEmptySubsequences: false)
    let line = lines.indices.contains(position.line - 1) ? lines[position.line - 1] : ""
    let character = line.unicodeScalars.dropFirst(position.column - 1).first
    if character == "\t" || line.prefix(while: \.isWhitespace).contains("\t") {
      return TreeProblem(position: position, reason: "found a tab, expected spaces; indent with spaces only")
    }
    // libyaml's own limit, which it explains to programmers.
    if reason.contains("nest") { return tooLarge(at: position) }
    if reason.contains("<document start>") {
      return TreeProblem(position: position, reason: "found a second document, expected one recipe per file")
    }
    return TreeProblem(position: position, reason: "this is not YAML: \(reason)")
  }

  // MARK: Values

  private mutating func part(_ event: Event, depth: Int) throws -> Part {
    if event.kind == YAML_ALIAS_EVENT {
      guard let known = anchors[event.anchor ?? ""] else {
        throw TreeProblem(position: event.position, reason: "this is not YAML: found undefined alias")
      }
      try count(known.values, levels: depth + known.levels, at: event.position)
      return known
    }
    try count(1, levels: depth, at: event.position)
    var part: Part
    switch event.kind {
    case YAML_SEQUENCE_START_EVENT: part = try list(depth)
    case YAML_MAPPING_START_EVENT: part = try mapping(depth)
    default:
      let isText = !event.isPlain || event.tag == "tag:yaml.org,2002:str"
      part = Part(tree: Tree(content: .scalar(isText ? .string(event.text) : Value(plain: event.text))))
    }
    part.tree.position = event.position
    if let anchor = event.anchor { anchors[anchor] = part }
    return part
  }

  private mutating func list(_ depth: Int) throws -> Part {
    var part = Part(tree: .list([]))
    var items: [Tree] = []
    while true {
      let event = try next()
      if event.kind == YAML_SEQUENCE_END_EVENT { break }
      items.append(add(try self.part(event, depth: depth + 1), to: &part))
    }
    part.tree.content = .list(items)
    return part
  }

  private mutating func mapping(_ depth: Int) throws -> Part {
    var part = Part(tree: .mapping([]))
    var fields: [Tree.Field] = []
    var names: Set<String> = []
    while true {
      let key = try next()
      if key.kind == YAML_MAPPING_END_EVENT { break }
      guard key.kind == YAML_SCALAR_EVENT else {
        throw TreeProblem(
          position: key.position, reason: "found a list or a mapping as a key, or an alias, expected a name")
      }
      guard names.insert(key.text).inserted else {
        throw TreeProblem(position: key.position, reason: "the key '\(key.text)' is given twice; keep one")
      }
      let value = add(try self.part(next(), depth: depth + 1), to: &part)
      fields.append(Tree.Field(key: key.text, position: key.position, tree: value))
    }
    part.tree.content = .mapping(fields)
    return part
  }

  private func add(_ inner: Part, to part: inout Part) -> Tree {
    part.values += inner.values
    part.levels = max(part.levels, inner.levels + 1)
    return inner.tree
  }

  /// Counts values against what a text may hold.
  private mutating func count(_ values: Int, levels: Int, at position: TextPosition) throws {
    room -= values
    guard room >= 0, levels < TreeParser.mostLevels else { throw tooLarge(at: position) }
  }

  private func tooLarge(at position: TextPosition) -> TreeProblem {
    TreeProblem(
      position: position,
      reason: "this is too large or nested too deeply for a recipe: at most \(TreeParser.mostValues) values, "
        + "\(TreeParser.mostLevels) levels deep")
  }
}
