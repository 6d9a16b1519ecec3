import Foundation
import LatentKit

/// Images side by side in rows: samples by class, or reconstructions below their originals.
///
/// NaN is drawn in `Color.signal` and counted, so that it cannot be taken for a dark pixel. If there are too many images,
/// the first of each row and the first rows are shown, and a line below the caption gives their number.
public struct ImageGrid: Figure {
  /// The images without any text.
  public var tiles: Picture { lettered.picture }
  /// The number of NaN among the images' values.
  public let notANumberCount: Int
  /// The number of images.
  public let imageCount: Int
  /// The number of images that the figure shows.
  public let shownCount: Int

  let lettered: LetteredPicture

  /// The largest total width of a row's images and height of a column's, in pixels; one image is always shown.
  public static let (largestWidth, largestHeight) = (2400, 4800)

  /// Creates a grid that is filled row by row.
  ///
  /// - Parameters:
  ///   - images: `[count, channels, height, width]` with 1 (grey) or 3 (red, green, blue) channels, of any number type.
  ///   - range: The values that become black and full brightness; values outside are clamped.
  ///   - columns: Images in a row; by default 10, or all of them if they are fewer.
  ///   - rowLabels: A text at the left of each row, such as a class name; rows without one stay blank.
  ///   - columnLabels: A text above each column; columns without one stay blank.
  ///   - caption: A text above the images.
  ///   - padding: Pixels between two images, 0 or more.
  ///   - scale: The side in pixels that a pixel of an image gets, 1 or more; by default images become at least 56 pixels high
  ///     but are not enlarged beyond a width of 240.
  /// - Throws: `FigureError` for images of another shape, for none, and for one that is too large.
  public init(
    _ images: Tensor, range: ClosedRange<Double> = 0...1, columns: Int? = nil, rowLabels: [String] = [],
    columnLabels: [String] = [], caption: String? = nil, padding: Int = 2, scale: Int? = nil
  ) throws {
    let tiles = try ImageTiles(images, range)
    let columns = columns ?? min(tiles.count, 10)
    guard columns > 0 else { throw FigureError("found \(columns) columns of images, expected 1 or more") }
    try self.init(
      tiles, bands: (0..<tiles.count).split(every: columns).map { [Array($0)] },
      labels: { $0 < rowLabels.count ? rowLabels[$0] : "" },
      columnLabels: columnLabels, caption: caption, padding: padding, scale: scale)
  }

  /// Returns a grid with each row of originals above the row of their reconstructions.
  ///
  /// - Parameter reconstructions: Of the same shape as `originals`.
  /// - Throws: `FigureError` as for a grid, and if the two differ in shape.
  public static func pairs(
    _ originals: Tensor, _ reconstructions: Tensor, range: ClosedRange<Double> = 0...1, columns: Int? = nil,
    caption: String? = nil, padding: Int = 2, scale: Int? = nil
  ) throws -> ImageGrid {
    try comparison(
      of: originals, with: [("reconstruction", reconstructions)], range: range, columns: columns, caption: caption,
      padding: padding, scale: scale)
  }

  /// Returns a grid with each row of originals above one row of reconstructions by each model.
  ///
  /// - Parameter models: For each model the label of its rows and its images, of the same shape as `originals`.
  /// - Throws: `FigureError` as for a grid, and if shapes differ.
  public static func comparison(
    of originals: Tensor, with models: [(label: String, images: Tensor)], range: ClosedRange<Double> = 0...1,
    columns: Int? = nil, caption: String? = nil, padding: Int = 2, scale: Int? = nil
  ) throws -> ImageGrid {
    for (label, images) in models where images.shape != originals.shape {
      throw FigureError(
        "found originals of shape \(originals.shape) and images '\(label)' of shape \(images.shape), "
          + "expected the same; reconstruct exactly these originals")
    }
    try ImageTiles.check(originals.shape)
    let count = try originals.size(0)
    let all = try [originals] + models.map { try $0.images.to(originals.dtype, originals.device) }
    let columns = columns ?? min(count, 10)
    guard columns > 0 else { throw FigureError("found \(columns) columns of images, expected 1 or more") }
    let names = ["original"] + models.map(\.label)
    return try ImageGrid(
      ImageTiles(Tensor.concatenate(all), range),
      bands: (0..<count).split(every: columns).map { row in all.indices.map { set in row.map { $0 + set * count } } },
      labels: { names[$0 % names.count] }, caption: caption, padding: padding, scale: scale)
  }

  /// Writes PNG and SVG; if gnuplot is missing, only a PNG file of the images without text.
  ///
  /// - Throws: `FigureError` if gnuplot fails, `FileError` if a file cannot be written.
  public func write(to url: URL) throws { try lettered.write(to: url) }

  /// - Parameters:
  ///   - bands: Groups of rows of image numbers; a group of several rows is followed by a wider gap.
  ///   - labels: The label of a row, counted over all bands.
  private init(
    _ tiles: ImageTiles, bands: [[[Int]]], labels: (Int) -> String, columnLabels: [String] = [], caption: String?,
    padding: Int, scale: Int?
  ) throws {
    let scale = scale ?? max(min((56 + tiles.height - 1) / tiles.height, 240 / tiles.width), 1)
    guard scale > 0, padding >= 0 else {
      throw FigureError(
        "found scale \(scale) and padding \(padding), expected a scale of 1 or more and a padding of 0 or more")
    }
    let (tileWidth, tileHeight) = (tiles.width * scale, tiles.height * scale)
    try Picture.check(width: tileWidth, height: tileHeight)
    let bandRows = bands[0].count
    let bandGap = bandRows > 1 ? tileHeight / 6 + 2 : 0
    let bandHeight = bandRows * (tileHeight + padding) + bandGap
    let most = (
      columns: max((ImageGrid.largestWidth + padding) / (tileWidth + padding), 1),
      bands: max((ImageGrid.largestHeight + padding + bandGap) / bandHeight, 1)
    )
    let shown = bands.prefix(most.bands).map { band in band.map { Array($0.prefix(most.columns)) } }
    let columns = shown[0][0].count
    (notANumberCount, imageCount) = (tiles.notANumberCount, tiles.count)
    shownCount = shown.reduce(0) { $0 + $1.reduce(0) { $0 + $1.count } }

    var picture = try Picture(
      width: columns * (tileWidth + padding) - padding, height: shown.count * bandHeight - padding - bandGap)
    var rows: [(label: String, middle: Double)] = []
    for (band, members) in shown.enumerated() {
      for (row, images) in members.enumerated() {
        let top = band * bandHeight + row * (tileHeight + padding)
        rows.append((labels(rows.count), Double(top) + Double(tileHeight) / 2))
        for (column, image) in images.enumerated() {
          picture.draw(tiles.picture(image, scale: scale), x: column * (tileWidth + padding), y: top)
        }
      }
    }

    let margin = 14.0
    // Labels are no taller than their row.
    let size = min(Style.textSize, max(Double(tileHeight), 4))
    let names = rows.map { (text: Lettering.shortened($0.label, to: 190, size: size), middle: $0.middle) }
    let labelWidth = names.map { Lettering.width(of: $0.text, size: size) }.max() ?? 0
    let left = (margin + (labelWidth > 0 ? labelWidth + 8 : 0)).rounded(.up)
    let contentWidth = left - margin + Double(picture.width)
    let notes = shownCount < imageCount ? ["\(shownCount) of \(imageCount) images are shown."] : []
    let captionWidth = max(contentWidth, 320)
    let captionLines =
      Lettering.lines(of: caption ?? "", width: captionWidth, size: Style.titleSize, atMost: 4) + notes
    let captionHeight =
      captionLines.isEmpty ? 0 : Double(captionLines.count) * Style.lineHeight(Style.titleSize) + 6
    let heads = columnLabels.prefix(columns).map { Lettering.shortened($0, to: Double(tileWidth + padding)) }
    let headHeight = heads.contains { !$0.isEmpty } ? Style.lineHeight(Style.textSize) + 2 : 0
    let top = margin + captionHeight + headHeight
    var lines = captionLines.enumerated().map { index, line in
      LetteredPicture.Line(
        text: line, x: margin, y: margin + (Double(index) + 0.5) * Style.lineHeight(Style.titleSize),
        size: Style.titleSize)
    }
    lines += names.map { .init(text: $0.text, x: left - 8, y: top + $0.middle, align: .right, size: size) }
    lines += heads.enumerated().map { column, text in
      let middle = (Double(column) + 0.5) * Double(tileWidth + padding) - Double(padding) / 2
      return .init(text: text, x: left + middle, y: top - headHeight / 2, align: .center)
    }
    let widest = captionLines.map { Lettering.width(of: $0, size: Style.titleSize) }.max() ?? 0
    lettered = try LetteredPicture(
      picture, x: left, y: top, width: max(contentWidth, widest) + 2 * margin,
      height: top + Double(picture.height) + margin, lines: lines)
  }
}

extension Range<Int> {
  /// Pieces of `size`, the last of which may be shorter.
  fileprivate func split(every size: Int) -> [Range<Int>] {
    stride(from: lowerBound, to: upperBound, by: size).map { $0..<Swift.min($0 + size, upperBound) }
  }
}
