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
  /// Sorted; nil where pictures lie in no class folders.
  let classNames: [String]?

  /// Lists the files; none is opened.
  /// - Throws: `FileError` as `ImageFolder`, for a folder beside the parts', and for a class that training lacks.
  init(_ url: URL) throws {
    self.url = url
    let names = try ImageFolder.contents(of: url).filter { $0.kind == .folder }.map(\.name)
    // A folder of trains is a class: it has pictures in it, and no folders.
    let inside = names.contains("train") ? try ImageFolder.contents(of: url.appendingPathComponent("train")) : []
    if inside.contains(where: { $0.kind == .folder }) {
      let validations = ["val", "valid", "validation"]
      if let other = names.first(where: { !(["train", "test"] + validations).contains($0) && !$0.hasPrefix(".") }) {
        throw FileError(
          url.appendingPathComponent(other).path,
          "lies beside the folder 'train', expected 'test' or 'validation' alone there; move it")
      }
      func part(_ name: String?) throws -> ImageFolder? {
        try name.map { try ImageFolder(url.appendingPathComponent($0)) }
      }
      train = try ImageFolder(url.appendingPathComponent("train"))
      validation = try part(validations.first(where: names.contains))
      test = try part(names.first { $0 == "test" })
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

  /// Decodes all pictures.
  /// - Throws: `FileError` as `ImageList`, and for a class of which no picture is left.
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
    let parts = try (train: read(train), validation: validation.map(read), test: test.map(read))
    let all = [parts.train] + [parts.validation, parts.test].compactMap { $0 }
    let channels = fit.colours == .rgb || all.contains(where: \.haveColours) ? 3 : 1
    var dataset = try Dataset(
      name: DatasetLibrary.imagesName, title: url.lastPathComponent, train: parts.train.examples(channels: channels),
      validation: parts.validation?.examples(channels: channels), test: parts.test?.examples(channels: channels),
      classNames: classNames, origin: .files([url.appendingPathComponent("classes")]))
    dataset.remark = remark(all.flatMap(\.failures))
    return dataset
  }

  private func remark(_ failures: [FileError]) -> String? {
    var parts = [train, validation, test].compactMap { $0 }.compactMap { part in
      part.left.map { "\(part.url.lastPathComponent), \($0)" }
    }
    if !failures.isEmpty {
      let names = failures.prefix(3).map { URL(fileURLWithPath: $0.path).lastPathComponent }.joined(separator: ", ")
      parts.append("\(grouped(failures.count)) damaged files skipped: \(names)\(failures.count > 3 ? ", …" : "")")
    }
    return parts.isEmpty ? nil : "data 'images': " + parts.joined(separator: "; ")
  }
}
