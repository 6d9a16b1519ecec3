import Files
import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The picture files of a folder that has a folder for each class, or pictures alone: a list without what is in them.
///
/// Names are sorted by their characters' code points, so that the order is the same on all machines.
struct ImageFolder {
  let url: URL
  /// The files by class folder; under an empty name those that lie in the folder itself.
  private(set) var files: [String: [URL]] = [:]
  /// What was left aside: links, and files of other kinds or folders inside of class folders.
  private(set) var linkCount = 0
  private(set) var others: [String] = []

  private static let extensions: Set = ["png", "jpg", "jpeg"]

  /// Lists a folder.
  /// - Throws: `FileError` where it cannot be read, has no pictures, or has some beside its class folders, and for a
  ///   class folder without any.
  init(_ url: URL) throws {
    self.url = url
    let contents = try ImageFolder.contents(of: url)
    try DataTable.refuseTwins(contents.lazy.filter { $0.kind == .folder }.map(\.name), in: url.path)
    for (name, kind) in contents {
      let place = url.appendingPathComponent(name)
      guard kind == .folder, !name.hasPrefix(".") else {
        take(place, kind, in: "")
        continue
      }
      files[name] = []
      for (inner, kind) in try ImageFolder.contents(of: place) {
        take(place.appendingPathComponent(inner), kind, in: name)
      }
    }
    if let loose = files[""]?.first, files.count > 1 {
      throw FileError(
        url.path,
        "has pictures, such as \(loose.lastPathComponent), beside class folders; put each into the folder of its class")
    }
    if let (name, _) = files.sorted(by: { $0.key < $1.key }).first(where: \.value.isEmpty) {
      throw FileError(
        url.appendingPathComponent(name).path,
        "has no PNG or JPEG files\(left.map { "; \($0)" } ?? ""), expected those of one class; remove the folder, or name "
          + "the one whose folders are classes by data.path")
    }
    guard !files.isEmpty else {
      throw FileError(
        url.path, "has no PNG or JPEG files\(left.map { "; \($0)" } ?? ""), expected a folder of them for each class")
    }
  }

  private mutating func take(_ place: URL, _ kind: Kind, in name: String) {
    switch kind {
    case .link: linkCount += 1
    case .file
    where ImageFolder.extensions.contains(place.pathExtension.lowercased()) && !place.lastPathComponent.hasPrefix("."):
      files[name, default: []].append(place)
    case .file, .folder, .other: others.append(place.lastPathComponent)
    }
  }

  /// A sentence's part on what was left aside; nil for nothing.
  var left: String? {
    var parts: [String] = []
    if linkCount > 0 { parts.append("\(grouped(linkCount)) link\(linkCount == 1 ? "" : "s")") }
    if let first = others.first {
      parts.append("\(grouped(others.count)) other file\(others.count == 1 ? "" : "s"), such as \(first)")
    }
    return parts.isEmpty ? nil : "left aside: " + parts.joined(separator: " and ")
  }

  // MARK: Listing

  enum Kind { case file, folder, link, other }

  /// The names in a folder, sorted by code points.
  static func contents(of folder: URL) throws -> [(name: String, kind: Kind)] {
    let names: [String]
    do { names = try FileManager.default.contentsOfDirectory(atPath: folder.path) } catch {
      throw FileError(folder.path, "cannot be listed: \(error.localizedDescription)")
    }
    return names.sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }.map { name in
      var status = stat()
      guard lstat(folder.appendingPathComponent(name).path, &status) == 0 else { return (name, .other) }
      let kind: Kind =
        switch status.st_mode & S_IFMT {
        case S_IFREG: .file
        case S_IFDIR: .folder
        case S_IFLNK: .link
        default: .other
        }
      return (name, kind)
    }
  }
}
