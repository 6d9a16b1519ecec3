import ArgumentParser
import Figures
import Files
import Foundation
import Training

/// Where a command may write what it makes.
enum OutputFile {
  /// The file that an option names. Said before anything is computed.
  ///
  /// - Parameter isFigure: Whether an SVG file goes beside it.
  /// - Throws: `ValidationError` for a folder that is not there, for anything but a regular file or a new name, and for the
  ///   files of a run: of any run.
  static func named(_ path: String, by option: String, isFigure: Bool = false) throws -> URL {
    let url = URL(fileURLWithPath: path)
    func refuse(_ reason: String) -> ValidationError { ValidationError("\(option): \(reason)") }
    guard !path.isEmpty, !path.hasSuffix("/") else { throw refuse("found '\(path)', expected the name of a file") }
    guard OutputPlace(url.deletingLastPathComponent(), followsLinks: true) == .folder else {
      throw refuse("\(url.deletingLastPathComponent().path) is not a folder; make it, or choose another place")
    }
    for file in files(url, isFigure) {
      do { try OutputPlace.requireFile(file) } catch { throw refuse("\(error)") }
      if isOfRun(file) {
        throw refuse("\(file.path) is a file of the run in that folder, which is kept as it is; choose another name")
      }
    }
    return url
  }

  /// Refuses options that name one file twice.
  static func requireDifferent(_ urls: [URL]) throws {
    for (index, url) in urls.enumerated() where urls[..<index].contains(where: { resolved($0) == resolved(url) }) {
      throw ValidationError("\(url.path) is named by two options; give each its own file")
    }
  }

  /// A file that a run draws or writes, or the first of `NAME-2`, `NAME-3`, … that is free: what a run has is kept.
  ///
  /// - Parameter overwrites: Whether to replace it.
  /// - Throws: `FileError` where its folder leads out of the run, or something else is in its place.
  static func besides(_ url: URL, overwrites: Bool, isFigure: Bool) throws -> URL {
    let folder = url.deletingLastPathComponent()
    if isFigure { try OutputPlace.require(.folder, at: folder) }
    let stem = url.deletingPathExtension().lastPathComponent
    var (file, number) = (url, 1)
    while !overwrites, files(file, isFigure).contains(where: { OutputPlace($0, followsLinks: false) != nil }) {
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
    for _ in 0..<2 {
      if RunFolder(folder).exists, RunFolder.isWrittenByRuns(inner) { return true }
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
