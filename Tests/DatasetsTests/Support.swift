import Foundation
import LatentKit

@testable import Datasets

/// A folder of its own, removed afterwards.
func withFolder<Result>(_ body: (URL) throws -> Result) throws -> Result {
  let folder = FileManager.default.temporaryDirectory.appendingPathComponent("latentkit-\(UUID().uuidString)")
  try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(at: folder) }
  return try body(folder)
}

/// The message of what `body` throws; nil when it throws nothing.
func message(_ body: () throws -> Void) -> String? {
  do {
    try body()
    return nil
  } catch { return "\(error)" }
}

func bigEndian(_ values: [Int]) -> [UInt8] {
  values.flatMap { value in [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) } }
}

func littleEndian(_ value: Int, bytes: Int = 4) -> [UInt8] {
  (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
}

func idx(_ shape: [Int], _ payload: [UInt8]) -> [UInt8] { bigEndian([0x800 + shape.count] + shape) + payload }

/// CRC-32, bit by bit.
func crc(_ bytes: [UInt8]) -> Int {
  var sum: UInt32 = 0xffff_ffff
  for byte in bytes {
    sum ^= UInt32(byte)
    for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xedb8_8320 : sum >> 1 }
  }
  return Int(~sum)
}

/// A gzip member that stores its bytes, up to 65,535, as they are.
func gzip(_ bytes: [UInt8]) -> [UInt8] {
  let header: [UInt8] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]
  let block = [1] + littleEndian(bytes.count, bytes: 2) + littleEndian(~bytes.count, bytes: 2) + bytes
  return header + block + littleEndian(crc(bytes)) + littleEndian(bytes.count)
}

/// A ZIP archive that stores its files as they are.
func zip(_ files: [(name: String, bytes: [UInt8])]) -> [UInt8] {
  var archive: [UInt8] = []
  var directory: [UInt8] = []
  for file in files {
    let facts =
      littleEndian(20, bytes: 2) + littleEndian(0, bytes: 8) + littleEndian(crc(file.bytes))
      + littleEndian(file.bytes.count) + littleEndian(file.bytes.count) + littleEndian(file.name.utf8.count, bytes: 2)
      + littleEndian(0, bytes: 2)
    directory +=
      [0x50, 0x4b, 1, 2] + littleEndian(20, bytes: 2) + facts + littleEndian(0, bytes: 10) + littleEndian(archive.count)
      + Array(file.name.utf8)
    archive += [0x50, 0x4b, 3, 4] + facts + Array(file.name.utf8) + file.bytes
  }
  let count = littleEndian(files.count, bytes: 2)
  return archive + directory + [0x50, 0x4b, 5, 6] + littleEndian(0) + count + count + littleEndian(directory.count)
    + littleEndian(archive.count) + littleEndian(0, bytes: 2)
}

extension URL {
  func write(_ bytes: [UInt8]) throws {
    try FileManager.default.createDirectory(at: deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: self)
  }
  var exists: Bool { FileManager.default.fileExists(atPath: path) }
}

/// Writes a made set of `count` images each, whose bytes are their positions and whose labels go round the classes.
func writeSet(_ description: DatasetDescription, in folder: URL, count: Int = 12, plain: Bool = false) throws {
  for (position, file) in description.files.enumerated() {
    let bytes =
      position % 2 == 0
      ? idx([count, 28, 28], (0..<count).flatMap { [UInt8](repeating: UInt8($0), count: 784) })
      : idx([count], (0..<count).map { UInt8($0 % description.classCount + description.firstLabel) })
    let name = plain ? String(file.name.dropLast(3)) : file.name
    try folder.appendingPathComponent(name).write(plain ? bytes : gzip(bytes))
  }
}

/// Bytes that look random and are always the same.
func noise(_ count: Int) -> [UInt8] {
  var state: UInt32 = 1
  return (0..<count).map { _ in
    state = state &* 1_664_525 &+ 1_013_904_223
    return UInt8(state >> 24)
  }
}

/// Examples of one pixel each: its byte is the position, its label the position modulo `classes`, or as given.
func tinyExamples(_ count: Int, classes: Int = 3, labels: [Int]? = nil) throws -> Examples {
  try Examples(
    inputs: Tensor((0..<count).map { UInt8($0) }, shape: [count, 1, 1, 1]),
    labels: Tensor((labels ?? (0..<count).map { $0 % classes }).map(Int64.init)))
}

let fullData = ProcessInfo.processInfo.environment["LATENTKIT_DATA"].map { URL(fileURLWithPath: $0) }
let hasFullMNIST = fullData?.appendingPathComponent("mnist/train-images-idx3-ubyte.gz").exists ?? false
