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

    /// Creates a group.
    public init(_ name: String, _ points: [(x: Double, y: Double)], isBackground: Bool = false) {
      (self.name, self.points, self.isBackground) = (name, points, isBackground)
    }

    fileprivate func look(_ index: Int) -> (color: String, mark: Int) {
      isBackground ? (Style.background, Style.look(0).mark) : Style.look(index)
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

  /// Writes panels as PNG and SVG, side by side over the same axes.
  ///
  /// - Throws: `FigureError` if there is no panel, or gnuplot is missing or fails; `FileError` if a file cannot be written.
  public static func write(_ panels: [ScatterPlot], to url: URL) throws { try Gnuplot.write(drawing(panels), to: url) }

  static func drawing(_ panels: [ScatterPlot]) throws -> Drawing {
    guard !panels.isEmpty else { throw FigureError("found no panel of points, expected at least one to plot") }
    let cell = (width: 460.0, height: 460.0)
    let named = panels.max { $0.groups.count < $1.groups.count }?.groups ?? []
    let entries = named.enumerated().map { index, group in
      let look = group.look(index)
      return Legend.Entry(name: group.name, color: look.color, mark: look.mark)
    }
    let legend = Legend(entries, width: 900, rows: 21)
    let axesWidth = Double(panels.count) * cell.width
    var layer = try Layer(width: axesWidth + (legend.width > 0 ? legend.width + 8 : 0), height: cell.height)
    legend.draw(on: &layer, x: axesWidth + 4, y: 46)
    let all = panels.flatMap(\.groups).flatMap(\.points).filter { $0.x.isFinite && $0.y.isFinite }
    let ranges = [("x", bounds(all.map(\.x), margin: 0.04)), ("y", bounds(all.map(\.y), margin: 0.04))]
      .map { "set \($0)range [\($1.0):\($1.1)]" }
    // Many points need small marks.
    let size = panels.flatMap(\.groups).contains { $0.points.count > 150 } ? 0.4 : 0.8
    let (width, height) = (cell.width - 76 - 18, cell.height - 46 - 52)
    let scripts = panels.enumerated().map { index, panel in
      let left = Double(index) * cell.width
      let lines = Lettering.lines(of: panel.title, width: cell.width - 24, size: Style.titleSize, atMost: 2)
      layer.text(
        lines: lines, x: left + 76 + width / 2, y: 40 - Double(lines.count) * Style.lineHeight(Style.titleSize),
        align: .center, size: Style.titleSize)
      layer.text(
        Lettering.shortened(panel.xLabel, to: width), x: left + 76 + width / 2, y: cell.height - 14, align: .center)
      layer.text(
        Lettering.shortened(panel.yLabel, to: height), x: left + 14, y: 46 + height / 2, align: .center, upwards: true)
      return ["reset"] + Style.axes + layer.frame(left: left + 76, top: 46, width: width, height: height) + ranges
        + panel.plot(index, size: size)
    }
    return Drawing(scripts, under: layer)
  }

  private func plot(_ number: Int, size: Double) -> [String] {
    var (data, curves): ([String], [String]) = ([], [])
    let ordered = Array(groups.enumerated())
    for (index, group) in ordered.filter(\.element.isBackground) + ordered.filter({ !$0.element.isBackground }) {
      let points = group.points.filter { $0.x.isFinite && $0.y.isFinite }
      guard !points.isEmpty else { continue }
      let name = "$panel\(number)group\(index)"
      data += ["\(name) << END"] + points.map { "\($0.x) \($0.y)" } + ["END"]
      let look = group.look(index)
      curves.append("\(name) using 1:2 with points pt \(look.mark) ps \(size) lc rgb '\(look.color)'")
    }
    return data + ["plot " + (curves.isEmpty ? ["NaN"] : curves).joined(separator: ", \\\n  ")]
  }
}
