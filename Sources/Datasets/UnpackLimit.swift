import Files

/// The limit of a compressed file's unpacked size: deflate packs a GiB into one MiB, so the size on the disk is no bound.
struct UnpackLimit: Sendable, Equatable {
  let mebibytes: Int
  /// 256 MiB: 67 million numbers.
  static let usual = UnpackLimit(mebibytes: 256)

  var byteCount: Int { mebibytes << 20 }

  /// - Throws: `FileError` for more bytes than the limit.
  func check(_ count: some BinaryInteger, of path: String) throws {
    guard count <= byteCount else {
      throw FileError(
        path,
        "unpacks to more than \(mebibytes) MiB in memory; if that is right, raise the limit by data.unpackLimit, in MiB"
      )
    }
  }
}
