import Foundation

/// Pictures side by side in rows, each below its title: the samples of several runs, or of one run after 40, 100 and 200
/// epochs.
///
/// Pictures of one column start at the same left edge, those of one row at the same upper edge.
public struct Montage: Figure {
  /// One picture with its title.
  public struct Panel: Sendable {
    /// The text above the picture, wrapped to its width; an empty one takes no room.
    public var title: String
    /// The picture.
    public var picture: Picture

    /// Creates a panel.
    public init(_ title: String, _ picture: Picture) { (self.title, self.picture) = (title, picture) }
  }

  /// The pictures without any text.
  public var tiles: Picture { lettered.picture }

  let lettered: LetteredPicture

  /// Creates a montage of rows of panels.
  ///
  /// - Parameters:
  ///   - rows: The panels of each row from the left, nil for a blank; rows may differ in length.
  ///   - caption: A text above all.
  ///   - padding: Pixels between two panels, 0 or more.
  /// - Throws: `FigureError` if there is no panel, or the figure would be too large.
  public init(rows: [[Panel?]], caption: String? = nil, padding: Int = 14) throws {
    guard rows.contains(where: { $0.contains { $0 != nil } }) else {
      throw FigureError("found no panel for a montage, expected one picture or more")
    }
    guard padding >= 0 else { throw FigureError("found a montage's padding of \(padding), expected 0 or more") }
    let (margin, size) = (14.0, Style.titleSize)
    let lineHeight = Style.lineHeight(size)
    let widths = (0..<(rows.map(\.count).max() ?? 0)).map { column in
      rows.compactMap { $0.dropFirst(column).first??.picture.width }.max() ?? 0
    }
    let lefts = widths.indices.map { widths[..<$0].reduce(0) { $0 + $1 + padding } }
    let titles = rows.map { row in
      zip(row, widths).map { panel, width in
        Lettering.lines(of: panel?.title ?? "", width: Double(width), size: size, atMost: 3)
      }
    }
    func height(_ lines: Int) -> Int { lines == 0 ? 0 : Int(Double(lines) * lineHeight) + 6 }
    var tops: [Int] = []
    var bottom = -padding
    for (row, lines) in zip(rows, titles) {
      tops.append(bottom + padding + height(lines.map(\.count).max() ?? 0))
      bottom = tops[tops.count - 1] + (row.compactMap { $0?.picture.height }.max() ?? 0)
    }

    let contentWidth = widths.reduce(-padding) { $0 + $1 + padding }
    let captionLines = Lettering.lines(
      of: caption ?? "", width: max(Double(contentWidth), 320), size: size, atMost: 4)
    let top = margin + (captionLines.isEmpty ? 0 : Double(captionLines.count) * lineHeight + 8)
    var lines = captionLines.enumerated().map { index, line in
      LetteredPicture.Line(text: line, x: margin, y: margin + (Double(index) + 0.5) * lineHeight, size: size)
    }
    var picture = try Picture(width: contentWidth, height: bottom)
    for (row, panels) in rows.enumerated() {
      for (column, panel) in panels.enumerated() {
        guard let panel else { continue }
        picture.draw(panel.picture, x: lefts[column], y: tops[row])
        // A short title stands right above its picture, whatever the height of its neighbours' titles.
        let titleTop = top + Double(tops[row] - height(titles[row][column].count))
        lines += titles[row][column].enumerated().map { index, line in
          .init(
            text: line, x: margin + Double(lefts[column]), y: titleTop + (Double(index) + 0.5) * lineHeight, size: size)
        }
      }
    }
    let widest = captionLines.map { Lettering.width(of: $0, size: size) }.max() ?? 0
    lettered = try LetteredPicture(
      picture, x: margin, y: top, width: max(Double(contentWidth), widest) + 2 * margin,
      height: top + Double(bottom) + margin, lines: lines)
  }

  /// Writes PNG and SVG; if gnuplot is missing, only a PNG file of the pictures without text.
  ///
  /// - Throws: `FigureError` if gnuplot fails, `FileError` if a file cannot be written.
  public func write(to url: URL) throws { try lettered.write(to: url) }
}
