import Files
import Foundation

/// Runs gnuplot as a separate process.
enum Gnuplot {
  static var path: String { ProcessInfo.processInfo.environment["PATH"] ?? "" }

  static let missing = FigureError(
    "gnuplot, which draws figures, was not found in PATH; install it: apt-get install gnuplot-nox "
      + "(macOS: brew install gnuplot)")

  /// Writes a drawing as PNG and SVG, each atomically.
  ///
  /// - Throws: `FigureError` where gnuplot is missing or cannot draw it, `FileError` where a file cannot be written.
  static func write(_ drawing: Drawing, to url: URL, searchPath: String = path) throws {
    let files = FigureFiles(url)
    let made = try draw(drawing, searchPath: searchPath)
    try AtomicFile.write(made.png, to: files.png)
    try AtomicFile.write(made.svg, to: files.svg)
  }

  /// Returns the bytes of the PNG and of the SVG file.
  ///
  /// - Throws: `FigureError` where gnuplot is missing or cannot draw it.
  static func draw(_ drawing: Drawing, searchPath: String = path) throws -> (png: Data, svg: Data) {
    guard let program = Command("gnuplot", searchPath: searchPath).program else {
      throw missing
    }
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("gnuplot-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    func file(_ name: String) -> URL { folder.appendingPathComponent(name) }
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      for (index, image) in drawing.images.enumerated() { try Data(image.pixels).write(to: file("image\(index).rgb")) }
      try Data(withKnownLetters(drawing.script, searchPath).utf8).write(to: file("figure.gp"))
      try Data(main(drawing).utf8).write(to: file("main.gp"))
      // gnuplot runs in the folder, so that scripts contain no path.
      let result = try Command(program.path, ["--default-settings", "main.gp"]).run(in: folder)
      let (png, svg) = (try? Data(contentsOf: file("figure.png")), try? Data(contentsOf: file("figure.svg")))
      guard result.status == 0, let png, let svg, png.starts(with: [0x89, 0x50, 0x4E, 0x47]), !svg.isEmpty else {
        let line = result.messages.split(separator: "\n").last { !$0.allSatisfy { " ^".contains($0) } }
        throw FigureError("gnuplot could not draw the figure: \(line ?? "it ended without a picture")")
      }
      return (png, svg)
    } catch let error as FigureError {
      throw error
    } catch {
      throw FigureError("gnuplot could not be run: \(systemReason(of: error))")
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

  /// Puts question marks in place of letters beyond the Latin, Greek and Cyrillic ones that no installed font has: cairo
  /// would draw boxes over the whole figure for them.
  private static func withKnownLetters(_ script: String, _ searchPath: String) throws -> String {
    func isRare(_ scalar: Unicode.Scalar) -> Bool { scalar.value > 0x52F && !(0x1E00...0x206F).contains(scalar.value) }
    let rare = Set(script.unicodeScalars.filter(isRare))
    guard !rare.isEmpty else { return script }
    let codes = rare.map { String($0.value, radix: 16) }.sorted().joined(separator: " ")
    let list = Command("fc-list", [":charset=\(codes)", "family"], searchPath: searchPath)
    guard try list.program == nil || list.run().output.isEmpty else { return script }
    return String(String.UnicodeScalarView(script.unicodeScalars.map { isRare($0) ? "?" : $0 }))
  }
}
