import Foundation

/// The small sets that ship with the package.
enum EmbeddedData {
  private static let bundleName = "LatentKit_Datasets"

  /// Returns the folder of a set's files.
  ///
  /// Looked up here, because the accessor that SwiftPM makes stops the program where the resources are missing.
  /// - Throws: `DatasetError` where a program was copied without its resources.
  static func folder(_ name: String, beside places: [URL] = EmbeddedData.places) throws -> URL {
    for place in places {
      for bundle in ["\(bundleName).resources", "\(bundleName).bundle", "\(bundleName).bundle/Contents/Resources"] {
        let folder = place.appendingPathComponent(bundle).appendingPathComponent("Embedded").appendingPathComponent(
          name)
        if FileManager.default.fileExists(atPath: folder.path) { return folder }
      }
    }
    let place = places.first?.path ?? "the program"
    throw DatasetError(
      "the embedded data '\(name)' are not beside this program; copy '\(bundleName).resources' from its build folder "
        + "to \(place), or name a data folder with the full set", isAboutFolder: true)
  }

  /// Beside the program (also where a link to it leads), in its application, and beside a bundle of tests.
  static var places: [URL] {
    let program = Bundle.main.executableURL
    let marked = Bundle(for: Marker.self)
    var places = [program, program?.resolvingSymlinksInPath()].compactMap { $0?.deletingLastPathComponent() }
    places += [Bundle.main.resourceURL, Bundle.main.bundleURL, marked.resourceURL].compactMap { $0 }
    places.append(marked.bundleURL.deletingLastPathComponent())
    return places
  }

  private final class Marker {}
}
