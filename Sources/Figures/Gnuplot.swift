import Foundation

/// Runs gnuplot as a program of its own.
enum Gnuplot {
  /// The PNG file that a script draws.
  ///
  /// - Throws: `FigureError` where gnuplot is missing or cannot draw it.
  static func png(
    _ script: String, width: Int, height: Int,
    searchPath: String = ProcessInfo.processInfo.environment["PATH"] ?? ""
  ) throws -> Data {
    let program = searchPath.split(separator: ":").map { "\($0)/gnuplot" }
      .first(where: FileManager.default.isExecutableFile(atPath:))
    guard let program else {
      throw FigureError(
        "gnuplot, which draws plots, was not found in PATH; install it: apt-get install gnuplot-nox "
          + "(macOS: brew install gnuplot)")
    }
    // Script and messages go through files: pipes could fill up on both sides while each waits for the other.
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("gnuplot-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    let (input, messages) = (folder.appendingPathComponent("script"), folder.appendingPathComponent("messages"))
    let terminal = """
      set encoding utf8
      if (strstrt(GPVAL_TERMINALS, "pngcairo") > 0) {
        set terminal pngcairo noenhanced size \(width),\(height) font "sans,10"
      } else {
        set terminal png noenhanced medium size \(width),\(height)
      }

      """
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      try Data((terminal + script).utf8).write(to: input)
      try Data().write(to: messages)
      let process = Process()
      let output = Pipe()
      process.executableURL = URL(fileURLWithPath: program)
      process.arguments = ["--default-settings", "-"]
      process.standardInput = try FileHandle(forReadingFrom: input)
      process.standardOutput = output
      process.standardError = try FileHandle(forWritingTo: messages)
      try process.run()
      let data = try output.fileHandleForReading.readToEnd() ?? Data()
      process.waitUntilExit()
      guard process.terminationStatus == 0, data.starts(with: [0x89, 0x50, 0x4E, 0x47]) else {
        let said = String(decoding: (try? Data(contentsOf: messages)) ?? Data(), as: UTF8.self)
        let line = said.split(separator: "\n").last { !$0.allSatisfy { " ^".contains($0) } }
        throw FigureError("gnuplot could not draw the plot: \(line ?? "it ended without a picture")")
      }
      return data
    } catch let error as FigureError {
      throw error
    } catch {
      throw FigureError("gnuplot could not be run: \(error.localizedDescription)")
    }
  }

  /// A text as gnuplot reads it, in double quotes; lines stay apart. A backquote is written by its number: gnuplot would
  /// run what stands between two of them.
  static func quoted(_ text: String) -> String {
    let escaped = text.unicodeScalars.map { scalar in
      switch scalar {
      case "\n": "\\n"
      case "\\": "\\\\"
      case "\"": "\\\""
      case "`": "\\140"
      default: scalar.properties.generalCategory == .control ? " " : String(scalar)
      }
    }
    return "\"" + escaped.joined() + "\""
  }
}
