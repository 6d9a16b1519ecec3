import CReaders
import Files
import Foundation

/// A picture in memory: rows from the top, 8 bits a value, decoded by libpng or TurboJPEG.
///
/// Values of 16 bits are scaled to 8, palettes are expanded, and the EXIF orientation of a JPEG is carried out. Gamma and
/// colour profiles are not applied.
final class DecodedImage {
  fileprivate var image = cr_image()

  var width: Int { Int(image.width) }
  var height: Int { Int(image.height) }
  /// 1 for grey, 3 for red, green and blue.
  var channels: Int { Int(image.channels) }
  /// `height * width * channels` values.
  var pixels: [UInt8] {
    Array(UnsafeBufferPointer(start: image.pixels, count: image.pixels == nil ? 0 : width * height * channels))
  }

  /// The most pixels of a picture that is decoded, unless `data.megapixels` says otherwise.
  static let usualLimit = 50_000_000

  /// Decodes a file.
  /// - Throws: `FileError` as the other initialiser, and where the file cannot be read.
  convenience init(contentsOf url: URL, limit: Int = usualLimit, background: UInt8 = 255) throws {
    try self.init(ByteReader(url).readAll(within: .usual), limit: limit, background: background, path: url.path)
  }

  /// Decodes the bytes of a PNG or JPEG file, told by their beginning.
  /// - Parameters:
  ///   - limit: The most pixels; more are refused before they are decoded.
  ///   - background: The grey level behind what is transparent.
  /// - Throws: `FileError` for bytes that are truncated, corrupted, too large, CMYK, or neither PNG nor JPEG.
  init(_ data: Data, limit: Int = usualLimit, background: UInt8 = 255, path: String) throws {
    guard !data.isEmpty else {
      throw FileError(path, "is empty, expected a PNG or JPEG file; get it again or take it out")
    }
    let isPNG = data.starts(with: [0x89, 0x50, 0x4e, 0x47])
    guard isPNG || data.starts(with: [0xff, 0xd8, 0xff]) else {
      throw FileError(path, "is neither a PNG nor a JPEG file; convert it or take it out")
    }
    var text = [CChar](repeating: 0, count: CR_MESSAGE_LENGTH)
    let status = data.withUnsafeBytes { bytes in
      let start = bytes.bindMemory(to: UInt8.self).baseAddress
      return isPNG
        ? cr_read_png(start, bytes.count, Int64(limit), &image, &text)
        : cr_read_jpeg(start, bytes.count, Int64(limit), &image, &text)
    }
    switch Int(status) {
    case CR_OK: break
    case CR_TOO_LARGE:
      throw FileError(
        path,
        "has \(width) x \(height) pixels, more than \(grouped(limit)); shrink it, or raise the limit by data.megapixels"
      )
    case CR_UNSUPPORTED:
      throw FileError(path, "is a JPEG file in CMYK colours, expected grey or RGB; convert it")
    case CR_NO_MEMORY: throw FileError(path, "needs more memory than there is for \(width) x \(height) pixels")
    default: throw FileError(path, "is truncated or corrupted: \(message(text)); get it again or take it out")
    }
    cr_flatten(&image, background)
    if !isPNG { try turn(by: EXIF.orientation(of: data), path: path) }
  }

  /// A picture from its values, `height * width * channels`.
  init(_ pixels: UnsafeBufferPointer<UInt8>, width: Int, height: Int, channels: Int, path: String) throws {
    image = cr_image(width: Int64(width), height: Int64(height), channels: Int32(channels), pixels: nil)
    guard let memory = malloc(pixels.count), let start = pixels.baseAddress else {
      throw FileError(path, "needs more memory than there is for \(width) x \(height) pixels")
    }
    memory.copyMemory(from: start, byteCount: pixels.count)
    image.pixels = memory.assumingMemoryBound(to: UInt8.self)
  }

  deinit { cr_free_image(&image) }

  private func turn(by orientation: Int, path: String) throws {
    guard cr_orient(&image, Int32(orientation)) == CR_OK else {
      throw FileError(path, "needs more memory than there is for \(width) x \(height) pixels")
    }
  }

  /// Makes it grey: luma of ITU-R BT.601, 0.299 R + 0.587 G + 0.114 B, rounded.
  func makeGrey() { cr_make_grey(&image) }

  /// Resizes a part of it. Along each axis that shrinks a value is the mean of the area that it covers, along one that
  /// grows it is interpolated linearly.
  /// - Returns: `height * width * channels` values.
  func resized(_ part: ImageFit.Part, width: Int, height: Int, path: String) throws -> [UInt8] {
    let count = width * height * channels
    return try [UInt8](unsafeUninitializedCapacity: count) { target, filled in
      let status = cr_resize(
        &image, Int64(part.left), Int64(part.top), Int64(part.width), Int64(part.height), Int64(width), Int64(height),
        target.baseAddress)
      guard status == CR_OK else { throw FileError(path, "needs more memory than there is to be resized") }
      filled = count
    }
  }
}

/// The orientation that a camera writes into a JPEG file.
enum EXIF {
  /// 1 to 8; 1, upright, where the file says nothing, or nothing that makes sense.
  static func orientation(of data: Data) -> Int {
    data.withUnsafeBytes { bytes in
      func big(_ place: Int) -> Int { Int(bytes[place]) << 8 | Int(bytes[place + 1]) }
      var position = 2
      // Segments: 0xff, a marker, a length that counts itself. The pixels follow 0xda.
      while position + 4 <= bytes.count, bytes[position] == 0xff, bytes[position + 1] != 0xda {
        let length = big(position + 2)
        let (start, end) = (position + 4, position + 2 + length)
        guard length >= 2, end <= bytes.count else { return 1 }
        if bytes[position + 1] == 0xe1, bytes[start..<end].starts(with: Array("Exif".utf8) + [0, 0]) {
          return orientation(inTIFF: UnsafeRawBufferPointer(rebasing: bytes[(start + 6)..<end]))
        }
        position = end
      }
      return 1
    }
  }

  private static func orientation(inTIFF bytes: UnsafeRawBufferPointer) -> Int {
    guard bytes.count >= 8, bytes[0] == bytes[1], bytes[0] == 0x49 || bytes[0] == 0x4d else { return 1 }
    func number(_ place: Int, _ count: Int) -> Int? {
      guard place >= 0, place + count <= bytes.count else { return nil }
      let part = bytes[place..<(place + count)]
      return (bytes[0] == 0x4d ? Array(part) : part.reversed()).reduce(0) { $0 << 8 | Int($1) }
    }
    guard let directory = number(4, 4), let count = number(directory, 2) else { return 1 }
    for entry in 0..<count {
      let place = directory + 2 + 12 * entry
      guard let tag = number(place, 2) else { return 1 }
      if tag == 0x112 { return number(place + 8, 2).flatMap { (1...8).contains($0) ? $0 : nil } ?? 1 }
    }
    return 1
  }
}
