import Foundation

/// Prepares text for gnuplot: cleans, shortens, wraps and quotes it.
enum Lettering {
  /// A text without control characters, escape sequences' first bytes among them, without invisible characters that turn
  /// the direction of writing, and without what XML forbids. Line breaks stay.
  static func cleaned(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.replacing("\r\n", with: "\n").unicodeScalars.prefix(longestText) {
      switch scalar.properties.generalCategory {
      case _ where scalar == "\n": result.append(scalar)
      case .lineSeparator, .paragraphSeparator: result.append("\n")
      case .control, .spaceSeparator: result.append(" ")
      case .format: continue
      case .unassigned, .privateUse, .surrogate: result.append("\u{FFFD}")
      default: result.append(scalar)
      }
    }
    return String(result)
  }

  /// In Unicode scalars; nobody reads more in a picture.
  private static let longestText = 1000

  /// A text as gnuplot reads it, in double quotes. All punctuation that means something to gnuplot somewhere is written by
  /// its number, so that no text can end the quotes, name a variable or run a command.
  static func quoted(_ text: String) -> String {
    let escaped = cleaned(text).unicodeScalars.map { scalar in
      switch scalar {
      case "\n": "\\n"
      case "a"..."z", "A"..."Z", "0"..."9", " ", ".", ",", ":", "-", "+", "(", ")", "/", "=", "<", ">": String(scalar)
      default: scalar.isASCII ? "\\" + octal(scalar.value) : String(scalar)
      }
    }
    return "\"" + escaped.joined() + "\""
  }

  private static func octal(_ value: UInt32) -> String {
    let digits = String(value, radix: 8)
    return String(repeating: "0", count: 3 - digits.count) + digits
  }

  /// About how wide a line is in pixels, and no less in common fonts: the widths of DejaVu Sans, a wide one.
  static func width(of line: String, size: Double = Style.textSize) -> Double {
    size
      * line.unicodeScalars.reduce(0) { sum, scalar in
        switch scalar {
        case "i", "j", "l", "I", "J", ".", ",", ":", ";", "'", "|", "!", " ": sum + 0.33
        case "f", "r", "t", "(", ")", "[", "]", "-", "/", "\\", "\"", "`": sum + 0.42
        case "m", "w", "M", "W", "%", "@", "—", "…": sum + 1
        case "A"..."Z", "#", "+", "=", "<", ">", "~", "^": sum + 0.8
        default:
          switch scalar.properties.generalCategory {
          case .nonspacingMark, .enclosingMark: sum
          default: sum + (scalar.value >= 0x1100 ? 1.05 : 0.67)
          }
        }
      }
  }

  /// One line no wider than `width` pixels; a longer text is cut off and ends with an ellipsis.
  static func shortened(_ text: String, to width: Double, size: Double = Style.textSize) -> String {
    let line = cleaned(text).replacing("\n", with: " ")
    guard Lettering.width(of: line, size: size) > width else { return line }
    var kept = ""
    for character in line {
      guard Lettering.width(of: kept + String(character) + "…", size: size) <= width else { break }
      kept.append(character)
    }
    return kept.trimmingCharacters(in: .whitespaces) + "…"
  }

  /// A text broken between words into lines no wider than `width` pixels.
  ///
  /// - Parameter limit: The largest number of lines; the last one ends with an ellipsis if text is left out.
  static func lines(of text: String, width: Double, size: Double = Style.textSize, atMost limit: Int) -> [String] {
    let text = cleaned(text)
    guard text.contains(where: { !$0.isWhitespace }) else { return [] }
    var lines: [String] = []
    for paragraph in text.split(separator: "\n") {
      var line = ""
      for word in paragraph.split(separator: " ") {
        let longer = line.isEmpty ? String(word) : "\(line) \(word)"
        if line.isEmpty || Lettering.width(of: longer, size: size) <= width {
          line = longer
        } else {
          lines.append(line)
          line = String(word)
        }
      }
      lines.append(line)
    }
    if lines.count > limit { lines = lines.prefix(limit - 1) + [lines[limit - 1] + " …"] }
    return lines.map { shortened($0, to: width, size: size) }
  }
}
