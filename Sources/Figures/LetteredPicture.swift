import Files
import Foundation

/// A picture with text around it that gnuplot draws.
struct LetteredPicture: Sendable {
  /// A line of text in pixels of the whole figure; see `Layer.text`.
  struct Line: Sendable {
    var text: String
    var x: Double
    var y: Double
    var align = Layer.Side.left
    var size = Style.textSize
  }

  let picture: Picture
  /// The whole figure.
  let layer: Layer

  /// - Parameters:
  ///   - x: The left edge of the picture in the figure; `y` is its upper edge.
  ///   - width: The width of the whole figure; `height` is its height.
  init(_ picture: Picture, x: Double, y: Double, width: Double, height: Double, lines: [Line]) throws {
    self.picture = picture
    var layer = try Layer(width: width, height: height)
    layer.image(picture, x: Int(x), y: Int(y))
    for line in lines { layer.text(line.text, x: line.x, y: line.y, align: line.align, size: line.size) }
    self.layer = layer
  }

  /// Writes PNG and SVG; if gnuplot is missing, only a PNG file of the picture without text.
  func write(to url: URL, searchPath: String = Gnuplot.path) throws {
    guard Command("gnuplot", searchPath: searchPath).program == nil else {
      return try Gnuplot.write(Drawing(under: layer), to: url, searchPath: searchPath)
    }
    let files = FigureFiles(url)
    try picture.write(to: files.png)
    // An SVG file of an older figure would show something else.
    if OutputPlace(files.svg, followsLinks: false) == .file { try? FileManager.default.removeItem(at: files.svg) }
  }
}
