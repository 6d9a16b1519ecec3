import Files
import Foundation

/// The content of an IDX file of unsigned bytes, the format of MNIST and its relatives: two zero bytes, the type `8`, the
/// rank, then one big-endian 32-bit length per axis, then the values in row-major order. Plain or gzip.
public struct IDX: Sendable, Equatable {
  /// The content of a file: images or labels.
  public enum Kind: Sendable {
    /// Rank 3, `[count, height, width]`; magic number 2051.
    case images
    /// Rank 1, `[count]`; magic number 2049.
    case labels
    /// Any rank from 1 on.
    case any

    var rank: Int? {
      switch self {
      case .images: 3
      case .labels: 1
      case .any: nil
      }
    }
  }

  /// The shape, `[count, height, width]` or `[count]`.
  public let shape: [Int]
  /// The values in row-major order, one byte for each.
  public let bytes: Data

  /// Creates an array from bytes in row-major order.
  public init(shape: [Int], bytes: Data) {
    self.shape = shape
    self.bytes = bytes
  }

  /// The most bytes that a packed file may unpack to, twice the largest set that is known by name.
  static let unpackLimit = UnpackLimit(mebibytes: 1024)

  /// Reads a file. Memory is taken only for what a file of its size can hold, and for a packed one a GiB at most.
  ///
  /// - Throws: `FileError` for a file that is missing, truncated, corrupted, longer than its header says, or not IDX.
  public init(contentsOf url: URL, expecting kind: Kind = .any) throws {
    let reader = try ByteReader(url)
    let magic = try reader.read(4)
    guard magic.count == 4 else {
      throw FileError(url.path, "is truncated: found \(magic.count) bytes, expected an IDX header; get the file again")
    }
    try IDX.check(magic, kind, url.path)
    let rank = Int(magic[3])
    let lengths = try reader.read(4 * rank)
    guard lengths.count == 4 * rank else {
      throw FileError(url.path, "is truncated: it stops inside its IDX header; get the file again")
    }
    shape = (0..<rank).map { axis in lengths[4 * axis..<4 * axis + 4].reduce(0) { $0 << 8 | Int($1) } }
    guard !shape.contains(0) else {
      throw FileError(url.path, "holds nothing: its header says \(shape); get the file again")
    }
    bytes = try IDX.payload(of: shape, from: reader)
  }

  private static func check(_ magic: [UInt8], _ kind: Kind, _ path: String) throws {
    let found = magic.reduce(0) { $0 << 8 | Int($1) }
    guard let rank = kind.rank else {
      guard magic[0] == 0, magic[1] == 0, magic[2] == 8, magic[3] > 0 else {
        throw FileError(path, "found magic number \(found), expected an IDX file of unsigned bytes (2049 or more)")
      }
      return
    }
    let expected = 0x800 + rank
    guard found == expected else {
      let what = [2051: " (an image file)", 2049: " (a label file)"]
      let advice = what[found] == nil ? "this is not the right file" : "the image and label files may be swapped"
      throw FileError(
        path, "found magic number \(found)\(what[found] ?? ""), expected \(expected)\(what[expected] ?? ""); \(advice)")
    }
  }

  private static func payload(of shape: [Int], from reader: ByteReader) throws -> Data {
    // Four bytes of header per axis and four for the magic number; deflate shrinks at most 1032 times.
    let header = 4 * (shape.count + 1)
    let most =
      reader.isCompressed
      ? reader.fileSize.multipliedReportingOverflow(by: 1032).partialValue : reader.fileSize - header
    var count = 1
    for length in shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: length)
      guard !overflow, product <= most else {
        throw FileError(
          reader.path,
          "is truncated or corrupted: its header says \(shape), more than its \(grouped(reader.fileSize)) bytes "
            + "can hold; get the file again")
      }
      count = product
    }
    if reader.isCompressed, count > unpackLimit.byteCount {
      throw FileError(
        reader.path,
        "unpacks to \(grouped(count)) bytes, expected at most \(grouped(unpackLimit.byteCount)); unpack it by gunzip if "
          + "that is right")
    }
    // Not cleared: pages that are never written cost nothing.
    guard let memory = malloc(count) else {
      throw FileError(reader.path, "needs \(grouped(count)) bytes of memory, more than there are")
    }
    do {
      try fill(UnsafeMutableRawBufferPointer(start: memory, count: count), from: reader, shape)
    } catch {
      free(memory)
      throw error
    }
    // Only now: Data copies and frees a few bytes at once.
    return Data(bytesNoCopy: memory, count: count, deallocator: .free)
  }

  private static func fill(
    _ memory: UnsafeMutableRawBufferPointer, from reader: ByteReader, _ shape: [Int]
  ) throws {
    let found = try reader.read(into: memory)
    guard found == memory.count else {
      throw FileError(
        reader.path,
        "is truncated: found \(grouped(found)) bytes after the header, expected \(grouped(memory.count)) for \(shape); "
          + "get the file again")
    }
    guard try reader.read(1).isEmpty else {
      throw FileError(
        reader.path,
        "is longer than its header says: expected \(grouped(memory.count)) bytes after it for \(shape); "
          + "get the file again")
    }
  }
}
