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
  /// The same for what was left aside.
  private var aside: [String: LeftAside] = [:]

  private static let extensions: Set = ["png", "jpg", "jpeg"]

  /// Lists a folder.
  /// - Throws: `FileError` where it cannot be read, has no pictures, or has some beside its class folders, and for a
  ///   class folder without any.
  init(_ url: URL) throws {
    self.url = url
    let contents = try ImageFolder.contents(of: url)
    try DataTable.refuseTwins(contents.lazy.filter { $0.kind == .folder }.map(\.name), in: url.path)
    for (name, kind) in contents where !ImageFolder.isOfSystem(name) {
      let place = url.appendingPathComponent(name)
      guard kind == .folder else {
        take(place, kind, in: "")
        continue
      }
      files[name] = []
      for (inner, kind) in try ImageFolder.contents(of: place) where !ImageFolder.isOfSystem(inner) {
        take(place.appendingPathComponent(inner), kind, in: name)
      }
    }
    if let loose = files[""]?.first, files.count > 1 {
      throw FileError(
        url.path,
        "has pictures, such as \(loose.lastPathComponent), beside class folders; put each into the folder of its class")
    }
    func found(_ name: String) -> String { aside[name].map { "; \($0)" } ?? "" }
    if let (name, _) = files.sorted(by: { $0.key < $1.key }).first(where: \.value.isEmpty) {
      throw FileError(
        url.appendingPathComponent(name).path,
        "has no PNG or JPEG files\(found(name)), expected those of one class; remove the folder, or name the one whose "
          + "folders are classes by data.path")
    }
    guard !files.isEmpty else {
      throw FileError(url.path, "has no PNG or JPEG files\(found("")), expected a folder of them for each class")
    }
  }

  private mutating func take(_ place: URL, _ kind: Kind, in name: String) {
    let ending = place.pathExtension.lowercased()
    if kind == .file, ImageFolder.extensions.contains(ending) {
      files[name, default: []].append(place)
    } else {
      aside[name, default: LeftAside()].add(place.lastPathComponent, kind, ending)
    }
  }

  /// A sentence's part on what was left aside; nil for nothing.
  var left: String? {
    let all = aside.sorted { $0.key < $1.key }.map(\.value).reduce(into: LeftAside()) { $0.add($1) }
    return all.isEmpty ? nil : all.description
  }

  // MARK: Listing

  enum Kind { case file, folder, link, other }

  /// Whether a file manager keeps its own notes under this name. They are passed over without a word, as are hidden files.
  static func isOfSystem(_ name: String) -> Bool {
    name.hasPrefix(".") || ["thumbs.db", "desktop.ini", "__macosx"].contains(name.lowercased())
  }

  /// The names in a folder, sorted by code points.
  static func contents(of folder: URL) throws -> [(name: String, kind: Kind)] {
    let names: [String]
    do { names = try FileManager.default.contentsOfDirectory(atPath: folder.path) } catch {
      throw FileError(folder.path, "cannot be listed: \(systemReason(of: error))")
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

/// What is no picture of a class, or none that can be read.
private struct LeftAside: CustomStringConvertible {
  /// Pictures in formats that are not read, by the ending of their name.
  private static let formats: Set = [
    "gif", "webp", "bmp", "tif", "tiff", "heic", "heif", "avif", "jp2", "jxl", "ppm", "pgm", "svg", "dng", "cr2", "nef",
  ]

  private var links: [String] = []
  private var pictures: [String] = []
  private var folders: [String] = []
  private var others: [String] = []

  var isEmpty: Bool { links.isEmpty && pictures.isEmpty && folders.isEmpty && others.isEmpty }

  mutating func add(_ name: String, _ kind: ImageFolder.Kind, _ ending: String) {
    switch kind {
    case .link: links.append(name)
    case .folder: folders.append(name)
    case .file where LeftAside.formats.contains(ending): pictures.append(name)
    case .file, .other: others.append(name)
    }
  }

  mutating func add(_ more: LeftAside) {
    links += more.links
    pictures += more.pictures
    folders += more.folders
    others += more.others
  }

  var description: String {
    func part(_ names: [String], _ one: String, _ many: String) -> String? {
      names.first.map { first in
        names.count == 1 ? "1 \(one) (\(first))" : "\(grouped(names.count)) \(many) (\(first), …)"
      }
    }
    let parts = [
      part(links, "link", "links"),
      part(pictures, "picture of another format", "pictures of other formats"),
      part(folders, "folder inside a class folder", "folders inside class folders"),
      part(others, "other file", "other files"),
    ]
    return "left aside: " + parts.compactMap { $0 }.joined(separator: " and ")
  }
}
