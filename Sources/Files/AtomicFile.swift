import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file that could not be read or written: what was found and what to do.
public struct FileError: Error, CustomStringConvertible, Equatable {
  /// The file or folder that it is about.
  public let path: String
  /// The rest of the sentence: found, expected, advice.
  public let reason: String

  /// Creates an error about a file or folder.
  public init(_ path: String, _ reason: String) {
    self.path = path
    self.reason = reason
  }

  /// The path and the reason; what a file says is repeated in at most some 1500 characters.
  public var description: String { "\(path): \(reason.shortened(to: 1500))" }
}

/// Writes a file so that its name always stands for a whole one: a temporary file beside it is written, synced and
/// renamed. When anything fails, a full disk say, the temporary file is removed and an old file stays as it was.
///
/// Only regular files are replaced: a pipe, a device or a folder of the name is refused.
public enum AtomicFile {
  /// Writes bytes to a temporary name, syncs and renames.
  ///
  /// - Throws: `FileError`; what was there before stays.
  public static func write(_ data: Data, to url: URL) throws {
    try write(to: url) { try $0(data) }
  }

  /// Writes text as UTF-8, in the same way.
  public static func write(_ text: String, to url: URL) throws { try write(Data(text.utf8), to: url) }

  /// Writes piece by piece.
  public static func write(to url: URL, _ body: ((Data) throws -> Void) throws -> Void) throws {
    try OutputPlace.requireFile(url)
    let temporary = url.deletingLastPathComponent()
      .appendingPathComponent(".\(url.lastPathComponent).\(getpid()).partial")
    // Whatever has the name is no program's that still runs, and a link is not followed.
    unlink(temporary.path)
    let descriptor = open(temporary.path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw FileError(url.path, "cannot be written: \(systemMessage())") }
    do {
      try body { try writeAll($0, to: descriptor, named: url.path) }
      guard fsync(descriptor) == 0 else { throw FileError(url.path, "cannot be written: \(systemMessage())") }
    } catch {
      close(descriptor)
      unlink(temporary.path)
      throw error
    }
    // Some file systems report a full disk only here.
    guard close(descriptor) == 0, rename(temporary.path, url.path) == 0 else {
      let message = systemMessage()
      unlink(temporary.path)
      throw FileError(url.path, "cannot be written: \(message)")
    }
  }

  /// Adds lines to the end of a file, which is made if need be: for lists that several programs write, and for logs.
  ///
  /// - Parameter syncing: Whether the lines must outlive a crash of the machine; `sync` sees to that later.
  /// - Returns: The length of the file before them.
  /// - Throws: `FileError`; what was there before stays.
  @discardableResult
  public static func append(_ text: String, to url: URL, syncing: Bool = true) throws -> Int {
    try OutputPlace.requireFile(url)
    let descriptor = open(url.path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw FileError(url.path, "cannot be written: \(systemMessage())") }
    defer { close(descriptor) }
    let length = lseek(descriptor, 0, SEEK_END)
    do { try writeAll(Data(text.utf8), to: descriptor, named: url.path) } catch {
      // Half a line would be no record.
      if length >= 0 { ftruncate(descriptor, length) }
      throw error
    }
    guard !syncing || fsync(descriptor) == 0 else {
      throw FileError(url.path, "cannot be written: \(systemMessage())")
    }
    return Int(length)
  }

  /// Waits until what was appended to a file would outlive a crash of the machine; nothing is done where there is no file.
  ///
  /// - Throws: `FileError`.
  public static func sync(_ url: URL) throws {
    let descriptor = open(url.path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw FileError(url.path, "cannot be written: \(systemMessage())") }
  }

  /// The name of the file that a temporary file was to become, when its program was killed; nil for other names.
  public static func target(ofTemporary name: String) -> String? {
    name.wholeMatch(of: /\.(.+)\.\d+\.partial/).map { String($0.1) }
  }

  private static func writeAll(_ data: Data, to descriptor: Int32, named path: String) throws {
    try data.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in
      var written = 0
      while written < bytes.count {
        let count = systemWrite(descriptor, bytes.baseAddress! + written, bytes.count - written)
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { throw FileError(path, "cannot be written: \(systemMessage())") }
        written += count
      }
    }
  }
}

/// Returns why Foundation could not work with a file, in the system's words: Foundation's own texts quote the file again, and
/// may be a dump of an object.
public func systemReason(of error: any Error) -> String {
  let known = error as NSError
  let cause = (known.userInfo[NSUnderlyingErrorKey] as? any Error).map { $0 as NSError } ?? known
  if cause.domain == NSPOSIXErrorDomain { return String(cString: strerror(Int32(truncatingIfNeeded: cause.code))) }
  guard let cocoa = error as? CocoaError else { return "\(error)" }
  return switch cocoa.code {
  case .fileReadNoSuchFile, .fileNoSuchFile: "there is no such file"
  case .fileReadNoPermission, .fileWriteNoPermission: "no permission"
  case .fileWriteOutOfSpace: "the disk is full"
  case .fileWriteFileExists: "there is a file of that name"
  case .fileReadInapplicableStringEncoding, .fileReadUnknownStringEncoding: "it is no text in UTF-8"
  default: "the system refused it (Foundation's code \(cocoa.errorCode))"
  }
}

/// Returns the system's message about the last failed call, with advice where there is some.
public func systemMessage(_ code: Int32 = errno) -> String {
  switch code {
  case ENOSPC: "the disk is full; free some space and run again"
  case EACCES, EPERM: "no permission; choose a folder that you may write to"
  case ENOENT: "the folder does not exist"
  default: String(cString: strerror(code))
  }
}

private func systemWrite(_ descriptor: Int32, _ bytes: UnsafeRawPointer, _ count: Int) -> Int {
  write(descriptor, bytes, count)
}
