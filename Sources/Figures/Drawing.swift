import Foundation

/// A gnuplot script and its pictures.
struct Drawing: Sendable {
  /// In pixels, as `height`.
  let width: Int
  let height: Int
  /// Commands; they name the pictures `image0.rgb`, `image1.rgb` and so on.
  var script: String
  var images: [Picture] = []

  /// - Parameters:
  ///   - panels: Commands that plot panels, each from `reset` on.
  ///   - layer: Drawn over the panels.
  init(_ panels: [[String]] = [], under layer: Layer) {
    (width, height, images) = (layer.width, layer.height, layer.images)
    let lines = ["set multiplot"] + panels.flatMap { $0 } + layer.script + ["unset multiplot", ""]
    script = lines.joined(separator: "\n")
  }
}

/// Text, pictures and marks at exact places of a drawing: its axes are the drawing's pixels, (0, 0) the upper left corner.
struct Layer: Sendable {
  enum Side: String, Sendable { case left, center, right }

  let width: Int
  let height: Int
  private(set) var images: [Picture] = []
  /// Commands before the plot: palettes, objects, data blocks.
  private(set) var settings: [String] = []
  private var plots: [String] = []

  init(width: Int, height: Int) { (self.width, self.height) = (width, height) }

  /// - Throws: `FigureError` where a side is not within `1...Picture.longestSide`.
  init(width: Double, height: Double) throws {
    try Picture.check(width: Int(width.rounded(.up)), height: Int(height.rounded(.up)))
    self.init(width: Int(width.rounded(.up)), height: Int(height.rounded(.up)))
  }

  /// Writes one line. `y` is the middle of its height, `x` the left end, the middle or the right end of it. A line that
  /// reads upwards has `x` and `y` the other way round.
  mutating func text(
    _ line: String, x: Double, y: Double, align: Side = .left, size: Double = Style.textSize, color: String = Style.ink,
    upwards: Bool = false
  ) {
    guard !line.isEmpty else { return }
    settings.append(
      "set label \(Lettering.quoted(line)) at \(x),\(y) \(align)\(upwards ? " rotate by 90" : "") font ',\(size)' "
        + "textcolor rgb '\(color)' front")
  }

  /// Writes lines below each other from the top `y`.
  mutating func text(lines: [String], x: Double, y: Double, align: Side = .left, size: Double = Style.textSize) {
    for (index, line) in lines.enumerated() {
      text(line, x: x, y: y + (Double(index) + 0.5) * Style.lineHeight(size), align: align, size: size)
    }
  }

  /// Draws a picture, a pixel for a pixel.
  mutating func image(_ picture: Picture, x: Int, y: Int) {
    plots.append(
      "'image\(images.count).rgb' binary array=(\(picture.width),\(picture.height)) "
        + "origin=(\(Double(x) + 0.5),\(Double(y) + 0.5)) dx=1 dy=1 format='%uchar%uchar%uchar' using 1:2:3 with rgbimage"
    )
    images.append(picture)
  }

  mutating func set(_ command: String) { settings.append(command) }

  /// Plots rows of numbers.
  ///
  /// - Parameter style: The plot style after the name of the data: `using 1:2 with points pt 7`.
  mutating func plot(_ rows: [String], _ style: String) {
    let name = "$layer\(plots.count)"
    settings += ["\(name) << END"] + rows + ["END"]
    plots.append("\(name) \(style)")
  }

  var script: [String] {
    // The terminals count a twentieth of a pixel and begin at 0, so this range makes one unit exactly one pixel.
    [
      "reset", "unset border", "unset tics", "unset key", "set lmargin at screen 0", "set rmargin at screen 1",
      "set bmargin at screen 0", "set tmargin at screen 1", "set xrange [0:\(Double(width) - 0.05)]",
      "set yrange [\(Double(height) - 0.05):0]",
    ] + settings + ["plot " + (plots.isEmpty ? ["NaN"] : plots).joined(separator: ", \\\n  ")]
  }

  /// Commands that put the axes of a panel at these pixels.
  func frame(left: Double, top: Double, width: Double, height: Double) -> [String] {
    let (wide, high) = (Double(self.width), Double(self.height))
    return [
      "set lmargin at screen \(left / wide)", "set rmargin at screen \((left + width) / wide)",
      "set tmargin at screen \(1 - top / high)", "set bmargin at screen \(1 - (top + height) / high)",
    ]
  }
}
