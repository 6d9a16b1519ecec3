import Files
import Foundation
import LatentKit

/// Downloads datasets from their public places.
///
/// A file is received as `NAME.part` and gets its name when its checksum is right: a file under its name is whole. An
/// interrupted download goes on where it stopped; a mirror that fails is followed by the next.
public enum DatasetFetcher {
  /// The progress of a file, reported at most once per twentieth of it (16 MiB where its length is unknown) and at its end.
  public struct Progress: Sendable, Equatable, CustomStringConvertible {
    /// The name of the file.
    public let file: String
    /// Bytes so far.
    public let received: Int
    /// nil where the length is not known before.
    public let expected: Int?

    public var description: String {
      "\(file): \(grouped(received))" + (expected.map { " of \(grouped($0))" } ?? "") + " bytes"
    }
  }

  /// The programs that do the work, looked up in `PATH`.
  public struct Tools: Sendable {
    /// The name or path of curl.
    public var curl = "curl"
    /// The name or path of unzip.
    public var unzip = "unzip"
    /// The name or path of tar.
    public var tar = "tar"
    public init() {}
  }

  /// Fetches a set into `directory/<folder>`. Files that are there already, with the right checksum, stay.
  ///
  /// - Parameter mirrors: Other places than the known ones: folders of the files, or addresses of the archive.
  /// - Returns: The set's files.
  /// - Throws: `UnknownName`; `DatasetError` where no mirror gave a good file, with which files to put where by hand;
  ///   `FileError` where the disk refuses.
  @discardableResult
  public static func fetch(
    _ name: String, into directory: URL, from mirrors: [String]? = nil, tools: Tools = Tools(),
    progress: (Progress) -> Void = { _ in }
  ) throws -> [URL] {
    let description = try DatasetLibrary.description(name)
    return try fetch(
      description, into: directory, from: mirrors ?? description.mirrors, tools: tools, progress: progress)
  }

  /// Fetches a set, of LatentKit or of a plugin, into `directory/<folder>`; a plugin's set has a folder of its name.
  ///
  /// - Returns: The set's files.
  /// - Throws: As `fetch` by name; `DatasetError` for a set without files.
  @discardableResult
  public static func fetch(
    _ entry: DatasetEntry, into directory: URL, tools: Tools = Tools(), progress: (Progress) -> Void = { _ in }
  ) throws -> [URL] {
    if let published = entry.published {
      return try fetch(published, into: directory, from: published.mirrors, tools: tools, progress: progress)
    }
    guard !entry.files.isEmpty else { throw DatasetError("data '\(entry.name)' have no files to fetch") }
    let folder = directory.appendingPathComponent(entry.name)
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw FileError(folder.path, "cannot be made: \(systemReason(of: error))")
    }
    return try entry.files.map { file in
      let target = folder.appendingPathComponent(file.name)
      do {
        try download(target, file.checksum, byteCount: file.byteCount, from: file.addresses, tools.curl, progress)
      } catch let error as DatasetError {
        throw DatasetError(
          "could not fetch '\(entry.name)': \(error); run it again to go on, or put \(file.name) into \(folder.path) by hand"
        )
      }
      return target
    }
  }

  static func fetch(
    _ description: DatasetDescription, into directory: URL, from mirrors: [String], tools: Tools,
    progress: (Progress) -> Void
  ) throws -> [URL] {
    let folder = directory.appendingPathComponent(description.folder)
    let targets = description.files.map { folder.appendingPathComponent($0.name) }
    guard !mirrors.isEmpty || targets.allSatisfy({ FileManager.default.fileExists(atPath: $0.path) }) else {
      throw DatasetError(
        "no address to fetch '\(description.name)' from is known; " + DatasetLibrary.advice(description, directory))
    }
    do {
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    } catch {
      throw FileError(folder.path, "cannot be made: \(systemReason(of: error))")
    }
    do {
      if let checksum = description.archiveChecksum {
        if targets.allSatisfy({ FileManager.default.fileExists(atPath: $0.path) }) { return targets }
        let archive = folder.appendingPathComponent(
          "\(description.folder).\(description.archiveKind.rawValue)")
        try download(archive, checksum, byteCount: nil, from: mirrors, tools.curl, progress)
        try unpack(archive, description, into: folder, tools)
        if let missing = targets.first(where: { !FileManager.default.fileExists(atPath: $0.path) }) {
          throw DatasetError("\(archive.lastPathComponent) holds no \(missing.lastPathComponent)")
        }
        try? FileManager.default.removeItem(at: archive)
      } else {
        for (file, target) in zip(description.files, targets) {
          let places =
            description.table != nil
            ? mirrors : mirrors.map { $0.hasSuffix("/") ? $0 + file.name : "\($0)/\(file.name)" }
          try download(target, file.checksum, byteCount: file.byteCount, from: places, tools.curl, progress)
        }
      }
    } catch let error as DatasetError {
      let names = description.files.map(\.name).joined(separator: ", ")
      throw DatasetError(
        "could not fetch '\(description.name)': \(error); run it again to go on, or put \(names) from "
          + "\(description.source) into \(folder.path) by hand")
    }
    return targets
  }

  // MARK: One file

  private static func download(
    _ target: URL, _ checksum: Checksum?, byteCount: Int?, from places: [String], _ curl: String,
    _ progress: (Progress) -> Void
  ) throws {
    func isWhole(_ file: URL) throws -> Bool {
      guard let checksum else { return true }
      return try Checksum(checksum.algorithm, of: file) == checksum
    }
    if FileManager.default.fileExists(atPath: target.path), try isWhole(target) { return }
    let part = target.appendingPathExtension("part")
    if checksum != nil, try size(of: part) > 0, try isWhole(part) { return try move(part, to: target) }
    var failure = "no mirror is known for \(target.lastPathComponent)"
    for place in places {
      // A second attempt starts afresh where the partial file was corrupt, and resumes after an interruption.
      for _ in 0..<10 {
        let start = try size(of: part)
        var told = start
        func tell(_ received: Int) {
          told = received
          progress(Progress(file: target.lastPathComponent, received: received, expected: byteCount))
        }
        let outcome = try receive(place, part, from: start, curl) { received in
          if received - told >= byteCount.map({ $0 / 20 }) ?? 1 << 24 { tell(received) }
        }
        let received = try size(of: part)
        if received != told { tell(received) }
        switch outcome {
        case .done:
          if try isWhole(part) { return try move(part, to: target) }
          if let checksum {
            let found = try Checksum(checksum.algorithm, of: part)
            failure = "\(place) gave a file with checksum \(found.digits), expected \(checksum.digits)"
          }
          try? FileManager.default.removeItem(at: part)
          if start > 0 { continue }
        case .cannotResume(let message):
          failure = "\(place): \(message)"
          try? FileManager.default.removeItem(at: part)
          if start > 0 { continue }
        case .interrupted(let message):
          failure = "\(place): \(message)"
          if try size(of: part) > start { continue }
        case .refused(let message):
          failure = "\(place): \(message)"
        }
        break
      }
    }
    if try size(of: part) == 0 { try? FileManager.default.removeItem(at: part) }
    throw DatasetError(failure)
  }

  private enum Outcome {
    case done
    /// The server does not give parts of files, or what is here already is longer than the file.
    case cannotResume(String)
    case interrupted(String)
    case refused(String)
  }

  /// What precedes the server's status among curl's messages.
  private static let answerMark = "status of the answer: "

  /// Appends the bytes of an address, from `start` on, to a file.
  ///
  /// They come through a pipe: when this program is stopped, so is curl.
  private static func receive(
    _ place: String, _ part: URL, from start: Int, _ curl: String, _ progress: (Int) -> Void
  ) throws -> Outcome {
    let isThere = start > 0 || FileManager.default.createFile(atPath: part.path, contents: nil)
    guard isThere, let file = try? FileHandle(forWritingTo: part) else {
      throw FileError(part.path, "cannot be written")
    }
    defer { try? file.close() }
    try file.seekToEnd()

    var options = ["--fail", "--location", "--silent", "--show-error", "--globoff", "--connect-timeout", "20"]
    options += ["--speed-limit", "1", "--speed-time", "60", "--write-out", "%{stderr}\\n\(answerMark)%{http_code}\\n"]
    if start > 0 { options += ["--continue-at", "\(start)"] }
    let command = Command(curl, options + ["--", place])
    var received = start
    let result: Command.Result
    do {
      result = try command.run { piece in
        do {
          try file.write(contentsOf: piece)
        } catch {
          throw FileError(part.path, "cannot be written: \(systemReason(of: error))")
        }
        received += piece.count
        progress(received)
      }
    } catch let error as CommandError {
      return .refused(error.description)
    }
    let lines = result.messages.split(separator: "\n")
    // The server's status has a line of its own, which a curl that was killed has not written.
    let answer = lines.last { $0.hasPrefix(answerMark) }?.dropFirst(answerMark.count)
    let message = lines.filter { !$0.hasPrefix(answerMark) }.joined(separator: "; ").trimmingCharacters(
      in: .whitespaces)
    switch result.status {
    case 0:
      try file.synchronize()
      return .done
    case 22 where answer == "416", 33, 36: return .cannotResume(message)
    case 18, 28, 52, 55, 56, 92: return .interrupted(message)
    default: return .refused(message.isEmpty ? "curl ended with status \(result.status)" : message)
    }
  }

  private static func unpack(
    _ archive: URL, _ description: DatasetDescription, into folder: URL, _ tools: Tools
  ) throws {
    let temporary = folder.appendingPathComponent(".unpacked")
    try? FileManager.default.removeItem(at: temporary)
    defer { try? FileManager.default.removeItem(at: temporary) }
    let command =
      switch description.archiveKind {
      case .zip: Command(tools.unzip, ["-q", "-o", "-j", archive.path, "*.gz", "-d", temporary.path])
      case .tar: Command(tools.tar, ["-x", "-z", "-f", archive.path, "-C", temporary.path, "--strip-components=1"])
      }
    do {
      try FileManager.default.createDirectory(at: temporary, withIntermediateDirectories: true)
      let result = try command.run()
      guard result.status == 0 else {
        throw CommandError(result.messages.split(separator: "\n").joined(separator: "; "))
      }
    } catch let error as CommandError {
      throw DatasetError("\(archive.path) cannot be unpacked: \(error)")
    }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: temporary.path)) ?? []
    let isWanted = Set(description.files.map(\.name)).contains
    for name in names.sorted() where description.archiveKind == .zip || isWanted(name) {
      try move(temporary.appendingPathComponent(name), to: folder.appendingPathComponent(name))
    }
  }

  private static func move(_ file: URL, to target: URL) throws {
    guard rename(file.path, target.path) == 0 else {
      throw FileError(target.path, "cannot be written: \(systemMessage())")
    }
  }

  private static func size(of file: URL) throws -> Int {
    guard FileManager.default.fileExists(atPath: file.path) else { return 0 }
    let found = try? FileManager.default.attributesOfItem(atPath: file.path)[.size] as? NSNumber
    guard let found else { throw FileError(file.path, "cannot be read") }
    return found.intValue
  }
}
