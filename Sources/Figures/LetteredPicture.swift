import Files
import Foundation

/// Pixels of our own, images say, with gnuplot's lettering around them.
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
  ///   - x: Where the left edge of the picture is in the figure; `y` is its upper edge.
  ///   - width: Of the whole figure, as `height`.
  init(_ picture: Picture, x: Double, y: Double, width: Double, height: Double, lines: [Line]) throws {
    self.picture = picture
    var layer = try Layer(width: width, height: height)
    layer.image(picture, x: Int(x), y: Int(y))
    for line in lines { layer.text(line.text, x: line.x, y: line.y, align: line.align, size: line.size) }
    self.layer = layer
  }

  /// Writes PNG and SVG. Where gnuplot is missing, the bare pixels become the PNG file, and there is no SVG file.
  func write(to url: URL, searchPath: String = Gnuplot.path) throws {
    guard Command("gnuplot", searchPath: searchPath).program == nil else {
      return try Gnuplot.write(Drawing(under: layer), to: url, searchPath: searchPath)
    }
    let files = FigureFiles(url)
    try picture.write(to: files.png)
    // One of an older figure would no longer show the same.
    try? FileManager.default.removeItem(at: files.svg)
  }
}
