import Foundation
import LatentKit

/// The values of images in memory, with their conversion to colours.
struct ImageTiles {
  let count: Int
  let height: Int
  let width: Int
  let notANumberCount: Int
  private let channels: Int
  private let values: [Float]
  private let range: ClosedRange<Double>

  /// - Throws: `FigureError` unless the shape is that of one or more images.
  static func check(_ shape: [Int]) throws {
    guard shape.count == 4, shape[1] == 1 || shape[1] == 3 else {
      throw FigureError(
        "found images of shape \(shape), expected [count, channels, height, width] with 1 or 3 channels")
    }
    guard !shape.contains(0) else { throw FigureError("found images of shape \(shape): there is nothing to draw") }
  }

  init(_ images: Tensor, _ range: ClosedRange<Double>) throws {
    let shape = images.shape
    try ImageTiles.check(shape)
    guard range.lowerBound < range.upperBound, range.lowerBound.isFinite, range.upperBound.isFinite else {
      throw FigureError("found the range \(range) of pixel values, expected one from a lower to a higher finite number")
    }
    (count, channels, height, width) = (shape[0], shape[1], shape[2], shape[3])
    values = try images.detached().floats()
    notANumberCount = values.count(where: \.isNaN)
    self.range = range
  }

  /// One image; each of its pixels becomes a square of `scale` pixels.
  func picture(_ index: Int, scale: Int) -> Picture {
    let plane = height * width
    var pixels: [UInt8] = []
    pixels.reserveCapacity(3 * plane * scale * scale)
    for row in 0..<height {
      var line: [UInt8] = []
      line.reserveCapacity(3 * width * scale)
      for column in 0..<width {
        let color = color(at: index * channels * plane + row * width + column, plane)
        for _ in 0..<scale { line += [color.red, color.green, color.blue] }
      }
      for _ in 0..<scale { pixels += line }
    }
    return Picture(width: width * scale, height: height * scale, pixels: pixels)
  }

  private func color(at place: Int, _ plane: Int) -> Color {
    if channels == 1 { return level(values[place]).map(Color.init(gray:)) ?? .signal }
    guard let red = level(values[place]), let green = level(values[place + plane]),
      let blue = level(values[place + 2 * plane])
    else { return .signal }
    return Color(red, green, blue)
  }

  /// The brightness of a value; nil for NaN.
  private func level(_ value: Float) -> UInt8? {
    guard !value.isNaN else { return nil }
    let share = (Double(value) - range.lowerBound) / (range.upperBound - range.lowerBound)
    return UInt8((min(max(share, 0), 1) * 255).rounded())
  }
}
