import Foundation
import LatentKit

/// Data sets by name: those of LatentKit and of plugins.
public struct DatasetShelf: Sendable {
  /// The sets, in order.
  public let entries: [DatasetEntry]

  /// The sets that LatentKit knows: MNIST and its relatives, the images and tables of papers, `table` for any file of
  /// numbers and `images` for any folder of pictures.
  public static let known = DatasetShelf(
    unchecked: DatasetDescription.all.map(\.entry) + [DatasetLibrary.table, DatasetLibrary.images])

  private init(unchecked entries: [DatasetEntry]) { self.entries = entries }

  /// - Throws: `DatasetError` for two sets of one name, and for a setting of a set's own that is called like a shared one.
  public init(_ entries: [DatasetEntry]) throws {
    var names: Set<String> = []
    for entry in entries {
      guard names.insert(entry.name).inserted else {
        throw DatasetError("there are two data sets called '\(entry.name)'; rename one of them")
      }
      if let file = entry.files.first(where: { $0.name.isEmpty || $0.name.hasPrefix(".") || $0.name.contains("/") }) {
        throw DatasetError("data '\(entry.name)' declare the file '\(file.name)'; give it a plain name, as in ring.csv")
      }
      if let name = entry.ambiguousNames.first {
        throw DatasetError("data '\(entry.name)' declares the setting '\(name)', which all data have; rename it")
      }
    }
    self.entries = entries
  }

  /// Returns the shelf with more data sets.
  /// - Throws: `DatasetError` as the initialiser.
  public func adding(_ more: [DatasetEntry]) throws -> DatasetShelf { try DatasetShelf(entries + more) }

  /// Returns a data set by name.
  /// - Throws: `UnknownName` with the known names and the nearest one.
  public func entry(_ name: String) throws -> DatasetEntry {
    guard let found = entries.first(where: { $0.name == name }) else {
      throw UnknownName(name, among: entries.map(\.name), of: "dataset")
    }
    return found
  }

  /// The descriptions of the sets that are published in files of fixed names.
  public var published: [DatasetDescription] { entries.compactMap(\.published) }

  /// Returns the published set of a name, which can be fetched and verified.
  /// - Throws: `UnknownName` for any other, with those that can.
  public func published(_ name: String) throws -> DatasetDescription {
    guard let found = published.first(where: { $0.name == name }) else {
      throw UnknownName(name, among: published.map(\.name), of: "published dataset")
    }
    return found
  }
}
