import Files
import Foundation

/// A picture that is written as PNG and, beside it under the same name, as SVG.
public protocol Figure: Sendable {
  /// Writes the figure, each file atomically.
  ///
  /// - Parameter url: The PNG or the SVG file; see `FigureFiles`.
  /// - Throws: `FigureError` if it cannot be drawn, `FileError` if a file cannot be written.
  func write(to url: URL) throws
}

/// The programs that draw figures.
public enum FigurePrograms {
  /// The sentence about the program that is missing; nil if figures can be drawn.
  public static var missing: String? {
    Command("gnuplot", searchPath: Gnuplot.path).program == nil ? Gnuplot.missing.description : nil
  }
}

/// The locations of a figure's two files.
public struct FigureFiles: Sendable, Equatable {
  /// The PNG file.
  public let png: URL
  /// The SVG file.
  public let svg: URL

  /// Creates both locations from one of them.
  ///
  /// - Parameter url: A name that ends in `png` or `svg`, which is exchanged for the other; any other name is that of the
  ///   PNG file, and the SVG file is that name with `.svg` added.
  public init(_ url: URL) {
    let stem = url.deletingPathExtension()
    switch url.pathExtension.lowercased() {
    case "png": (png, svg) = (url, stem.appendingPathExtension("svg"))
    case "svg": (png, svg) = (stem.appendingPathExtension("png"), url)
    default: (png, svg) = (url, url.appendingPathExtension("svg"))
    }
  }
}
