import Foundation

/// Something that can be drawn: written as PNG, and beside it as SVG under the same name.
public protocol Figure: Sendable {
  /// Writes the figure, each file whole or not at all.
  ///
  /// - Parameter url: Where the PNG file goes; the SVG file is its name with `svg` in place of `png`. A name that ends in
  ///   `svg` says where the SVG file goes, and the PNG file stands beside it.
  /// - Throws: `FigureError` where it cannot be drawn, `FileError` where a file cannot be written.
  func write(to url: URL) throws
}

/// Where the two files of a figure go.
public struct FigureFiles: Sendable, Equatable {
  /// The place of the PNG file.
  public let png: URL
  /// The place of the SVG file.
  public let svg: URL

  /// - Parameter url: A name that ends in `png`, in `svg`, or otherwise; then it is that of the PNG file.
  public init(_ url: URL) {
    let stem = url.deletingPathExtension()
    switch url.pathExtension.lowercased() {
    case "png": (png, svg) = (url, stem.appendingPathExtension("svg"))
    case "svg": (png, svg) = (stem.appendingPathExtension("png"), url)
    default: (png, svg) = (url, url.appendingPathExtension("svg"))
    }
  }
}
