import Files
import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// A file of scalars and images that TensorBoard shows.
///
/// The file is a sequence of records: a length and its checksum, an `Event` message of TensorFlow's protocol buffers, and
/// the message's checksum. Records are only appended. An incomplete one, left by a killed run, is cut off when the file is
/// opened again. All content but the time of day follows from the calls.
///
/// TensorBoard shows files whose name contains `tfevents`, such as `events.out.tfevents.0.latentkit`.
public final class EventFile {
  /// The location of the file.
  public let url: URL
  private let descriptor: Int32
  private let clock: () -> Double
  private var pending = Data()
  /// Bytes of complete records in the file.
  private var length: Int
  private var isOpen = true

  /// Opens a file to append to it, or creates a new one.
  ///
  /// - Parameters:
  ///   - url: The location of the file.
  ///   - lastStep: Drops everything from the first event of a later step on, so that a run resumed from an older checkpoint
  ///     writes no event twice. Nil keeps all.
  ///   - clock: Seconds since 1970, for the `wall_time` of each event.
  /// - Throws: `FileError` if the file cannot be written, or is not an event file.
  public init(
    _ url: URL, keepingSteps lastStep: Int? = nil, clock: @escaping () -> Double = { Date().timeIntervalSince1970 }
  ) throws {
    (self.url, self.clock) = (url, clock)
    let old: Data
    if FileManager.default.fileExists(atPath: url.path) {
      do { old = try Data(contentsOf: url, options: .alwaysMapped) } catch {
        throw FileError(url.path, "cannot be read; check that it is a file that you may read")
      }
    } else {
      old = Data()
    }
    length = EventFile.end(ofWholeRecordsIn: old, keepingSteps: lastStep)
    let first = EventFile.record(EventFile.versionEvent(at: clock()))
    guard length > 0 || old.count < first.count else {
      throw FileError(url.path, "is not a TensorBoard event file; move it away or choose another name")
    }
    descriptor = open(url.path, O_WRONLY | O_CREAT, 0o644)
    guard descriptor >= 0 else {
      isOpen = false
      throw FileError(url.path, "cannot be written: \(systemMessage())")
    }
    guard ftruncate(descriptor, off_t(length)) == 0 else {
      let message = systemMessage()
      _ = systemClose(descriptor)
      isOpen = false
      throw FileError(url.path, "cannot be written: \(message)")
    }
    if length == 0 { pending = first }
  }

  deinit {
    guard isOpen else { return }
    try? flush()
    _ = systemClose(descriptor)
  }

  /// Adds one value of the curve `tag`; it is written by the next `flush`.
  public func scalar(_ tag: String, _ value: Double, step: Int) {
    var message = Message()
    message.text(1, tag)
    message.float(2, Float(value))
    add(message, step)
  }

  /// Adds an image; it is written by the next `flush`.
  ///
  /// - Parameters:
  ///   - tag: The name of the image.
  ///   - png: The bytes of a PNG file.
  ///   - width: The width in pixels.
  ///   - height: The height in pixels.
  ///   - step: The iteration.
  public func image(_ tag: String, png: Data, width: Int, height: Int, step: Int) {
    var image = Message()
    image.integer(1, height)
    image.integer(2, width)
    image.integer(3, 3)  // the number of colours: red, green, blue
    image.bytes(4, png)
    var message = Message()
    message.text(1, tag)
    message.bytes(4, image.data)
    add(message, step)
  }

  private func add(_ value: Message, _ step: Int) {
    var summary = Message()
    summary.bytes(1, value.data)
    var event = Message()
    event.double(1, clock())
    event.integer(2, step)
    event.bytes(5, summary.data)
    pending += EventFile.record(event.data)
  }

  /// Hands all events to the operating system, so that a process killed later loses none of them.
  ///
  /// - Throws: `FileError` if they cannot be written, as on a full disk; the file then still ends with a complete record,
  ///   and the events are kept for the next attempt.
  public func flush() throws {
    guard isOpen else { throw FileError(url.path, "is closed; open it again to write more events") }
    var written = 0
    while written < pending.count {
      let count = pending.withUnsafeBytes {
        pwrite(descriptor, $0.baseAddress! + written, $0.count - written, off_t(length + written))
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else {
        let message = systemMessage()
        ftruncate(descriptor, off_t(length))
        throw FileError(url.path, "cannot be written: \(message)")
      }
      written += count
    }
    length += written
    pending = Data()
  }

  /// Writes pending events, syncs the file to disk and closes it.
  ///
  /// - Throws: `FileError` if they cannot be written.
  public func close() throws {
    guard isOpen else { return }
    try flush()
    isOpen = false
    guard fsync(descriptor) == 0 else {
      let message = systemMessage()
      _ = systemClose(descriptor)
      throw FileError(url.path, "cannot be written: \(message)")
    }
    guard systemClose(descriptor) == 0 else { throw FileError(url.path, "cannot be written: \(systemMessage())") }
  }
}

private func systemClose(_ descriptor: Int32) -> Int32 { close(descriptor) }
