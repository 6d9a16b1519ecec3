import Foundation

/// The folders of files that ship with a program.
///
/// Looked up here, because the accessor that SwiftPM makes stops the program where the resources are missing.
public enum ResourceFolder {
  /// Returns a folder inside a bundle of resources; nil where no bundle of that name holds it.
  ///
  /// - Parameters:
  ///   - bundle: The name that SwiftPM gives the bundle, without an extension: `LatentKit_Datasets`.
  ///   - path: The folder in it.
  public static func find(_ bundle: String, _ path: String, in places: [URL] = ResourceFolder.places) -> URL? {
    for place in places {
      for name in ["\(bundle).resources", "\(bundle).bundle", "\(bundle).bundle/Contents/Resources"] {
        let folder = place.appendingPathComponent(name).appendingPathComponent(path)
        if FileManager.default.fileExists(atPath: folder.path) { return folder }
      }
    }
    return nil
  }

  /// Beside the program (also where a link to it leads), in its application, and beside a bundle of tests.
  public static var places: [URL] {
    let program = Bundle.main.executableURL
    let marked = Bundle(for: Marker.self)
    var places = [program, program?.resolvingSymlinksInPath()].compactMap { $0?.deletingLastPathComponent() }
    places += [Bundle.main.resourceURL, Bundle.main.bundleURL, marked.resourceURL].compactMap { $0 }
    places.append(marked.bundleURL.deletingLastPathComponent())
    return places
  }

  private final class Marker {}
}
