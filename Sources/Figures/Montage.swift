import Foundation

/// Pictures side by side in rows, each below its title: the samples of several runs, or of one run after 40, 100 and 200
/// epochs.
///
/// Pictures of one column start at the same left edge, those of one row at the same upper edge. A frame goes around a
/// picture and covers nothing of it.
public struct Montage: Sendable {
  /// One picture with what stands around it.
  public struct Panel: Sendable {
    /// Above the picture, in as many lines as its width asks for; an empty one takes no room.
    public var title: String
    public var picture: Picture
    /// The colour of the frame; nil for none.
    public var frame: Color?

    public init(_ title: String, _ picture: Picture, frame: Color? = nil) {
      (self.title, self.picture, self.frame) = (title, picture, frame)
    }
  }

  public let picture: Picture

  /// - Parameters:
  ///   - rows: The panels of each row from the left; rows may differ in length.
  ///   - rowLabels: A text that reads upwards at the left of each row; rows without one stay blank.
  ///   - caption: A text above all.
  ///   - padding: Pixels between two panels.
  /// - Throws: `FigureError` where there is no panel, there are more labels than rows, or the picture would be too large.
  public init(rows: [[Panel]], rowLabels: [String] = [], caption: String? = nil, padding: Int = 14) throws {
    guard rows.contains(where: { !$0.isEmpty }) else {
      throw FigureError("found no panel for a montage, expected one picture or more")
    }
    guard rowLabels.count <= rows.count, padding >= 0 else {
      throw FigureError(
        "found \(rowLabels.count) labels for \(rows.count) rows of a montage and a padding of \(padding), "
          + "expected at most one label for each row and a padding of 0 or more")
    }
    let (text, margin, frame) = (Montage.textScale, 14, Montage.frameThickness)
    let columns = (0..<(rows.map(\.count).max() ?? 0)).map { column in
      rows.compactMap { $0.dropFirst(column).first }.map { $0.picture.width + 2 * frame }.max() ?? 0
    }
    let titles = rows.map { row in zip(row, columns).map { Font.lines(of: $0.title, width: $1 / text) } }
    let titleHeights = titles.map { Montage.height(ofLines: $0.map(\.count).max() ?? 0) }
    let heights = rows.indices.map { row in
      let label = row < rowLabels.count ? Font.width(of: rowLabels[row]) * text : 0
      return max(rows[row].map { $0.picture.height + 2 * frame }.max() ?? 0, label)
    }
    let labelWidth = rowLabels.contains { !$0.isEmpty } ? Font.height * text + 8 : 0
    let titleWidth =
      zip(titles, rows).flatMap { zip($0.0, columns.indices) }
      .map { lines, column in
        let left = columns[..<column].reduce(0) { $0 + $1 + padding }
        return left + (lines.map { Font.width(of: $0) * text }.max() ?? 0)
      }.max() ?? 0
    let contentWidth = labelWidth + max(columns.reduce(-padding) { $0 + $1 + padding }, titleWidth)
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
      if row < rowLabels.count {
        let length = Font.width(of: rowLabels[row]) * text
        picture.writeUpwards(
          rowLabels[row], x: margin, y: pictureTop + (heights[row] + length) / 2, scale: text)
      }
      var left = margin + labelWidth
      for (column, panel) in panels.enumerated() {
        let lines = titles[row][column]
        // Short titles stand right above their pictures, not above those of longer neighbours.
        let rise = Montage.height(ofLines: lines.count)
        Montage.write(lines, on: &picture, x: left, y: pictureTop - rise)
        let (width, height) = (panel.picture.width + 2 * frame, panel.picture.height + 2 * frame)
        if let color = panel.frame {
          picture.frame(x: left, y: pictureTop, width: width, height: height, thickness: frame, color)
        }
        picture.draw(panel.picture, x: left + frame, y: pictureTop + frame)
        left += columns[column] + padding
      }
      top = pictureTop + heights[row] + padding
    }
    self.picture = picture
  }

  /// The same without frames.
  public init(
    rows: [[(String, Picture)]], rowLabels: [String] = [], caption: String? = nil, padding: Int = 14
  ) throws {
    let panels = rows.map { $0.map { Panel($0.0, $0.1) } }
    try self.init(rows: panels, rowLabels: rowLabels, caption: caption, padding: padding)
  }

  /// Writes a PNG file: a whole one or none.
  public func write(to url: URL) throws { try picture.write(to: url) }

  private static let textScale = 2
  private static let frameThickness = 3
  private static let lineHeight = (Font.height + 3) * textScale

  private static func height(ofLines count: Int) -> Int { count == 0 ? 0 : count * lineHeight + 6 }

  private static func write(_ lines: [String], on picture: inout Picture, x: Int, y: Int) {
    for (index, line) in lines.enumerated() {
      picture.write(line, x: x, y: y + index * lineHeight, scale: textScale)
    }
  }
}
