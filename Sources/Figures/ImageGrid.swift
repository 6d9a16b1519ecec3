import Files
import Foundation
import LatentKit

/// Images side by side in rows: samples by class, or reconstructions below their originals.
///
/// A value that is not a number is drawn in `Color.signal` and counted, so that it cannot be taken for a dark pixel.
public struct ImageGrid: Sendable {
  public let picture: Picture
  /// How many values of the images are not numbers.
  public let notANumberCount: Int

  /// - Parameters:
  ///   - images: `[count, channels, height, width]` with 1 (grey) or 3 (red, green, blue) channels, of any number type.
  ///   - range: The values that become black and full brightness; values outside are cut off.
  ///   - columns: Images in a row; 10, or fewer where there are fewer images, unless said otherwise.
  ///   - rowLabels: A text at the left of each row, a class name say; rows without one stay blank.
  ///   - caption: A text above the images.
  ///   - padding: Pixels between two images.
  ///   - scale: The side of the square that a pixel of an image becomes; what makes images about 56 pixels high or more
  ///     unless said otherwise.
  /// - Throws: `FigureError` where the images have another shape, there are none, or the picture would be too large.
  public init(
    _ images: Tensor, range: ClosedRange<Double> = 0...1, columns: Int? = nil, rowLabels: [String] = [],
    caption: String? = nil, padding: Int = 2, scale: Int? = nil
  ) throws {
    let tiles = try Tiles(images, range)
    let columns = columns ?? min(tiles.count, 10)
    guard columns > 0 else { throw FigureError("found \(columns) columns of images, expected 1 or more") }
    let rows = (0..<tiles.count).split(every: columns).map(Array.init)
    try self.init(
      tiles, rows: rows, bandHeight: 1, labels: rowLabels, caption: caption, padding: padding, scale: scale)
  }

  /// Each row of originals above the row of their reconstructions.
  ///
  /// - Parameter reconstructions: As many images as `originals`, of the same shape.
  /// - Throws: `FigureError` as for a grid, and where the two differ in shape.
  public static func pairs(
    _ originals: Tensor, _ reconstructions: Tensor, range: ClosedRange<Double> = 0...1, columns: Int? = nil,
    caption: String? = nil, padding: Int = 2, scale: Int? = nil
  ) throws -> ImageGrid {
    try comparison(
      of: originals, with: [("reconstruction", reconstructions)], range: range, columns: columns, caption: caption,
      padding: padding, scale: scale)
  }

  /// Each row of originals above one row for each model that reconstructed them.
  ///
  /// - Parameter models: A label of its rows and as many images as `originals`, of the same shape, for each model.
  /// - Throws: `FigureError` as for a grid, and where shapes differ.
  public static func comparison(
    of originals: Tensor, with models: [(label: String, images: Tensor)], range: ClosedRange<Double> = 0...1,
    columns: Int? = nil, caption: String? = nil, padding: Int = 2, scale: Int? = nil
  ) throws -> ImageGrid {
    for (label, images) in models where images.shape != originals.shape {
      throw FigureError(
        "found originals of shape \(originals.shape) and images '\(label)' of shape \(images.shape), "
          + "expected the same; reconstruct exactly these originals")
    }
    try Tiles.check(originals.shape)
    let count = try originals.size(0)
    let all = try [originals] + models.map { try $0.images.to(originals.dtype, originals.device) }
    let columns = columns ?? min(count, 10)
    guard columns > 0 else { throw FigureError("found \(columns) columns of images, expected 1 or more") }
    let rows = (0..<count).split(every: columns).flatMap { row in
      all.indices.map { set in row.map { $0 + set * count } }
    }
    let names = ["original"] + models.map(\.label)
    return try ImageGrid(
      Tiles(Tensor.concatenate(all), range), rows: rows, bandHeight: all.count,
      labels: rows.indices.map { names[$0 % names.count] }, caption: caption, padding: padding, scale: scale)
  }

  /// Writes a PNG file: a whole one or none.
  public func write(to url: URL) throws { try picture.write(to: url) }

  /// - Parameter bandHeight: Rows that belong together; a wider gap follows them.
  private init(
    _ tiles: Tiles, rows: [[Int]], bandHeight: Int, labels: [String], caption: String?, padding: Int, scale: Int?
  ) throws {
    let scale = scale ?? max((56 + tiles.height - 1) / max(tiles.height, 1), 1)
    guard scale > 0, padding >= 0 else {
      throw FigureError(
        "found scale \(scale) and padding \(padding), expected a scale of 1 or more and a padding of 0 or more")
    }
    let (tileWidth, tileHeight) = (tiles.width * scale, tiles.height * scale)
    let bandGap = bandHeight > 1 ? tileHeight / 6 + 2 : 0
    let margin = 14
    let textScale = tileHeight >= 40 ? 2 : 1

    let labelWidth = (labels.map { Font.width(of: $0) * textScale }.max()).map { $0 == 0 ? 0 : $0 + 12 } ?? 0
    let gridWidth = (rows.map(\.count).max() ?? 0) * (tileWidth + padding) - padding
    let contentWidth = labelWidth + gridWidth
    let captionLines = caption.map { Font.lines(of: $0, width: max(contentWidth, 200) / textScale) } ?? []
    let captionWidth = (captionLines.map { Font.width(of: $0) * textScale }.max()) ?? 0
    let lineHeight = (Font.height + 3) * textScale
    let captionHeight = captionLines.isEmpty ? 0 : captionLines.count * lineHeight + 6
    let bands = (rows.count + bandHeight - 1) / bandHeight
    let gridHeight = rows.count * (tileHeight + padding) - padding + (bands - 1) * bandGap

    var picture = try Picture(
      width: max(contentWidth, captionWidth) + 2 * margin, height: captionHeight + gridHeight + 2 * margin)
    for (index, line) in captionLines.enumerated() {
      picture.write(line, x: margin, y: margin + index * lineHeight, scale: textScale)
    }
    for (row, members) in rows.enumerated() {
      let top = margin + captionHeight + row * (tileHeight + padding) + row / bandHeight * bandGap
      if row < labels.count {
        let textTop = top + (tileHeight - Font.capitalHeight * textScale) / 2
        let textLeft = margin + labelWidth - 12 - Font.width(of: labels[row]) * textScale
        picture.write(labels[row], x: textLeft, y: textTop, scale: textScale)
      }
      for (column, member) in members.enumerated() {
        tiles.draw(member, on: &picture, x: margin + labelWidth + column * (tileWidth + padding), y: top, scale: scale)
      }
    }
    self.picture = picture
    notANumberCount = tiles.notANumberCount
  }
}

/// The values of images in memory, and how they become colours.
private struct Tiles {
  let count: Int
  let channels: Int
  let height: Int
  let width: Int
  let notANumberCount: Int
  private let values: [Float]
  private let range: ClosedRange<Double>

  static func check(_ shape: [Int]) throws {
    guard shape.count == 4, shape[1] == 1 || shape[1] == 3 else {
      throw FigureError(
        "found images of shape \(shape), expected [count, channels, height, width] with 1 or 3 channels")
    }
    guard !shape.contains(0) else { throw FigureError("found images of shape \(shape): there is nothing to draw") }
  }

  init(_ images: Tensor, _ range: ClosedRange<Double>) throws {
    let shape = images.shape
    try Tiles.check(shape)
    guard range.lowerBound < range.upperBound, range.lowerBound.isFinite, range.upperBound.isFinite else {
      throw FigureError("found the range \(range) of pixel values, expected one from a lower to a higher finite number")
    }
    (count, channels, height, width) = (shape[0], shape[1], shape[2], shape[3])
    values = try images.detached().floats()
    notANumberCount = values.count(where: \.isNaN)
    self.range = range
  }

  func draw(_ index: Int, on picture: inout Picture, x: Int, y: Int, scale: Int) {
    let plane = height * width
    for row in 0..<height {
      for column in 0..<width {
        let place = index * channels * plane + row * width + column
        let color: Color
        if channels == 1 {
          color = level(values[place]).map(Color.init(gray:)) ?? .signal
        } else if let red = level(values[place]), let green = level(values[place + plane]),
          let blue = level(values[place + 2 * plane])
        {
          color = Color(red, green, blue)
        } else {
          color = .signal
        }
        picture.fill(x: x + column * scale, y: y + row * scale, width: scale, height: scale, color)
      }
    }
  }

  /// The brightness of a value; nil for one that is not a number.
  private func level(_ value: Float) -> UInt8? {
    guard !value.isNaN else { return nil }
    let share = (Double(value) - range.lowerBound) / (range.upperBound - range.lowerBound)
    return UInt8((min(max(share, 0), 1) * 255).rounded())
  }
}

extension Range<Int> {
  /// Pieces of `size`, the last of which may be shorter.
  fileprivate func split(every size: Int) -> [Range<Int>] {
    stride(from: lowerBound, to: upperBound, by: size).map { $0..<Swift.min($0 + size, upperBound) }
  }
}
