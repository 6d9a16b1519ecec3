import Files
import Foundation

/// Lines over a common axis: one panel of a figure.
public struct LinePlot: Sendable {
  /// One line: points from left to right. A value that is not finite leaves a gap.
  public struct Series: Sendable {
    /// What the legend calls the line; an empty name stays out of it.
    public var name: String
    public var points: [(x: Double, y: Double)]
    /// Draws the line dashed, in the colour of the line before it: a validation curve beside its training curve.
    public var isCompanion: Bool

    public init(_ name: String, _ points: [(x: Double, y: Double)], isCompanion: Bool = false) {
      (self.name, self.points, self.isCompanion) = (name, points, isCompanion)
    }
  }

  public var title: String
  public var xLabel: String
  public var yLabel: String
  public var series: [Series]
  /// Whether the vertical axis is logarithmic. Values that are not positive are left out then; where none is positive
  /// the axis stays linear.
  public var logY: Bool

  public init(title: String, xLabel: String, yLabel: String, series: [Series], logY: Bool = false) {
    (self.title, self.xLabel, self.yLabel, self.series, self.logY) = (title, xLabel, yLabel, series, logY)
  }

  /// Draws panels into one PNG file, in rows from the upper left: a whole file or none.
  ///
  /// - Parameter columns: Panels in a row; 2, or 1 where there is one panel, unless said otherwise.
  /// - Throws: `FigureError` where there is no panel, or gnuplot is missing or fails; `FileError` where the file cannot be
  ///   written.
  public static func write(_ panels: [LinePlot], to url: URL, columns: Int? = nil) throws {
    try AtomicFile.write(png(panels, columns: columns), to: url)
  }

  /// The bytes of the PNG file.
  public static func png(_ panels: [LinePlot], columns: Int? = nil) throws -> Data {
    let columns = min(columns ?? 2, panels.count)
    guard columns > 0 else {
      throw FigureError("found \(panels.count) panels in \(columns) columns, expected at least one of each to plot")
    }
    let rows = (panels.count + columns - 1) / columns
    return try Gnuplot.png(
      script(panels, rows: rows, columns: columns), width: columns == 1 ? 760 : 520 * columns, height: 380 * rows)
  }

  static func script(_ panels: [LinePlot], rows: Int, columns: Int) -> String {
    var lines = ["set multiplot layout \(rows),\(columns)"]
    for (index, panel) in panels.enumerated() { lines += panel.script(number: index) }
    return (lines + ["unset multiplot", ""]).joined(separator: "\n")
  }

  // Colours of Okabe & Ito 2008, which colour-blind readers can tell apart, without black and the pale yellow; and a grey.
  private static let colors = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F"]

  private func script(number: Int) -> [String] {
    let logarithmic = logY && series.contains { $0.points.contains { $0.y > 0 && $0.y.isFinite } }
    func isDrawn(_ point: (x: Double, y: Double)) -> Bool {
      point.x.isFinite && point.y.isFinite && (!logarithmic || point.y > 0)
    }
    var lines = [
      "reset",
      "set border 3 lc rgb '#555555'",
      "set tics nomirror out textcolor rgb '#333333'",
      "set title \(Gnuplot.quoted(title)) noenhanced textcolor rgb '#222222'",
      "set xlabel \(Gnuplot.quoted(xLabel)) noenhanced textcolor rgb '#333333'",
      "set ylabel \(Gnuplot.quoted(yLabel)) noenhanced textcolor rgb '#333333'",
      "set lmargin 11",
      "set rmargin 4",
      "set tmargin 3",
    ]
    let drawn = series.flatMap(\.points).filter(isDrawn)
    guard !drawn.isEmpty else {
      return lines + [
        "unset key", "unset tics", "set xrange [0:1]", "set yrange [0:1]",
        "set label 'no values to plot' at graph 0.5,0.5 center textcolor rgb '#777777'", "plot NaN notitle",
      ]
    }
    let (left, right) = bounds(drawn.map(\.x), margin: 0.02)
    let (bottom, top) = bounds(drawn.map { logarithmic ? log10($0.y) : $0.y }, margin: 0.06)
    lines += [
      "set grid lc rgb '#e4e4e4' lt 1 lw 1",
      "set format '%g'",
      "set xrange [\(left):\(right)]",
      logarithmic ? "set logscale y" : "unset logscale",
      "set yrange [\(logarithmic ? pow(10, bottom) : bottom):\(logarithmic ? pow(10, top) : top)]",
    ]
    if drawn.allSatisfy({ $0.x == $0.x.rounded() }) { lines.append("set xtics \(wholeStep(right - left))") }

    var curves: [String] = []
    var color = -1
    for (index, series) in series.enumerated() {
      if !series.isCompanion || color < 0 { color += 1 }
      guard series.points.contains(where: isDrawn) else { continue }
      let name = "$panel\(number)line\(index)"
      lines.append("\(name) << END")
      lines += series.points.map { isDrawn($0) ? "\($0.x) \($0.y)" : "" }  // an empty line breaks the curve
      lines.append("END")
      // Marks show single points and gaps; many of them hide the line.
      let hasMarks = series.points.count <= (series.isCompanion ? 1 : 40)
      let style = hasMarks ? "linespoints pt 7 ps 0.6" : "lines"
      let dash = series.isCompanion ? "(12,6)" : "1"
      let rgb = LinePlot.colors[color % LinePlot.colors.count]
      let key = series.name.isEmpty ? "notitle" : "title \(Gnuplot.quoted(series.name))"
      curves.append("\(name) using 1:2 with \(style) lw 2 dt \(dash) lc rgb '\(rgb)' \(key)")
    }
    // Below the axis: its numbers, its label, then the names in two columns.
    let names = series.filter { !$0.name.isEmpty && $0.points.contains(where: isDrawn) }.count
    let keyColumns = min(names, 2)
    lines += [
      "set bmargin \(Double(keyColumns == 0 ? 0 : (names + keyColumns - 1) / keyColumns) * 1.2 + 4)",
      keyColumns == 0
        ? "unset key"
        : "set key noenhanced bmargin center horizontal maxcols \(keyColumns) Left reverse samplen 2.5 "
          + "textcolor rgb '#333333'",
      "plot " + curves.joined(separator: ", \\\n  "),
    ]
    return lines
  }
}

/// The least and the greatest value, with some room around them.
func bounds(_ values: [Double], margin: Double) -> (Double, Double) {
  let (low, high) = (values.min() ?? 0, values.max() ?? 1)
  let room = high > low ? (high - low) * margin : max(abs(high) * 0.1, 0.5)
  return (low - room, high + room)
}

/// The distance of about ten marks at whole numbers: 1, 2 or 5 times a power of ten.
private func wholeStep(_ extent: Double) -> Int {
  var power = 1
  while true {
    for factor in [1, 2, 5] where extent <= 11 * Double(factor * power) || power >= 1_000_000_000_000 {
      return factor * power
    }
    power *= 10
  }
}
