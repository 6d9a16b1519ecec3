import Foundation
import LatentKit

/// A labelled matrix as coloured squares with a colour bar, such as a confusion matrix or distances between class centroids.
///
/// Low values are pale, high ones dark blue; NaN is drawn in `Color.signal`.
public struct HeatMap: Figure {
  /// The largest number of rows or columns that can be drawn.
  public static let longestSide = 2000

  private let rows: Int
  private let columns: Int
  private let values: [Double]
  private let range: ClosedRange<Double>
  private let title: String
  private let rowLabels: [String]
  private let columnLabels: [String]
  private let xLabel: String
  private let yLabel: String
  private let decimals: Int?

  /// Creates a heat map of a matrix.
  ///
  /// - Parameters:
  ///   - matrix: `[rows, columns]`, of any number type, with 1 to `longestSide` of each.
  ///   - range: The palest and the darkest value; by default the smallest and the largest finite value of the matrix.
  ///   - title: A text above the matrix.
  ///   - rowLabels: A text for each row, or none at all.
  ///   - columnLabels: A text for each column, or none at all.
  ///   - xLabel: The title of the columns.
  ///   - yLabel: The title of the rows.
  ///   - decimals: Decimal places of the numbers in the squares; nil omits the numbers.
  /// - Throws: `FigureError` for a tensor of another shape or size, and for a wrong number of labels.
  public init(
    _ matrix: Tensor, range: ClosedRange<Double>? = nil, title: String? = nil, rowLabels: [String] = [],
    columnLabels: [String] = [], xLabel: String? = nil, yLabel: String? = nil, decimals: Int? = nil
  ) throws {
    let shape = matrix.shape
    guard shape.count == 2, shape.allSatisfy((1...HeatMap.longestSide).contains) else {
      throw FigureError(
        "found a heat map of shape \(shape), expected [rows, columns] with 1 to \(HeatMap.longestSide) of each")
    }
    for (labels, count, name) in [(rowLabels, shape[0], "rows"), (columnLabels, shape[1], "columns")]
    where !labels.isEmpty && labels.count != count {
      throw FigureError(
        "found \(labels.count) labels for \(count) \(name) of a heat map, expected one for each or none")
    }
    (rows, columns, values) = (shape[0], shape[1], try matrix.detached().doubles())
    let finite = values.filter(\.isFinite)
    self.range = range ?? (finite.min() ?? 0)...(finite.max() ?? 1)
    (self.title, self.xLabel, self.yLabel) = (title ?? "", xLabel ?? "", yLabel ?? "")
    (self.rowLabels, self.columnLabels, self.decimals) = (rowLabels, columnLabels, decimals)
  }

  /// Writes PNG and SVG.
  ///
  /// - Throws: `FigureError` if gnuplot is missing or fails, `FileError` if a file cannot be written.
  public func write(to url: URL) throws { try Gnuplot.write(drawing().drawing, to: url) }

  /// The drawing, and the upper left corner and the side of its squares in pixels.
  func drawing() throws -> (drawing: Drawing, left: Int, top: Int, side: Int) {
    let numbers = decimals.map { places in values.map { HeatMap.text($0, places) } } ?? []
    let widest = numbers.map { Lettering.width(of: $0) }.max() ?? 0
    // A small matrix has larger squares, to leave room for the axis titles and the colour bar.
    let longest = Double(max(rows, columns))
    let side: Double =
      numbers.isEmpty
      ? max(min((900 / longest).rounded(.down), max(26, (180 / longest).rounded())), 1)
      : max((widest + 10).rounded(.up), 36, (180 / longest).rounded())
    let margin = 14.0
    let line = Style.lineHeight(Style.textSize)
    let (rowNames, columnNames) = (HeatMap.shortened(rowLabels), HeatMap.shortened(columnLabels))
    let rowWidth = rowNames.map { Lettering.width(of: $0) }.max() ?? 0
    let columnWidth = columnNames.map { Lettering.width(of: $0) }.max() ?? 0
    // Short column names, such as digits, are horizontal; longer ones read upwards.
    let upright = columnWidth <= side - 4
    let heads = columnNames.isEmpty ? 0 : (upright ? line : columnWidth + 4).rounded(.up)
    let left = (margin + (yLabel.isEmpty ? 0 : line + 4) + (rowWidth > 0 ? rowWidth + 8 : 0)).rounded(.up)
    let (gridWidth, gridHeight) = (Double(columns) * side, Double(rows) * side)
    let barHeight = max(gridHeight, 80)
    let contentWidth = max(left + gridWidth + 16 + 14 + 64, 320)
    let titleLines = Lettering.lines(
      of: title, width: contentWidth - 2 * margin, size: Style.titleSize, atMost: 3)
    let titleHeight =
      titleLines.isEmpty ? 0 : Double(titleLines.count) * Style.lineHeight(Style.titleSize) + 6
    let top = margin + titleHeight + (xLabel.isEmpty ? 0 : line + 4) + heads
    var layer = try Layer(width: contentWidth, height: top + barHeight + margin)

    layer.text(lines: titleLines, x: margin, y: margin, size: Style.titleSize)
    let xMiddle = margin + titleHeight + line / 2
    if Lettering.width(of: xLabel) <= gridWidth {
      layer.text(xLabel, x: left + gridWidth / 2, y: xMiddle, align: .center)
    } else {
      layer.text(Lettering.shortened(xLabel, to: contentWidth - left - margin), x: left, y: xMiddle)
    }
    layer.text(
      Lettering.shortened(yLabel, to: barHeight), x: margin + line / 2, y: top + barHeight / 2, align: .center,
      upwards: true)
    // Small squares have room for only some of the names.
    let every = max(Int((line / side).rounded(.up)), 1)
    for (row, name) in rowNames.enumerated() where row % every == 0 {
      layer.text(name, x: left - 8, y: top + (Double(row) + 0.5) * side, align: .right)
    }
    for (column, name) in columnNames.enumerated() where column % every == 0 {
      let middle = left + (Double(column) + 0.5) * side
      if upright {
        layer.text(name, x: middle, y: top - line / 2, align: .center)
      } else {
        layer.text(name, x: middle, y: top - 6, upwards: true)
      }
    }
    draw(on: &layer, left: left, top: top, side: side, numbers: numbers)
    let (width, height) = (Double(layer.width), Double(layer.height))
    layer.set("set linetype 100 lc rgb '\(Style.frame)' lw 1 dt 1")
    layer.set(
      "set colorbox user origin screen \((left + gridWidth + 16) / width),\(1 - (top + barHeight) / height) "
        + "size screen \(14 / width),\(barHeight / height) border 100")
    let step = HeatMap.step(bounds.high - bounds.low, marks: barHeight / 30)
    layer.set("set cbtics \(step) scale 0 textcolor rgb '\(Style.ink)' font ',\(Style.smallSize)'")
    layer.set("set format cb '%.4g'")
    return (Drawing(under: layer), Int(left), Int(top), Int(side))
  }

  /// The values at the ends of the colour bar: one constant value is in the middle.
  private var bounds: (low: Double, high: Double) {
    let (low, high) = (range.lowerBound, range.upperBound)
    let room = max(abs(low) / 2, 0.5)
    return low < high ? (low, high) : (low - room, high + room)
  }

  /// The step between at most about `marks` round numbers: 1, 2 or 5 times a power of ten.
  private static func step(_ extent: Double, marks: Double) -> Double {
    let power = pow(10, log10(extent / marks).rounded(.down))
    return [1, 2, 5].map { $0 * power }.first { $0 * marks >= extent } ?? 10 * power
  }

  private func draw(on layer: inout Layer, left: Double, top: Double, side: Double, numbers: [String]) {
    let (low, high) = bounds
    layer.set(Style.palette)
    layer.set("set cbrange [\(low):\(high)]")
    func square(_ index: Int) -> (x: Double, y: Double) {
      (left + (Double(index % columns) + 0.5) * side, top + (Double(index / columns) + 0.5) * side)
    }
    for (index, value) in values.enumerated() where value.isNaN {
      let (x, y) = square(index)
      layer.set(
        "set object rectangle center \(x),\(y) size \(side),\(side) behind fc rgb '#ff00aa' fs solid noborder")
    }
    let cells = (0..<rows).map { row in
      values[(row * columns)..<((row + 1) * columns)]
        .map { $0.isNaN ? "NaN" : "\(min(max($0, low), high))" }.joined(separator: " ")
    }
    // As polygons, an SVG file stays sharp; of very many, it would be too large.
    let pixels = values.count <= 10_000 ? " pixels" : ""
    layer.plot(
      cells,
      "matrix using (\(left)+($1+0.5)*\(side)):(\(top)+($2+0.5)*\(side)):3 with image\(pixels)")
    for isDark in [false, true] {
      let shown = numbers.indices.filter { index in
        (!values[index].isNaN && (values[index] - low) / (high - low) > 0.55) == isDark
      }
      guard !shown.isEmpty else { continue }
      layer.plot(
        shown.map { "\(square($0).x) \(square($0).y) \(numbers[$0])" },
        "using 1:2:3 with labels textcolor rgb '\(isDark ? "#ffffff" : Style.ink)'")
    }
  }

  private static func shortened(_ labels: [String]) -> [String] { labels.map { Lettering.shortened($0, to: 170) } }

  private static func text(_ value: Double, _ decimals: Int) -> String {
    value.isFinite ? String(format: "%.\(min(max(decimals, 0), 12))f", value) : value.isNaN ? "NaN" : "\(value)"
  }
}
