import Files
import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Where commands print.
package struct Console: Sendable {
  /// Takes text for standard output, its ends of lines included.
  var output: @Sendable (String) -> Void
  /// Takes text for standard error.
  var errors: @Sendable (String) -> Void
  /// Whether lines of the output can be redrawn.
  var isTerminal = false

  /// Standard output and standard error. Where they cannot be written, to a full device say, the program goes on: what counts
  /// is in files.
  package static let standard = Console(
    output: { text in try? FileHandle.standardOutput.write(contentsOf: Data(text.utf8)) },
    errors: { text in try? FileHandle.standardError.write(contentsOf: Data(text.utf8)) },
    isTerminal: isatty(STDOUT_FILENO) == 1)

  /// Prints a line of results. What a terminal would obey, in a label say, is shown.
  package func say(_ line: String = "") { output(line.shown(keeping: ["\t"]) + "\n") }

  /// Prints a line that is no result: a warning or a note.
  package func warn(_ line: String) { errors(line.shown(keeping: ["\t"]) + "\n") }

  /// Prints lines that belong together.
  package func say(lines text: String) { output(text.shown(keeping: ["\t", "\n"]) + "\n") }
}
