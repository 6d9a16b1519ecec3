import Foundation

/// Animated PNG files (PNG, third edition, section 11.3): PNG pictures one after another, as web browsers show them.
enum Animation {
  /// Returns an animated PNG that repeats for ever. A program that knows still pictures only shows the first.
  ///
  /// - Parameters:
  ///   - frames: PNG files of one size and one kind of colours.
  ///   - seconds: How long each is shown, above 0, up to 60.
  /// - Throws: `FigureError` for no frame, bytes that are no PNG, and frames that differ in size or colours.
  static func png(_ frames: [Data], seconds: Double) throws -> Data {
    let pictures = try frames.map(chunks)
    guard let header = pictures.first?.first(where: { $0.type == "IHDR" })?.body else {
      throw FigureError("found no frame for an animation, expected one or more")
    }
    var file = signature
    var sequence: UInt32 = 0
    func add(_ type: String, _ body: Data) {
      file += bytes(UInt32(body.count))
      let content = Data(type.utf8) + body
      file += content + bytes(checksum(content))
    }
    add("IHDR", header)
    add("acTL", bytes(UInt32(frames.count)) + bytes(0))
    for (index, picture) in pictures.enumerated() {
      guard picture.first?.body == header else {
        throw FigureError("frame \(index + 1) of an animation has another size or other colours than the first")
      }
      // Width and height, no offset, hundredths of a second; the frame is kept and replaced as a whole.
      add(
        "fcTL",
        bytes(sequence) + header.prefix(8) + bytes(0) + bytes(0)
          + bytes(UInt32((min(max(seconds, 0.01), 60) * 100).rounded()) << 16 | 100) + Data([0, 0]))
      sequence += 1
      for chunk in picture where chunk.type == "IDAT" {
        if index == 0 {
          add("IDAT", chunk.body)
        } else {
          add("fdAT", bytes(sequence) + chunk.body)
          sequence += 1
        }
      }
    }
    add("IEND", Data())
    return file
  }

  static let signature = Data([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])

  /// The chunks of a PNG file in order.
  static func chunks(_ file: Data) throws -> [(type: String, body: Data)] {
    let damaged = FigureError("a frame of an animation is no PNG picture, or a damaged one")
    let file = Data(file)
    guard file.starts(with: signature) else { throw damaged }
    var (place, found) = (signature.count, [(type: String, body: Data)]())
    while place + 12 <= file.count {
      let length = file[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
      guard place + 12 + length <= file.count else { throw damaged }
      let type = String(decoding: file[place + 4..<place + 8], as: UTF8.self)
      found.append((type, Data(file[place + 8..<place + 8 + length])))
      place += 12 + length
    }
    guard found.first?.type == "IHDR", found.first?.body.count == 13, found.last?.type == "IEND" else { throw damaged }
    return found
  }

  private static func bytes(_ value: UInt32) -> Data {
    Data([24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) })
  }

  /// The cyclic redundancy check of PNG.
  static func checksum(_ data: Data) -> UInt32 {
    ~data.reduce(UInt32.max) { sum, byte in
      (0..<8).reduce(sum ^ UInt32(byte)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
    }
  }
}
