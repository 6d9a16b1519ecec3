import LatentKit

extension SlotKey where Role == DatasetEntry {
  /// The key of data sets in a catalog.
  public static var data: Self { Self(.data) }
}

extension Contribution {
  /// Returns the contribution of a data set.
  public static func data(_ entry: DatasetEntry) -> Contribution {
    Contribution(
      .data,
      Entry(
        entry.name, entry.summary, settings: entry.settings, resolve: { try entry.resolved($0, at: $1) },
        make: { _, _, _ in entry }))
  }

  /// The data sets of LatentKit: MNIST and its relatives, the tables of papers, and `table` for any file.
  public static var knownData: [Contribution] { DatasetShelf.known.entries.map { .data($0) } }
}

extension Catalog {
  /// The data sets that recipes can name.
  /// - Throws: `DatasetError` for a set that declares a setting which all data have.
  public var datasets: DatasetShelf {
    get throws {
      let scope = try Scope(path: "data")
      let context = BuildContext(inputShape: [], scope: scope, title: "data")
      return try DatasetShelf(self[.data].entries.map { try $0.make([:], at: "data.with", in: context) })
    }
  }

  /// Returns a data set by name.
  /// - Throws: `UnknownName` with the known names and the nearest one.
  public func dataset(_ name: String) throws -> DatasetEntry { try datasets.entry(name) }
}
