import CPng
import Files
import Foundation

/// A colour of 8 bits for each of red, green and blue.
public struct Color: Sendable, Hashable {
  /// 0 to 255.
  public var red: UInt8
  /// 0 to 255.
  public var green: UInt8
  /// 0 to 255.
  public var blue: UInt8

  /// Creates a colour from its components.
  public init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) { (self.red, self.green, self.blue) = (red, green, blue) }

  /// Creates a shade of grey, from 0 (black) to 255 (white).
  public init(gray: UInt8) { self.init(gray, gray, gray) }

  /// White.
  public static let white = Color(gray: 255)
  /// The colour of NaN: a magenta that no grey image and few photographs contain.
  public static let signal = Color(255, 0, 170)
}

/// A rectangle of pixels. (0, 0) is the upper left corner.
public struct Picture: Sendable, Equatable {
  /// Pixels in a row.
  public let width: Int
  /// Pixels in a column.
  public let height: Int
  /// Red, green and blue of each pixel, row by row.
  public private(set) var pixels: [UInt8]

  /// The longest side that a picture may have, in pixels.
  public static let longestSide = 30_000

  /// Creates a picture of one colour.
  ///
  /// - Throws: `FigureError` unless both sides are within `1...longestSide`.
  public init(width: Int, height: Int, color: Color = .white) throws {
    try Picture.check(width: width, height: height)
    (self.width, self.height) = (width, height)
    pixels = [UInt8](repeating: color.red, count: 3 * width * height)
    guard color.red != color.green || color.red != color.blue else { return }
    for place in stride(from: 0, to: pixels.count, by: 3) {
      (pixels[place + 1], pixels[place + 2]) = (color.green, color.blue)
    }
  }

  /// Creates a picture from red, green and blue of each pixel, row by row.
  init(width: Int, height: Int, pixels: [UInt8]) {
    precondition(pixels.count == 3 * width * height)
    (self.width, self.height, self.pixels) = (width, height, pixels)
  }

  /// - Throws: `FigureError` unless both sides are within `1...longestSide`.
  static func check(width: Int, height: Int) throws {
    guard (1...longestSide).contains(width), (1...longestSide).contains(height) else {
      throw FigureError(
        "a picture of \(width) x \(height) pixels cannot be drawn, expected sides of 1 to \(longestSide); "
          + "show fewer images or choose a smaller scale")
    }
  }

  /// The colour of a pixel. Pixels outside are white, and writing to them does nothing.
  public subscript(x: Int, y: Int) -> Color {
    get {
      guard contains(x, y) else { return .white }
      let place = 3 * (y * width + x)
      return Color(pixels[place], pixels[place + 1], pixels[place + 2])
    }
    set {
      guard contains(x, y) else { return }
      let place = 3 * (y * width + x)
      (pixels[place], pixels[place + 1], pixels[place + 2]) = (newValue.red, newValue.green, newValue.blue)
    }
  }

  private func contains(_ x: Int, _ y: Int) -> Bool { x >= 0 && y >= 0 && x < width && y < height }

  /// Copies a picture with its upper left corner to (x, y); parts outside are cut off.
  public mutating func draw(_ other: Picture, x: Int, y: Int) {
    let (left, right) = (max(x, 0), min(x + other.width, width))
    guard left < right else { return }
    for row in max(y, 0)..<max(min(y + other.height, height), max(y, 0)) {
      let source = 3 * ((row - y) * other.width + left - x)
      let target = 3 * (row * width + left)
      let bytes = 3 * (right - left)
      pixels.replaceSubrange(target..<(target + bytes), with: other.pixels[source..<(source + bytes)])
    }
  }
}

// The PNG format, by libpng.

extension Picture {
  /// Returns the bytes of a PNG file. The same picture has the same bytes.
  ///
  /// - Throws: `FigureError` if libpng fails.
  public func png() throws -> Data {
    var image = png_image()
    image.version = UInt32(PNG_IMAGE_VERSION)
    image.width = UInt32(width)
    image.height = UInt32(height)
    image.format = UInt32(PNG_FORMAT_FLAG_COLOR)  // 8 bits of red, green and blue
    defer { png_image_free(&image) }
    // Room for pixels that do not compress at all: then deflate adds a few bytes per block, PNG one per row.
    var size = pixels.count + pixels.count / 256 + height + 4096
    var data = Data(count: size)
    let written = data.withUnsafeMutableBytes { buffer in
      png_image_write_to_memory(&image, buffer.baseAddress, &size, 0, pixels, Int32(3 * width), nil)
    }
    guard written != 0 else {
      throw FigureError("libpng cannot write a picture of \(width) x \(height): \(image.text)")
    }
    return data.prefix(size)
  }

  /// Writes a PNG file, atomically.
  ///
  /// - Throws: `FileError` if the file cannot be written.
  public func write(to url: URL) throws { try AtomicFile.write(png(), to: url) }

  /// Reads a PNG file.
  ///
  /// - Throws: `FileError` if the file cannot be read, `FigureError` if it is not a complete PNG file.
  public init(contentsOf url: URL) throws {
    let data: Data
    do { data = try Data(contentsOf: url) } catch {
      throw FileError(url.path, "cannot be read; name a PNG file that is there and that you may read")
    }
    do { try self.init(png: data) } catch let error as FigureError { throw FigureError("\(url.path): \(error)") }
  }

  /// Reads the bytes of a PNG file; transparent pixels become white.
  ///
  /// - Throws: `FigureError` unless they are a complete PNG file.
  public init(png data: Data) throws {
    var image = png_image()
    image.version = UInt32(PNG_IMAGE_VERSION)
    defer { png_image_free(&image) }
    func refuse(_ reason: String) -> FigureError {
      FigureError("found \(data.count) bytes, expected a PNG file: \(reason)")
    }
    // libpng reads from the bytes until the picture is finished, so that both calls are inside.
    let found = try [UInt8](data).withUnsafeBytes { bytes in
      guard png_image_begin_read_from_memory(&image, bytes.baseAddress, bytes.count) != 0 else {
        throw refuse(image.text)
      }
      image.format = UInt32(PNG_FORMAT_FLAG_COLOR)
      var picture = try Picture(width: Int(image.width), height: Int(image.height))
      var white = png_color(red: 255, green: 255, blue: 255)
      guard png_image_finish_read(&image, &white, &picture.pixels, Int32(3 * picture.width), nil) != 0 else {
        throw refuse(image.text)
      }
      return picture
    }
    self = found
  }
}

extension png_image {
  /// libpng's error message.
  fileprivate var text: String {
    withUnsafeBytes(of: message) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}
