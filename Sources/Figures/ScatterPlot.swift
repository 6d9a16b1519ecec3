import Files
import Foundation

/// Points of several groups in the plane, each group with its own colour and mark: one panel of a figure.
///
/// Groups at the same index look the same in all panels, which share one legend to their right.
public struct ScatterPlot: Sendable {
  /// Points of one colour and mark.
  public struct Group: Sendable {
    /// The name in the legend.
    public var name: String
    /// The points; those that are not finite are left out.
    public var points: [(x: Double, y: Double)]
    /// Whether the group is drawn in light grey beneath the others, as for points that belong to none of them.
    public var isBackground: Bool
    /// Whether the points are few and stand for others, as centroids do: they are drawn as large crosses above the other groups.
    public var isMarker: Bool

    /// Creates a group.
    public init(
      _ name: String, _ points: [(x: Double, y: Double)], isBackground: Bool = false, isMarker: Bool = false
    ) {
      (self.name, self.points, self.isBackground, self.isMarker) = (name, points, isBackground, isMarker)
    }

    fileprivate func look(_ index: Int) -> (color: String, mark: Int) {
      if isMarker { return (Style.ink, Style.cross) }
      return isBackground ? (Style.background, Style.look(0).mark) : Style.look(index)
    }
  }

  /// The text above the panel.
  public var title: String
  /// The title of the horizontal axis.
  public var xLabel: String
  /// The title of the vertical axis.
  public var yLabel: String
  /// The groups, in the order of the legend.
  public var groups: [Group]

  /// Creates a panel.
  public init(title: String, xLabel: String, yLabel: String, groups: [Group]) {
    (self.title, self.xLabel, self.yLabel, self.groups) = (title, xLabel, yLabel, groups)
  }

  /// Writes panels as PNG and SVG over the same axes, in rows from the upper left.
  ///
  /// - Parameter columns: Panels in a row, 1 or more; nil for all.
  /// - Throws: `FigureError` if there is no panel, or gnuplot is missing or fails; `FileError` if a file cannot be written.
  public static func write(_ panels: [ScatterPlot], to url: URL, columns: Int? = nil) throws {
    try Gnuplot.write(drawing(panels, columns: columns), to: url)
  }

  /// Writes panels one after another as an animated PNG file, over the same axes.
  ///
  /// - Parameter seconds: How long each is shown, above 0, up to 60.
  /// - Throws: As `write`.
  public static func animate(_ panels: [ScatterPlot], to url: URL, seconds: Double = 0.8) throws {
    let points = panels.flatMap(\.groups).flatMap(\.points)
    let frames = try panels.map { try Gnuplot.draw(drawing([$0], spanning: points)).png }
    try AtomicFile.write(Animation.png(frames, seconds: seconds), to: url)
  }

  /// - Parameter others: Points that the axes have room for, beside those of the panels.
  static func drawing(
    _ panels: [ScatterPlot], columns: Int? = nil, spanning others: [(x: Double, y: Double)] = []
  ) throws -> Drawing {
    guard !panels.isEmpty else { throw FigureError("found no panel of points, expected at least one to plot") }
    let cell = (width: 460.0, height: 460.0)
    let named = panels.max { $0.groups.count < $1.groups.count }?.groups ?? []
    let entries = named.enumerated().map { index, group in
      let look = group.look(index)
      return Legend.Entry(name: group.name, color: look.color, mark: look.mark)
    }
    let legend = Legend(entries, width: 900, rows: 21, longest: 220)
    let columns = max(min(columns ?? panels.count, panels.count), 1)
    let rows = (panels.count + columns - 1) / columns
    let axesWidth = Double(columns) * cell.width
    var layer = try Layer(
      width: axesWidth + (legend.width > 0 ? legend.width + 8 : 0), height: Double(rows) * cell.height)
    legend.draw(on: &layer, x: axesWidth + 4, y: 46)
    let all = (panels.flatMap(\.groups).flatMap(\.points) + others).filter { $0.x.isFinite && $0.y.isFinite }
    let ranges = [("x", bounds(all.map(\.x), margin: 0.04)), ("y", bounds(all.map(\.y), margin: 0.04))]
      .map { "set \($0)range [\($1.0):\($1.1)]" }
    // Many points need small marks.
    let size = panels.flatMap(\.groups).contains { $0.points.count > 150 } ? 0.4 : 0.8
    let (width, height) = (cell.width - 76 - 18, cell.height - 46 - 52)
    let scripts = panels.enumerated().map { index, panel in
      let (left, top) = (Double(index % columns) * cell.width, Double(index / columns) * cell.height)
      let lines = Lettering.lines(of: panel.title, width: cell.width - 24, size: Style.titleSize, atMost: 2)
      layer.text(
        lines: lines, x: left + 76 + width / 2, y: top + 40 - Double(lines.count) * Style.lineHeight(Style.titleSize),
        align: .center, size: Style.titleSize)
      layer.text(
        Lettering.shortened(panel.xLabel, to: width), x: left + 76 + width / 2, y: top + cell.height - 14,
        align: .center)
      layer.text(
        Lettering.shortened(panel.yLabel, to: height), x: left + 14, y: top + 46 + height / 2, align: .center,
        upwards: true)
      return ["reset"] + Style.axes + layer.frame(left: left + 76, top: top + 46, width: width, height: height) + ranges
        + panel.plot(index, size: size)
    }
    return Drawing(scripts, under: layer)
  }

  private func plot(_ number: Int, size: Double) -> [String] {
    var (data, curves): ([String], [String]) = ([], [])
    let ordered = Array(groups.enumerated())
    // Background first, markers last, others in their order between.
    func layer(_ group: Group) -> Int { group.isBackground ? 0 : group.isMarker ? 2 : 1 }
    for (index, group) in (0...2).flatMap({ place in ordered.filter { layer($0.element) == place } }) {
      let points = group.points.filter { $0.x.isFinite && $0.y.isFinite }
      guard !points.isEmpty else { continue }
      let name = "$panel\(number)group\(index)"
      data += ["\(name) << END"] + points.map { "\($0.x) \($0.y)" } + ["END"]
      let look = group.look(index)
      curves.append(
        "\(name) using 1:2 with points pt \(look.mark) ps \(group.isMarker ? 1.6 : size)\(group.isMarker ? " lw 2.5" : "") lc rgb '\(look.color)'"
      )
    }
    return data + ["plot " + (curves.isEmpty ? ["NaN"] : curves).joined(separator: ", \\\n  ")]
  }
}
