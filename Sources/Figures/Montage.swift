import Foundation

/// Pictures side by side in rows, each below its title: the samples of several runs, or of one run after 40, 100 and 200
/// epochs.
///
/// Pictures of one column start at the same left edge, those of one row at the same upper edge.
public struct Montage: Sendable {
  /// One picture with what stands around it.
  public struct Panel: Sendable {
    /// Above the picture, in as many lines as its width asks for; an empty one takes no room.
    public var title: String
    public var picture: Picture

    public init(_ title: String, _ picture: Picture) { (self.title, self.picture) = (title, picture) }
  }

  public let picture: Picture

  /// - Parameters:
  ///   - rows: The panels of each row from the left, nil for a place that stays blank; rows may differ in length.
  ///   - caption: A text above all.
  ///   - padding: Pixels between two panels, 0 or more.
  /// - Throws: `FigureError` where there is no panel, or the picture would be too large.
  public init(rows: [[Panel?]], caption: String? = nil, padding: Int = 14) throws {
    guard rows.contains(where: { $0.contains { $0 != nil } }) else {
      throw FigureError("found no panel for a montage, expected one picture or more")
    }
    guard padding >= 0 else { throw FigureError("found a montage's padding of \(padding), expected 0 or more") }
    let (text, margin) = (Montage.textScale, 14)
    let columns = (0..<(rows.map(\.count).max() ?? 0)).map { column in
      rows.compactMap { $0.dropFirst(column).first??.picture.width }.max() ?? 0
    }
    let titles = rows.map { row in
      zip(row, columns).map { panel, width in panel.map { Font.lines(of: $0.title, width: width / text) } ?? [] }
    }
    let titleHeights = titles.map { Montage.height(ofLines: $0.map(\.count).max() ?? 0) }
    let heights = rows.map { row in row.compactMap { $0?.picture.height }.max() ?? 0 }
    let lefts = columns.indices.map { columns[..<$0].reduce(0) { $0 + $1 + padding } }
    let rights = titles.flatMap { row in
      zip(row, lefts).map { lines, left in left + (lines.map { Font.width(of: $0) * text }.max() ?? 0) }
    }
    let contentWidth = max(columns.reduce(-padding) { $0 + $1 + padding }, rights.max() ?? 0)
    let captionLines = caption.map { Font.lines(of: $0, width: max(contentWidth, 200) / text) } ?? []
    let captionHeight = Montage.height(ofLines: captionLines.count)
    let captionWidth = captionLines.map { Font.width(of: $0) * text }.max() ?? 0
    let contentHeight = captionHeight + zip(titleHeights, heights).reduce(-padding) { $0 + $1.0 + $1.1 + padding }

    var picture = try Picture(
      width: max(contentWidth, captionWidth) + 2 * margin, height: contentHeight + 2 * margin)
    Montage.write(captionLines, on: &picture, x: margin, y: margin)
    var top = margin + captionHeight
    for (row, panels) in rows.enumerated() {
      let pictureTop = top + titleHeights[row]
      for (column, panel) in panels.enumerated() {
        guard let panel else { continue }
        let (lines, left) = (titles[row][column], margin + lefts[column])
        // Short titles stand right above their pictures, not above those of longer neighbours.
        Montage.write(lines, on: &picture, x: left, y: pictureTop - Montage.height(ofLines: lines.count))
        picture.draw(panel.picture, x: left, y: pictureTop)
      }
      top = pictureTop + heights[row] + padding
    }
    self.picture = picture
  }

  /// Writes a PNG file: a whole one or none.
  public func write(to url: URL) throws { try picture.write(to: url) }

  private static let textScale = 2
  private static let lineHeight = (Font.height + 3) * textScale

  private static func height(ofLines count: Int) -> Int { count == 0 ? 0 : count * lineHeight + 6 }

  private static func write(_ lines: [String], on picture: inout Picture, x: Int, y: Int) {
    for (index, line) in lines.enumerated() {
      picture.write(line, x: x, y: y + index * lineHeight, scale: textScale)
    }
  }
}
