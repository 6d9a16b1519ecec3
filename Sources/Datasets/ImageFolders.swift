import Files
import Foundation
import LatentKit

/// A folder of pictures with its parts: folders `train` and, where they are there, `test` and one for validation, each
/// with a folder per class; or the class folders themselves.
struct ImageFolders {
  let url: URL
  private let train: ImageFolder
  private let validation: ImageFolder?
  private let test: ImageFolder?
  /// The names of the parts' folders, in small or capital letters.
  private static let parts = [["train", "training"], ["val", "valid", "validation"], ["test", "testing"]]
  /// Sorted; nil where pictures lie in no class folders.
  let classNames: [String]?

  /// Lists the files; none is opened.
  /// - Throws: `FileError` as `ImageFolder`, for a folder beside the parts', and for a class that training lacks.
  init(_ url: URL) throws {
    self.url = url
    let names = try ImageFolder.contents(of: url).filter { $0.kind == .folder && !ImageFolder.isOfSystem($0.name) }
      .map(\.name)
    func folder(_ part: [String]) throws -> URL? {
      let found = names.filter { part.contains($0.lowercased()) }
      guard found.count < 2 else {
        throw FileError(url.path, "has folders '\(found[0])' and '\(found[1])', expected one of them; move the other")
      }
      return found.first.map(url.appendingPathComponent)
    }
    // A folder of trains is a class: it has pictures in it, and no folders.
    let first = try folder(ImageFolders.parts[0])
    let inside = try first.map { try ImageFolder.contents(of: $0) } ?? []
    if let first, inside.contains(where: { $0.kind == .folder && !ImageFolder.isOfSystem($0.name) }) {
      if let other = names.first(where: { !ImageFolders.parts.joined().contains($0.lowercased()) }) {
        throw FileError(
          url.appendingPathComponent(other).path,
          "lies beside the folder '\(first.lastPathComponent)', expected 'test' or 'validation' alone there; move it")
      }
      train = try ImageFolder(first)
      validation = try folder(ImageFolders.parts[1]).map { try ImageFolder($0) }
      test = try folder(ImageFolders.parts[2]).map { try ImageFolder($0) }
    } else {
      (train, validation, test) = (try ImageFolder(url), nil, nil)
    }
    let classes = Set(train.files.keys)
    for part in [validation, test].compactMap({ $0 }) {
      guard let other = Set(part.files.keys).subtracting(classes).min() else { continue }
      throw FileError(
        part.url.appendingPathComponent(other).path,
        "is a class that \(train.url.path) does not have, expected one of \(classes.sorted().joined(separator: ", "))")
    }
    classNames = classes == [""] ? nil : DataTable.sortedClasses(Array(classes))
  }

  /// Lists the files of a folder of classes, or of pictures alone: whatever the folders in it are called, they are classes.
  /// - Throws: `FileError` as `ImageFolder`.
  init(classesOf url: URL) throws {
    self.url = url
    (train, validation, test) = (try ImageFolder(url), nil, nil)
    let classes = Set(train.files.keys)
    classNames = classes == [""] ? nil : DataTable.sortedClasses(Array(classes))
  }

  /// Decodes all pictures.
  /// - Throws: `FileError` as `ImageList`, and for a class of which no picture is left. `DatasetError` where they would take
  ///   more memory than the fit allows.
  func dataset(_ fit: ImageFit, pixels: Int, damaged: ImageList.Damaged) throws -> Dataset {
    func read(_ part: ImageFolder) throws -> ImageList {
      let items = (classNames ?? [""]).enumerated().flatMap { label, name in
        (part.files[name] ?? []).map { ImageList.Item(url: $0, label: classNames == nil ? nil : label) }
      }
      let list = try ImageList(items, fit, pixels: pixels, damaged: damaged)
      let left = Set(list.items.map(\.label))
      if let lost = items.first(where: { !left.contains($0.label) }) {
        throw FileError(
          lost.url.deletingLastPathComponent().path, "has no file that can be decoded, expected some of a class")
      }
      return list
    }
    try requireMemory(fit, pixels: pixels)
    var parts = try (train: read(train), validation: validation.map(read), test: test.map(read))
    let all = [parts.train] + [parts.validation, parts.test].compactMap { $0 }
    let (failures, digest) = (all.flatMap(\.failures), try digest(of: all))
    let channels = fit.colours == .rgb || all.contains(where: \.haveColours) ? 3 : 1
    let ids = all.flatMap(\.items).map { path(of: $0.url) }
    var dataset = try Dataset(
      name: DatasetLibrary.imagesName, title: url.lastPathComponent,
      train: parts.train.takeExamples(channels: channels),
      validation: parts.validation?.takeExamples(channels: channels),
      test: parts.test?.takeExamples(channels: channels), classNames: classNames, ids: ids, digest: digest,
      origin: .files([url.appendingPathComponent("classes")]))
    dataset.remark = remark(failures)
    return dataset
  }

  /// Checks, by the first picture that can be decoded, that all will fit into memory, before the others are.
  private func requireMemory(_ fit: ImageFit, pixels: Int) throws {
    let files = [train, validation, test].compactMap { $0 }.flatMap { part in
      part.files.sorted { $0.key < $1.key }.flatMap(\.value)
    }
    for file in files {
      guard case .success(let first) = ImageList.decode(file, fit, pixels).image else { continue }
      let channels = fit.colours == .rgb ? 3 : first.channels
      return try fit.requireMemory(for: files.count, height: first.height, width: first.width, channels: channels)
    }
  }

  /// SHA-256 over the path of each file, inside the folder, and the checksum of its bytes: also of damaged files.
  /// It costs 0.15 s for each 100 MB of files and core, which are read to be decoded anyway.
  private func digest(of lists: [ImageList]) throws -> String {
    let lines = lists.flatMap(\.checksums).map { "\(path(of: $0.url)) \($0.digits)\n" }
    return try Checksum(.sha256, of: Data(lines.joined().utf8)).digits
  }

  /// The path of a file inside the folder.
  private func path(of file: URL) -> String {
    String(file.path.dropFirst(url.path.hasSuffix("/") ? url.path.count : url.path.count + 1))
  }

  private func remark(_ failures: [FileError]) -> String? {
    var parts = [train, validation, test].compactMap { $0 }.compactMap { part in
      part.left.map { "\(part.url.lastPathComponent), \($0)" }
    }
    if !failures.isEmpty {
      let names = failures.prefix(3).map { URL(fileURLWithPath: $0.path).lastPathComponent }.joined(separator: ", ")
      let noun = failures.count == 1 ? "damaged file" : "damaged files"
      parts.append("\(grouped(failures.count)) \(noun) skipped: \(names)\(failures.count > 3 ? ", …" : "")")
    }
    return parts.isEmpty ? nil : "data 'images': " + parts.joined(separator: "; ")
  }
}
