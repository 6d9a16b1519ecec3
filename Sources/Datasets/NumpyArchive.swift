import CZlib
import Files
import Foundation

/// The arrays of an `.npz` file: a ZIP archive of `.npy` files, stored or deflated.
struct NumpyArchive {
  let path: String
  /// The arrays' names, without `.npy`, in the archive's order.
  let names: [String]
  private let data: Data
  private let members: [String: Member]

  private struct Member {
    var method: Int
    var checksum: Int
    var compressedSize: Int
    var size: Int
    var offset: Int
  }

  /// Reads the archive's directory.
  /// - Throws: `FileError` for an archive that is truncated or corrupted.
  init(_ data: Data, path: String) throws {
    self.path = path
    self.data = Data(data)
    let bytes = LittleEndianBytes(self.data)
    let damaged = FileError(path, "is truncated or corrupted: its ZIP directory is not there; save it again")
    // The end record is 22 bytes and a comment long.
    let tail = max(0, data.count - 22 - 65_535)
    guard data.count >= 22,
      let end = stride(from: data.count - 22, through: tail, by: -1).first(where: { bytes[$0, 4] == 0x0605_4b50 }),
      let count = bytes[end + 10, 2], var position = bytes[end + 16, 4]
    else { throw damaged }
    var members: [String: Member] = [:]
    var names: [String] = []
    for _ in 0..<count {
      guard bytes[position, 4] == 0x0201_4b50, let method = bytes[position + 10, 2],
        let checksum = bytes[position + 16, 4], let compressed = bytes[position + 20, 4],
        let size = bytes[position + 24, 4], let nameLength = bytes[position + 28, 2],
        let extraLength = bytes[position + 30, 2], let commentLength = bytes[position + 32, 2],
        let offset = bytes[position + 42, 4], position + 46 + nameLength + extraLength <= data.count
      else { throw damaged }
      guard ![compressed, size, offset].contains(0xffff_ffff) else {
        throw FileError(path, "is a ZIP archive of more than 4 GiB; save its arrays as single .npy files")
      }
      let file = String(decoding: self.data[(position + 46)..<(position + 46 + nameLength)], as: UTF8.self)
      let name = file.hasSuffix(".npy") ? String(file.dropLast(4)) : file
      if file.hasSuffix(".npy") { names.append(name) }
      members[name] = Member(
        method: method, checksum: checksum, compressedSize: compressed, size: size, offset: offset)
      position += 46 + nameLength + extraLength + commentLength
    }
    guard !names.isEmpty else { throw FileError(path, "is a ZIP archive without .npy files, expected NumPy arrays") }
    (self.names, self.members) = (names, members)
  }

  /// One of the arrays.
  /// - Throws: `FileError` for an array that is truncated or corrupted.
  func array(_ name: String) throws -> NumpyArray {
    let place = "\(path), array '\(name)'"
    let bytes = LittleEndianBytes(data)
    guard let member = members[name], bytes[member.offset, 4] == 0x0403_4b50,
      let nameLength = bytes[member.offset + 26, 2], let extraLength = bytes[member.offset + 28, 2],
      case let start = member.offset + 30 + nameLength + extraLength, start + member.compressedSize <= data.count
    else { throw FileError(place, "is truncated; save the archive again") }
    let packed = data[start..<(start + member.compressedSize)]
    let unpacked: Data
    switch member.method {
    case 0: unpacked = packed
    case 8: unpacked = try inflate(packed, size: member.size, place)
    default: throw FileError(place, "is packed by method \(member.method), expected stored or deflated")
    }
    let checksum = unpacked.withUnsafeBytes { raw in
      crc32_z(0, raw.bindMemory(to: UInt8.self).baseAddress, raw.count)
    }
    guard unpacked.count == member.size, Int(checksum) == member.checksum else {
      throw FileError(place, "is corrupted: its checksum is wrong; save the archive again")
    }
    return try NumpyArray(unpacked, path: place)
  }

  private func inflate(_ packed: Data, size: Int, _ place: String) throws -> Data {
    let damaged = FileError(place, "is corrupted: its deflated data are no good; save the archive again")
    // Deflate shrinks at most 1032 times.
    guard size <= 1032 * packed.count + 64 else { throw damaged }
    var result = Data(count: size)
    var stream = z_stream()
    // No wrapping: ZIP has its own.
    guard inflateInit2_(&stream, -15, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else { throw damaged }
    defer { inflateEnd(&stream) }
    let status = result.withUnsafeMutableBytes { output in
      packed.withUnsafeBytes { input in
        stream.next_in = UnsafeMutablePointer(mutating: input.bindMemory(to: UInt8.self).baseAddress)
        stream.avail_in = UInt32(input.count)
        stream.next_out = output.bindMemory(to: UInt8.self).baseAddress
        stream.avail_out = UInt32(output.count)
        return CZlib.inflate(&stream, Z_FINISH)
      }
    }
    guard status == Z_STREAM_END, stream.avail_out == 0 else { throw damaged }
    return result
  }
}

/// Whole numbers in some bytes, lowest byte first; nil beyond their end.
private struct LittleEndianBytes {
  let data: Data
  init(_ data: Data) { self.data = data }

  subscript(_ offset: Int, _ width: Int) -> Int? {
    guard offset >= 0, offset + width <= data.count else { return nil }
    return (0..<width).reversed().reduce(0) { $0 << 8 | Int(data[data.startIndex + offset + $1]) }
  }
}
