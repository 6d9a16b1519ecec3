import CZlib
import Foundation

// Writers of small files, by hand: what reads them is what is tested.

func littleEndian(_ value: Int, bytes: Int = 4) -> [UInt8] {
  (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}

func bigEndian(_ values: [Int]) -> [UInt8] {
  values.flatMap { value in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) } }
}

func floats(_ values: [Float]) -> [UInt8] { values.flatMap { littleEndian(Int($0.bitPattern)) } }

/// A gzip member.
func gzip(_ bytes: [UInt8]) -> [UInt8] { [UInt8](deflated(bytes, windowBits: 15 + 16)) }

/// - Parameter windowBits: As zlib has it: negative for bare deflate, 16 more for gzip.
func deflated(_ bytes: [UInt8], windowBits: Int32) -> [UInt8] {
  var stream = z_stream()
  deflateInit2_(
    &stream, 6, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
  defer { deflateEnd(&stream) }
  var input = bytes
  let bound = Int(deflateBound(&stream, UInt(bytes.count))) + 64
  return input.withUnsafeMutableBufferPointer { source in
    [UInt8](unsafeUninitializedCapacity: bound) { target, filled in
      (stream.next_in, stream.avail_in) = (source.baseAddress, UInt32(source.count))
      (stream.next_out, stream.avail_out) = (target.baseAddress, UInt32(bound))
      deflate(&stream, Z_FINISH)
      filled = bound - Int(stream.avail_out)
    }
  }
}

private func checksum(_ bytes: [UInt8]) -> Int { Int(crc32(0, bytes, UInt32(bytes.count))) }

/// A ZIP archive, packed or stored.
func zip(_ files: [(name: String, bytes: [UInt8])], packed: Bool) -> [UInt8] {
  var archive: [UInt8] = []
  var directory: [UInt8] = []
  for file in files {
    let content = packed ? deflated(file.bytes, windowBits: -15) : file.bytes
    var facts = littleEndian(20, bytes: 2) + littleEndian(0, bytes: 2) + littleEndian(packed ? 8 : 0, bytes: 2)
    facts += littleEndian(0) + littleEndian(checksum(file.bytes)) + littleEndian(content.count)
    facts += littleEndian(file.bytes.count) + littleEndian(file.name.utf8.count, bytes: 2) + littleEndian(0, bytes: 2)
    directory += [0x50, 0x4b, 1, 2] + littleEndian(20, bytes: 2) + facts + littleEndian(0, bytes: 10)
    directory += littleEndian(archive.count) + Array(file.name.utf8)
    archive += [0x50, 0x4b, 3, 4] + facts + Array(file.name.utf8) + content
  }
  let count = littleEndian(files.count, bytes: 2)
  return archive + directory + [0x50, 0x4b, 5, 6] + littleEndian(0) + count + count + littleEndian(directory.count)
    + littleEndian(archive.count) + littleEndian(0, bytes: 2)
}

/// An `.npy` file: the header as text, and the values.
func npy(header: [UInt8], _ values: [UInt8]) -> [UInt8] {
  let length = header.count + 1
  return [0x93] + Array("NUMPY".utf8) + (length < 65_536 ? [1, 0] : [2, 0])
    + littleEndian(length, bytes: length < 65_536 ? 2 : 4) + header + [0x0a] + values
}

func npyHeader(_ type: String, _ shape: String, fortran: Bool = false) -> String {
  "{'descr': '\(type)', 'fortran_order': \(fortran ? "True" : "False"), 'shape': \(shape), }"
}

func npy(_ type: String, _ shape: String, fortran: Bool = false, _ values: [UInt8]) -> Original {
  Original([Array(npyHeader(type, shape, fortran: fortran).utf8), values]) { npy(header: $0[0], $0[1]) }
}

/// A safetensors file: the header as JSON, and the data.
func safetensors(header: [UInt8], _ data: [UInt8]) -> [UInt8] { littleEndian(header.count, bytes: 8) + header + data }

/// Text as a JSON string; bytes that are no text are shown as such.
func quoted(_ bytes: [UInt8]) -> String {
  let encoded = try? JSONEncoder().encode(String(decoding: bytes, as: UTF8.self))
  return encoded.map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
}
