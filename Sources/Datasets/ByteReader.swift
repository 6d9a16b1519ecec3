import CZlib
import Files
import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The bytes of a file in order; a gzip file (told by its first bytes, not by its name) is inflated on the way, member
/// after member, each checked against its CRC and length.
final class ByteReader {
  let path: String
  /// The length of the file as it lies on the disk.
  let fileSize: Int
  let isCompressed: Bool

  private let descriptor: Int32
  private let input: UnsafeMutableRawBufferPointer
  // At a fixed address: zlib's own state points back to it.
  private let stream: UnsafeMutablePointer<z_stream>
  private var isInsideMember = false

  /// - Throws: `FileError` for a file that is not there, is a folder, or cannot be read.
  init(_ url: URL) throws {
    path = url.path
    let descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw FileError(url.path, errno == ENOENT ? "there is no such file" : "cannot be read: \(systemMessage())")
    }
    do {
      var status = stat()
      guard fstat(descriptor, &status) == 0 else {
        throw FileError(url.path, "cannot be read: \(systemMessage())")
      }
      guard status.st_mode & S_IFMT == S_IFREG else {
        throw FileError(url.path, status.st_mode & S_IFMT == S_IFDIR ? "is a folder, expected a file" : "is not a file")
      }
      fileSize = Int(status.st_size)
      var start: [UInt8] = [0, 0]
      isCompressed = pread(descriptor, &start, 2, 0) == 2 && start == [0x1f, 0x8b]
    } catch {
      close(descriptor)
      throw error
    }
    self.descriptor = descriptor
    input = .allocate(byteCount: isCompressed ? 1 << 18 : 0, alignment: 16)
    stream = .allocate(capacity: 1)
    stream.initialize(to: z_stream())
    if isCompressed {
      // 15 + 16: the largest window, in gzip's wrapping.
      let status = inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
      guard status == Z_OK else { throw FileError(path, "cannot be inflated: zlib has no memory") }
    }
  }

  deinit {
    if isCompressed { inflateEnd(stream) }
    stream.deallocate()
    input.deallocate()
    close(descriptor)
  }

  /// Fills the buffer; fewer bytes than it holds mean that the file ends there.
  /// - Throws: `FileError` for a gzip file that is truncated or corrupted.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    isCompressed ? try inflate(into: buffer) : try readPlain(into: buffer)
  }

  /// Reads the next `count` bytes, or as many as there are.
  func read(_ count: Int) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      filled = try read(into: UnsafeMutableRawBufferPointer(buffer))
    }
  }

  private func readPlain(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    var filled = 0
    while filled < buffer.count {
      let count = systemRead(descriptor, UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw FileError(path, "cannot be read: \(systemMessage())") }
      if count == 0 { break }
      filled += count
    }
    return filled
  }

  private func inflate(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    var filled = 0
    while filled < buffer.count {
      if stream.pointee.avail_in == 0 {
        stream.pointee.avail_in = UInt32(try readPlain(into: input))
        stream.pointee.next_in = input.baseAddress?.assumingMemoryBound(to: UInt8.self)
      }
      if stream.pointee.avail_in == 0 {
        guard !isInsideMember else {
          throw FileError(path, "is truncated: its gzip data stop before their end; get the file again")
        }
        break
      }
      if !isInsideMember {
        inflateReset(stream)
        isInsideMember = true
      }
      let space = min(buffer.count - filled, 1 << 30)
      stream.pointee.next_out = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self) + filled
      stream.pointee.avail_out = UInt32(space)
      let status = CZlib.inflate(stream, Z_NO_FLUSH)
      filled += space - Int(stream.pointee.avail_out)
      switch status {
      case Z_OK, Z_BUF_ERROR: continue
      case Z_STREAM_END: isInsideMember = false
      case Z_MEM_ERROR: throw FileError(path, "cannot be inflated: zlib has no memory")
      default:
        let reason = stream.pointee.msg.map { String(cString: $0) } ?? "zlib status \(status)"
        throw FileError(path, "is corrupted: its gzip data have an \(reason); get the file again")
      }
    }
    return filled
  }
}

private func + (pointer: UnsafeMutablePointer<UInt8>?, offset: Int) -> UnsafeMutablePointer<UInt8>? {
  pointer?.advanced(by: offset)
}

private func systemRead(_ descriptor: Int32, _ buffer: UnsafeMutableRawBufferPointer) -> Int {
  read(descriptor, buffer.baseAddress, buffer.count)
}
