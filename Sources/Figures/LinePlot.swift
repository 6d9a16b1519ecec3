import Foundation

/// Lines over a common axis: one panel of a figure.
///
/// Lines of the same name have the same colour, mark and dashes in all panels of a figure, which share one legend below them.
public struct LinePlot: Sendable {
  /// One line.
  public struct Series: Sendable {
    /// The name in the legend; a line with an empty name is not listed.
    public var name: String
    /// Points from left to right; one that is not finite leaves a gap.
    public var points: [(x: Double, y: Double)]
    /// The half length of a bar at each point, 0 or more; empty for no bars. One that is not finite is left out.
    public var spread: [Double]

    /// Creates a line.
    public init(_ name: String, _ points: [(x: Double, y: Double)], spread: [Double] = []) {
      (self.name, self.points, self.spread) = (name, points, spread)
    }

    /// The spread at a point.
    fileprivate func spread(at index: Int) -> Double {
      spread.indices.contains(index) && spread[index].isFinite ? spread[index] : 0
    }
  }

  /// The text above the panel.
  public var title: String
  /// The title of the horizontal axis.
  public var xLabel: String
  /// The title of the vertical axis.
  public var yLabel: String
  /// The lines.
  public var series: [Series]
  /// Whether the vertical axis is logarithmic. Values that are not positive are then left out; if none is positive,
  /// the axis stays linear.
  public var logY: Bool
  /// Whether the horizontal axis is logarithmic, with a mark at each place where a line has a point. Points left of 0 and at it are
  /// then left out; if none is right of it, the axis stays linear.
  public var logX: Bool

  /// Creates a panel.
  public init(
    title: String, xLabel: String, yLabel: String, series: [Series], logY: Bool = false, logX: Bool = false
  ) {
    (self.title, self.xLabel, self.yLabel, self.series) = (title, xLabel, yLabel, series)
    (self.logY, self.logX) = (logY, logX)
  }

  /// Writes panels as PNG and SVG, in rows from the upper left.
  ///
  /// - Parameter columns: Panels in a row; by default up to 3.
  /// - Throws: `FigureError` if there is no panel, or gnuplot is missing or fails; `FileError` if a file cannot be written.
  public static func write(_ panels: [LinePlot], to url: URL, columns: Int? = nil) throws {
    try Gnuplot.write(drawing(panels, columns: columns), to: url)
  }

  static func drawing(_ panels: [LinePlot], columns: Int? = nil) throws -> Drawing {
    let columns = min(columns ?? balanced(panels.count, atMost: 3), panels.count)
    guard columns > 0 else {
      throw FigureError("found \(panels.count) panels in \(columns) columns, expected at least one of each to plot")
    }
    let cell: (width: Double, height: Double) = columns == 1 ? (640, 390) : columns == 2 ? (460, 320) : (360, 282)
    let width = Double(columns) * cell.width
    let names = unique(panels.flatMap(\.series).map(\.name))
    let looks = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, look($0)) })
    // Marks show single points and gaps, but many of them hide the lines. Either all panels have them or none.
    let hasMarks = panels.flatMap(\.series).allSatisfy { $0.points.count <= 40 }
    let entries = names.compactMap { name in
      looks[name].map { Legend.Entry(name: name, color: $0.color, mark: hasMarks ? $0.mark : nil, dash: $0.dash) }
    }
    let legend = Legend(entries, width: width - 40, rows: 1)
    let rows = (panels.count + columns - 1) / columns
    let legendTop = Double(rows) * cell.height + 4
    var layer = try Layer(width: width, height: legend.height > 0 ? legendTop + legend.height + 12 : legendTop)
    legend.draw(on: &layer, x: (width - legend.width) / 2, y: legendTop)
    let scripts = panels.enumerated().map { index, panel in
      let (left, top) = (Double(index % columns) * cell.width, Double(index / columns) * cell.height)
      let lines = Lettering.lines(of: panel.title, width: cell.width - 24, size: Style.titleSize, atMost: 2)
      let (width, height) = (cell.width - 76 - 18, cell.height - 56 - 52)
      layer.text(
        lines: lines, x: left + 76 + width / 2, y: top + 50 - Double(lines.count) * Style.lineHeight(Style.titleSize),
        align: .center, size: Style.titleSize)
      layer.text(
        Lettering.shortened(panel.xLabel, to: width + 60), x: left + 76 + width / 2, y: top + cell.height - 14,
        align: .center)
      layer.text(
        Lettering.shortened(panel.yLabel, to: height + 60), x: left + 14, y: top + 56 + height / 2, align: .center,
        upwards: true)
      let frame = layer.frame(left: left + 76, top: top + 56, width: width, height: height)
      return ["reset"] + Style.axes + frame
        + panel.script(index, looks: looks, hasMarks: hasMarks, marks: Int(width / 44))
    }
    return Drawing(scripts, under: layer)
  }

  typealias Look = (color: String, mark: Int, dash: String)

  /// The second of two lines is dashed, so that validation and training differ without colours too.
  private static func look(_ index: Int) -> Look {
    let (color, mark) = Style.look(index)
    return (color, mark, ["1", "(9,5)", "(2,3)"][index % 3])
  }

  private static func unique(_ names: [String]) -> [String] {
    var seen: Set<String> = []
    return names.filter { seen.insert($0).inserted }
  }

  /// - Parameter marks: The number of tick labels that have room along the horizontal axis.
  private func script(_ number: Int, looks: [String: Look], hasMarks: Bool, marks: Int) -> [String] {
    let logarithmic = logY && series.contains { $0.points.contains { $0.y > 0 && $0.y.isFinite } }
    let isWide = logX && series.contains { $0.points.contains { $0.x > 0 && $0.x.isFinite } }
    func isDrawn(_ point: (x: Double, y: Double)) -> Bool {
      point.x.isFinite && point.y.isFinite && (!logarithmic || point.y > 0) && (!isWide || point.x > 0)
    }
    let drawn = series.flatMap(\.points).filter(isDrawn)
    let ends = series.flatMap { line in
      line.points.enumerated().filter { isDrawn($1) }.flatMap { index, point in
        [-1.0, 1.0].map { point.y + $0 * line.spread(at: index) }
      }
    }.filter { !logarithmic || $0 > 0 }
    guard !drawn.isEmpty else {
      return [
        "unset tics", "set xrange [0:1]", "set yrange [0:1]",
        "set label 'no values to plot' at graph 0.5,0.5 center textcolor rgb '\(Style.faint)'", "plot NaN",
      ]
    }
    let (left, right) = bounds(drawn.map { isWide ? log10($0.x) : $0.x }, margin: 0.03)
    let (bottom, top) = bounds(ends.map { logarithmic ? log10($0) : $0 }, margin: 0.06)
    var lines = [
      "set xrange [\(isWide ? pow(10, left) : left):\(isWide ? pow(10, right) : right)]",
      logarithmic ? "set logscale y" : "unset logscale",
      "set yrange [\(logarithmic ? pow(10, bottom) : bottom):\(logarithmic ? pow(10, top) : top)]",
    ]
    if isWide {
      let places = Set(drawn.map(\.x)).sorted().map { "'\($0 == $0.rounded() ? "\(Int($0))" : "\($0)")' \($0)" }
      lines += ["set logscale x", "set xtics (\(places.joined(separator: ", ")))"]
    } else if drawn.allSatisfy({ $0.x == $0.x.rounded() }) {
      lines.append("set xtics \(wholeStep(right - left, marks: marks))")
    }
    var curves: [String] = []
    for (index, series) in series.enumerated() {
      guard let look = looks[series.name], series.points.contains(where: isDrawn) else { continue }
      let name = "$panel\(number)line\(index)"
      lines.append("\(name) << END")
      // An empty line breaks the curve.
      lines += series.points.enumerated().map { place, point in
        guard isDrawn(point) else { return "" }
        return "\(point.x) \(point.y)" + (series.spread.isEmpty ? "" : " \(series.spread(at: place))")
      }
      lines.append("END")
      let style = hasMarks || series.points.count == 1 ? "linespoints pt \(look.mark) ps 0.6" : "lines"
      // Bars first: their points without a mark would clear that of the line.
      if !series.spread.isEmpty {
        curves.append("\(name) using 1:2:3 with yerrorbars pt 0 lw 1 lc rgb '\(look.color)'")
      }
      curves.append("\(name) using 1:2 with \(style) lw 2 dt \(look.dash) lc rgb '\(look.color)'")
    }
    return lines + ["plot " + curves.joined(separator: ", \\\n  ")]
  }
}

/// The number of columns that puts panels into as few rows as possible, about equally many in each.
func balanced(_ count: Int, atMost columns: Int) -> Int {
  let rows = max((count + columns - 1) / columns, 1)
  return (count + rows - 1) / rows
}

/// The least and the greatest value, with some room around them.
func bounds(_ values: [Double], margin: Double) -> (Double, Double) {
  let (low, high) = (values.min() ?? 0, values.max() ?? 1)
  let room = high > low ? (high - low) * margin : max(abs(high) * 0.1, 0.5)
  return (low - room, high + room)
}

/// The step between at most `marks` whole numbers: 1, 2 or 5 times a power of ten.
private func wholeStep(_ extent: Double, marks: Int) -> Int {
  var power = 1
  while true {
    for factor in [1, 2, 5] where extent <= Double((marks + 1) * factor * power) || power >= 1_000_000_000_000 {
      return factor * power
    }
    power *= 10
  }
}
