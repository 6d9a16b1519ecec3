import CZlib
import Files
import Foundation
import LatentKit

extension NumpyArchive {
  /// Writes arrays as an `.npz` file, one `.npy` file each, stored as they are. The same arrays give the same bytes.
  ///
  /// - Throws: `FileError` for an array, or a file, of 4 GiB or more, and where the file cannot be written.
  package static func write(_ arrays: [(name: String, tensor: Tensor)], to url: URL) throws {
    try AtomicFile.write(to: url) { append in
      var (directory, offset) = (Data(), 0)
      for (name, tensor) in arrays {
        let content = try npy(tensor)
        let file = Data("\(name).npy".utf8)
        guard offset + content.count + 2 * (directory.count + file.count + 100) < 1 << 32 else {
          throw FileError(
            url.path, "would have 4 GiB or more, the most of an .npz file; write .safetensors, or fewer draws")
        }
        let crc = content.withUnsafeBytes { bytes in
          // zlib takes lengths of 32 bits.
          UInt32(crc32_z(0, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count))
        }
        // Version 2.0, no flags, stored, at the first moment that a ZIP file knows.
        let facts =
          little(UInt16(20)) + little(UInt16(0)) + little(UInt16(0)) + little(UInt16(0)) + little(UInt16(0x21))
          + little(crc) + little(UInt32(content.count)) + little(UInt32(content.count)) + little(UInt16(file.count))
          + little(UInt16(0))
        let local = little(UInt32(0x0403_4b50)) + facts + file
        directory +=
          little(UInt32(0x0201_4b50)) + little(UInt16(20)) + facts + Data(count: 10) + little(UInt32(offset)) + file
        try append(local)
        try append(content)
        offset += local.count + content.count
      }
      let count = little(UInt16(arrays.count))
      try append(directory)
      try append(
        little(UInt32(0x0605_4b50)) + Data(count: 4) + count + count + little(UInt32(directory.count))
          + little(UInt32(offset)) + Data(count: 2))
    }
  }

  /// The bytes of an `.npy` file, version 1.0, rows first.
  private static func npy(_ given: Tensor) throws -> Data {
    // NumPy has no such numbers; Float32 has them all.
    let tensor = given.dtype == .bfloat16 ? try given.to(.float32) : given
    let shape = tensor.shape.map { "\($0)," }.joined(separator: " ")
    var header = "{'descr': '\(tensor.dtype.numpyName)', 'fortran_order': False, 'shape': (\(shape)), }"
    // Data start at a multiple of 64.
    header += String(repeating: " ", count: (64 - (10 + header.utf8.count + 1) % 64) % 64) + "\n"
    return try Data([0x93] + Array("NUMPY".utf8) + [1, 0]) + little(UInt16(header.utf8.count)) + Data(header.utf8)
      + tensor.bytes()
  }

  private static func little(_ number: some FixedWidthInteger) -> Data {
    withUnsafeBytes(of: number.littleEndian) { Data($0) }
  }
}

extension DType {
  fileprivate var numpyName: String {
    switch self {
    case .float32, .bfloat16: "<f4"
    case .float16: "<f2"
    case .float64: "<f8"
    case .int64: "<i8"
    case .uint8: "|u1"
    case .bool: "|b1"
    }
  }
}
