import Foundation

/// Points on the unit sphere, seen from outside, or on the unit circle: one panel of a figure.
///
/// The sphere is a wireframe. Points on the near side are filled and dark, those on the far side hollow and pale.
public struct SpherePlot: Sendable {
  /// The text above the panel; it may have several lines.
  public var title: String
  /// Vectors of two or three coordinates and of any length above 0; only their directions count.
  public var points: [[Double]]

  /// Creates a panel.
  public init(title: String, points: [[Double]]) { (self.title, self.points) = (title, points) }

  /// Writes panels as PNG and SVG, in rows from the upper left.
  ///
  /// - Parameter columns: Panels in a row; by default up to 4.
  /// - Throws: `FigureError` if there is no panel, a point has no direction in two or three dimensions, or gnuplot is
  ///   missing or fails; `FileError` if a file cannot be written.
  public static func write(_ panels: [SpherePlot], to url: URL, columns: Int? = nil) throws {
    try Gnuplot.write(drawing(panels, columns: columns), to: url)
  }

  static func drawing(_ panels: [SpherePlot], columns: Int? = nil) throws -> Drawing {
    let columns = min(columns ?? balanced(panels.count, atMost: 4), panels.count)
    guard columns > 0 else {
      throw FigureError("found \(panels.count) spheres in \(columns) columns, expected at least one of each to draw")
    }
    let rows = (panels.count + columns - 1) / columns
    let cell = (width: 300.0, height: 350.0)
    var layer = try Layer(width: Double(columns) * cell.width, height: Double(rows) * cell.height)
    let scripts = try panels.enumerated().map { index, panel in
      let (left, top) = (Double(index % columns) * cell.width, Double(index / columns) * cell.height)
      let lines = Lettering.lines(of: panel.title, width: cell.width - 16, size: Style.titleSize, atMost: 3)
      layer.text(
        lines: lines, x: left + cell.width / 2,
        y: top + 62 - Double(lines.count) * Style.lineHeight(Style.titleSize), align: .center, size: Style.titleSize)
      let frame = layer.frame(left: left + 11, top: top + 66, width: 278, height: 278)
      return try ["reset"] + frame + panel.script(index)
    }
    return Drawing(scripts, under: layer)
  }

  /// A position in the picture, and whether it is on the near side.
  typealias Place = (x: Double, y: Double, isNear: Bool)

  /// The orthographic projection of a direction, seen from 30 degrees aside and 20 above; a circle is seen from above.
  ///
  /// - Throws: `FigureError` for a point without a direction.
  static func place(of point: [Double]) throws -> Place {
    let length = point.reduce(0) { $0 + $1 * $1 }.squareRoot()
    guard (2...3).contains(point.count), length > 0, length.isFinite else {
      throw FigureError("found the point \(point), expected two or three finite coordinates that are not all 0")
    }
    let unit = point.map { $0 / length }
    guard unit.count == 3 else { return (unit[0], unit[1], true) }
    let (turn, rise) = (30 * Double.pi / 180, 20 * Double.pi / 180)
    let right = -sin(turn) * unit[0] + cos(turn) * unit[1]
    let towards = cos(turn) * unit[0] + sin(turn) * unit[1]
    let up = cos(rise) * unit[2] - sin(rise) * towards
    return (right, up, cos(rise) * towards + sin(rise) * unit[2] >= 0)
  }

  private func script(_ number: Int) throws -> [String] {
    let places = try points.map(SpherePlot.place)
    let wires = points.contains { $0.count == 3 } ? try SpherePlot.wires() : []
    func rows(_ lines: [[Place]], near: Bool) -> [String] {
      // An empty line breaks a curve where it passes to the other side.
      lines.flatMap { line in line.map { $0.isNear == near ? "\($0.x) \($0.y)" : "" } + [""] }
    }
    func marks(near: Bool) -> [String] { places.filter { $0.isNear == near }.map { "\($0.x) \($0.y)" } }
    let outline = (0...120).map { step -> Place in
      (cos(Double(step) * .pi / 60), sin(Double(step) * .pi / 60), true)
    }
    let curves: [(style: String, rows: [String])] = [
      ("lines lw 1 lc rgb '#e9eef3'", rows(wires, near: false)),
      ("points pt 6 ps 1.5 lw 1.5 lc rgb '#9db7cc'", marks(near: false)),
      ("lines lw 1 lc rgb '#b9c4ce'", rows(wires, near: true)),
      ("lines lw 1.5 lc rgb '#7a8793'", rows([outline], near: true)),
      ("points pt 7 ps 1.6 lc rgb '\(Style.colors[0])'", marks(near: true)),
    ].filter { $0.rows.contains { !$0.isEmpty } }
    let names = curves.indices.map { "$sphere\(number)curve\($0)" }
    return ["unset border", "unset tics", "unset key", "set xrange [-1.08:1.08]", "set yrange [-1.08:1.08]"]
      + zip(names, curves).flatMap { name, curve in ["\(name) << END"] + curve.rows + ["END"] }
      + ["plot " + zip(names, curves).map { "\($0) using 1:2 with \($1.style)" }.joined(separator: ", ")]
  }

  /// Meridians and parallels every 30 degrees.
  private static func wires() throws -> [[Place]] {
    func curve(_ point: (Double) -> [Double]) throws -> [Place] {
      try (0...72).map { try place(of: point(Double($0) * .pi / 36)) }
    }
    let meridians = try (0..<6).map { number in
      let longitude = Double(number) * .pi / 6
      return try curve { [cos($0) * cos(longitude), cos($0) * sin(longitude), sin($0)] }
    }
    let parallels = try (-2...2).map { number in
      let latitude = Double(number) * .pi / 6
      return try curve { [cos(latitude) * cos($0), cos(latitude) * sin($0), sin(latitude)] }
    }
    return meridians + parallels
  }
}
