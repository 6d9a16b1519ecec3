import Foundation

/// Names beside their lines and marks, in columns outside of all axes.
struct Legend {
  struct Entry {
    var name: String
    var color: String
    /// gnuplot's number of the mark, where there is one.
    var mark: Int?
    /// gnuplot's pattern of the line's dashes, where there is a line.
    var dash: String?
  }

  let width: Double
  let height: Double
  private let entries: [Entry]
  private let rows: Int
  private let columnWidth: Double

  private static let (sample, line) = (34.0, 18.0)

  /// - Parameters:
  ///   - entries: Those without a name are left out.
  ///   - available: The largest width in pixels; names are shortened if even one column is wider.
  ///   - rows: The least number of entries in a column before the next begins.
  ///   - longest: The width in pixels to which names are shortened in any case.
  init(_ entries: [Entry], width available: Double, rows least: Int, longest: Double = .infinity) {
    let entries = entries.filter { !$0.name.isEmpty }.map { entry in
      var entry = entry
      entry.name = Lettering.shortened(entry.name, to: min(available - Legend.sample - 16, longest))
      return entry
    }
    let columnWidth = ((entries.map { Lettering.width(of: $0.name) }.max() ?? 0) + Legend.sample + 16).rounded(.up)
    let most = max(Int(available / columnWidth), 1)
    let rows = max((entries.count + most - 1) / most, min(least, entries.count))
    let columns = rows == 0 ? 0 : (entries.count + rows - 1) / rows
    (self.entries, self.rows, self.columnWidth) = (entries, rows, columnWidth)
    (width, height) = (Double(columns) * columnWidth, Double(rows) * Legend.line)
  }

  /// Draws it with its upper left corner at a place.
  func draw(on layer: inout Layer, x: Double, y: Double) {
    for (index, entry) in entries.enumerated() {
      let left = x + Double(index / rows) * columnWidth
      let middle = y + (Double(index % rows) + 0.5) * Legend.line
      if let dash = entry.dash {
        layer.plot(
          ["\(left) \(middle)", "\(left + Legend.sample - 8) \(middle)"],
          "using 1:2 with lines lw 2 dt \(dash) lc rgb '\(entry.color)'")
      }
      if let mark = entry.mark {
        layer.plot(
          ["\(left + Legend.sample / 2 - 4) \(middle)"],
          "using 1:2 with points pt \(mark) ps 0.8 lc rgb '\(entry.color)'")
      }
      layer.text(entry.name, x: left + Legend.sample, y: middle)
    }
  }
}
