import Files
import Foundation
import LatentKit

/// A matrix as coloured squares: a confusion matrix, or distances between class centroids.
///
/// Low values are pale, high ones dark blue. A value that is not a number is drawn in `Color.signal`.
public struct HeatMap: Sendable {
  public let picture: Picture

  /// - Parameters:
  ///   - matrix: `[rows, columns]`, of any number type.
  ///   - range: The values that are palest and darkest; the smallest and the largest of the matrix unless said otherwise.
  ///   - rowLabels: A text for each row, or none at all.
  ///   - columnLabels: A text for each column, or none at all.
  ///   - xLabel: What the columns are. `yLabel` says what the rows are.
  ///   - decimals: Digits after the point of the numbers in the squares; nil leaves the numbers out.
  ///   - side: The side of a square in pixels; what has room for the numbers unless said otherwise.
  /// - Throws: `FigureError` where it is not such a matrix or the labels do not fit it in number.
  public init(
    _ matrix: Tensor, range: ClosedRange<Double>? = nil, title: String? = nil, rowLabels: [String] = [],
    columnLabels: [String] = [], xLabel: String? = nil, yLabel: String? = nil, decimals: Int? = nil, side: Int? = nil
  ) throws {
    let shape = matrix.shape
    guard shape.count == 2, !shape.contains(0) else {
      throw FigureError("found a heat map of shape \(shape), expected [rows, columns] with at least one of each")
    }
    let (rows, columns) = (shape[0], shape[1])
    for (labels, count, name) in [(rowLabels, rows, "rows"), (columnLabels, columns, "columns")]
    where !labels.isEmpty && labels.count != count {
      throw FigureError(
        "found \(labels.count) labels for \(count) \(name) of a heat map, expected one for each or none")
    }
    let values = try matrix.detached().doubles()
    let finite = values.filter(\.isFinite)
    let range = range ?? (finite.min() ?? 0)...(finite.max() ?? 1)
    let numbers = decimals.map { places in values.map { HeatMap.text($0, places) } } ?? []

    let textScale = rows <= 40 && columns <= 40 ? 2 : 1
    let textHeight = Font.capitalHeight * textScale
    func width(_ text: String) -> Int { Font.width(of: text) * textScale }
    let widest = numbers.map(width).max() ?? 0
    let side = side ?? max(widest + 10, numbers.isEmpty ? (rows <= 40 ? 24 : 8) : 34)
    guard side > 0 else { throw FigureError("found squares of \(side) pixels in a heat map, expected 1 or more") }

    let margin = 14
    let line = Font.height * textScale + 8
    let titleHeight = title == nil ? 0 : line + 4
    let labelHeight = (columnLabels.map(width).max()).map { $0 + 8 } ?? 0
    let labelWidth = (rowLabels.map(width).max()).map { $0 + 10 } ?? 0
    // Short names of columns, digits say, stand upright; longer ones read upwards.
    let upright = columnLabels.allSatisfy { width($0) <= side - 4 }
    let headHeight = columnLabels.isEmpty ? 0 : upright ? line : labelHeight
    let left = margin + (yLabel == nil ? 0 : line) + labelWidth
    let top = margin + titleHeight + (xLabel == nil ? 0 : line) + headHeight
    let (gridWidth, gridHeight) = (columns * side, rows * side)
    let bounds = [range.lowerBound, range.upperBound].map { HeatMap.text($0, decimals ?? 2) }
    let barLeft = left + gridWidth + 16
    let barWidth = 14
    let picturesWidth = barLeft + barWidth + 8 + (bounds.map(width).max() ?? 0) + margin

    var picture = try Picture(
      width: max(picturesWidth, margin * 2 + width(title ?? "")), height: top + max(gridHeight, 4 * textHeight) + margin
    )
    if let title { picture.write(title, x: margin, y: margin, scale: textScale) }
    if let xLabel {
      picture.write(xLabel, x: left + (gridWidth - width(xLabel)) / 2, y: margin + titleHeight, scale: textScale)
    }
    if let yLabel {
      picture.writeUpwards(yLabel, x: margin, y: top + (gridHeight + width(yLabel)) / 2, scale: textScale)
    }
    for (column, label) in columnLabels.enumerated() {
      let center = left + column * side + side / 2
      if upright {
        picture.write(label, x: center - width(label) / 2, y: top - line + 4, scale: textScale)
      } else {
        picture.writeUpwards(label, x: center - textHeight / 2, y: top - 6, scale: textScale)
      }
    }
    for (row, label) in rowLabels.enumerated() {
      let y = top + row * side + (side - textHeight) / 2
      picture.write(label, x: left - 10 - width(label), y: y, scale: textScale)
    }
    for (index, value) in values.enumerated() {
      let (x, y) = (left + index % columns * side, top + index / columns * side)
      let color = HeatMap.color(value, in: range)
      picture.fill(x: x, y: y, width: max(side - 1, 1), height: max(side - 1, 1), color)
      if !numbers.isEmpty {
        let number = numbers[index]
        picture.write(
          number, x: x + (side - width(number)) / 2, y: y + (side - textHeight) / 2, scale: textScale,
          color: color.isDark ? .white : .ink)
      }
    }
    let barHeight = max(gridHeight, 4 * textHeight)
    for y in 0..<barHeight {
      let share = 1 - Double(y) / Double(max(barHeight - 1, 1))
      picture.fill(x: barLeft, y: top + y, width: barWidth, height: 1, HeatMap.color(share, in: 0...1))
    }
    picture.write(bounds[1], x: barLeft + barWidth + 8, y: top, scale: textScale)
    picture.write(bounds[0], x: barLeft + barWidth + 8, y: top + barHeight - textHeight, scale: textScale)
    self.picture = picture
  }

  /// Writes a PNG file: a whole one or none.
  public func write(to url: URL) throws { try picture.write(to: url) }

  private static func text(_ value: Double, _ decimals: Int) -> String {
    value.isFinite ? String(format: "%.\(min(max(decimals, 0), 12))f", value) : value.isNaN ? "NaN" : "\(value)"
  }

  /// Steps of a scale from almost white to dark blue, of evenly falling lightness.
  private static let stops = [
    Color(246, 249, 252), Color(205, 222, 238), Color(143, 187, 219), Color(74, 142, 193), Color(24, 91, 155),
    Color(10, 42, 94),
  ]

  private static func color(_ value: Double, in range: ClosedRange<Double>) -> Color {
    guard !value.isNaN else { return .signal }
    let extent = range.upperBound - range.lowerBound
    let share = extent > 0 ? min(max((value - range.lowerBound) / extent, 0), 1) : 0.5
    let place = share * Double(stops.count - 1)
    let lower = min(Int(place), stops.count - 2)
    func mix(_ part: KeyPath<Color, UInt8>) -> UInt8 {
      let (a, b) = (Double(stops[lower][keyPath: part]), Double(stops[lower + 1][keyPath: part]))
      return UInt8((a + (b - a) * (place - Double(lower))).rounded())
    }
    return Color(mix(\.red), mix(\.green), mix(\.blue))
  }
}

extension Color {
  /// Whether white text reads better on it than black: by luma (ITU-R BT.601).
  fileprivate var isDark: Bool { 0.299 * Double(red) + 0.587 * Double(green) + 0.114 * Double(blue) < 140 }
}
