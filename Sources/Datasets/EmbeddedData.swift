import Files
import Foundation

/// The small sets that ship with the package.
enum EmbeddedData {
  private static let bundleName = "LatentKit_Datasets"

  /// Returns the folder of a set's files.
  /// - Throws: `DatasetError` where a program was copied without its resources.
  static func folder(_ name: String, beside places: [URL] = ResourceFolder.places) throws -> URL {
    if let folder = ResourceFolder.find(bundleName, "Embedded/\(name)", in: places) { return folder }
    let place = places.first?.path ?? "the program"
    throw DatasetError(
      "the embedded data '\(name)' are not beside this program; copy '\(bundleName).resources' from its build folder "
        + "to \(place), or name a data folder with the full set", isAboutFolder: true)
  }
}
