import Files
import Foundation

/// Points of several groups in the plane, each group in a colour and a mark of its own: one panel of a figure.
public struct ScatterPlot: Sendable {
  public struct Group: Sendable {
    /// What the legend calls it.
    public var name: String
    public var points: [(x: Double, y: Double)]

    public init(_ name: String, _ points: [(x: Double, y: Double)]) { (self.name, self.points) = (name, points) }
  }

  public var title: String
  public var xLabel: String
  public var yLabel: String
  public var groups: [Group]

  public init(title: String, xLabel: String, yLabel: String, groups: [Group]) {
    (self.title, self.xLabel, self.yLabel, self.groups) = (title, xLabel, yLabel, groups)
  }

  /// Draws panels side by side, over the same axes and with one legend, into one PNG file: a whole file or none.
  ///
  /// Points that are not finite are left out.
  /// - Throws: `FigureError` where there is no panel, or gnuplot is missing or fails; `FileError` where the file cannot be
  ///   written.
  public static func write(_ panels: [ScatterPlot], to url: URL) throws { try AtomicFile.write(png(panels), to: url) }

  /// The bytes of the PNG file.
  public static func png(_ panels: [ScatterPlot]) throws -> Data {
    guard !panels.isEmpty else { throw FigureError("found no panel of points, expected at least one to plot") }
    return try Gnuplot.png(script(panels), width: 460 * panels.count + 150, height: 470)
  }

  static func script(_ panels: [ScatterPlot]) -> String {
    let all = panels.flatMap(\.groups).flatMap(\.points).filter { $0.x.isFinite && $0.y.isFinite }
    let ranges = [("x", bounds(all.map(\.x), margin: 0.04)), ("y", bounds(all.map(\.y), margin: 0.04))]
    let width = 460 / Double(460 * panels.count + 150)
    var lines = ["set multiplot"]
    for (number, panel) in panels.enumerated() {
      let isLast = number == panels.count - 1
      lines += [
        "reset", "set origin \(Double(number) * width),0", "set size \(isLast ? 1 - Double(number) * width : width),1",
        "set lmargin at screen \(Double(number) * width + 0.14 * width)",
        "set rmargin at screen \(Double(number + 1) * width - 0.03 * width)", "set border 3 lc rgb '#555555'",
        "set tics nomirror out textcolor rgb '#333333'", "set format '%g'", "set grid lc rgb '#e4e4e4' lt 1 lw 1",
        "set title \(Gnuplot.quoted(panel.title)) noenhanced textcolor rgb '#222222'",
        "set xlabel \(Gnuplot.quoted(panel.xLabel)) noenhanced textcolor rgb '#333333'",
        "set ylabel \(Gnuplot.quoted(panel.yLabel)) noenhanced textcolor rgb '#333333'",
        isLast && panel.groups.contains { !$0.name.isEmpty }
          ? "set key noenhanced outside right top samplen 0.5 textcolor rgb '#333333'" : "unset key",
      ]
      lines += ranges.map { "set \($0)range [\($1.0):\($1.1)]" }
      lines += panel.plot(number)
    }
    return (lines + ["unset multiplot", ""]).joined(separator: "\n")
  }

  private func plot(_ number: Int) -> [String] {
    var (data, curves): ([String], [String]) = ([], [])
    for (index, group) in groups.enumerated() {
      let points = group.points.filter { $0.x.isFinite && $0.y.isFinite }
      guard !points.isEmpty else { continue }
      let name = "$panel\(number)group\(index)"
      data += ["\(name) << END"] + points.map { "\($0.x) \($0.y)" } + ["END"]
      // Many points need small marks; ten colours come round with other marks.
      let size = points.count > 300 ? 0.35 : 0.7
      let color = ScatterPlot.colors[index % ScatterPlot.colors.count]
      let mark = ScatterPlot.marks[(index / ScatterPlot.colors.count) % ScatterPlot.marks.count]
      curves.append(
        "\(name) using 1:2 with points pt \(mark) ps \(size) lc rgb '\(color)' title \(Gnuplot.quoted(group.name))")
    }
    return data + [curves.isEmpty ? "plot NaN notitle" : "plot " + curves.joined(separator: ", \\\n  ")]
  }

  // Ten colours that can be told apart side by side: those of Okabe & Ito 2008 without black, and four more.
  private static let colors = [
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F", "#8C564B", "#F0E442", "#332288",
  ]
  private static let marks = [7, 5, 9, 13]
}
