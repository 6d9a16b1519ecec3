import LatentKit

/// A place in a text; lines and columns count from 1.
public struct TextPosition: Sendable, Equatable {
  /// The line, from 1.
  public let line: Int
  /// The column, from 1.
  public let column: Int
  /// The file, where it is not the one that was read but one that it extends.
  public internal(set) var file: String?

  /// Creates a position.
  public init(line: Int, column: Int, file: String? = nil) {
    (self.line, self.column, self.file) = (line, column, file)
  }
}

/// A fault in a tree, with its place. Becomes a public error where the file or the recipe is known.
struct TreeProblem: Error {
  var path = ""
  var position: TextPosition?
  var reason: String
}

/// YAML with the place of every value. It stands between text and recipe both ways, and is what overrides edit.
struct Tree {
  enum Content {
    /// Never an array or an object.
    case scalar(Value)
    case list([Tree])
    case mapping([Field])
  }

  struct Field {
    var key: String
    var position: TextPosition?
    var tree: Tree
  }

  var content: Content
  var position: TextPosition?
  /// Whether to write it over several lines, even where it would fit on one.
  var isBlock = false

  static func list(_ items: [Tree], isBlock: Bool = false) -> Tree { Tree(content: .list(items), isBlock: isBlock) }

  static func mapping(_ fields: [(String, Tree)], isBlock: Bool = false) -> Tree {
    Tree(content: .mapping(fields.map { Field(key: $0.0, tree: $0.1) }), isBlock: isBlock)
  }

  init(content: Content, position: TextPosition? = nil, isBlock: Bool = false) {
    self.content = content
    self.position = position
    self.isBlock = isBlock
  }

  init(_ value: Value) {
    switch value {
    case .array(let values): self = .list(values.map { Tree($0) })
    case .object(let values): self = .mapping(values.sorted { $0.key < $1.key }.map { ($0.key, Tree($0.value)) })
    default: self.init(content: .scalar(value))
    }
  }

  /// The values alone.
  var value: Value {
    switch content {
    case .scalar(let value): value
    case .list(let items): .array(items.map(\.value))
    case .mapping(let fields): .object(Dictionary(fields.map { ($0.key, $0.tree.value) }) { _, last in last })
    }
  }

  subscript(_ key: String) -> Tree? {
    guard case .mapping(let fields) = content else { return nil }
    return fields.first { $0.key == key }?.tree
  }

  /// The value found, for messages.
  var found: String {
    switch content {
    case .scalar(.null): "nothing"
    case .scalar(let value): value.shortText
    case .list: "a list"
    case .mapping: "a mapping"
    }
  }
}

// MARK: From text

extension Tree {
  /// Parses one YAML document; nil where there is nothing in it.
  /// - Throws: `TreeProblem`.
  init?(yaml text: String) throws {
    guard let tree = try TreeParser.tree(text) else { return nil }
    self = tree
  }
}

extension Value {
  /// A plain scalar by YAML 1.2's core schema: `yes` is text, `1e-3` a number.
  init(plain text: String) {
    switch text {
    case "", "~", "null", "Null", "NULL": self = .null
    case "true", "True", "TRUE": self = .bool(true)
    case "false", "False", "FALSE": self = .bool(false)
    case ".inf", ".Inf", ".INF", "+.inf": self = .double(.infinity)
    case "-.inf", "-.Inf", "-.INF": self = .double(-.infinity)
    case ".nan", ".NaN", ".NAN": self = .double(.nan)
    default:
      if let value = Int(text) {
        self = .int(value)
      } else if text.utf8.allSatisfy({ "0123456789.eE+-".utf8.contains($0) }), let value = Double(text) {
        self = .double(value)
      } else {
        self = .string(text)
      }
    }
  }
}

// MARK: To text

extension Tree {
  /// The tree as a YAML document: what fits stays on one line.
  var yaml: String { blockLines(width: 110).map { $0 + "\n" }.joined() }

  private var flow: String {
    switch content {
    case .scalar(let value): value.scalarText
    case .list(let items): "[" + items.map(\.flow).joined(separator: ", ") + "]"
    case .mapping(let fields):
      "{" + fields.map { "\(Value.string($0.key).scalarText): \($0.tree.flow)" }.joined(separator: ", ") + "}"
    }
  }

  private var isEmpty: Bool {
    switch content {
    case .scalar: true
    case .list(let items): items.isEmpty
    case .mapping(let fields): fields.isEmpty
    }
  }

  private func fits(_ width: Int) -> Bool { isEmpty || !isBlock && flow.count <= width }

  private func blockLines(width: Int) -> [String] {
    switch content {
    case .scalar: return [flow]
    case .list(let items):
      if items.isEmpty { return [flow] }
      return items.flatMap { item in
        let lines = item.fits(width - 2) ? [item.flow] : item.blockLines(width: width - 2)
        return ["- " + lines[0]] + lines.dropFirst().map { "  " + $0 }
      }
    case .mapping(let fields):
      if fields.isEmpty { return [flow] }
      return fields.flatMap { field in
        let key = Value.string(field.key).scalarText + ":"
        if field.tree.fits(width - key.count - 1) { return ["\(key) \(field.tree.flow)"] }
        return [key] + field.tree.blockLines(width: width - 2).map { "  " + $0 }
      }
    }
  }
}

extension Value {
  /// The scalar as YAML that reads back as the same value: numbers to the last bit, text quoted where it must be.
  fileprivate var scalarText: String {
    switch self {
    case .double(let value) where value.isNaN: ".nan"
    case .double(let value) where value.isInfinite: value > 0 ? ".inf" : "-.inf"
    case .string(let text): Value.isPlain(text) ? text : Value.quoted(text)
    default: self.text
    }
  }

  private static func isPlain(_ text: String) -> Bool {
    guard let first = text.unicodeScalars.first, first.properties.isAlphabetic, text.last != " " else { return false }
    // Words that older YAML takes for true or false.
    if ["y", "n", "yes", "no", "on", "off"].contains(text.lowercased()) { return false }
    guard case .string = Value(plain: text) else { return false }
    return text.unicodeScalars.allSatisfy {
      $0.properties.isAlphabetic || "0123456789 _-./+=()".unicodeScalars.contains($0)
    }
  }

  private static func quoted(_ text: String) -> String {
    let inside = text.unicodeScalars.map { scalar in
      switch scalar.value {
      case 0x22: "\\\""
      case 0x5c: "\\\\"
      case 0x0a: "\\n"
      case 0x09: "\\t"
      case 0x20...0x7e, 0xa0...0x2027, 0x202a...0xd7ff, 0xe000...0xfefe, 0xff00...0xfffd, 0x10000...0x10ffff:
        String(scalar)
      default: "\\u" + hexadecimal(scalar.value, digits: 4)
      }
    }
    return "\"" + inside.joined() + "\""
  }

  private static func hexadecimal(_ value: UInt32, digits: Int) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: max(digits - text.count, 0)) + text
  }
}
