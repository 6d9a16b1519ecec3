import Files
import Foundation
import LatentKit

/// How pictures are brought to one size and to one number of channels.
struct ImageFit: Sendable {
  /// What becomes of a picture whose sides have another proportion.
  enum Shape: String, Choice {
    /// The middle of it, as large as possible.
    case crop
    /// All of it, distorted.
    case stretch
    /// All of it, with margins.
    case pad
  }

  /// The channels that pictures get.
  enum Colours: String, Choice { case auto, grey, rgb }

  /// A rectangle of pixels.
  struct Part: Equatable {
    var left = 0
    var top = 0
    var width: Int
    var height: Int
  }

  /// nil: pictures keep their size, which must be one.
  var size: (height: Int, width: Int)?
  var shape = Shape.crop
  var colours = Colours.auto
  /// The grey level of margins and behind what is transparent.
  var background: UInt8 = 255

  /// The most bytes that the pixels of all pictures may take: half of this machine's memory, as they are there twice for a
  /// while.
  var memory = ProcessInfo.processInfo.physicalMemory / 2

  /// Refuses more pictures than memory holds.
  /// - Throws: `DatasetError` with their size and what to change.
  func requireMemory(for count: Int, height: Int, width: Int, channels: Int) throws {
    let bytes = Double(count) * Double(height) * Double(width) * Double(channels)
    guard bytes > Double(memory) else { return }
    let noun = channels == 1 ? "grey values" : "\(channels) colours"
    throw DatasetError(
      "\(grouped(count)) pictures of \(width) x \(height) in \(noun) take \(gibibytes(bytes)), expected at most "
        + "\(gibibytes(Double(memory))), half of this machine's memory; lower data.size, or use fewer pictures")
  }

  private func gibibytes(_ bytes: Double) -> String { String(format: "%.1f GiB", bytes / Double(1 << 30)) }

  /// A picture that has its size: rows from the top, channels together.
  struct Fitted {
    let height: Int
    let width: Int
    let channels: Int
    let pixels: [UInt8]
  }

  /// Brings one picture to the size and the channels.
  func fit(_ image: DecodedImage, path: String) throws -> Fitted {
    if colours == .grey { image.makeGrey() }
    let channels = image.channels
    guard let size, (image.height, image.width) != size else {
      return Fitted(height: image.height, width: image.width, channels: channels, pixels: image.pixels)
    }
    func fitted(_ pixels: [UInt8]) -> Fitted {
      Fitted(height: size.height, width: size.width, channels: channels, pixels: pixels)
    }
    switch shape {
    case .stretch:
      let part = Part(width: image.width, height: image.height)
      return fitted(try image.resized(part, width: size.width, height: size.height, path: path))
    case .crop:
      let part = ImageFit.middle(of: (image.height, image.width), like: size)
      return fitted(try image.resized(part, width: size.width, height: size.height, path: path))
    case .pad:
      let inner = ImageFit.middle(of: size, like: (image.height, image.width))
      let part = Part(width: image.width, height: image.height)
      let small = try image.resized(part, width: inner.width, height: inner.height, path: path)
      var pixels = [UInt8](repeating: background, count: size.height * size.width * channels)
      for y in 0..<inner.height {
        let start = ((inner.top + y) * size.width + inner.left) * channels
        let row = inner.width * channels
        pixels.replaceSubrange(start..<(start + row), with: small[(y * row)..<((y + 1) * row)])
      }
      return fitted(pixels)
    }
  }

  /// The largest rectangle of a proportion in the middle of another one, in whole pixels.
  static func middle(of outer: (height: Int, width: Int), like shape: (height: Int, width: Int)) -> Part {
    var part = Part(width: outer.width, height: outer.height)
    if outer.width * shape.height > shape.width * outer.height {
      part.width = max(1, (2 * outer.height * shape.width + shape.height) / (2 * shape.height))
    } else {
      part.height = max(1, (2 * outer.width * shape.height + shape.width) / (2 * shape.width))
    }
    (part.left, part.top) = ((outer.width - part.width) / 2, (outer.height - part.height) / 2)
    return part
  }
}
