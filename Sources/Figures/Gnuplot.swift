import Files
import Foundation

/// Runs gnuplot as a program of its own.
enum Gnuplot {
  static var path: String { ProcessInfo.processInfo.environment["PATH"] ?? "" }

  /// A program in the folders of a search path; nil where it is in none.
  static func find(_ program: String, in searchPath: String) -> String? {
    searchPath.split(separator: ":").map { "\($0)/\(program)" }
      .first(where: FileManager.default.isExecutableFile(atPath:))
  }

  /// Writes a drawing as PNG and SVG, each a whole file or none.
  ///
  /// - Throws: `FigureError` where gnuplot is missing or cannot draw it, `FileError` where a file cannot be written.
  static func write(_ drawing: Drawing, to url: URL, searchPath: String = path) throws {
    let files = FigureFiles(url)
    let made = try draw(drawing, searchPath: searchPath)
    try AtomicFile.write(made.png, to: files.png)
    try AtomicFile.write(made.svg, to: files.svg)
  }

  /// The bytes of the PNG and of the SVG file.
  ///
  /// - Throws: `FigureError` where gnuplot is missing or cannot draw it.
  static func draw(_ drawing: Drawing, searchPath: String = path) throws -> (png: Data, svg: Data) {
    guard let program = find("gnuplot", in: searchPath) else {
      throw FigureError(
        "gnuplot, which draws figures, was not found in PATH; install it: apt-get install gnuplot-nox "
          + "(macOS: brew install gnuplot)")
    }
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("gnuplot-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    func file(_ name: String) -> URL { folder.appendingPathComponent(name) }
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      for (index, image) in drawing.images.enumerated() { try Data(image.pixels).write(to: file("image\(index).rgb")) }
      try Data(withKnownLetters(drawing.script, folder, searchPath).utf8).write(to: file("figure.gp"))
      try Data(main(drawing).utf8).write(to: file("main.gp"))
      // gnuplot works in the folder, so that no name of a folder stands in a script.
      let (status, said) = try run(program, ["--default-settings", "main.gp"], in: folder)
      let (png, svg) = (try? Data(contentsOf: file("figure.png")), try? Data(contentsOf: file("figure.svg")))
      guard status == 0, let png, let svg, png.starts(with: [0x89, 0x50, 0x4E, 0x47]), !svg.isEmpty else {
        let line = said.split(separator: "\n").last { !$0.allSatisfy { " ^".contains($0) } }
        throw FigureError("gnuplot could not draw the figure: \(line ?? "it ended without a picture")")
      }
      return (png, svg)
    } catch let error as FigureError {
      throw error
    } catch {
      throw FigureError("gnuplot could not be run: \(error.localizedDescription)")
    }
  }

  /// Plots the same figure twice. Both terminals take sizes of text in pixels: pngcairo has 3/4 of a point for each.
  private static func main(_ drawing: Drawing) -> String {
    let size = "size \(drawing.width),\(drawing.height)"
    let font = "font '\(Style.font),\(Style.textSize)'"
    return """
      set encoding utf8
      set terminal pngcairo noenhanced \(size) \(font) fontscale 0.75 background rgb 'white'
      set output 'figure.png'
      load 'figure.gp'
      set output
      reset
      set terminal svg noenhanced \(size) \(font) background rgb 'white' standalone
      set output 'figure.svg'
      load 'figure.gp'
      set output

      """
  }

  /// Runs a program until it ends, and returns all that it printed.
  ///
  /// That goes through a file: a pipe could fill up while nobody reads it.
  private static func run(
    _ program: String, _ arguments: [String], in folder: URL
  ) throws -> (status: Int32, said: String) {
    let messages = folder.appendingPathComponent("messages")
    try Data().write(to: messages)
    let handle = try FileHandle(forWritingTo: messages)
    defer { try? handle.close() }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = handle
    process.standardError = handle
    try process.run()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: try Data(contentsOf: messages), as: UTF8.self))
  }

  /// Puts question marks in place of letters beyond the Latin, Greek and Cyrillic ones that no installed font has: cairo
  /// would draw boxes over the whole figure for them.
  private static func withKnownLetters(_ script: String, _ folder: URL, _ searchPath: String) throws -> String {
    func isRare(_ scalar: Unicode.Scalar) -> Bool { scalar.value > 0x52F && !(0x1E00...0x206F).contains(scalar.value) }
    let rare = Set(script.unicodeScalars.filter(isRare))
    guard !rare.isEmpty else { return script }
    let codes = rare.map { String($0.value, radix: 16) }.sorted().joined(separator: " ")
    let fonts = try find("fc-list", in: searchPath).map {
      try run($0, [":charset=\(codes)", "family"], in: folder).said
    }
    guard (fonts ?? "").isEmpty else { return script }
    return String(String.UnicodeScalarView(script.unicodeScalars.map { isRare($0) ? "?" : $0 }))
  }
}
