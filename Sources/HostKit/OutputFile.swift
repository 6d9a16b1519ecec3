import ArgumentParser
import Figures
import Files
import Foundation
import Studies
import Training

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Where a command may write what it makes.
enum OutputFile {
  /// The file that an option names. Said before anything is computed.
  ///
  /// - Parameter endings: What its name may end in; anything where there are none.
  /// - Throws: `ValidationError` for another ending, for a folder that is not there, for anything but a regular file or a new name,
  ///   and for the files of a run: of any run.
  static func named(_ path: String, by option: String, endings: [String] = []) throws -> URL {
    let url = URL(fileURLWithPath: path)
    func refuse(_ reason: String) -> ValidationError { ValidationError("\(option): \(reason)") }
    guard !path.isEmpty, !path.hasSuffix("/") else { throw refuse("found '\(path)', expected the name of a file") }
    let folder = url.deletingLastPathComponent()
    guard OutputPlace(folder, followsLinks: true) == .folder else {
      throw refuse("\(folder.path) is not a folder; make it, or choose another place")
    }
    guard access(folder.path, W_OK | X_OK) == 0 else {
      throw refuse("\(folder.path) cannot be written: \(systemMessage())")
    }
    if let found = OutputPlace(url, followsLinks: false), found != .file {
      throw refuse("\(url.path) is \(found.rawValue), expected a file or a new name; choose another name")
    }
    if isOfRun(url) {
      throw refuse("\(url.path) is a file of the run in that folder, which is kept as it is; choose another name")
    }
    guard endings.isEmpty || endings.contains(url.pathExtension.lowercased()) else {
      let known = endings.map { ".\($0)" }.joined(separator: ", ")
      throw refuse("found '\(url.lastPathComponent)', expected a name that ends in \(known)")
    }
    return url
  }

  /// Writes the one file of a picture that an option names, PNG or SVG: what is beside it stays.
  ///
  /// - Parameter write: Writes the figure, with both of its files.
  /// - Throws: `FigureError` for an SVG file that cannot be drawn without gnuplot; and what `write` throws.
  static func writePicture(_ url: URL, _ write: (URL) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("latentkit-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    do { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) } catch {
      throw FileError(folder.path, "cannot be made; free some space there, or set TMPDIR to another folder")
    }
    let picture = folder.appendingPathComponent(url.lastPathComponent)
    try write(picture)
    guard let data = try? Data(contentsOf: picture) else {
      throw FigureError("\(url.path) cannot be drawn without gnuplot; name a .png file, or install gnuplot")
    }
    try AtomicFile.write(data, to: url)
  }

  /// Refuses the ending of a picture's name for a table, and the other way round.
  ///
  /// - Throws: `ValidationError`.
  static func require(_ output: URL, isOf images: Bool, tables: [String] = ["csv", "h5ad"], by option: String) throws {
    let endings = images ? ["png", "svg"] : tables
    guard !endings.contains(output.pathExtension.lowercased()) else { return }
    throw ValidationError(
      "\(option): found '\(output.lastPathComponent)', and the run makes \(images ? "pictures" : "tables"), expected a name that ends in "
        + endings.map { ".\($0)" }.joined(separator: " or "))
  }

  /// Refuses an output that would replace what it is made from.
  ///
  /// - Throws: `ValidationError`.
  static func require(_ output: URL, besides inputs: [URL], by option: String) throws {
    guard inputs.contains(where: { $0.realPath == output.realPath }) else {
      return
    }
    throw ValidationError("\(option): \(output.path) is what the data are read from; choose another name")
  }

  /// Refuses options that name one file twice.
  static func requireDifferent(_ urls: [URL]) throws {
    for (index, url) in urls.enumerated() where urls[..<index].contains(where: { resolved($0) == resolved(url) }) {
      throw ValidationError("\(url.path) is named by two options; give each its own file")
    }
  }

  /// Writes a file of a run's folder, or the first of `NAME-2`, `NAME-3`, … that is free, so that the run keeps its own; and
  /// notes it in the run's list of files. Two programs never get one name.
  ///
  /// - Parameter overwrites: Whether to replace it.
  /// - Throws: `FileError` where its folder leads out of the run, or something else is in its place; and what `write` throws.
  static func add(
    _ url: URL, to run: RunFolder, overwrites: Bool, isFigure: Bool, _ write: (URL) throws -> Void
  ) throws -> URL {
    let lock = try run.lockForAdding()
    defer { withExtendedLifetime(lock) {} }
    let file = try besides(url, of: run, overwrites: overwrites, isFigure: isFigure)
    try run.note(files(file, isFigure))
    try write(file)
    return file
  }

  private static func besides(_ url: URL, of run: RunFolder, overwrites: Bool, isFigure: Bool) throws -> URL {
    let root = run.url.standardizedFileURL.path + "/"
    func isFree(_ file: URL) -> Bool {
      guard OutputPlace(file, followsLinks: false) != nil else { return true }
      return overwrites && run.owns(String(file.standardizedFileURL.path.dropFirst(root.count)))
    }
    let folder = url.deletingLastPathComponent()
    let stem = url.deletingPathExtension().lastPathComponent
    var (file, number) = (url, 1)
    while !files(file, isFigure).allSatisfy(isFree) {
      number += 1
      file = folder.appendingPathComponent("\(stem)-\(number).\(url.pathExtension)")
    }
    for file in files(file, isFigure) { try OutputPlace.require(.file, at: file) }
    return file
  }

  private static func files(_ url: URL, _ isFigure: Bool) -> [URL] {
    isFigure ? [FigureFiles(url).png, FigureFiles(url).svg] : [url]
  }

  /// Whether a run that is there writes the file, by whatever way the path leads to it.
  private static func isOfRun(_ url: URL) -> Bool {
    let path = resolved(url)
    var (folder, inner) = (path.deletingLastPathComponent(), path.lastPathComponent)
    if StudyResults.owns(inner, in: folder) { return true }
    for _ in 0..<2 {
      if RunFolder(folder).exists, RunFolder(folder).mayOwn(inner) { return true }
      (folder, inner) = (folder.deletingLastPathComponent(), "\(folder.lastPathComponent)/\(inner)")
    }
    return false
  }

  /// The path with links to its folder followed; a link of the name itself is replaced, not what it leads to.
  private static func resolved(_ url: URL) -> URL {
    url.absoluteURL.standardizedFileURL.deletingLastPathComponent().resolvingSymlinksInPath()
      .appendingPathComponent(url.lastPathComponent)
  }
}
